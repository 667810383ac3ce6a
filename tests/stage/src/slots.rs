//! Slots without keys and signatures: digests stand for grants and proofs.

use sharekey::counter::Epoch;
use sharekey::message::{Holding, SlotReport, WithdrawnOutcome};
use sharekey::slot::{GrantRef, Proof, Slot, Turn, Witness};

use super::desk::{device, generation};
use super::forge::some_digest;

pub const INSTALL: u8 = 200;

pub fn key(n: u32) -> GrantRef {
    GrantRef { generation: generation(n), grant: some_digest(u8::try_from(n).unwrap()) }
}

/// Another grant with the same number.
pub fn twin(n: u32) -> GrantRef {
    GrantRef { grant: some_digest(250), ..key(n) }
}

pub fn proof_of(key: GrantRef) -> Proof {
    Proof { key, device: device(), install: Some(some_digest(INSTALL)), proof: some_digest(201) }
}

pub fn vacant(floor: u32) -> SlotReport {
    SlotReport { floor: generation(floor), holding: Holding::Empty }
}

pub fn holding(key: GrantRef) -> SlotReport {
    SlotReport { floor: key.generation, holding: Holding::Installed { grant: key.grant, device: device() } }
}

pub fn live<W: Witness>(slot: &Slot<W>) -> Vec<u32> {
    slot.may_open().iter().map(|live| live.key().generation.value()).collect()
}

/// A step in a chain of them: what it leaves, and what it gave.
pub trait Then: Sized {
    fn then<T>(mut self, step: impl FnOnce(&mut Self) -> T) -> (Self, T) {
        let gave = step(&mut self);
        (self, gave)
    }
}

impl<W> Then for Slot<W> {}

pub fn active<W: Witness>() -> Slot<W> {
    Slot::new(Epoch::FIRST).then(|slot| slot.done(Turn::Activate, generation(1))).0
}

pub fn publish<W: Witness>(mut slot: Slot<W>, n: u32) -> Slot<W> {
    slot.publish(key(n)).unwrap();
    slot
}

pub fn release(mut slot: Slot, n: u32) -> Slot {
    slot.release(&key(n).grant, device(), some_digest(INSTALL)).unwrap();
    slot
}

pub fn shared(n: u32) -> Slot {
    release(publish(active(), n), n)
}

pub const RELEASED: WithdrawnOutcome =
    WithdrawnOutcome::Released { install: sharekey::crypto::Digest::from_bytes([INSTALL; 32]) };
