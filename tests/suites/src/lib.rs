//! Public test suites for the primitives of `sharekey`, run under each of its providers.
//! `cargo test -p sharekey-suites -- --nocapture` prints how many cases each suite has and how they were decided. One suite
//! is not shipped by a package: [`cctv`] says how to hand it over.
#![cfg(test)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests that print what they counted"
)]

mod cctv;
mod edge_cases;
mod wycheproof;
