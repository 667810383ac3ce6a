//! Share the key of a smart lock.
#![no_std]
#![warn(unreachable_pub)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod code;
#[cfg(feature = "alloc")]
pub mod contacts;
pub mod counter;
pub mod crypto;
pub mod error;
pub mod guest;
pub mod id;
pub mod limits;
pub mod lock;
pub mod message;
#[cfg(feature = "alloc")]
pub mod owner;
mod pairing;
pub mod secret;
#[cfg(feature = "alloc")]
pub mod service;
pub mod slot;
pub mod staged;
pub mod wire;
