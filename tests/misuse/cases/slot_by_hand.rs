//! Compiled, a slot would be in a state that no step leads to.

use sharekey::slot::Slot;

fn slot_by_hand(slot: Slot) -> Slot {
    Slot { ..slot } //~ E0451 slot
}

fn main() {}
