//! Compiled, whoever keeps a copy of a session has an attempt more than the challenge gave.

use sharekey::lock::{Session, purpose::Operate};

fn session_copied(session: &Session<Operate>) -> Session<Operate> {
    Clone::clone(session) //~ E0277 session
}

fn main() {}
