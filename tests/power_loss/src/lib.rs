//! One life of a lock on a flash that tears, with its phones, its cloud and a ledger that judges: everything that can be cut
//! short at a moment, and gone on from in many ways. The tests cut it at every byte; a fuzz target chooses its own moments.
#![allow(missing_docs, missing_debug_implementations, reason = "a harness is read, not looked up")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::large_enum_variant,
    clippy::new_without_default,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

pub mod door;
pub mod drive;
pub mod facts;
pub mod fates;
pub mod script;
pub mod steps;
pub mod world;
