//! The slot machine, without the mistakes.

use sharekey::crypto::{Digest, PublicKey};
use sharekey::slot::{
    AnySlot, GrantRef, Inactive, NotShared, Observer, Recorder, Shared, Sharing, Slot, Turn, Witness,
};

fn never_shared_revoked(slot: Slot<Sharing>) {
    let _ = slot.revoke();
}

fn sharing_reset(slot: Slot<Shared>) {
    let _ = slot.reset();
}

fn shared_revoked(slot: Slot<Sharing>) {
    let _ = slot.revoke();
}

fn closed_slot_shared(slot: Slot<Inactive>, key: GrantRef) {
    // What the lock says it did.
    let opened = AnySlot::Inactive(slot).done(Turn::Activate, key.generation);
    if let AnySlot::NotShared(slot) = opened {
        let _ = slot.publish(key);
    }
}

fn shared_slot_shared(slot: Slot<Sharing>, key: GrantRef) {
    let _ = slot.revoke().publish(key);
}

fn slot_used_after_its_step([a, b]: [Slot<Sharing>; 2], grant: &Digest, device: PublicKey, install: Digest) {
    let _ = a.revoke();
    let _ = b.release(grant, device, install);
}

fn slot_copied(slot: Slot<Sharing>) -> Slot<Sharing> {
    slot
}

fn slot_state_by_hand(state: NotShared) -> NotShared {
    state
}

fn slot_by_hand(slot: Slot<NotShared>) -> Slot<NotShared> {
    slot
}

fn slot_filed_under_another_state(slot: Slot<Sharing>) -> AnySlot {
    AnySlot::Sharing(slot)
}

fn owner_revokes_alone(slot: Slot<Sharing, Recorder>) {
    let _ = slot.revoke();
}

fn owner_releases(slot: AnySlot<Recorder>, grant: &Digest, device: PublicKey, install: Digest) {
    let _ = slot.release(grant, device, install);
}

fn view_stored_as_record(slot: AnySlot<Recorder>) -> AnySlot<Recorder> {
    slot
}

fn witness_of_ones_own<W: Witness>() -> bool {
    W::SIGNED_MAY_OPEN
}

fn main() {
    let _ = [witness_of_ones_own::<Recorder>(), witness_of_ones_own::<Observer>()];
}
