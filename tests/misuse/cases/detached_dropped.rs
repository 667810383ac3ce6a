//! Compiled, a view would stay held, for a write that nobody reports.
#![deny(unused_must_use)]

use sharekey::message::Withdraw;
use sharekey::owner::OwnedLock;
use sharekey::{staged::Staged, wire::Encoded};

fn detached_dropped(staged: Staged<'_, OwnedLock, Encoded<Withdraw>>) {
    staged.detach(); //~ unused_must_use
}

fn main() {}
