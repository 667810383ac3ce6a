//! The crate's own tests of the lock, to be interpreted by Miri: see `check.sh` and `Cargo.toml`.
