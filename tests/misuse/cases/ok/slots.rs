//! The slot machine, without the mistakes.

use sharekey::crypto::{Digest, PublicKey};
use sharekey::message::WithdrawnOutcome;
use sharekey::slot::{GrantRef, Observer, Recorder, Slot, Witness};

fn slot_by_hand(slot: Slot) -> Slot {
    slot
}

fn owner_withdraws_alone(slot: &mut Slot<Observer>, key: GrantRef) {
    // What the service answered.
    let _ = slot.withdrawn(key, &WithdrawnOutcome::Settled);
}

fn owner_releases(slot: &mut Slot<Recorder>, grant: &Digest, device: PublicKey, install: Digest) {
    let _ = slot.release(grant, device, install);
}

fn view_stored_as_record(slot: Slot<Recorder>) -> Slot<Recorder> {
    slot
}

fn witness_of_ones_own<W: Witness>() -> bool {
    W::SIGNED_MAY_OPEN
}

fn main() {
    let _ = [witness_of_ones_own::<Recorder>(), witness_of_ones_own::<Observer>()];
}
