//! Compiled, a lock would come up from a seed whose making never ended.

use sharekey::crypto::Crypto;
use sharekey::lock::Lock;
use sharekey::secret::{ActivationSecret, Seed};

fn lock_loaded_from_any_seed(crypto: impl Crypto, card: ActivationSecret, seed: &Seed) {
    let _ = Lock::<_, 3>::load(crypto, card, seed); //~ E0308 seed
}

fn main() {}
