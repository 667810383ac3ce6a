//! Compiled, a slot would be in a state that no transition leads to.

use sharekey::slot::{NotShared, Slot};

fn slot_by_hand(slot: Slot<NotShared>) -> Slot<NotShared> {
    Slot { ..slot } //~ E0451 slot
}

fn main() {}
