//! The parts of the peer, which the test vectors use too: a vector of behaviour is what a peer was asked
//! and what it replied.
#![allow(dead_code, reason = "each program uses a part")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a program for tests fails by panicking"
)]

/// The provider under which everybody plays: each program names its own.
use crate::Provider;

pub mod desk;
pub mod entropy;
pub mod fail;
pub mod form;
pub mod guest;
pub mod lock;
pub mod owner;
pub mod request;
pub mod service;
