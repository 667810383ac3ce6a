//! Compiled, a view would call a key dead that the service may have released.

use sharekey::slot::{Observer, Sharing, Slot};

fn owner_revokes_alone(slot: Slot<Sharing, Observer>) {
    let _ = slot.revoke(); //~ E0599 revoke
}

fn main() {}
