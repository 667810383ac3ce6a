//! What the types of sharekey stop: see `cases`, and the test that compiles them.
