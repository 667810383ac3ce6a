//! Each rule of the lock, broken alone, on a lock on a test stand: one file a question.
//!
//! `cargo test -p sharekey-lock-rules --no-default-features --features rustcrypto` runs them against the library as a
//! microcontroller has it, without an allocator; `miri.sh` has Miri interpret some.
#![cfg(test)]
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

mod allocator;
mod lock_clock;
mod lock_command;
mod lock_command_done;
mod lock_damage;
mod lock_door;
mod lock_install;
mod lock_install_order;
mod lock_install_rules;
mod lock_nonces;
mod lock_pending;
mod lock_provision;
mod lock_provision_again;
mod lock_records;
mod lock_requests;
mod lock_reset;
mod lock_sessions;
mod lock_slots;
mod lock_staged;
mod lock_unlock;
mod lock_unlock_limits;
mod operations;
