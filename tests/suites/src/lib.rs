//! Public test suites for the primitives of `sharekey`, run under each of its providers.
//! `cargo test -p sharekey-suites -- --nocapture` prints how many cases each suite has and how they were decided.
#![cfg(test)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests that print what they counted"
)]

mod edge_cases;
mod wycheproof;
