//! Compiled, a message that anybody wrote would do where a signed one is needed.

use sharekey::message::Receipt;
use sharekey::wire::{Unverified, Verified};

fn show_as_downloaded(_receipt: &Verified<'_, Receipt>) {}

fn unverified_passed_as_verified(receipt: Unverified<'_, Receipt>) {
    show_as_downloaded(&receipt); //~ E0308 &receipt
}

fn main() {}
