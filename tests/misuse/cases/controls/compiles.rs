//! Marked as a mistake, and none: a key whose type was opened would look like this.

use sharekey::slot::{GrantRef, NotShared, Slot};

fn compiles(slot: Slot<NotShared>, key: GrantRef) {
    let _ = slot.publish(key); //~ E0599 publish
}

fn main() {}
