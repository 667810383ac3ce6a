//! Compiled, a lock half written would take an owner, and be another lock after the next power cut.

use rand_core::CryptoRng;
use sharekey::crypto::Crypto;
use sharekey::lock::{Making, Now, purpose::Operate};

fn lock_used_before_it_is_made(mut making: Making<impl Crypto, 3>, now: Now, rng: &mut impl CryptoRng) {
    let _ = making.challenge::<Operate>(now, rng); //~ E0599 challenge
}

fn main() {}
