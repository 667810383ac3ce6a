//! Compiled, a line of a log would open the door.

use sharekey::code::{CodeText, ShareCode};
use sharekey::secret::{ActivationSecret, AgreementSecret, MacKey, PairingKey, Seed, SharedSecret};

fn secret_printed(code: &ShareCode, text: &CodeText) {
    println!("{code}");
    println!("{text}");
}

fn keys(seed: &Seed, card: &ActivationSecret, pairing: &PairingKey) {
    println!("{seed}");
    println!("{card}");
    println!("{pairing}");
}

fn more(secret: &AgreementSecret, shared: &SharedSecret, key: &MacKey) {
    println!("{secret}");
    println!("{shared}");
    println!("{key}");
}

fn main() {}
