//! Compiled, a secret would be copied with what holds it, and a key go to a second device.

use sharekey::guest::{Claimed, GuestKey, Installing};
use sharekey::lock::{Record, StoredSeed};

fn secret_cloned_inside(claimed: &Claimed, attempt: &Installing) -> (Claimed, Installing) {
    (
        Clone::clone(claimed), //~ E0277 claimed
        Clone::clone(attempt), //~ E0277 attempt
    )
}

fn copies(key: &GuestKey, record: &Record, seed: &StoredSeed) -> (GuestKey, Record, StoredSeed) {
    (
        Clone::clone(key),    //~ E0277 key
        Clone::clone(record), //~ E0277 record
        Clone::clone(seed),   //~ E0277 seed
    )
}

fn main() {}
