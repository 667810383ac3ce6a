//! A lock around the library's lock role, for any board: what it needs of one stands in [`board`].
//!
//! No allocator, no panic on input, and no `unsafe` but where registers are: in [`mps2`] and [`netduino`], the boards that
//! it runs on here, and in [`emulated`], which has what an emulator gives to both.

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
#[cfg(all(target_os = "none", feature = "mps2"))]
#[allow(unsafe_code, reason = "registers")]
pub mod mps2;
#[cfg(all(target_os = "none", feature = "netduino"))]
#[allow(unsafe_code, reason = "registers")]
pub mod netduino;

#[cfg(all(target_os = "none", feature = "mps2"))]
pub use mps2::Mps2 as Here;
#[cfg(all(target_os = "none", feature = "netduino"))]
pub use netduino::Netduino as Here;
