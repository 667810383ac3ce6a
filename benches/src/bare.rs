//! The floor: each provider's own primitive, with nothing of this crate around it.

use std::hint::black_box;

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sharekey::crypto::{PublicKey, Ring, RustCrypto, SIGNATURE_CONTEXT};
use sharekey::wire::MAX_MESSAGE;

use sharekey_stage::provider::Plain as Provider;

/// A provider's bare verify and bare HMAC, their keys ready.
pub trait Bare: Provider {
    const NAME: &'static str;

    type Verifier;
    fn verifier(key: &[u8; 32]) -> Self::Verifier;
    fn verify(key: &Self::Verifier, message: &[u8], signature: &[u8; 64]) -> bool;

    type Macer;
    fn macer(key: &[u8; 32]) -> Self::Macer;
    fn mac(key: &Self::Macer, message: &[u8]) -> [u8; 32];
}

impl Bare for Ring {
    const NAME: &'static str = "ring";

    type Verifier = ring::signature::UnparsedPublicKey<[u8; 32]>;

    fn verifier(key: &[u8; 32]) -> Self::Verifier {
        ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, *key)
    }

    fn verify(key: &Self::Verifier, message: &[u8], signature: &[u8; 64]) -> bool {
        key.verify(message, signature).is_ok()
    }

    type Macer = ring::hmac::Key;

    fn macer(key: &[u8; 32]) -> Self::Macer {
        ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key)
    }

    fn mac(key: &Self::Macer, message: &[u8]) -> [u8; 32] {
        ring::hmac::sign(key, message).as_ref().try_into().unwrap()
    }
}

impl Bare for RustCrypto {
    const NAME: &'static str = "rustcrypto";

    /// Parsed once, which ring cannot.
    type Verifier = VerifyingKey;

    fn verifier(key: &[u8; 32]) -> Self::Verifier {
        VerifyingKey::from_bytes(key).unwrap()
    }

    fn verify(key: &Self::Verifier, message: &[u8], signature: &[u8; 64]) -> bool {
        key.verify(message, &Signature::from_bytes(signature)).is_ok()
    }

    type Macer = Hmac<Sha256>;

    fn macer(key: &[u8; 32]) -> Self::Macer {
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        Hmac::new(&block.into())
    }

    fn mac(key: &Self::Macer, message: &[u8]) -> [u8; 32] {
        key.clone().chain_update(message).finalize().into_bytes().into()
    }
}

/// Whether the signature of a whole message holds. Its context stands before it in one piece, as who checks it without
/// the library would have to put it.
pub fn holds<C: Bare>(key: &C::Verifier, message: &[u8]) -> bool {
    let (covered, signature) = message.split_last_chunk().unwrap();
    let mut room = [0; SIGNATURE_CONTEXT.len() + MAX_MESSAGE];
    let (context, rest) = room.split_at_mut(SIGNATURE_CONTEXT.len());
    context.copy_from_slice(SIGNATURE_CONTEXT);
    rest[..covered.len()].copy_from_slice(black_box(covered));
    C::verify(black_box(key), &room[..SIGNATURE_CONTEXT.len() + covered.len()], signature)
}

/// The bare check of a whole message.
pub fn check<C: Bare>(key: &C::Verifier, message: &[u8]) {
    assert!(holds::<C>(key, message));
}

/// The same under a key seen for the first time.
pub fn check_fresh<C: Bare>(key: &PublicKey, message: &[u8]) {
    check::<C>(&C::verifier(black_box(key.as_bytes())), message);
}
