//! What a cut at any byte of any write leaves: before or after, and the bolt never moved for what was not written.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod ceiling;
mod cuts;
mod damage;
mod failing;
mod ordered;
mod twice;
