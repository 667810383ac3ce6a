//! Compiled, the lock would act when a write was asked for, not when it was done.

use sharekey::lock::{Accepted, Record, Unlocked};

async fn write(_record: &Record) -> Result<(), ()> {
    Ok(())
}

fn put_not_awaited(staged: Accepted<'_, Unlocked>) {
    let _ = staged.commit(|record| write(record)); //~ E0308 write(record)
}

fn main() {}
