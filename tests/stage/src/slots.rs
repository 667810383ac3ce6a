//! Slots without keys and signatures: digests stand for grants and proofs.

use sharekey::counter::Epoch;
use sharekey::message::{Holding, SlotReport, WithdrawnOutcome};
use sharekey::slot::{AnySlot, GrantRef, Proof, Turn, Witness};

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

pub fn live<W: Witness>(slot: &AnySlot<W>) -> Vec<u32> {
    slot.may_open().iter().map(|live| live.key().generation.value()).collect()
}

pub fn active<W: Witness>() -> AnySlot<W> {
    AnySlot::new(Epoch::FIRST).done(Turn::Activate, generation(1))
}

pub fn publish<W: Witness>(slot: AnySlot<W>, n: u32) -> AnySlot<W> {
    let (slot, result) = slot.publish(key(n));
    result.unwrap();
    slot
}

pub fn release(slot: AnySlot, n: u32) -> AnySlot {
    let (slot, result) = slot.release(&key(n).grant, device(), some_digest(INSTALL));
    result.unwrap();
    slot
}

pub fn shared(n: u32) -> AnySlot {
    release(publish(active(), n), n)
}

pub const RELEASED: WithdrawnOutcome =
    WithdrawnOutcome::Released { install: sharekey::crypto::Digest::from_bytes([INSTALL; 32]) };
