//! Compiled, one write would give its result twice, and move the bolt twice.

use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Pending, Unlocked};

fn pending_written_twice(lock: &mut Lock<impl Crypto, 3>, pending: Pending<Unlocked>) {
    let _ = lock.written(pending);
    let _ = lock.written(pending); //~ E0382 pending
}

fn main() {}
