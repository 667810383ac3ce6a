//! Messages made by hand over any provider, each from nothing but the spec's layout.

use std::marker::PhantomData;

use sharekey::crypto::{Crypto, Digest, PublicKey, Signature, Tag};
use sharekey::secret::Seed;
use sharekey::wire::{Bare, Message};

/// A provider for tests: made from nothing.
pub trait Provider: Crypto + Copy + Default + 'static {}
impl<T: Crypto + Copy + Default + 'static> Provider for T {}

/// Makes the messages under one provider.
#[derive(Clone, Copy, Default)]
pub struct Forge<C>(PhantomData<C>);

impl<C: Provider> Forge<C> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    pub fn seed(who: u8) -> Seed {
        Seed::from_bytes([who; 32])
    }

    /// The key of somebody; of [`BAD`](super::lock::steps::BAD), a point of small order.
    pub fn key(self, who: u8) -> PublicKey {
        if who == super::lock::steps::BAD {
            return PublicKey::from_bytes([0; 32]);
        }
        C::default().public_key(&C::default().signing_key(&Self::seed(who)).unwrap())
    }

    pub fn digest(self, message: &[u8]) -> Digest {
        Digest::from_bytes(C::default().sha256(&[message]))
    }

    pub fn frame<T: Message>(self, body: &T) -> Vec<u8> {
        let mut bytes = T::KIND.header().to_vec();
        bytes.extend(postcard::to_allocvec(body).unwrap());
        bytes
    }

    pub fn bare<T: Message<Auth = Bare>>(self, body: &T) -> Vec<u8> {
        self.frame(body)
    }

    /// Signed, over these bytes and some more where it is to mismatch.
    pub fn signed<T: Message<Auth = Signature>>(self, body: &T, by: u8, more: &[u8]) -> Vec<u8> {
        let mut bytes = self.frame(body);
        let key = C::default().signing_key(&Self::seed(by)).unwrap();
        let signature = C::default().sign(&key, &[&bytes[..], more].concat()).unwrap();
        bytes.extend(signature.as_bytes());
        bytes
    }

    pub fn tagged<T: Message<Auth = Tag>>(self, body: &T, key: &[u8]) -> Vec<u8> {
        let mut bytes = self.frame(body);
        let tag = self.tag(key, &bytes);
        bytes.extend(tag.as_bytes());
        bytes
    }

    pub fn tag(self, key: &[u8], bytes: &[u8]) -> Tag {
        Tag::truncated(&C::default().hmac_sha256(key, &[bytes]))
    }

    pub fn derived(self, seed: &[u8], label: &str) -> [u8; 32] {
        *C::default().hkdf_sha256(&[], seed, label.as_bytes()).unwrap()
    }
}
