//! Compiled, a copy of a secret would lie in memory that nobody keeps track of.

use sharekey::code::{CodeText, ShareCode};
use sharekey::secret::{ActivationSecret, AgreementSecret, MacKey, PairingKey, Seed, SharedSecret};

fn secret_cloned(code: &ShareCode, text: &CodeText) -> (ShareCode, CodeText) {
    (Clone::clone(code), Clone::clone(text))
}

fn copies(seed: &Seed, card: &ActivationSecret, pairing: &PairingKey) -> (Seed, ActivationSecret, PairingKey) {
    (Clone::clone(seed), Clone::clone(card), Clone::clone(pairing))
}

fn more(secret: &AgreementSecret, shared: &SharedSecret, key: &MacKey) -> (AgreementSecret, SharedSecret, MacKey) {
    (Clone::clone(secret), Clone::clone(shared), Clone::clone(key))
}

fn main() {}
