//! Compiled, an unlock would have the 120 seconds of a download, which is time to relay it.

use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Now, Session, purpose::Install};

fn session_of_install_unlocks(lock: &mut Lock<impl Crypto, 3>, session: Session<Install>, unlock: &[u8], now: Now) {
    let _ = lock.unlock(session, unlock, now); //~ E0308 session
}

fn main() {}
