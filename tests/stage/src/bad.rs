//! Messages, keys and signatures that nobody honest makes.

use sharekey::crypto::PublicKey;
use sharekey::error::{KeyError, SignatureError, WireError};
use sharekey::wire::{HEADER_LEN, Kind};

use super::hex::array;

/// The message of this frame in a malformed way, authenticated anew by `seal`, and the error that it
/// must give: cut, prolonged, or with another header. `None` past the last way.
pub fn malformed(
    way: usize,
    frame: &[u8],
    max_len: usize,
    seal: &dyn Fn(Vec<u8>) -> Vec<u8>,
) -> Option<(Vec<u8>, WireError)> {
    let expected = Kind::of(frame).unwrap();
    let good = seal(frame.to_vec());
    let longer = |by: usize| seal([frame, &vec![0; by]].concat());
    let with = |at: usize, byte: u8| {
        let mut frame = frame.to_vec();
        frame[at] = byte;
        seal(frame)
    };
    let one_too_many = if good.len() < max_len { WireError::Trailing } else { WireError::TooLong };
    Some(match way {
        0 => (Vec::new(), WireError::Truncated),
        1 => (frame[..HEADER_LEN - 1].to_vec(), WireError::Truncated),
        2 => (frame[..HEADER_LEN].to_vec(), WireError::Truncated),
        3 => (seal(frame[..HEADER_LEN].to_vec()), WireError::Truncated),
        4 => (seal(frame[..frame.len() - 1].to_vec()), WireError::Truncated),
        5 => (good[..good.len() - 1].to_vec(), WireError::Truncated),
        6 => (longer(1), one_too_many),
        7 => ([&good[..], &[0]].concat(), one_too_many),
        8 => (longer(max_len + 1 - good.len()), WireError::TooLong),
        9 => (with(0, b'T'), WireError::Magic),
        10 => (with(1, b'L'), WireError::Magic),
        11 => (with(2, 0), WireError::Version { found: 0 }),
        12 => (with(2, 2), WireError::Version { found: 2 }),
        _ => {
            let found = (0..=u8::MAX).filter(|found| *found != expected.byte()).nth(way - 13)?;
            (with(3, found), WireError::Kind { expected, found })
        }
    })
}

/// p, little-endian: as a point, the second encoding of y = 0.
pub const FIELD_PRIME: &str = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
pub const GROUP_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
/// The base point.
pub const BASE: &str = "5866666666666666666666666666666666666666666666666666666666666666";

/// The y of every point of small order.
pub const SMALL_ORDER_Y: [&str; 5] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];

pub const NOT_CANONICAL: [&str; 3] = [
    FIELD_PRIME,
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// X25519 keys that fix the shared secret.
pub const LOW_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// The 32 bytes of one of these.
pub fn bytes(text: &str) -> [u8; 32] {
    array(text)
}

/// The same with the highest bit set: the other sign of a point, or the bit that X25519 does not look at.
pub fn high(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] |= 0x80;
    bytes
}

/// Every encoding of a point of small order, with both signs; and encodings that are not canonical.
pub fn keys() -> Vec<(PublicKey, KeyError)> {
    let small = SMALL_ORDER_Y.map(|key| (bytes(key), KeyError::SmallOrder));
    let not_canonical = NOT_CANONICAL.map(|key| (bytes(key), KeyError::NotCanonical));
    let both_signs = |(key, error): ([u8; 32], KeyError)| {
        [(PublicKey::from_bytes(key), error), (PublicKey::from_bytes(high(key)), error)]
    };
    small.into_iter().chain(not_canonical).flat_map(both_signs).collect()
}

/// Appends a signature that a lenient verifier takes for the identity's over any bytes: R is the
/// base point, S is 1.
pub fn sign_as_identity(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(self::bytes(BASE));
    bytes.push(1);
    bytes.extend([0; 31]);
    bytes
}

/// A well-signed message with its signature spoilt, and the error that each must give.
pub fn signatures(signed: &[u8]) -> Vec<(Vec<u8>, SignatureError)> {
    let (frame, signature) = signed.split_last_chunk::<64>().unwrap();
    let (r, s) = signature.split_at(32);
    let signed = |r: &[u8], s: &[u8]| [frame, r, s].concat();
    let mut below_order = bytes(GROUP_ORDER);
    below_order[0] -= 1;
    let mut bad = vec![
        (signed(r, &plus(s, &bytes(GROUP_ORDER))), SignatureError::ScalarNotReduced),
        (signed(r, &bytes(GROUP_ORDER)), SignatureError::ScalarNotReduced),
        (signed(r, &[0xff; 32]), SignatureError::ScalarNotReduced),
        (signed(r, &below_order), SignatureError::Mismatch),
        (signed(r, &[0; 32]), SignatureError::Mismatch),
        (signed(&bytes(BASE), s), SignatureError::Mismatch),
    ];
    bad.extend(keys().into_iter().map(|(key, error)| (signed(key.as_bytes(), s), SignatureError::Commitment(error))));
    bad
}

/// The sum of two little-endian numbers, which must not overflow.
pub fn plus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let add = |(a, b): (&u8, &u8)| {
        let sum = u16::from(*a) + u16::from(*b) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    };
    let sum = a.iter().zip(b).map(add).collect();
    assert_eq!(carry, 0);
    sum
}

/// X25519 keys that fix the shared secret, with both values of the bit that is not looked at. Where the cast's provider
/// knows no curve, the zero key stands for all of them.
pub fn agreement_keys() -> Vec<[u8; 32]> {
    if cfg!(not(any(feature = "ring", feature = "rustcrypto"))) {
        return vec![[0; 32]];
    }
    LOW_ORDER.into_iter().flat_map(|key| [bytes(key), high(bytes(key))]).collect()
}

/// The bytes with one bit flipped; `None` past the last bit.
pub fn flip(bit: usize, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut flipped = bytes.to_vec();
    *flipped.get_mut(bit / 8)? ^= 1 << (bit % 8);
    Some(flipped)
}
