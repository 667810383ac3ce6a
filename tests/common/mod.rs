//! What the tests share: forged messages, a store, and a lock to try them on.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

pub mod bad;
pub mod cells;
pub mod desk;
pub mod forge;
pub mod ops;
pub mod refuse;
pub mod slots;
pub mod stand;
pub mod store;

use crate::provider::Provider;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sharekey::crypto::{Digest, Hash, PublicKey, Sign};
use sharekey::secret::Seed;

/// Entropy that is the same in every run.
pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A seed told by one byte.
pub fn seed(byte: u8) -> Seed {
    Seed::from_bytes([byte; 32])
}

/// The public key that a seed stands for.
pub fn public(seed: &Seed) -> PublicKey {
    Provider.public_key(&Provider.signing_key(seed).unwrap())
}

/// The digest of a message.
pub fn digest(message: &[u8]) -> Digest {
    Digest::from_bytes(Provider.sha256(&[message]))
}
