//! Compiled, one copy of a slot could be revoked and the other released.

use sharekey::slot::{Sharing, Slot};

fn slot_copied(slot: &Slot<Sharing>) -> Slot<Sharing> {
    Clone::clone(slot) //~ E0277 slot
}

fn main() {}
