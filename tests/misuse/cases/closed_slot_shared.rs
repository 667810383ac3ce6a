//! Compiled, a slot that the lock never opened would be shared: only the lock's word opens one.

use sharekey::slot::{GrantRef, Inactive, Slot};

fn closed_slot_shared(slot: Slot<Inactive>, key: GrantRef) {
    let _ = slot.publish(key); //~ E0599 publish
}

fn main() {}
