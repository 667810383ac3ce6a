//! The provider on the RustCrypto crates and `ed25519-dalek`: no allocator, any target.

use core::num::NonZeroU32;

#[cfg(feature = "sealed")]
use chacha20poly1305::{ChaCha20Poly1305, aead::AeadInOut as _};
use ed25519_dalek::ed25519::signature::{MultipartSigner as _, MultipartVerifier as _};
use ed25519_dalek::{SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Agree, AgreementKey, Hash, Kdf, Mac, PublicKey, Sign, Signature, Stretch, Verify, agree};
use crate::error::{NonContributory, ProviderFailed};
use crate::secret::{AgreementSecret, Seed, SharedSecret};

/// The provider on the RustCrypto crates and `ed25519-dalek`. For microcontrollers, wasm and hosts;
/// it wipes a loaded signing key when it is dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

impl Verify for RustCrypto {
    type Ready = VerifyingKey;

    fn ready(&self, key: &PublicKey) -> Option<VerifyingKey> {
        VerifyingKey::from_bytes(key.as_bytes()).ok()
    }

    fn verify_equation(&self, key: &VerifyingKey, message: &[&[u8]], signature: &Signature) -> bool {
        // Not `verify_strict`: its checks of key and R were made on bytes already, and it decompresses
        // R, where comparing the encodings is what the equation asks.
        key.multipart_verify(message, &ed25519_dalek::Signature::from_bytes(signature.as_bytes())).is_ok()
    }
}

impl Sign for RustCrypto {
    type Key = SigningKey;

    fn signing_key(&self, seed: &Seed) -> Result<Self::Key, ProviderFailed> {
        Ok(SigningKey::from_bytes(seed.expose()))
    }

    fn public_key(&self, key: &Self::Key) -> PublicKey {
        PublicKey::from_bytes(key.verifying_key().to_bytes())
    }

    fn sign(&self, key: &Self::Key, message: &[&[u8]]) -> Result<Signature, ProviderFailed> {
        let signed = key.try_multipart_sign(message).map_err(|_| ProviderFailed)?;
        Ok(Signature::from_bytes(signed.to_bytes()))
    }
}

impl Agree for RustCrypto {
    fn agreement_key(&self, secret: &AgreementSecret) -> AgreementKey {
        agree::public(secret)
    }

    fn agree(&self, secret: &AgreementSecret, peer: &AgreementKey) -> Result<SharedSecret, NonContributory> {
        agree::shared(secret, peer)
    }
}

impl Hash for RustCrypto {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    }
}

impl Mac for RustCrypto {
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new(&(*self.block(key)).into());
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

impl RustCrypto {
    /// A key as HMAC takes it: padded with zeros to SHA-256's block, or hashed first where it is
    /// longer (RFC 2104).
    fn block(&self, key: &[u8]) -> Zeroizing<[u8; 64]> {
        let mut block = Zeroizing::new([0; 64]);
        let hashed;
        let key = if key.len() > block.len() {
            hashed = Zeroizing::new(self.sha256(&[key]));
            hashed.as_slice()
        } else {
            key
        };
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        block
    }
}

impl Kdf for RustCrypto {
    fn hkdf_sha256(&self, salt: &[u8], ikm: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, ProviderFailed> {
        let mut out = Zeroizing::new([0; 32]);
        hkdf::Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, out.as_mut_slice()).map_err(|_| ProviderFailed)?;
        Ok(out)
    }
}

#[cfg(feature = "sealed")]
impl super::Aead for RustCrypto {
    fn chacha20_poly1305_seal(
        &self,
        key: &[u8; 32],
        about: &[u8],
        content: &mut [u8],
    ) -> Result<[u8; 16], ProviderFailed> {
        let cipher = ChaCha20Poly1305::new(key.into());
        let tag = cipher.encrypt_inout_detached(&[0; 12].into(), about, content.into());
        tag.map(Into::into).map_err(|_| ProviderFailed)
    }

    fn chacha20_poly1305_open(&self, key: &[u8; 32], about: &[u8], content: &mut [u8], tag: &[u8; 16]) -> bool {
        let cipher = ChaCha20Poly1305::new(key.into());
        cipher.decrypt_inout_detached(&[0; 12].into(), about, content.into(), tag.into()).is_ok()
    }
}

impl Stretch for RustCrypto {
    fn pbkdf2_sha256(&self, password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds.get(), out.as_mut_slice());
        out
    }
}
