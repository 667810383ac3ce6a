//! The keys that a lock derives from its seed (spec: "Key schedule").

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::crypto::{Crypto, Digest, Kdf, Signer};
use crate::error::ProviderFailed;
use crate::id::LockId;
use crate::secret::{AgreementSecret, MacKey, Seed};

const SIGNING: &[u8] = b"sharekey v1 lock key";
const RECORDS: &[u8] = b"sharekey v1 record mac";
const NONCES: &[u8] = b"sharekey v1 nonce";
const AGREEMENTS: &[u8] = b"sharekey v1 agreement";
const SEEDS: &[u8] = b"sharekey v1 seed";
const AGREEMENT_SECRETS: &[u8] = b"sharekey v1 agreement secret";

pub(crate) struct LockKeys<C: Crypto> {
    pub(crate) signer: Signer<C>,
    /// For the records on flash.
    pub(crate) record: MacKey,
    /// For the nonces of challenges.
    pub(crate) nonce: MacKey,
    /// For the X25519 secrets of installs.
    agreement: MacKey,
}

/// The key of the MACs on flash.
pub(super) fn record_key(crypto: &impl Kdf, seed: &Seed) -> Result<MacKey, ProviderFailed> {
    derive(crypto, seed, RECORDS).map(|key| MacKey::from_bytes(*key))
}

fn derive(crypto: &impl Kdf, seed: &Seed, label: &[u8]) -> Result<Zeroizing<[u8; 32]>, ProviderFailed> {
    //= spec/protocol.md#keys-of-a-lock
    //# KDF-6. A lock MUST derive these four keys from its seed as the table says.
    crypto.hkdf_sha256(&[], seed.expose(), label)
}

/// A new seed from fresh entropy and what went before it (spec: "Making").
pub(crate) fn fresh_seed(
    crypto: &impl Kdf,
    before: &[u8; 32],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Seed, ProviderFailed> {
    let mut entropy = Zeroizing::new([0; 32]);
    //= spec/protocol.md#making
    //# LCK-6. The entropy for a seed MUST be 32 bytes from a cryptographic source of randomness.
    rng.fill_bytes(entropy.as_mut_slice());
    //= spec/protocol.md#making
    //# LCK-7. A new seed MUST be HKDF-SHA256(salt = what was before, ikm = the entropy, info = `"sharekey v1 seed"`).
    crypto.hkdf_sha256(before, entropy.as_slice(), SEEDS).map(|seed| Seed::from_bytes(*seed))
}

impl<C: Crypto> LockKeys<C> {
    pub(crate) fn derive(crypto: &C, seed: &Seed) -> Result<Self, ProviderFailed> {
        Ok(Self {
            signer: Signer::from_seed(crypto, &Seed::from_bytes(*derive(crypto, seed, SIGNING)?))?,
            record: record_key(crypto, seed)?,
            nonce: MacKey::from_bytes(*derive(crypto, seed, NONCES)?),
            agreement: MacKey::from_bytes(*derive(crypto, seed, AGREEMENTS)?),
        })
    }

    /// The X25519 secret of one install: another one for each, and none that a listener can compute, also where the
    /// entropy is not what it should be.
    pub(crate) fn agreement_secret(
        &self,
        crypto: &C,
        install: &Digest,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<AgreementSecret, ProviderFailed> {
        //= spec/protocol.md#pairing-key
        //# KDF-1. At an install the lock MUST make a new X25519 secret, HKDF(salt = agreement key, ikm = 32 bytes of fresh entropy ‖ digest(Install), info = `"sharekey v1 agreement secret"`).
        let mut input = Zeroizing::new([0; 64]);
        let (entropy, of) = input.split_at_mut(32);
        rng.fill_bytes(entropy);
        of.copy_from_slice(install.as_bytes());
        let secret = crypto.hkdf_sha256(self.agreement.expose(), input.as_slice(), AGREEMENT_SECRETS)?;
        Ok(AgreementSecret::from_bytes(*secret))
    }

    /// The seed of the lock that follows this one: another one even where the entropy is not what it
    /// should be, so that no lock ever comes back.
    pub(crate) fn next_seed(&self, crypto: &C, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Seed, ProviderFailed> {
        //= spec/protocol.md#making
        //# LCK-8. At a factory reset, what was before MUST be the nonce key of the lock that ends.
        fresh_seed(crypto, self.nonce.expose(), rng)
    }

    pub(crate) const fn id(&self) -> LockId {
        LockId::new(*self.signer.public())
    }
}
