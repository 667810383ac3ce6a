//! Compiled, a lock would come up from a seed whose making never ended.

use sharekey::lock::StoredSeed;
use sharekey::secret::Seed;

fn stored_seed_by_hand(seed: Seed) -> StoredSeed {
    StoredSeed(seed) //~ E0423 StoredSeed
}

fn main() {}
