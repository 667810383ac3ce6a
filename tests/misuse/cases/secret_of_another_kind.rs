//! Compiled, the key of one guest would be the key of the lock's owner.

use sharekey::crypto::Crypto;
use sharekey::owner::Owner;
use sharekey::secret::PairingKey;

fn secret_of_another_kind(crypto: impl Crypto, key: &PairingKey) {
    let _ = Owner::new(crypto, key); //~ E0308 key
}

fn main() {}
