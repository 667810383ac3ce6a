//! Every flow of the story, with the real roles and real keys, message by message.
#![cfg(feature = "alloc")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

mod provider;

#[path = "common/forge.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
mod forge;
#[path = "common/store.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
mod store;
#[path = "common/world/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
mod world;

#[path = "flows/limits.rs"]
mod limits;
#[path = "flows/owning.rs"]
mod owning;
#[path = "flows/races.rs"]
mod races;
#[path = "flows/sharing.rs"]
mod sharing;
#[path = "flows/story.rs"]
mod story;
