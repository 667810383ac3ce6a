//! The bodies of the fuzz targets, on stable Rust: `fuzz_targets/` puts libFuzzer around them, and the test at the end
//! replays the corpora.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_debug_implementations,
    missing_docs,
    reason = "a target fails by panicking"
)]

mod choices;
pub mod conversation;
pub mod decode;
pub mod limits;
pub mod lock_ops;
pub mod power_loss;
pub mod providers;
pub mod records;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod seeds;
pub mod service_ops;
pub mod share_code;
pub mod slot_line;
