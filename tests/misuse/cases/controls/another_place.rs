//! The line is the marked one, but in it the lock is right, and the session is not.

use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Now, Session, purpose::Install};

fn another_place(lock: &mut Lock<impl Crypto, 3>, session: Session<Install>, now: Now) {
    let _ = lock.unlock(session, b"an unlock", now); //~ E0308 lock.unlock
}

fn main() {}
