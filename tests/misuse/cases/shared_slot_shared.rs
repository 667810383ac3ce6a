//! Compiled, two guests would wait for one slot, and neither be withdrawn by name.

use sharekey::slot::{GrantRef, Sharing, Slot};

fn shared_slot_shared(slot: Slot<Sharing>, key: GrantRef) {
    let _ = slot.publish(key); //~ E0599 publish
}

fn main() {}
