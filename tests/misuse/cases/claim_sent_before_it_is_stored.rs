//! Compiled, an app that dies here would be another device than the one that was released, for ever.

use rand_core::CryptoRng;
use sharekey::crypto::Crypto;
use sharekey::guest::Account;

fn send(_message: &[u8]) {}

fn claim_sent_before_it_is_stored<C: Crypto>(account: &Account<C>, crypto: &C, grant: &[u8], rng: &mut impl CryptoRng) {
    if let Ok(claimed) = account.claim(crypto, grant, None, rng) {
        send(claimed.claim()); //~ E0599 claim
    }
}

fn main() {}
