//! Compiled, a cell would stay held until the next reload, for a write that nobody reports.
#![deny(unused_must_use)]

use sharekey::lock::{Accepted, Unlocked};

fn pending_dropped(staged: Accepted<'_, Unlocked>) {
    staged.detach(); //~ unused_must_use
}

fn main() {}
