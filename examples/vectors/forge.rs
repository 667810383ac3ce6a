//! Messages made by hand, so that exactly one thing in them can be wrong.

use sharekey::crypto::{Mac, Ring, Sign, Signature, Tag};
use sharekey::secret::Seed;
use sharekey::wire::{Bare, Kind, Message};

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
    let key = Ring.signing_key(seed).unwrap();
    let signature = Ring.sign(&key, &bytes).unwrap();
    bytes.extend(signature.as_bytes());
    bytes
}

/// Appends a tag over all bytes so far.
pub fn tag(mut bytes: Vec<u8>, key: &[u8]) -> Vec<u8> {
    let tag = Tag::truncated(&Ring.hmac_sha256(key, &[&bytes]));
    bytes.extend(tag.as_bytes());
    bytes
}

/// A bundle of these parts, also of parts that no message is.
pub fn bundle(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Kind::Bundle.header().to_vec();
    for part in parts {
        bytes.extend(u16::try_from(part.len()).unwrap().to_le_bytes());
        bytes.extend(*part);
    }
    bytes
}
