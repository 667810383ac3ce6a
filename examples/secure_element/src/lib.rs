//! The parts, for the program and for the test.
#![allow(missing_docs, missing_debug_implementations, reason = "the parts of an example")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::new_without_default,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "an example on a host"
)]

pub mod board;
pub mod element;
pub mod host;
pub mod story;
