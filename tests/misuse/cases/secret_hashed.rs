//! Compiled, a secret could be the key of a map, which looks it up in other than constant time.

use sharekey::secret::PairingKey;

fn secret_hashed(key: &PairingKey, hasher: &mut impl core::hash::Hasher) {
    core::hash::Hash::hash(key, hasher); //~ E0277 key
}

fn main() {}
