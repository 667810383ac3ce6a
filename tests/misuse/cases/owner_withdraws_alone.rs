//! Compiled, a view would decide what the service does: whether a grant was released before it was withdrawn.

use sharekey::slot::{GrantRef, Observer, Slot};

fn owner_withdraws_alone(slot: &mut Slot<Observer>, key: GrantRef) {
    let _ = slot.withdraw(key); //~ E0599 withdraw
}

fn main() {}
