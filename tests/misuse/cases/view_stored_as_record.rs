//! Compiled, a service would take over what an owner only guesses, and the other way round.

use sharekey::slot::{Slot, Observer, Recorder};

fn view_stored_as_record(slot: Slot<Observer>) -> Slot<Recorder> {
    slot //~ E0308
}

fn main() {}
