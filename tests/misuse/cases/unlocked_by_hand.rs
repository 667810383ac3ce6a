//! Compiled, the bolt would move on the word of the code around the lock.

use sharekey::limits::Action;
use sharekey::lock::Unlocked;

fn unlocked_by_hand(like: Unlocked) -> Unlocked {
    Unlocked { action: Action::Open, ..like } //~ E0639
}

fn main() {}
