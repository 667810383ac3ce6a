//! Compiled, an app would say "open" without having asked the lock.
#![deny(unused_must_use)]

use rand_core::CryptoRng;
use sharekey::crypto::Crypto;
use sharekey::error::GuestError;
use sharekey::guest::GuestKey;
use sharekey::limits::Action;

fn reply_not_awaited(
    key: &GuestKey,
    crypto: &impl Crypto,
    challenge: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(), GuestError> {
    key.unlock(crypto, challenge, Action::Open, rng)?; //~ unused_must_use
    Ok(())
}

fn main() {}
