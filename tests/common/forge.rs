//! Messages made by hand, so that a test can break exactly one thing in them.

use crate::provider::Provider;
use sharekey::crypto::{Digest, Mac, Sign, Signature, Tag};
use sharekey::secret::Seed;
use sharekey::wire::{Bare, Message};

/// A digest that stands for some message.
pub fn some_digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

/// The message, signed with the key that `seed` stands for.
pub fn signed<T: Message<Auth = Signature>>(body: &T, seed: &Seed) -> Vec<u8> {
    sign(frame(body), seed)
}

/// The message, under a MAC.
pub fn tagged<T: Message<Auth = Tag>>(body: &T, key: &[u8]) -> Vec<u8> {
    tag(frame(body), key)
}

/// The message, which has no authenticator.
pub fn bare<T: Message<Auth = Bare>>(body: &T) -> Vec<u8> {
    frame(body)
}

/// Header and body.
pub fn frame<T: Message>(body: &T) -> Vec<u8> {
    let mut bytes = T::KIND.header().to_vec();
    bytes.extend(postcard::to_allocvec(body).unwrap());
    bytes
}

/// Appends a signature over all bytes so far.
pub fn sign(mut bytes: Vec<u8>, seed: &Seed) -> Vec<u8> {
    let key = Provider.signing_key(seed).unwrap();
    let signature = Provider.sign(&key, &bytes).unwrap();
    bytes.extend(signature.as_bytes());
    bytes
}

/// Appends a truncated HMAC over all bytes so far.
pub fn tag(mut bytes: Vec<u8>, key: &[u8]) -> Vec<u8> {
    let tag = Tag::truncated(&Provider.hmac_sha256(key, &[&bytes]));
    bytes.extend(tag.as_bytes());
    bytes
}
