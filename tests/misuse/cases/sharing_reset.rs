//! Compiled, a grant that was never released would be said to leave a key at the lock.

use sharekey::slot::{Sharing, Slot};

fn sharing_reset(slot: Slot<Sharing>) {
    let _ = slot.reset(); //~ E0599 reset
}

fn main() {}
