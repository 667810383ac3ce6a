//! What must hold, apart from the code that makes it hold: for the model checker, property tests and
//! fuzzing. Never part of a product.
//!
//! - [`symbolic`]: a provider whose signatures and MACs are terms that only the key's holder can build.
//! - [`state`]: the reference model: what must happen, to compare the roles with.
//! - [`invariant`]: the protocol's fifteen invariants by name, judged over what happened.
//! - [`power`]: a store on simulated flash whose power goes in the middle of a write.
//!
//! Nothing here calls the code that decides in the roles: a rule that is wrong there is not wrong here
//! in the same way.

#![warn(unreachable_pub)]

extern crate alloc;

pub mod invariant;
pub mod power;
pub mod state;
pub mod symbolic;
