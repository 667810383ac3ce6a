//! The cast that sharekey's tests, fuzz targets and benches share: a lock on a test stand, owner, service and guests
//! with a phone, a cloud and a door around them, the stores they keep things in, messages forged by hand, entropy that
//! is the same in every run, and the table of what can be asked of a lock ([`ops`]).
//!
//! Without a feature it needs no allocator in the library. `alloc` brings the roles that do; `ring`, `rustcrypto` and
//! `symbolic` say which [`provider`] the cast uses.
#![allow(missing_docs, reason = "a test's stage is read, not looked up")]
#![allow(missing_debug_implementations, reason = "most of it holds keys")]
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
pub mod board;
#[cfg(feature = "calendar")]
pub mod calendar;
pub mod cells;
pub mod chain;
#[cfg(feature = "alloc")]
pub mod desk;
pub mod entropy;
#[cfg(feature = "alloc")]
pub mod errors;
pub mod firmware;
pub mod forge;
pub mod hex;
#[cfg(feature = "alloc")]
pub mod house;
pub mod ops;
pub mod provider;
pub mod ready;
pub mod refuse;
#[cfg(feature = "alloc")]
pub mod rows;
pub mod samples;
#[cfg(feature = "alloc")]
pub mod slots;
pub mod stand;
pub mod store;
#[cfg(feature = "alloc")]
pub mod world;

#[cfg(not(any(feature = "ring", feature = "rustcrypto", feature = "symbolic")))]
compile_error!("the cast needs a provider: one of the features ring, rustcrypto and symbolic");

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use forge::Forge;
use provider::Provider;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sharekey::crypto::{Digest, Nonce, PublicKey};
use sharekey::message::Challenge;
use sharekey::secret::Seed;
use sharekey::wire::Unverified;

/// A Monday, 2024-01-01T12:00:00Z.
pub const NOON: u64 = 1_704_110_400;

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
    Forge::<Provider>::new().public(seed)
}

/// The digest of a message.
pub fn digest(message: &[u8]) -> Digest {
    Forge::<Provider>::new().digest(message)
}

/// The nonce of a challenge.
pub fn nonce_of(challenge: &[u8]) -> Nonce {
    Unverified::<Challenge>::parse(challenge).unwrap().claims().nonce
}

/// One step of an executor.
pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}
