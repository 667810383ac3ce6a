//! The bodies of the fuzz targets, on stable Rust: `fuzz_targets/` puts libFuzzer around them, and the test at the end
//! replays the corpora. The root package compiles this file too, as its test `fuzz_corpus`.
#![cfg_attr(test, allow(dead_code, reason = "the bodies are called by the table of targets"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a target fails by panicking"
)]

mod choices;
pub mod conversation;
pub mod decode;
pub mod limits;
pub mod lock_ops;
pub mod power_loss;
pub mod providers;
mod reach;
pub mod records;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod seeds;
pub mod service_ops;
pub mod share_code;
pub mod slot_line;

/// Real keys, for a harness that has two providers.
mod provider {
    pub use sharekey::crypto::Ring as Provider;
}

/// The machines and adapters of the tests, as they are.
macro_rules! harness {
    ($( $path:literal $name:ident )*) => { $(
        #[path = $path]
        #[allow(dead_code, unreachable_pub, unused_imports, reason = "a part of it is used here")]
        mod $name;
    )* };
}

harness! {
    "../../tests/power_loss/door.rs" door
    "../../tests/power_loss/drive.rs" drive
    "../../tests/power_loss/facts.rs" facts
    "../../tests/power_loss/fates.rs" fates
    "../../tests/refinement/forge.rs" forge
    "../../tests/refinement/lock/mod.rs" lock
    "../../tests/power_loss/script.rs" script
    "../../tests/refinement/share/mod.rs" share
    "../../tests/power_loss/steps.rs" steps
    "../../tests/power_loss/world.rs" world
}
