//! Compiled, the bytes would outlive the secret, which is wiped.

use sharekey::secret::Seed;

fn secret_taken_out(seed: Seed) -> [u8; 32] {
    *seed.0.expose() //~ E0616 .0
}

fn main() {}
