//! Secrets, kept.

use serde::{Serialize, Serializer};
use sharekey::code::{CodeText, ShareCode};
use sharekey::crypto::{Crypto, Sign, Signer, Stretch};
use sharekey::error::ProviderFailed;
use sharekey::guest::{Claimed, GuestKey, Installing};
use sharekey::owner::Owner;
use sharekey::secret::{Exposed, PairingKey, Seed};

fn send(_message: &[u8]) {}

fn secret_cloned(code: ShareCode, text: CodeText) -> (ShareCode, CodeText) {
    (code, text)
}

fn secret_cloned_inside(claimed: Claimed, attempt: Installing) -> (Claimed, Installing) {
    (claimed, attempt)
}

fn secret_printed(code: &ShareCode, text: &CodeText) {
    println!("{code:?}");
    println!("{text:?}");
}

fn secret_ordered(ours: &PairingKey, theirs: &PairingKey) -> bool {
    PartialEq::eq(ours, theirs)
}

fn secret_compared_with_bytes(key: &PairingKey, guess: &PairingKey) -> bool {
    *key == *guess
}

fn code_text_compared(issued: &ShareCode, typed: &ShareCode) -> bool {
    PartialEq::eq(issued, typed)
}

fn secret_hashed(key: &sharekey::crypto::PublicKey, hasher: &mut impl core::hash::Hasher) {
    core::hash::Hash::hash(key, hasher);
}

fn secret_sent(seed: &Seed) {
    send(seed.expose());
}

fn secret_by_default(rng: &mut impl rand_core::CryptoRng) -> Seed {
    Seed::random(rng)
}

fn secret_taken_out(seed: Seed) -> [u8; 32] {
    *seed.expose()
}

fn secret_of_another_kind(crypto: impl Crypto, key: &Seed) {
    let _ = Owner::new(crypto, key);
}

fn share_code_stored<S: Serializer>(seed: &Seed, serializer: S) -> Result<S::Ok, S::Error> {
    Exposed(seed).serialize(serializer)
}

fn secret_stored_without_a_word<S: Serializer>(key: &GuestKey, serializer: S) -> Result<S::Ok, S::Error> {
    Exposed(key).serialize(serializer)
}

fn share_code_redeemed_twice([code, next]: [ShareCode; 2], crypto: &impl Stretch) {
    let _ = code.redeem(crypto);
    let _ = next.redeem(crypto);
}

fn signer_by_hand<C: Sign>(crypto: &C, seed: &Seed) -> Result<Signer<C>, ProviderFailed> {
    Signer::from_seed(crypto, seed)
}

fn main() {}
