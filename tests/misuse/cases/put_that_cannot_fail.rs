//! Compiled, a flash that refused to write would count as written.

use sharekey::lock::{Accepted, Record, Unlocked};

fn write(_record: &Record) {}

fn put_that_cannot_fail(staged: Accepted<'_, Unlocked>) {
    let _ = staged.commit(|record| write(record)); //~ E0308 write(record)
}

fn main() {}
