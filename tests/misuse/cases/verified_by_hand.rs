//! Compiled, any grant would be as good as the owner's.

use sharekey::message::Grant;
use sharekey::wire::Verified;

fn verified_by_hand(bytes: &[u8], body: Grant) -> Verified<'_, Grant> {
    Verified { bytes, body } //~ E0451
}

fn main() {}
