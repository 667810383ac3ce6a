//! Messages made by hand from nothing but the spec's layout, so that a test can break exactly one thing in them:
//! a [`Forge`] under any provider, and functions under the cast's own.

use std::marker::PhantomData;

use sharekey::crypto::{Digest, PublicKey, Signature, Tag};
use sharekey::secret::Seed;
use sharekey::wire::{Bare, Kind, Message};

use crate::provider::{Plain, Provider};

/// Makes the messages under one provider.
#[derive(Clone, Copy, Default)]
pub struct Forge<C>(PhantomData<C>);

impl<C: Plain> Forge<C> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The public key that a seed stands for.
    pub fn public(self, seed: &Seed) -> PublicKey {
        C::default().public_key(&C::default().signing_key(seed).unwrap())
    }

    pub fn digest(self, message: &[u8]) -> Digest {
        Digest::from_bytes(C::default().sha256(&[message]))
    }

    /// The message, signed with the key that `seed` stands for.
    pub fn signed<T: Message<Auth = Signature>>(self, body: &T, seed: &Seed) -> Vec<u8> {
        self.sign(frame(body), seed)
    }

    /// The message, under a MAC.
    pub fn tagged<T: Message<Auth = Tag>>(self, body: &T, key: &[u8]) -> Vec<u8> {
        self.tag(frame(body), key)
    }

    /// Appends a signature over all bytes so far.
    pub fn sign(self, bytes: Vec<u8>, seed: &Seed) -> Vec<u8> {
        let signature = self.signature(&bytes, seed);
        [&bytes[..], signature.as_bytes()].concat()
    }

    /// A signature over these bytes.
    pub fn signature(self, bytes: &[u8], seed: &Seed) -> Signature {
        C::default().sign(&C::default().signing_key(seed).unwrap(), bytes).unwrap()
    }

    /// Appends a truncated HMAC over all bytes so far.
    pub fn tag(self, bytes: Vec<u8>, key: &[u8]) -> Vec<u8> {
        let tag = self.mac(&bytes, key);
        [&bytes[..], tag.as_bytes()].concat()
    }

    /// A truncated HMAC over these bytes.
    pub fn mac(self, bytes: &[u8], key: &[u8]) -> Tag {
        Tag::truncated(&C::default().hmac_sha256(key, &[bytes]))
    }

    /// What the key schedule makes of a seed under a label.
    pub fn derived(self, seed: &[u8], label: &str) -> [u8; 32] {
        *C::default().hkdf_sha256(&[], seed, label.as_bytes()).unwrap()
    }
}

const FORGE: Forge<Provider> = Forge::new();

/// A digest that stands for some message.
pub fn some_digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

/// The message, signed with the key that `seed` stands for.
pub fn signed<T: Message<Auth = Signature>>(body: &T, seed: &Seed) -> Vec<u8> {
    FORGE.signed(body, seed)
}

/// The message, under a MAC.
pub fn tagged<T: Message<Auth = Tag>>(body: &T, key: &[u8]) -> Vec<u8> {
    FORGE.tagged(body, key)
}

/// The message, which has no authenticator.
pub fn bare<T: Message<Auth = Bare>>(body: &T) -> Vec<u8> {
    frame(body)
}

/// Header and body as the spec frames them, independent of the library's own encoder.
pub fn frame<T: Message>(body: &T) -> Vec<u8> {
    [&[b'S', b'K', 1, T::KIND.byte()][..], &postcard::to_allocvec(body).unwrap()].concat()
}

/// Four messages as one bundle, whether they belong together or not, and however long.
pub fn bundle(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Kind::Bundle.header().to_vec();
    for part in parts {
        bytes.extend(u16::try_from(part.len()).unwrap().to_le_bytes());
        bytes.extend(*part);
    }
    bytes
}

/// Appends a signature over all bytes so far.
pub fn sign(bytes: Vec<u8>, seed: &Seed) -> Vec<u8> {
    FORGE.sign(bytes, seed)
}

/// Appends a truncated HMAC over all bytes so far.
pub fn tag(bytes: Vec<u8>, key: &[u8]) -> Vec<u8> {
    FORGE.tag(bytes, key)
}
