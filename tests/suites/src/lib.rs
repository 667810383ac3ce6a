//! Public test suites for the primitives of `sharekey`, run under each of its providers: see `tests/`.
//! `cargo test -- --nocapture` prints how many cases each suite has and how they were decided.
