//! The service, over each of its stores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::print_stdout, reason = "a test may")]

mod conformance;
mod controls;
mod events;
mod http;
mod life;
mod load;
mod pair;
mod race;
mod servers;
mod settings;
mod stores;
