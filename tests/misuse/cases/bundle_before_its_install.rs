//! Compiled, a claim without an install would go to the lock, which says no and spends the session.

use sharekey::crypto::Crypto;
use sharekey::guest::Claimed;

fn bundle_before_its_install(claimed: &Claimed, crypto: &impl Crypto, release: &[u8]) {
    let _ = claimed.bundle(crypto, release); //~ E0599 bundle
}

fn main() {}
