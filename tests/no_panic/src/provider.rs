//! A provider and an entropy source of which nothing panics, and of which the optimiser can foresee
//! nothing: whatever they say, the caller has to cope.

use core::convert::Infallible;
use core::hint::black_box;

use rand_core::{TryCryptoRng, TryRng};
use sharekey::crypto::{Agree, AgreementKey, Hash, Kdf, Mac, PublicKey, Sign, Signature, Verify};
use sharekey::error::{NonContributory, ProviderFailed};
use sharekey::secret::{AgreementSecret, Seed, SharedSecret};
use zeroize::Zeroizing;

/// Not cryptography: it mixes its input a little, and fails when it likes.
pub struct Opaque;

fn mixed<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut state = black_box(0x9e_u8);
    parts.iter().flat_map(|part| part.iter()).for_each(|byte| state = state.rotate_left(3) ^ byte);
    black_box([state; N])
}

fn fails() -> bool {
    black_box(false)
}

impl Verify for Opaque {
    type Ready = PublicKey;

    fn ready(&self, key: &PublicKey) -> Option<Self::Ready> {
        Some(*key)
    }

    fn verify_equation(&self, key: &Self::Ready, message: &[&[u8]], signature: &Signature) -> bool {
        mixed::<1>(&[key.as_bytes(), &mixed::<32>(message), signature.as_bytes()]) != [0]
    }
}

impl Sign for Opaque {
    type Key = [u8; 32];

    fn signing_key(&self, seed: &Seed) -> Result<Self::Key, ProviderFailed> {
        if fails() { Err(ProviderFailed) } else { Ok(mixed(&[seed.expose()])) }
    }

    fn public_key(&self, key: &Self::Key) -> PublicKey {
        PublicKey::from_bytes(mixed(&[key]))
    }

    fn sign(&self, key: &Self::Key, message: &[&[u8]]) -> Result<Signature, ProviderFailed> {
        if fails() { Err(ProviderFailed) } else { Ok(Signature::from_bytes(mixed(&[key, &mixed::<32>(message)]))) }
    }
}

impl Agree for Opaque {
    fn agreement_key(&self, secret: &AgreementSecret) -> AgreementKey {
        AgreementKey::from_bytes(mixed(&[secret.expose()]))
    }

    fn agree(&self, secret: &AgreementSecret, peer: &AgreementKey) -> Result<SharedSecret, NonContributory> {
        if fails() {
            return Err(NonContributory);
        }
        Ok(SharedSecret::from_bytes(mixed(&[secret.expose(), peer.as_bytes()])))
    }
}

impl Hash for Opaque {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        mixed(parts)
    }
}

impl Mac for Opaque {
    fn hmac_sha256(&self, _key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        mixed(parts)
    }
}

impl Kdf for Opaque {
    fn hkdf_sha256(&self, salt: &[u8], ikm: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, ProviderFailed> {
        if fails() { Err(ProviderFailed) } else { Ok(Zeroizing::new(mixed(&[salt, ikm, info]))) }
    }
}

impl TryRng for Opaque {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(black_box(1))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(black_box(1))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.iter_mut().for_each(|byte| *byte = black_box(1));
        Ok(())
    }
}

impl TryCryptoRng for Opaque {}
