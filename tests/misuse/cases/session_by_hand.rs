//! Compiled, an attempt would need no challenge, and so could repeat an old one.

use sharekey::lock::{Session, purpose::Operate};

fn session_by_hand() -> Session<Operate> {
    Session {}
}

fn main() {}
