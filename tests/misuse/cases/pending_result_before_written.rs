//! Compiled, a lock whose flash calls back would move the bolt before it did.

use sharekey::lock::{Pending, Unlocked};

fn pending_result_before_written(pending: Pending<Unlocked>) -> Unlocked {
    pending.output //~ E0616 output
}

fn main() {}
