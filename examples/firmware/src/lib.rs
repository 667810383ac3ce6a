//! A lock around the library's lock role, for any board: what it needs of one stands in [`board`].
//!
//! No allocator, no panic on input, and no `unsafe` but in `mps2`, where registers are: the board that
//! it runs on here, QEMU's `mps2-an386`.

#![no_std]
#![deny(unsafe_code)]

pub mod board;
pub mod clock;
pub mod door;
pub mod entropy;
pub mod link;
pub mod store;

#[cfg(target_os = "none")]
#[allow(unsafe_code, reason = "registers")]
pub mod mps2;
