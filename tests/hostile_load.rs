//! A flood costs a lock and a service a bounded amount of work a message, changes nothing, and an honest party
//! gets through at the first quiet moment. What was counted is printed (`-- --nocapture`); nothing is timed.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

mod common;
mod provider;

#[path = "hostile_load/counting.rs"]
mod counting;
#[path = "hostile_load/door.rs"]
mod door;
#[path = "hostile_load/lock.rs"]
mod lock;
#[path = "hostile_load/service.rs"]
mod service;
