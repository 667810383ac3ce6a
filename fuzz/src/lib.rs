//! The bodies of the fuzz targets, on stable Rust, and the corpora that they are replayed on. `fuzz_targets/` puts
//! libFuzzer around the bodies.
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

pub mod archive;
mod choices;
pub mod conversation;
pub mod corpus;
pub mod decode;
pub mod door;
pub mod limits;
pub mod lock_ops;
pub mod power_loss;
pub mod providers;
pub mod records;
#[cfg(test)]
mod replay;
pub mod seeds;
pub mod service_ops;
pub mod share_code;
pub mod slot_line;
pub mod targets;

/// Every error can be told.
pub fn blamed(error: &dyn sharekey::error::Blame) {
    assert!(error.name().contains('.') && !error.to_string().is_empty(), "{error:?}");
    let _ = (error.fault(), error.retry());
}
