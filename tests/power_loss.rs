//! The power goes: in the middle of every write, between any two operations, twice; and writes go wrong
//! while it stays. Whatever happens, the lock is as before or as after, the bolt never moved for a record
//! that was not written, and the life of the lock goes on with no invariant broken.
#![cfg(all(any(feature = "ring", feature = "rustcrypto"), feature = "alloc", feature = "model"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

mod provider;

#[path = "power_loss/ceiling.rs"]
mod ceiling;
#[path = "power_loss/cuts.rs"]
mod cuts;
#[path = "power_loss/damage.rs"]
mod damage;
#[path = "power_loss/door.rs"]
mod door;
#[path = "power_loss/drive.rs"]
mod drive;
#[path = "power_loss/facts.rs"]
mod facts;
#[path = "power_loss/failing.rs"]
mod failing;
#[path = "power_loss/fates.rs"]
mod fates;
#[path = "power_loss/ordered.rs"]
mod ordered;
#[path = "power_loss/script.rs"]
mod script;
#[path = "power_loss/steps.rs"]
mod steps;
#[path = "power_loss/twice.rs"]
mod twice;
#[path = "power_loss/world.rs"]
mod world;
