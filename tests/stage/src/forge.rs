//! Messages made by hand, so that a test can break exactly one thing in them:
//! a [`Forge`] under any provider, and functions under the cast's own.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::rc::Rc;

use sharekey::crypto::{Digest, PublicKey, SIGNATURE_CONTEXT, Signature, Tag};
use sharekey::id::{LockId, SlotId};
use sharekey::message::Receipt;
#[cfg(feature = "alloc")]
use sharekey::message::{Report, ReportAnswer};
use sharekey::secret::{AgreementSecret, Seed};
use sharekey::wire::{self, Bare, Kind, Message, Unverified};

use crate::provider::{Plain, Provider};

/// The labels of the key schedule, as the spec writes them.
pub mod label {
    pub const LOCK_KEY: &str = "sharekey v1 lock key";
    pub const RECORD_MAC: &str = "sharekey v1 record mac";
    pub const NONCE: &str = "sharekey v1 nonce";
    pub const AGREEMENT: &str = "sharekey v1 agreement";
    pub const AGREEMENT_SECRET: &str = "sharekey v1 agreement secret";
    pub const SEED: &str = "sharekey v1 seed";
    pub const PAIRING: &str = "sharekey v1 pairing";
    pub const PROVISIONED: &str = "sharekey v1 provisioned";
}

/// Makes the messages under one provider.
#[derive(Clone, Copy, Default)]
pub struct Forge<C>(PhantomData<C>);

impl<C: Plain> Forge<C> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The public key that a seed stands for.
    pub fn public(self, seed: &Seed) -> PublicKey {
        C::default().public_key(&*signing_key::<C>(seed))
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

    /// A signature of a message over these bytes.
    pub fn signature(self, bytes: &[u8], seed: &Seed) -> Signature {
        self.signature_over(&[SIGNATURE_CONTEXT, bytes], seed)
    }

    /// A signature over these parts, which need not be a message's.
    pub fn signature_over(self, parts: &[&[u8]], seed: &Seed) -> Signature {
        C::default().sign(&*signing_key::<C>(seed), parts).unwrap()
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

    /// The answer in which whoever has this seed signs that these are the messages of the report.
    #[cfg(feature = "alloc")]
    pub fn report(self, body: Report, messages: &[&[u8]], seed: &Seed) -> Vec<u8> {
        let messages_digest = ReportAnswer::digest(&C::default(), messages.iter().copied());
        ReportAnswer::encode(&self.signed(&Report { messages: messages_digest, ..body }, seed), messages)
    }

    /// What the key schedule makes of a seed under a label.
    pub fn derived(self, seed: &[u8], label: &str) -> [u8; 32] {
        *C::default().hkdf_sha256(&[], seed, label.as_bytes()).unwrap()
    }

    /// The slot that a receipt names, and the pairing key that it proves, where this was the guest's part in the
    /// agreement.
    pub fn pairing(self, receipt: &[u8], agreement: &AgreementSecret) -> (SlotId, [u8; 32]) {
        let body = *Unverified::<Receipt>::parse(receipt).unwrap().claims();
        let shared = C::default().agree(agreement, &body.agreement).unwrap();
        let (salt, label) = (self.digest(receipt), label::PAIRING.as_bytes());
        let pairing = C::default().hkdf_sha256(salt.as_bytes(), shared.expose(), label).unwrap();
        (body.slot, *pairing)
    }

    /// What whoever has the card says to a provision, in the name of a lock.
    pub fn card_tag(self, card: &[u8], provision: &Digest, lock: LockId) -> Tag {
        let parts = [label::PROVISIONED.as_bytes(), provision.as_bytes(), lock.key().as_bytes()];
        Tag::truncated(&C::default().hmac_sha256(card, &parts))
    }
}

/// The key that a seed stands for. To load one costs two signatures' work, and the forged are few: each thread keeps them.
fn signing_key<C: Plain>(seed: &Seed) -> Rc<C::Key> {
    type Loaded = BTreeMap<(TypeId, [u8; 32]), Rc<dyn Any>>;
    thread_local!(static LOADED: RefCell<Loaded> = const { RefCell::new(BTreeMap::new()) });
    let load = || -> Rc<dyn Any> { Rc::new(C::default().signing_key(seed).unwrap()) };
    let name = (TypeId::of::<C>(), *seed.expose());
    let key = LOADED.with_borrow_mut(|loaded| Rc::clone(loaded.entry(name).or_insert_with(load)));
    key.downcast().unwrap()
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

/// The answer in which whoever has this seed signs that these are the messages of the report.
#[cfg(feature = "alloc")]
pub fn report_of(body: Report, messages: &[&[u8]], seed: &Seed) -> Vec<u8> {
    FORGE.report(body, messages, seed)
}

/// The signature that a message ends with.
pub fn last_signature(message: &[u8]) -> Signature {
    Signature::from_bytes(*message.last_chunk().unwrap())
}

/// The message, under a MAC.
pub fn tagged<T: Message<Auth = Tag>>(body: &T, key: &[u8]) -> Vec<u8> {
    FORGE.tagged(body, key)
}

/// The message, which has no authenticator.
pub fn bare<T: Message<Auth = Bare>>(body: &T) -> Vec<u8> {
    frame(body)
}

/// Header and body as they stand before the authenticator.
pub fn frame<T: Message>(body: &T) -> Vec<u8> {
    [&T::KIND.header()[..], &wire::encode(body).unwrap()].concat()
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

/// Appends a signature over all bytes so far behind this context, whatever it is.
pub fn sign_under(context: &[u8], bytes: &[u8], seed: &Seed) -> Vec<u8> {
    [bytes, FORGE.signature_over(&[context, bytes], seed).as_bytes()].concat()
}

/// Appends a truncated HMAC over all bytes so far.
pub fn tag(bytes: Vec<u8>, key: &[u8]) -> Vec<u8> {
    FORGE.tag(bytes, key)
}

/// What the key schedule makes of a seed under a label.
pub fn derived(seed: &[u8], label: &str) -> [u8; 32] {
    FORGE.derived(seed, label)
}

/// The slot and the pairing key of a receipt, where this was the guest's part in the agreement.
pub fn pairing(receipt: &[u8], agreement: &AgreementSecret) -> (SlotId, [u8; 32]) {
    FORGE.pairing(receipt, agreement)
}

/// What whoever has the card says to a provision, in the name of a lock.
pub fn card_tag(card: &[u8], provision: &Digest, lock: LockId) -> Tag {
    FORGE.card_tag(card, provision, lock)
}
