//! Compiled, a secret would be copied with what holds it, and a key go to a second device.

use sharekey::guest::{Claimed, GuestKey, Installing};
use sharekey::lock::{Record, StoredSeed};

fn secret_cloned_inside(claimed: &Claimed, attempt: &Installing) -> (Claimed, Installing) {
    (Clone::clone(claimed), Clone::clone(attempt))
}

fn copies(key: &GuestKey, record: &Record, seed: &StoredSeed) -> (GuestKey, Record, StoredSeed) {
    (Clone::clone(key), Clone::clone(record), Clone::clone(seed))
}

fn main() {}
