//! The parts of the peer, which the test vectors use too: a vector of behaviour is what a peer was asked
//! and what it replied.
#![allow(missing_docs, missing_debug_implementations, reason = "the parts of a program")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for tests fails by panicking"
)]

/// The provider under which everybody plays: ring unless it is not built.
#[cfg(feature = "ring")]
pub use sharekey::crypto::Ring as Provider;
#[cfg(not(feature = "ring"))]
pub use sharekey::crypto::RustCrypto as Provider;

pub mod desk;
pub mod entropy;
pub mod fail;
pub mod form;
pub mod guest;
pub mod lock;
pub mod owner;
pub mod request;
pub mod service;
