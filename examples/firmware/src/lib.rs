//! A lock around the library's lock role, for any board: what it needs of one stands in [`board`].
//!
//! No allocator, no panic on input, and no `unsafe` but in [`mps2`], where registers are, the board that it runs on here,
//! and in [`emulated`], which has what an emulator gives to any board.

#![no_std]
#![deny(unsafe_code)]

pub mod board;
pub mod clock;
pub mod door;
pub mod entropy;
pub mod link;
pub mod log;
pub mod store;

#[cfg(target_os = "none")]
#[allow(unsafe_code, reason = "calls of the host, and memory that stands for flash")]
pub mod emulated;
#[cfg(target_os = "none")]
#[allow(unsafe_code, reason = "registers")]
pub mod mps2;

#[cfg(target_os = "none")]
pub use mps2::Mps2 as Here;
