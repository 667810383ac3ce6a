//! Compiled, a lock would be made in which nothing can ever be shared.

use sharekey::crypto::Ring;
use sharekey::lock::{Lock, StoredSeed};
use sharekey::secret::ActivationSecret;

fn no_slots(card: ActivationSecret, seed: &StoredSeed) {
    let _ = Lock::<Ring, 0>::load(Ring, card, seed); //~ E0080
}

fn main() {
    let _: fn(ActivationSecret, &StoredSeed) = no_slots;
}
