//! Compiled, a guest at the door would end the download of another, and the other way round.

use rand_core::CryptoRng;
use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Now, Session, purpose::Operate};

fn session_of_operate_installs(
    lock: &mut Lock<impl Crypto, 3>,
    session: Session<Operate>,
    now: Now,
    rng: &mut impl CryptoRng,
) {
    let _ = lock.install(session, b"a bundle", now, rng); //~ E0308 session
}

fn main() {}
