//! The keys that a lock derives from its seed (spec: "Key schedule").

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::crypto::{Crypto, Kdf, Signer};
use crate::error::ProviderFailed;
use crate::id::LockId;
use crate::secret::{MacKey, Seed};

const SIGNING: &[u8] = b"sharekey v1 lock key";
const RECORDS: &[u8] = b"sharekey v1 record mac";
const NONCES: &[u8] = b"sharekey v1 nonce";
const SEEDS: &[u8] = b"sharekey v1 seed";

pub(crate) struct LockKeys<C: Crypto> {
    pub(crate) signer: Signer<C>,
    /// For the records on flash.
    pub(crate) record: MacKey,
    /// For the nonces of challenges.
    pub(crate) nonce: MacKey,
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
        //= spec/protocol.md#keys-of-a-lock
        //# KDF-6. A lock MUST derive these three keys from its seed as the table says.
        let derive = |label| crypto.hkdf_sha256(&[], seed.expose(), label);
        Ok(Self {
            signer: Signer::from_seed(crypto, &Seed::from_bytes(*derive(SIGNING)?))?,
            record: MacKey::from_bytes(*derive(RECORDS)?),
            nonce: MacKey::from_bytes(*derive(NONCES)?),
        })
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
