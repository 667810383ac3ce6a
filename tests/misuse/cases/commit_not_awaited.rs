//! Compiled, a record would never be written, and nobody would say so.
#![deny(unused_must_use)]

use sharekey::lock::{Accepted, Record, Unlocked};

async fn write(_record: &Record) -> Result<(), ()> {
    Ok(())
}

async fn commit_not_awaited(staged: Accepted<'_, Unlocked>) {
    staged.commit_async(write); //~ unused_must_use
}

fn main() {}
