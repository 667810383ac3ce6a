//! Compiled, a slot would be open without the lock's word.

use sharekey::slot::NotShared;

fn slot_state_by_hand() -> NotShared {
    NotShared(()) //~ E0423 NotShared
}

fn main() {}
