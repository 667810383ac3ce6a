//! Marked as a mistake, and none: a key whose type was opened would look like this.

use sharekey::slot::{GrantRef, Slot};

fn compiles(slot: &mut Slot, key: GrantRef) {
    let _ = slot.publish(key); //~ E0599 publish
}

fn main() {}
