//! What the benches share: a house with its parties, signed inputs, and a race between the things compared.
#![allow(dead_code, unreachable_pub, reason = "each bench uses a part")]

pub mod bare;
pub mod house;
pub mod inputs;
pub mod lanes;
pub mod race;
pub mod table;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sharekey::crypto::Crypto;

/// A provider that the benches can make as many of as they like.
pub trait Provider: Crypto + Copy + Default + 'static {}
impl<C: Crypto + Copy + Default + 'static> Provider for C {}

/// How many signed inputs are rotated: one alone would train the branch predictor on its signature.
pub const INPUTS: usize = 256;

/// Entropy that is the same in every run.
pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}
