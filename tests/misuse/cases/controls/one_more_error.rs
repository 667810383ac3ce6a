//! Beside the marked mistake stands one that nobody meant: a case that rots.

use sharekey::limits::Limits;
use sharekey::slot::{Sharing, Slot};

fn one_more_error(slot: Slot<Sharing>, mut limits: Limits) {
    let _ = slot.reset(); //~ E0599 reset
    limits.uses = None;
}

fn main() {}
