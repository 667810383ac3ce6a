//! Compiled, "persist, then act" would be a request, and the lock would act first where that is shorter.

use sharekey::lock::{Accepted, Unlocked};

fn unlock_taken_out_of_staged(staged: Accepted<'_, Unlocked>) -> Unlocked {
    staged.output() //~ E0624 output
}

fn main() {}
