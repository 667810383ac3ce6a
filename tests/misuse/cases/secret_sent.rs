//! Compiled, a secret would go wherever bytes go, without the word `expose` to search for.

use sharekey::secret::Seed;

fn send(_message: &[u8]) {}

fn secret_sent(seed: &Seed) {
    send(seed); //~ E0308 seed
}

fn main() {}
