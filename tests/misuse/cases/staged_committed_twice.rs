//! Compiled, one accepted unlock would move the bolt twice.

use sharekey::lock::{Accepted, Record, Unlocked};

fn put(_record: &Record) -> Result<(), ()> {
    Ok(())
}

fn staged_committed_twice(staged: Accepted<'_, Unlocked>) {
    let _ = staged.commit(put);
    let _ = staged.commit(put); //~ E0382 staged
}

fn main() {}
