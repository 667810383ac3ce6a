//! The world around the firmware: QEMU that runs it, and owner, service and guests on the real crate
//! with the `ring` provider, over the emulated serial line.
//!
//! Phones and cloud are those of `examples/share_a_key`; only the door is another.

use std::error::Error;

#[path = "../../../share_a_key/cloud.rs"]
mod cloud;
pub mod cuts;
pub mod damage;
mod door;
pub mod figures;
pub mod garbage;
pub mod image;
mod machine;
#[path = "../../../share_a_key/phone.rs"]
mod phone;
pub mod story;

pub use machine::Firmware;

/// A step succeeds, or says what went wrong.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// The operating system's entropy.
fn entropy() -> impl rand_core::CryptoRng {
    rand_core::UnwrapErr(getrandom::SysRng)
}

/// What must hold.
fn ensure(holds: bool, what: impl FnOnce() -> String) -> Outcome<()> {
    if holds { Ok(()) } else { Err(what().into()) }
}
