//! Messages made by hand, so that exactly one thing in them can be wrong: as the tests make them, and a
//! bundle of anything.

use sharekey::wire::Kind;

#[path = "../../tests/common/forge.rs"]
mod by_hand;

pub use self::by_hand::*;

/// A bundle of these parts, also of parts that no message is.
pub fn bundle(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Kind::Bundle.header().to_vec();
    for part in parts {
        bytes.extend(u16::try_from(part.len()).unwrap().to_le_bytes());
        bytes.extend(*part);
    }
    bytes
}
