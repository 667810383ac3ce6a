//! Compiled, the slots above 255 would be on flash, and no message could name them.

use rand_core::CryptoRng;
use sharekey::crypto::Ring;
use sharekey::lock::{Found, Making};
use sharekey::secret::ActivationSecret;

fn more_slots_than_ids(card: ActivationSecret, rng: &mut dyn CryptoRng) {
    let _ = Making::<Ring, 256>::new(Ring, card, Found::Nothing, rng); //~ E0080
}

fn main() {
    let _: fn(ActivationSecret, &mut dyn CryptoRng) = more_slots_than_ids;
}
