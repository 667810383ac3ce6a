//! Beside the marked mistake stands one that nobody meant: a case that rots.

use sharekey::limits::Limits;
use sharekey::slot::{GrantRef, Observer, Slot};

fn one_more_error(slot: &mut Slot<Observer>, key: GrantRef, mut limits: Limits) {
    let _ = slot.withdraw(key); //~ E0599 withdraw
    limits.uses = None;
}

fn main() {}
