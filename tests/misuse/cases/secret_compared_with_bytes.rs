//! Compiled, a secret could be compared with bytes, and that not in constant time.

use sharekey::secret::PairingKey;

fn secret_compared_with_bytes(key: &PairingKey, guess: &[u8; 32]) -> bool {
    *key == *guess //~ E0308 *guess
}

fn main() {}
