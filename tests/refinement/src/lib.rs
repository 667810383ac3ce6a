//! The real lock, slot machine, service, owner's phone and guest's device beside the reference model: machines that choose
//! steps, and adapters that take them on both sides and compare. The tests run them over long histories with full-width
//! numbers; the fuzz targets choose the steps themselves.
#![allow(missing_docs, missing_debug_implementations, reason = "a harness is read, not looked up")]
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

pub mod forge;
pub mod guest;
pub mod lock;
pub mod reach;
pub mod share;
