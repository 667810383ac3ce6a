//! Hands the linker the memory map of the board.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let board = if env::var_os("CARGO_FEATURE_NETDUINO").is_some() { "netduino" } else { "mps2" };
    fs::copy(format!("memory/{board}.x"), out.join("memory.x"))?;
    // The first board's interrupt table is a static in the code; no handler has a default to provide.
    fs::write(out.join("device.x"), "")?;
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rerun-if-changed=memory");
    Ok(())
}
