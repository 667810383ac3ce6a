//! Challenges and sessions, without the mistakes.

use rand_core::CryptoRng;
use sharekey::crypto::Crypto;
use sharekey::lock::purpose::{Install, Operate, Purpose};
use sharekey::lock::{Challenged, Lock, Now, Record, Session};

fn put(_record: &Record) -> Result<(), ()> {
    Ok(())
}

fn session_used_twice(lock: &mut Lock<impl Crypto, 3>, sessions: [Session<Operate>; 2], now: Now) {
    let [session, next] = sessions;
    let _ = lock.unlock(session, b"one guess", now);
    let _ = lock.unlock(next, b"another", now);
}

fn session_copied(session: Session<Operate>) -> Session<Operate> {
    session
}

fn session_of_install_unlocks(lock: &mut Lock<impl Crypto, 3>, session: Session<Operate>, unlock: &[u8], now: Now) {
    let _ = lock.unlock(session, unlock, now);
}

fn session_of_operate_installs(
    lock: &mut Lock<impl Crypto, 3>,
    session: Session<Install>,
    now: Now,
    rng: &mut impl CryptoRng,
) {
    let _ = lock.install(session, b"a bundle", now, rng);
}

fn session_by_hand(lock: &mut Lock<impl Crypto, 3>, now: Now, rng: &mut impl CryptoRng) -> Option<Session<Operate>> {
    let Challenged { session, .. } = lock.challenge(now, rng).ok()?.commit(put).ok()?;
    Some(session)
}

fn purpose_of_ones_own<P: Purpose>() -> u64 {
    P::DEADLINE_MS
}

fn main() {
    let _ = [purpose_of_ones_own::<Install>(), purpose_of_ones_own::<Operate>()];
}
