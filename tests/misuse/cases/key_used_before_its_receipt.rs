//! Compiled, a guest would be told to have a key before the lock installed it.

use rand_core::CryptoRng;
use sharekey::crypto::Crypto;
use sharekey::guest::Download;
use sharekey::limits::Action;

fn key_used_before_its_receipt(
    download: &Download<'_>,
    crypto: &impl Crypto,
    challenge: &[u8],
    rng: &mut impl CryptoRng,
) {
    let _ = download.unlock(crypto, challenge, Action::Open, rng); //~ E0599 unlock
}

fn main() {}
