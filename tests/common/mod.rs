//! What the integration tests share.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(unreachable_pub, reason = "a test crate exports nothing")]

pub mod forge;
pub mod slots;
pub mod world;
