//! What is sent and what is stored, as bytes.

use std::collections::BTreeMap;

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{AgreementKey, Digest, Nonce};
use sharekey::id::{LockId, SlotId};
use sharekey::message::{
    Claim, Command as Order_, FactoryReset, Grant as Granted, Install, Operation, Provision, Release, Unlock,
};
use sharekey_model::state::{Content, HeaderModel, Holds};

use sharekey_stage::cells::prefix;
use sharekey_stage::chain::Parts;
use sharekey_stage::ops::To;
pub use sharekey_stage::stand::{CARD, agreement};

use super::machine::SLOTS;
use super::steps::{Broken, Bundle, Command, Flaw, Grant, Sent};
use crate::forge::{Forge, Provider};

pub const GUEST_NONCE: Nonce = Nonce::from_bytes([9; 16]);

/// What a forger knows: locks, nonces and pairing keys by the model's numbers.
#[derive(Default)]
pub struct Known {
    pub locks: BTreeMap<u64, LockId>,
    pub nonces: BTreeMap<u64, Nonce>,
    pub pairings: BTreeMap<u64, [u8; 32]>,
}

impl Known {
    fn lock(&self, lock: u64) -> LockId {
        let elsewhere = LockId::new(sharekey::crypto::PublicKey::from_bytes([0x77; 32]));
        self.locks.get(&lock).copied().unwrap_or(elsewhere)
    }

    pub fn nonce(&self, id: Option<u64>) -> Nonce {
        id.and_then(|id| self.nonces.get(&id).copied()).unwrap_or(Nonce::from_bytes([0xee; 16]))
    }

    pub fn grant<C: Provider>(&self, grant: &Grant) -> Vec<u8> {
        let forge = Forge::<C>::new();
        let body = Granted {
            lock: self.lock(grant.lock),
            epoch: Epoch::new(grant.epoch),
            by: grant.term,
            slot: SlotId::new(grant.slot),
            generation: Generation::new(grant.generation),
            subject: forge.key(grant.subject),
            rights: grant.rights,
            limits: grant.limits,
        };
        flawed(grant.flaw, |more| forge.signed(&body, grant.by, more))
    }

    pub fn chain<C: Provider>(&self, bundle: &Bundle) -> Parts {
        let forge = Forge::<C>::new();
        let other = |other: bool, message: &[u8]| {
            if other { Digest::from_bytes([0xdd; 32]) } else { forge.digest(message) }
        };
        let Bundle { by, flaws, names_other, .. } = *bundle;
        let grant = self.grant::<C>(&bundle.grant);
        let body = Claim { grant: other(names_other[0], &grant), device: forge.key(bundle.device) };
        let claim = flawed(flaws[0], |more| forge.signed(&body, by[0], more));
        let zero = AgreementKey::from_bytes([0; 32]);
        let agreement = if bundle.contributes { C::default().agreement_key(&agreement()) } else { zero };
        let body = Install { claim: other(names_other[1], &claim), nonce: self.nonce(bundle.nonce), agreement };
        let install = flawed(flaws[1], |more| forge.signed(&body, by[1], more));
        let body = Release { install: other(names_other[2], &install) };
        let release = flawed(flaws[2], |more| forge.signed(&body, by[2], more));
        Parts { grant, claim, install, release }
    }

    pub fn bytes<C: Provider>(&self, sent: &Sent) -> Vec<u8> {
        let forge = Forge::<C>::new();
        match sent {
            Sent::Malformed(to, broken) => malformed(*to, *broken),
            Sent::Bundle(bundle) => self.chain::<C>(bundle).bundle(),
            Sent::Unlock { slot, action, nonce, pairing } => {
                let body = Unlock {
                    slot: SlotId::new(*slot),
                    action: *action,
                    lock_nonce: self.nonce(*nonce),
                    guest_nonce: GUEST_NONCE,
                };
                let pairing = pairing.and_then(|pairing| self.pairings.get(&pairing)).copied();
                forge.tagged(&body, &pairing.unwrap_or([0xbb; 32]))
            }
            Sent::Command(command) => self.command::<C>(command),
            Sent::Provision { nonce, by_the_card, owner, service } => {
                let owner_nonce = Nonce::from_bytes([8; 16]);
                let (owner, service) = (forge.key(*owner), forge.key(*service));
                let body = Provision { lock_nonce: self.nonce(*nonce), owner_nonce, owner, service };
                forge.tagged(&body, if *by_the_card { &CARD } else { &[0xbb; 16] })
            }
            Sent::Reset { lock, nonce, by_the_card } => {
                let body = FactoryReset { lock: self.lock(*lock), nonce: self.nonce(*nonce) };
                forge.tagged(&body, if *by_the_card { &CARD } else { &[0xbb; 16] })
            }
        }
    }

