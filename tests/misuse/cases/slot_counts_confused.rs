//! Compiled, the slots above the smaller count would be there at one boot and gone at the next.

use sharekey::crypto::Crypto;
use sharekey::lock::{Lock, Making};

fn slot_counts_confused<C: Crypto>(making: Making<C, 10>) -> Result<Lock<C, 3>, Making<C, 10>> {
    making.finish() //~ E0308
}

fn main() {}
