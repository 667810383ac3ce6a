//! Compiled, an app could say that a key was revoked where there was none.

use sharekey::slot::{NotShared, Slot};

fn never_shared_revoked(slot: Slot<NotShared>) {
    let _ = slot.revoke(); //~ E0599 revoke
}

fn main() {}
