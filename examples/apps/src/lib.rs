//! Apps and a cloud around the library, to copy from: [`phone`] is the owner's and the guests', [`cloud`] the service's,
//! and [`story`] is what they live through.
//! They meet a lock over a [`Radio`]: in `examples/share_a_key` it is behind a door in the same process, in
//! `examples/firmware/host` on a microcontroller in QEMU.
#![allow(missing_docs, missing_debug_implementations, reason = "an example is read, not looked up")]
#![allow(clippy::arithmetic_side_effects, clippy::print_stdout, reason = "a program, not the library")]

pub mod cloud;
pub mod phone;
pub mod story;

use std::error::Error;

use sharekey::id::LockId;
use sharekey::limits::Timestamp;

/// A step succeeds, or says what went wrong.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// The operating system's entropy.
pub fn entropy() -> impl sharekey::rand_core::CryptoRng {
    sharekey::rand_core::UnwrapErr(getrandom::SysRng)
}

/// The time on a phone, or at the cloud.
pub fn now() -> Timestamp {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_unix_seconds(since_1970.map_or(0, |since| since.as_secs()))
}

/// The way to a lock.
pub trait Radio {
    /// Which lock is at the other end, as its door says or its advertisement.
    fn id(&self) -> LockId;

    /// Sends a message and gives what comes back: a refusal too, which only the app can tell from an answer.
    fn send(&mut self, message: &[u8]) -> Outcome<Vec<u8>>;
}
