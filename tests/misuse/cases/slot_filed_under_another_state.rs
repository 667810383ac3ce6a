//! Compiled, a grant that waits would be stored as one that was released.

use sharekey::slot::{AnySlot, Sharing, Slot};

fn slot_filed_under_another_state(slot: Slot<Sharing>) -> AnySlot {
    AnySlot::Shared(slot) //~ E0308 slot
}

fn main() {}
