//! The world around the firmware: QEMU that runs it, and owner, service and guests on the real crate
//! with the `ring` provider, over the emulated serial line.
//!
//! Phones and cloud are those of `examples/apps`, as in `examples/share_a_key`; only the door is another.
#![allow(missing_debug_implementations, reason = "most of it holds keys or a process")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for tests, not the library"
)]

pub mod causes;
pub mod cuts;
pub mod damage;
mod door;
pub mod figures;
pub mod garbage;
pub mod gates;
pub mod image;
mod machine;
pub mod story;
pub mod wrap;

pub use machine::{Board, Firmware};

pub use sharekey_apps::Outcome;
use sharekey_apps::entropy;

/// What must hold.
fn ensure(holds: bool, what: impl FnOnce() -> String) -> Outcome<()> {
    if holds { Ok(()) } else { Err(what().into()) }
}
