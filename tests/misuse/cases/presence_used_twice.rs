//! Compiled, a button pressed once would be good for resets at any later time.

use rand_core::CryptoRng;
use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Now, PhysicalPresence, Session, purpose::Operate};

fn presence_used_twice(
    lock: &mut Lock<impl Crypto, 3>,
    [a, b]: [Session<Operate>; 2],
    now: Now,
    rng: &mut impl CryptoRng,
) {
    let pressed = PhysicalPresence::button_is_pressed();
    let _ = lock.factory_reset(a, b"a reset", pressed, now, rng);
    let _ = lock.factory_reset(b, b"another", pressed, now, rng); //~ E0382 pressed
}

fn main() {}
