//! Every flow of the story, with the real roles and real keys, message by message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

mod common;

#[path = "flows/sharing.rs"]
mod sharing;
