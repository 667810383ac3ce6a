//! The parts, for the program and for the test.
#![allow(dead_code, reason = "each program uses a part")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "an example on a host")]

pub mod board;
pub mod element;
pub mod host;
pub mod story;
