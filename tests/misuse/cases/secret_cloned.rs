//! Compiled, a copy of a secret would lie in memory that nobody keeps track of.

use sharekey::code::{CodeText, ShareCode};
use sharekey::secret::{ActivationSecret, AgreementSecret, MacKey, PairingKey, Seed, SharedSecret};

fn secret_cloned(code: &ShareCode, text: &CodeText) -> (ShareCode, CodeText) {
    (
        Clone::clone(code), //~ E0277 code
        Clone::clone(text), //~ E0277 text
    )
}

fn copies(seed: &Seed, card: &ActivationSecret, pairing: &PairingKey) -> (Seed, ActivationSecret, PairingKey) {
    (
        Clone::clone(seed),    //~ E0277 seed
        Clone::clone(card),    //~ E0277 card
        Clone::clone(pairing), //~ E0277 pairing
    )
}

fn more(secret: &AgreementSecret, shared: &SharedSecret, key: &MacKey) -> (AgreementSecret, SharedSecret, MacKey) {
    (
        Clone::clone(secret), //~ E0277 secret
        Clone::clone(shared), //~ E0277 shared
        Clone::clone(key),    //~ E0277 key
    )
}

fn main() {}
