//! Making a lock, loading and resetting it, without the mistakes.

use rand_core::CryptoRng;
use sharekey::crypto::{Crypto, Ring};
use sharekey::error::{LoadError, ProviderFailed};
use sharekey::lock::{Found, Lock, Making, Now, PhysicalPresence, Session, StoredSeed, purpose::Operate};
use sharekey::secret::ActivationSecret;

fn lock_used_before_it_is_made(making: Making<impl Crypto, 3>, now: Now, rng: &mut impl CryptoRng) {
    if let Ok(mut lock) = making.finish() {
        let _ = lock.challenge::<Operate>(now, rng);
    }
}

fn lock_loaded_from_any_seed(crypto: impl Crypto, card: ActivationSecret, seed: &StoredSeed) {
    let _ = Lock::<_, 3>::load(crypto, card, seed);
}

fn stored_seed_by_hand(found: Found<'_>) -> Result<StoredSeed, LoadError> {
    StoredSeed::read(&Ring, found)
}

fn lock_copied(lock: Lock<Ring, 3>) -> Lock<Ring, 3> {
    lock
}

fn slot_counts_confused<C: Crypto>(making: Making<C, 10>) -> Result<Lock<C, 10>, Making<C, 10>> {
    making.finish()
}

fn presence_by_hand() -> PhysicalPresence {
    PhysicalPresence::button_is_pressed()
}

fn presence_used_twice(
    lock: &mut Lock<impl Crypto, 3>,
    [a, b]: [Session<Operate>; 2],
    now: Now,
    rng: &mut impl CryptoRng,
) {
    let pressed = PhysicalPresence::button_is_pressed();
    let _ = lock.factory_reset(a, b"a reset", pressed, now, rng);
    let pressed = PhysicalPresence::button_is_pressed();
    let _ = lock.factory_reset(b, b"another", pressed, now, rng);
}

fn no_slots(card: ActivationSecret, seed: &StoredSeed) -> Result<Lock<Ring, 1>, ProviderFailed> {
    Lock::load(Ring, card, seed)
}

fn more_slots_than_ids(card: ActivationSecret, rng: &mut dyn CryptoRng) -> Result<Making<Ring, 255>, ProviderFailed> {
    Making::new(Ring, card, Found::Nothing, rng)
}

fn main() {
    let _: fn(ActivationSecret, &StoredSeed) -> Result<Lock<Ring, 1>, ProviderFailed> = no_slots;
    let _: fn(ActivationSecret, &mut dyn CryptoRng) -> Result<Making<Ring, 255>, ProviderFailed> = more_slots_than_ids;
}
