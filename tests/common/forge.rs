//! Messages made by hand, with any key and any content: what an attacker, a lock or a test can build.

use sharekey::crypto::{Digest, Hash, PublicKey, Ring, Sign, Signature};
use sharekey::secret::Seed;
use sharekey::wire::{Bare, Message};

/// The seed whose bytes are all `n`.
pub fn seed(n: u8) -> Seed {
    Seed::from_bytes([n; 32])
}

/// The public half of a seed.
pub fn public(seed: &Seed) -> PublicKey {
    Ring.public_key(&Ring.signing_key(seed).unwrap())
}

/// A digest that stands for some message.
pub fn some_digest(n: u8) -> Digest {
    Digest::from_bytes([n; 32])
}

/// The digest of a message.
pub fn digest(message: &[u8]) -> Digest {
    Digest::from_bytes(Ring.sha256(&[message]))
}

/// Header and body, without authenticator.
pub fn unsigned<T: Message>(body: &T) -> Vec<u8> {
    let mut bytes = T::KIND.header().to_vec();
    bytes.extend(postcard::to_allocvec(body).unwrap());
    bytes
}

/// A message of any signed kind, signed by whoever has `seed`.
pub fn forge<T: Message<Auth = Signature>>(body: &T, seed: &Seed) -> Vec<u8> {
    let mut bytes = unsigned(body);
    let signature = Ring.sign(&Ring.signing_key(seed).unwrap(), &bytes).unwrap();
    bytes.extend(signature.as_bytes());
    bytes
}

/// A message without authenticator.
pub fn forge_bare<T: Message<Auth = Bare>>(body: &T) -> Vec<u8> {
    unsigned(body)
}
