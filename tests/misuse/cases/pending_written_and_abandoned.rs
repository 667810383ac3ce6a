//! Compiled, an operation that happened could be taken for one that did not.

use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Pending, Unlocked};

fn pending_written_and_abandoned(lock: &mut Lock<impl Crypto, 3>, pending: Pending<Unlocked>) {
    let _ = lock.written(pending);
    let _ = lock.abandon(pending); //~ E0382 pending
}

fn main() {}
