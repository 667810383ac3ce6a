//! What watches sharekey's secrets: for valgrind's memcheck, secrets are memory that was never written,
//! so that a branch or an address that depends on one is an error that memcheck counts.

pub mod cases;
pub mod control;
pub mod place;
pub mod provider;
pub mod scene;
pub mod watch;
