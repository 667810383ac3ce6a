//! `door`, played through processes: its page, and everything that an attacker can try on that page.
#![allow(
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod common;
mod keys;
mod owner;
mod ownership;
mod page;
mod power;
mod replay;
