//! Compiled, two unlocks would be judged by one count of uses, and both pass on the last.

use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Now, Session, purpose::Operate};

fn lock_used_while_staged(lock: &mut Lock<impl Crypto, 3>, [a, b]: [Session<Operate>; 2], now: Now) {
    let first = lock.unlock(a, b"an unlock", now);
    let _ = lock.unlock(b, b"another", now); //~ E0499 lock.unlock
    drop(first);
}

fn main() {}
