//! The test keys, told by their names.

use crate::provider::Provider;
use serde_json::{Value, json};
use sharekey::crypto::{Agree, AgreementKey, Digest, Hash, Nonce, PublicKey};
use sharekey::id::LockId;
use sharekey::secret::{AgreementSecret, Seed};

use super::peer::form::{hex, key};

/// 32 bytes that anybody can make again.
pub fn bytes32(name: &str) -> [u8; 32] {
    Provider.sha256(&[b"sharekey test only: ", name.as_bytes()])
}

pub fn bytes16(name: &str) -> [u8; 16] {
    *bytes32(name).first_chunk().unwrap()
}

/// The seed of a party's key.
pub fn seed(name: &str) -> Seed {
    Seed::from_bytes(bytes32(name))
}

pub fn public(name: &str) -> PublicKey {
    sharekey_stage::public(&seed(name))
}

/// A lock that is its key alone, for messages that no lock made.
pub fn lock(name: &str) -> LockId {
    LockId::new(public(name))
}

pub fn nonce(name: &str) -> Nonce {
    Nonce::from_bytes(bytes16(name))
}

pub fn some_digest(name: &str) -> Digest {
    Digest::from_bytes(bytes32(name))
}

pub fn agreement_secret(name: &str) -> AgreementSecret {
    AgreementSecret::from_bytes(bytes32(name))
}

pub fn agreement(name: &str) -> AgreementKey {
    Provider.agreement_key(&agreement_secret(name))
}

/// The secret on the activation card.
pub fn card() -> [u8; 16] {
    bytes16("card")
}

pub use sharekey_stage::digest;

/// Signing keys of these names, as they stand in a file.
pub fn signing(names: &[&str]) -> Value {
    let named = names.iter().map(|name| {
        (
            (*name).to_owned(),
            json!({ "type": "Ed25519", "seed": hex(seed(name).expose()), "public": key(&public(name)) }),
        )
    });
    Value::Object(named.collect())
}

/// A secret of a MAC, as it stands in a file.
pub fn secret(bytes: &[u8]) -> Value {
    json!({ "type": "HMAC", "secret": hex(bytes) })
}

/// One draw of entropy: what for, and the bytes, told by the name of what they are drawn for.
pub fn draw(what: &str, name: &str, length: usize) -> Value {
    json!({ "for": what, "hex": hex(&bytes32(&format!("entropy: {name}"))[..length]) })
}
