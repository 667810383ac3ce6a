//! Compiled, a line of a log would open the door.

use sharekey::code::{CodeText, ShareCode};
use sharekey::secret::{ActivationSecret, AgreementSecret, MacKey, PairingKey, Seed, SharedSecret};

fn secret_printed(code: &ShareCode, text: &CodeText) {
    println!("{code}"); //~ E0277 {code}
    println!("{text}"); //~ E0277 {text}
}

fn keys(seed: &Seed, card: &ActivationSecret, pairing: &PairingKey) {
    println!("{seed}"); //~ E0277 {seed}
    println!("{card}"); //~ E0277 {card}
    println!("{pairing}"); //~ E0277 {pairing}
}

fn more(secret: &AgreementSecret, shared: &SharedSecret, key: &MacKey) {
    println!("{secret}"); //~ E0277 {secret}
    println!("{shared}"); //~ E0277 {shared}
    println!("{key}"); //~ E0277 {key}
}

fn main() {}
