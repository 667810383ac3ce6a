//! Compiled, two locks would share one flash, each with its own count of challenges and uses.

use sharekey::crypto::Ring;
use sharekey::lock::Lock;

fn lock_copied(lock: &Lock<Ring, 3>) -> Lock<Ring, 3> {
    Clone::clone(lock) //~ E0277 lock
}

fn main() {}
