//! Strict Ed25519 encodings, checked on bytes so that no backend decides them (spec: "Strict keys").
//! Everything here is public data; nothing needs constant time.

use crate::error::{KeyError, SignatureError};

/// p = 2^255 − 19, little-endian.
const FIELD_PRIME: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

/// L = 2^252 + 27742317777372353535851937790883648493, little-endian.
const GROUP_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The y coordinates of the points of order 4, 1, 2, 8 and 8: with either sign of x, all eight
/// points of small order, and the two encodings of a negative zero.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = FIELD_PRIME;
        minus_one[0] = 0xec;
        minus_one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// A compressed point is canonical (y < p) and not of small order.
pub(super) fn check_point(encoded: &[u8; 32]) -> Result<(), KeyError> {
    let mut y = *encoded;
    let [.., last] = &mut y;
    *last &= 0x7f;
    //= spec/protocol.md#strict-keys
    //# KEY-1. A verifier MUST refuse a public key whose y is not below p.
    if !less_than(&y, &FIELD_PRIME) {
        return Err(KeyError::NotCanonical);
    }
    //= spec/protocol.md#strict-keys
    //# KEY-2. A verifier MUST refuse a public key whose y is that of a point of small order, with either sign bit.
    if SMALL_ORDER_Y.contains(&y) {
        return Err(KeyError::SmallOrder);
    }
    Ok(())
}

/// R is a good point and S < L.
pub(super) fn check_signature(signature: &[u8; 64]) -> Result<(), SignatureError> {
    let ([r, s], _) = signature.as_chunks() else { return Err(SignatureError::Mismatch) };
    //= spec/protocol.md#strict-keys
    //# KEY-3. A verifier MUST refuse a signature whose R has a y that is not below p.
    //= spec/protocol.md#strict-keys
    //# KEY-4. A verifier MUST refuse a signature whose R has the y of a point of small order, with either sign bit.
    check_point(r).map_err(SignatureError::Commitment)?;
    //= spec/protocol.md#strict-keys
    //# KEY-5. A verifier MUST refuse a signature whose S is not below L.
    if less_than(s, &GROUP_ORDER) { Ok(()) } else { Err(SignatureError::ScalarNotReduced) }
}

/// `a < b`, both little-endian.
fn less_than(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}
