//! The stage's forge, told by one byte who signs.

use std::marker::PhantomData;

use sharekey::crypto::{Digest, PublicKey, Signature, Tag};
use sharekey::id::LockId;
use sharekey::secret::{AgreementSecret, Seed};
use sharekey::wire::{Bare, Message};
use sharekey_stage::forge::{Forge as ByHand, frame};
pub use sharekey_stage::provider::Plain as Provider;

/// Makes the messages under one provider.
#[derive(Clone, Copy, Default)]
pub struct Forge<C>(PhantomData<C>);

impl<C: Provider> Forge<C> {
    const BY_HAND: ByHand<C> = ByHand::new();

    pub const fn new() -> Self {
        Self(PhantomData)
    }

    pub fn seed(who: u8) -> Seed {
        sharekey_stage::seed(who)
    }

    /// The key of somebody; of [`BAD`](super::lock::steps::BAD), a point of small order.
    pub fn key(self, who: u8) -> PublicKey {
        if who == super::lock::steps::BAD {
            return PublicKey::from_bytes([0; 32]);
        }
        Self::BY_HAND.public(&Self::seed(who))
    }

    pub fn digest(self, message: &[u8]) -> Digest {
        Self::BY_HAND.digest(message)
    }

    pub fn bare<T: Message<Auth = Bare>>(self, body: &T) -> Vec<u8> {
        frame(body)
    }

    /// Signed, over these bytes and some more where it is to mismatch.
    pub fn signed<T: Message<Auth = Signature>>(self, body: &T, by: u8, more: &[u8]) -> Vec<u8> {
        let bytes = frame(body);
        let signature = Self::BY_HAND.signature(&[&bytes[..], more].concat(), &Self::seed(by));
        [&bytes[..], signature.as_bytes()].concat()
    }

    pub fn tagged<T: Message<Auth = Tag>>(self, body: &T, key: &[u8]) -> Vec<u8> {
        Self::BY_HAND.tagged(body, key)
    }

    pub fn tag(self, key: &[u8], bytes: &[u8]) -> Tag {
        Self::BY_HAND.mac(bytes, key)
    }

    pub fn card_tag(self, card: &[u8], provision: &[u8], lock: LockId) -> Tag {
        Self::BY_HAND.card_tag(card, &self.digest(provision), lock)
    }

    pub fn pairing(self, receipt: &[u8], agreement: &AgreementSecret) -> [u8; 32] {
        Self::BY_HAND.pairing(receipt, agreement).1
    }

    pub fn derived(self, seed: &[u8], label: &str) -> [u8; 32] {
        Self::BY_HAND.derived(seed, label)
    }
}
