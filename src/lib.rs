//! Share the key of a smart lock.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod counter;
pub mod crypto;
pub mod error;
pub mod id;
pub mod limits;
pub mod message;
#[cfg(feature = "alloc")]
pub mod owner;
pub mod secret;
#[cfg(feature = "alloc")]
pub mod service;
pub mod slot;
pub mod staged;
pub mod wire;
