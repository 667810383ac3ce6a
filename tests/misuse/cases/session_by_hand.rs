//! Compiled, an attempt would need no challenge, and so could repeat an old one.

use sharekey::lock::{Session, purpose::Operate};

fn session_by_hand(old: Session<Operate>) -> Session<Operate> {
    Session { ..old } //~ E0451 old
}

fn main() {}