    fn command<C: Provider>(&self, command: &Command) -> Vec<u8> {
        let forge = Forge::<C>::new();
        let body = Order_ {
            lock: self.lock(command.lock),
            epoch: Epoch::new(command.epoch),
            by: command.term,
            lock_nonce: self.nonce(command.nonce),
            owner_nonce: Nonce::from_bytes([7; 16]),
            operation: real::<C>(&command.order),
        };
        flawed(command.flaw, |more| forge.signed(&body, command.by, more))
    }
}

/// The operation with real keys in place of the model's.
pub fn real<C: Provider>(operation: &Operation) -> Operation {
    let real = |key: sharekey::crypto::PublicKey| Forge::<C>::new().key(key.as_bytes()[0]);
    match *operation {
        Operation::Transfer { owner, service } => Operation::Transfer { owner: real(owner), service: real(service) },
        // Has no key. The lock would refuse one of the model's, as no point or with another signature than is expected.
        other => other,
    }
}

fn flawed(flaw: Flaw, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = sign(if flaw == Flaw::Mismatch { b"more" } else { b"" });
    let at = bytes.len() - 64;
    match flaw {
        Flaw::None | Flaw::Mismatch => {}
        Flaw::Scalar => bytes[at + 32..].fill(0xff),
        Flaw::Commitment => bytes[at..at + 32].fill(0),
    }
    bytes
}

fn malformed(to: To, broken: Broken) -> Vec<u8> {
    let kind = to.kind().byte();
    match broken {
        Broken::Empty => Vec::new(),
        Broken::Magic => vec![b'T', b'K', 1, kind],
        Broken::Version => vec![b'S', b'K', 2, kind],
        Broken::Kind => vec![b'S', b'K', 1, 32],
    }
}

/// What stands in a record before its MAC, as the spec lays it out. The seed, and a pairing key that
/// nobody was told yet, are taken from what was really written.
pub fn record<C: Provider>(content: &Content, digest: impl Fn(&Digest) -> Digest, written: &[u8]) -> Vec<u8> {
    let forge = Forge::<C>::new();
    let key = |key: &sharekey::crypto::PublicKey| *forge.key(key.as_bytes()[0]).as_bytes();
    let mut bytes = prefix(content.cell()).to_vec();
    match content {
        Content::Seed { initialised, .. } => {
            bytes.extend(&written[5..37]);
            bytes.push((*initialised).into());
        }
        Content::Header(HeaderModel::Unprovisioned) => bytes.extend([SLOTS, 1]),
        Content::Header(HeaderModel::Owned { epoch, owner, service }) => {
            bytes.extend([SLOTS, 2]);
            bytes.extend(epoch.value().to_le_bytes());
            bytes.extend(key(owner));
            bytes.extend(key(service));
        }
        Content::Counter(counter) => {
            bytes.extend(counter.ceiling.value().to_le_bytes());
            bytes.extend(counter.latest.unix_seconds().to_le_bytes());
            bytes.extend(counter.set_in.value().to_le_bytes());
        }
        Content::Slot(_, slot) => {
            bytes.extend(slot.epoch.value().to_le_bytes());
            bytes.extend(slot.floor.value().to_le_bytes());
            match slot.holds {
                Holds::Inactive => bytes.push(1),
                Holds::Empty => bytes.push(2),
                Holds::Installed(held) => {
                    bytes.push(3);
                    bytes.extend(digest(&held.grant).as_bytes());
                    bytes.extend(key(&held.device));
                    bytes.extend(pairing_in(written));
                    bytes.push(held.rights.into());
                    bytes.extend(postcard::to_allocvec(&held.limits).unwrap());
                    bytes.extend(held.used.to_le_bytes());
                }
            }
        }
    }
    bytes
}

/// The pairing key in the record of an installed slot.
pub fn pairing_in(written: &[u8]) -> [u8; 32] {
    let at = 5 + 4 + 4 + 1 + 32 + 32;
    written[at..at + 32].try_into().unwrap()
}
