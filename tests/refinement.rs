//! The real lock, slot machine, service and owner's phone, in step with the reference model over long
//! histories with full-width numbers.
//!
//! `PROPTEST_CASES` sets how many histories each test runs; `REACHED=1` prints what they reached.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "refinement/forge.rs"]
mod forge;
#[path = "refinement/lock/mod.rs"]
mod lock;
#[path = "refinement/reach.rs"]
mod reach;

use lock::{Door, Machine};
use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine as _, StateMachineTest as _};
use sharekey::crypto::Ring;
use sharekey::model::symbolic::Symbolic;

#[test]
fn the_lock_does_what_the_model_says() {
    reach::run(300, &Machine::sequential_strategy(1..150), &[], |(machine, steps, seen)| {
        Door::<Symbolic>::test_sequential(Config::default(), machine, steps, seen);
    });
}

#[test]
fn the_lock_over_ring_does_what_the_model_says() {
    reach::run(20, &Machine::sequential_strategy(1..100), &[], |(machine, steps, seen)| {
        Door::<Ring>::test_sequential(Config::default(), machine, steps, seen);
    });
}
