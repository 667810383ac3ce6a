//! Compiled, a service that crashed here would call a key never released that opens the door.

use sharekey::service::{ShareRecord, Taken};
use sharekey::staged::Staged;

fn release_sent_before_commit(staged: Staged<'_, ShareRecord, Taken>) -> Taken {
    staged.output //~ E0616 output
}

fn main() {}
