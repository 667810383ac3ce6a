//! What the benches share: a house with its parties, signed inputs, and a race between the things compared.
#![allow(missing_docs, missing_debug_implementations, reason = "read, not looked up")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench fails by panicking, and prints"
)]

pub mod bare;
pub mod inputs;
pub mod lanes;
pub mod race;
pub mod table;

/// How many signed inputs are rotated: one alone would train the branch predictor on its signature.
pub const INPUTS: usize = 256;
