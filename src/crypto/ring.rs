//! The provider on `ring`, with X25519 from `x25519-dalek` (ring's own takes no caller's entropy).

use core::num::NonZeroU32;

use arrayvec::ArrayVec;
#[cfg(feature = "alloc")]
use ring::aead;
use ring::signature::KeyPair as _;
use ring::{digest, hkdf, hmac, pbkdf2, signature};
use zeroize::Zeroizing;

use super::{
    Agree, AgreementKey, Hash, Kdf, Mac, PublicKey, SIGNATURE_CONTEXT, Sign, Signature, Stretch, Verify, agree,
};
use crate::error::{NonContributory, ProviderFailed};
use crate::secret::{AgreementSecret, Seed, SharedSecret};

/// The default provider: `ring`. For apps, services and Linux-class locks.
///
/// `ring` does not wipe a loaded signing key when it is dropped; the seed that it came from is
/// wiped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ring;

impl Verify for Ring {
    /// `ring` parses the key at each check.
    type Ready = PublicKey;

    fn ready(&self, key: &PublicKey) -> Option<PublicKey> {
        Some(*key)
    }

    fn verify_equation(&self, key: &PublicKey, message: &[&[u8]], signature: &Signature) -> bool {
        let key = signature::UnparsedPublicKey::new(&signature::ED25519, key.as_bytes());
        in_one(message, |message| key.verify(message, signature.as_bytes()).ok()).is_some()
    }
}

impl Sign for Ring {
    type Key = signature::Ed25519KeyPair;

    fn signing_key(&self, seed: &Seed) -> Result<Self::Key, ProviderFailed> {
        signature::Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| ProviderFailed)
    }

    fn public_key(&self, key: &Self::Key) -> PublicKey {
        PublicKey::from_bytes(copy(key.public_key().as_ref()))
    }

    fn sign(&self, key: &Self::Key, message: &[&[u8]]) -> Result<Signature, ProviderFailed> {
        let signed = in_one(message, |message| Some(key.sign(message))).ok_or(ProviderFailed)?;
        Ok(Signature::from_bytes(copy(signed.as_ref())))
    }
}

impl Agree for Ring {
    fn agreement_key(&self, secret: &AgreementSecret) -> AgreementKey {
        agree::public(secret)
    }

    fn agree(&self, secret: &AgreementSecret, peer: &AgreementKey) -> Result<SharedSecret, NonContributory> {
        agree::shared(secret, peer)
    }
}

impl Hash for Ring {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        parts.iter().for_each(|part| context.update(part));
        copy(context.finish().as_ref())
    }
}

impl Mac for Ring {
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
        parts.iter().for_each(|part| context.update(part));
        copy(context.sign().as_ref())
    }
}

impl Kdf for Ring {
    fn hkdf_sha256(&self, salt: &[u8], ikm: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, ProviderFailed> {
        let mut out = Zeroizing::new([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(ikm)
            .expand(&[info], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(out.as_mut_slice()))
            .map_err(|_| ProviderFailed)?;
        Ok(out)
    }
}

impl Stretch for Ring {
    fn pbkdf2_sha256(&self, password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, password, out.as_mut_slice());
        out
    }
}

#[cfg(feature = "alloc")]
impl super::Aead for Ring {
    fn chacha20_poly1305_seal(
        &self,
        key: &[u8; 32],
        about: &[u8],
        content: &mut [u8],
    ) -> Result<[u8; 16], ProviderFailed> {
        let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, key).map_err(|_| ProviderFailed)?;
        let nonce = aead::Nonce::assume_unique_for_key([0; 12]);
        let tag = aead::LessSafeKey::new(key).seal_in_place_separate_tag(nonce, aead::Aad::from(about), content);
        tag.map(|tag| copy(tag.as_ref())).map_err(|_| ProviderFailed)
    }

    fn chacha20_poly1305_open(&self, key: &[u8; 32], about: &[u8], content: &mut [u8], tag: &[u8; 16]) -> bool {
        let Ok(key) = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, key) else { return false };
        let nonce = aead::Nonce::assume_unique_for_key([0; 12]);
        let (key, about) = (aead::LessSafeKey::new(key), aead::Aad::from(about));
        key.open_in_place_separate_tag(nonce, about, (*tag).into(), content, 0..).is_ok()
    }
}

/// Room for the longest message behind its context.
const ROOM: usize = super::MAX_SIGNED + SIGNATURE_CONTEXT.len();

/// `ring` takes a message in one piece only: parts are put together where there is room for any message of the
/// protocol, and longer ones are not taken.
fn in_one<T>(parts: &[&[u8]], take: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
    if let [whole] = parts {
        return take(whole);
    }
    let mut joined = ArrayVec::<u8, ROOM>::new();
    parts.iter().try_for_each(|part| joined.try_extend_from_slice(part)).ok()?;
    take(&joined)
}

/// Copies a backend's output, whose length its algorithm fixes at `N`.
fn copy<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    out
}
