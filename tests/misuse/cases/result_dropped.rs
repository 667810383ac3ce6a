//! Compiled, a use would be counted and the bolt never move.
#![deny(unused_must_use)]

use sharekey::lock::{Accepted, Record, Unlocked};

fn put(_record: &Record) -> Result<(), ()> {
    Ok(())
}

fn result_dropped(staged: Accepted<'_, Unlocked>) -> Result<(), ()> {
    staged.commit(put)?; //~ unused_must_use
    Ok(())
}

fn main() {}
