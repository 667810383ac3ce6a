//! Keys and signatures that nobody honest makes, each with the name that its case gets.

pub use sharekey_stage::bad::{
    BASE, FIELD_PRIME, GROUP_ORDER, LOW_ORDER, NOT_CANONICAL, SMALL_ORDER_Y, bytes as array, high, plus,
    sign_as_identity,
};

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
