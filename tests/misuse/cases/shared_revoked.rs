//! Compiled, a key that opens the door would be said to have been revoked.

use sharekey::slot::{Shared, Slot};

fn shared_revoked(slot: Slot<Shared>) {
    let _ = slot.revoke(); //~ E0599 revoke
}

fn main() {}
