//! Compiled, one challenge would be good for many guesses.

use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Now, Session, purpose::Operate};

fn session_used_twice(lock: &mut Lock<impl Crypto, 3>, session: Session<Operate>, now: Now) {
    let _ = lock.unlock(session, b"one guess", now);
    let _ = lock.unlock(session, b"another", now); //~ E0382 session
}

fn main() {}
