//! Compiled, the secret would be gone that the receipt needs, and the key lost though installed.

use sharekey::crypto::Crypto;
use sharekey::guest::Installing;

fn attempt_dropped_before_its_receipt(attempt: Installing, crypto: &impl Crypto, release: &[u8], receipt: &[u8]) {
    let Ok(download) = attempt.bundle(crypto, release) else { return };
    drop(attempt); //~ E0505 attempt
    let _ = download.finish(crypto, receipt);
}

fn main() {}
