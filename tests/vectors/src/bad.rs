//! Keys and signatures that nobody honest makes.

/// p, little-endian: as a point, the second encoding of y = 0.
pub const FIELD_PRIME: &str = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
pub const GROUP_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
/// The base point.
pub const BASE: &str = "5866666666666666666666666666666666666666666666666666666666666666";

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

pub fn array(text: &str) -> [u8; 32] {
    super::peer::request::unhex(text).unwrap().try_into().unwrap()
}

/// The same with the highest bit set: the other sign of a point, or the bit that X25519 does not look at.
pub fn high(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] |= 0x80;
    bytes
}

/// Appends a signature that a lenient verifier takes for the identity's over any bytes.
pub fn sign_as_identity(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(array(BASE));
    bytes.push(1);
    bytes.extend([0; 31]);
    bytes
}

/// The sum of two little-endian numbers.
pub fn plus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let add = |(a, b): (&u8, &u8)| {
        let sum = u16::from(*a) + u16::from(*b) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    };
    a.iter().zip(b).map(add).collect()
}

/// A well-signed message with its signature spoilt in every way, and the error of each.
pub fn signatures(signed: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (frame, signature) = signed.split_last_chunk::<64>().unwrap();
    let (r, s) = signature.split_at(32);
    let with = |r: &[u8], s: &[u8]| [frame, r, s].concat();
    let mut flipped = signed.to_vec();
    flipped[4] ^= 1;
    vec![
        ("S plus L", with(r, &plus(s, &array(GROUP_ORDER))), "ScalarNotReduced"),
        ("S of zero", with(r, &[0; 32]), "Mismatch"),
        ("the base point as R", with(&array(BASE), s), "Mismatch"),
        ("a small-order R", with(&array(SMALL_ORDER_Y[4]), s), "Commitment.SmallOrder"),
        ("an R that is not canonical", with(&array(FIELD_PRIME), s), "Commitment.NotCanonical"),
        ("a flipped bit", flipped, "Mismatch"),
    ]
}
