//! Is the strict rule for keys and signatures the same under every provider, case by case?
#![cfg_attr(not(feature = "ring"), allow(dead_code, unused_imports, unused_macros, reason = "no provider to check"))]

use sharekey::crypto::{self, Pinned, PublicKey, Sign, Signature, Verify};
use sharekey::error::KeyError::{self, NotCanonical, SmallOrder};
use sharekey::error::SignatureError::{self, Commitment, Key, Mismatch, ScalarNotReduced};
use sharekey::secret::Seed;

use sharekey_stage::bad::{FIELD_PRIME, GROUP_ORDER, SMALL_ORDER_Y, high, plus};
use sharekey_stage::hex::{array, bytes};

/// Runs every check of this file under one provider.
macro_rules! under {
    ($name:ident, $provider:expr) => {
        mod $name {
            #[test]
            fn speccheck_cases_are_decided_as_the_table_says() {
                super::speccheck(&$provider);
            }

            #[test]
            fn keys_of_small_order_verify_nothing() {
                super::small_order(&$provider);
            }

            #[test]
            fn encodings_that_are_not_canonical_verify_nothing() {
                super::not_canonical(&$provider);
            }

            #[test]
            fn a_key_that_is_no_point_verifies_nothing() {
                super::no_point(&$provider);
            }

            #[test]
            fn s_must_be_below_the_group_order() {
                super::s_not_reduced(&$provider);
            }

            #[test]
            fn honest_signatures_hold_and_altered_ones_do_not() {
                super::honest(&$provider);
            }
        }
    };
}

#[cfg(feature = "ring")]
under!(ring, sharekey::crypto::Ring);
#[cfg(feature = "rustcrypto")]
under!(rustcrypto, sharekey::crypto::RustCrypto);

/// One row of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), table 6.
struct Case {
    /// The paper's description: S, A, R.
    what: &'static str,
    message: &'static str,
    key: &'static str,
    r: &'static str,
    s: &'static str,
    /// What a cofactorless equation that compares bytes says, where S is reduced.
    equation: Option<bool>,
    /// What the strict rule says.
    strict: Result<(), SignatureError>,
}

/// The 12 cases of <https://github.com/novifinancial/ed25519-speccheck>, in order. The equations
/// were recomputed with a few lines of affine Edwards arithmetic in Python. Where S is not reduced,
/// that is all that is wrong: S mod L satisfies the equation.
const SPECCHECK: [Case; 12] = [
    Case {
        what: "0: S = 0, small A, small R",
        message: "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        key: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        r: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        s: "0000000000000000000000000000000000000000000000000000000000000000",
        equation: Some(true),
        strict: Err(Key(SmallOrder)),
    },
    Case {
        what: "1: small A, mixed R",
        message: "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        key: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        r: "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        s: "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        equation: Some(true),
        strict: Err(Key(SmallOrder)),
    },
    Case {
        what: "2: mixed A, small R",
        message: "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        key: "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        r: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        s: "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        equation: Some(true),
        strict: Err(Commitment(SmallOrder)),
    },
    Case {
        what: "3: mixed A, mixed R",
        message: "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        key: "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        r: "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f",
        s: "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        equation: Some(true),
        strict: Ok(()),
    },
    Case {
        what: "4: mixed A, mixed R, holds only times the cofactor",
        message: "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        key: "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        r: "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512",
        s: "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        equation: Some(false),
        strict: Err(Mismatch),
    },
    Case {
        what: "5: mixed A, R of order L, holds only times the cofactor, and not where 8k is reduced first",
        message: "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        key: "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        r: "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7",
        s: "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        equation: Some(false),
        strict: Err(Mismatch),
    },
    Case {
        what: "6: S above L",
        message: "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        key: "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        r: "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e",
        s: "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        equation: None,
        strict: Err(ScalarNotReduced),
    },
    Case {
        what: "7: S above 2 L",
        message: "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        key: "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        r: "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942",
        s: "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        equation: None,
        strict: Err(ScalarNotReduced),
    },
    Case {
        what: "8: small R as a negative zero, k of R re-encoded",
        message: "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        key: "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        r: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        s: "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        equation: Some(false),
        strict: Err(Commitment(SmallOrder)),
    },
    Case {
        what: "9: small R as a negative zero, k of R as it stands",
        message: "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        key: "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        r: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        s: "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        equation: Some(false),
        strict: Err(Commitment(SmallOrder)),
    },
    Case {
        what: "10: small A as a negative zero, k of A re-encoded",
        message: "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        key: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        r: "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc",
        s: "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        equation: Some(false),
        strict: Err(Key(SmallOrder)),
    },
    Case {
        what: "11: small A as a negative zero, k of A as it stands",
        message: "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        key: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        r: "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc",
        s: "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        equation: Some(true),
        strict: Err(Key(SmallOrder)),
    },
];

const MESSAGE: &[u8] = b"a message";

/// Both signs of x.
fn signs(y: [u8; 32]) -> [[u8; 32]; 2] {
    [y, high(y)]
}

fn sign(provider: &impl Sign, seed: u8, message: &[u8]) -> (PublicKey, [u8; 64]) {
    let key = provider.signing_key(&Seed::from_bytes([seed; 32])).unwrap();
    (provider.public_key(&key), *provider.sign(&key, &[message]).unwrap().as_bytes())
}

fn joined(r: [u8; 32], s: [u8; 32]) -> Signature {
    Signature::from_bytes([r, s].concat().try_into().unwrap())
}

fn halves(signature: [u8; 64]) -> ([u8; 32], [u8; 32]) {
    (*signature.first_chunk().unwrap(), *signature.last_chunk().unwrap())
}

/// `a + b` as 256-bit numbers, little-endian; must not overflow.
fn sum(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    plus(&a, &b).try_into().unwrap()
}

/// 2^`exponent`, little-endian.
fn power_of_two(exponent: usize) -> [u8; 32] {
    let mut power = [0; 32];
    power[exponent / 8] = 1 << (exponent % 8);
    power
}

fn small(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = number;
    bytes
}

/// Every case of this file holds under a pinned key too.
fn verify<V: Verify>(
    provider: &V,
    key: &PublicKey,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let found = crypto::verify(provider, key, &[message], signature);
    assert_eq!(Pinned::new(provider, *key).verify(provider, &[message], signature), found, "under a pinned key");
    found
}

//= spec/protocol.md#strict-keys
//# KEY-6. After these checks a verifier MUST decide by the cofactorless equation: recompute R and compare its encoding with the received one.
fn speccheck(provider: &impl Verify) {
    for case in SPECCHECK {
        let (key, message) = (PublicKey::from_bytes(array(case.key)), bytes(case.message));
        let signature = joined(array(case.r), array(case.s));
        if let Some(holds) = case.equation {
            let found = provider.ready(&key).is_some_and(|key| provider.verify_equation(&key, &[&message], &signature));
            assert_eq!(found, holds, "equation of {}", case.what);
        }
        assert_eq!(verify(provider, &key, &message, &signature), case.strict, "{}", case.what);
    }
}

/// The encoding is refused as a key before any equation, and as R likewise.
fn assert_refused<P: Verify + Sign>(provider: &P, encoded: [u8; 32], error: KeyError) {
    let key = PublicKey::from_bytes(encoded);
    assert_eq!(key.check(), Err(error), "{key}");
    let (good_key, good) = sign(provider, 1, MESSAGE);
    let (_, s) = halves(good);
    assert_eq!(verify(provider, &key, MESSAGE, &Signature::from_bytes(good)), Err(Key(error)), "{key}");
    assert_eq!(verify(provider, &key, MESSAGE, &joined(encoded, [0; 32])), Err(Key(error)), "{key}");
    assert_eq!(verify(provider, &good_key, MESSAGE, &joined(encoded, s)), Err(Commitment(error)), "{key}");
    let too_large = joined(encoded, [0xff; 32]);
    assert_eq!(verify(provider, &good_key, MESSAGE, &too_large), Err(Commitment(error)), "{key}");
}

//= spec/protocol.md#strict-keys
//# KEY-2. A verifier MUST refuse a public key whose y is that of a point of small order, with either sign bit.
//= spec/protocol.md#strict-keys
//# KEY-4. A verifier MUST refuse a signature whose R has the y of a point of small order, with either sign bit.
fn small_order<P: Verify + Sign>(provider: &P) {
    for encoded in SMALL_ORDER_Y.into_iter().flat_map(|y| signs(array(y))) {
        assert_refused(provider, encoded, SmallOrder);
    }
}

/// Every y in p..2²⁵⁵: 19 of them, with either sign, the small-order ones p and p + 1 included.
//= spec/protocol.md#strict-keys
//# KEY-1. A verifier MUST refuse a public key whose y is not below p.
//= spec/protocol.md#strict-keys
//# KEY-3. A verifier MUST refuse a signature whose R has a y that is not below p.
fn not_canonical<P: Verify + Sign>(provider: &P) {
    let p = array(FIELD_PRIME);
    let all = (0..19).map(|above| sum(p, small(above)));
    assert_eq!(sum(p, small(18)), array("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));
    for encoded in all.flat_map(signs) {
        assert_refused(provider, encoded, NotCanonical);
    }
}

/// Canonical encodings that no x belongs to: the bytes cannot tell, the equation must.
fn no_point<P: Verify + Sign>(provider: &P) {
    let (good_key, good) = sign(provider, 1, MESSAGE);
    let (_, s) = halves(good);
    for encoded in [2, 7, 8, 11].into_iter().flat_map(|y| signs(small(y))) {
        let key = PublicKey::from_bytes(encoded);
        assert_eq!(key.check(), Ok(()));
        assert_eq!(verify(provider, &key, MESSAGE, &Signature::from_bytes(good)), Err(Mismatch), "{key}");
        assert_eq!(verify(provider, &good_key, MESSAGE, &joined(encoded, s)), Err(Mismatch), "{key}");
    }
}

//= spec/protocol.md#strict-keys
//# KEY-5. A verifier MUST refuse a signature whose S is not below L.
fn s_not_reduced<P: Verify + Sign>(provider: &P) {
    let (key, good) = sign(provider, 1, MESSAGE);
    let (r, s) = halves(good);
    let order = array(GROUP_ORDER);
    let mut last = order;
    last[0] -= 1;
    for reduced in [[0; 32], small(1), power_of_two(251), power_of_two(252), last] {
        assert_eq!(verify(provider, &key, MESSAGE, &joined(r, reduced)), Err(Mismatch));
    }
    let shifted = sum(s, order);
    let twice = sum(shifted, order);
    let powers = [253, 254, 255].map(power_of_two);
    for above in [order, sum(order, small(1)), powers[0], powers[1], powers[2], [0xff; 32], shifted, twice] {
        assert_eq!(verify(provider, &key, MESSAGE, &joined(r, above)), Err(ScalarNotReduced));
    }
}

fn honest<P: Verify + Sign>(provider: &P) {
    for seed in 0..32 {
        let message = vec![seed; usize::from(seed) * 7];
        let (key, good) = sign(provider, seed, &message);
        assert_eq!(key.check(), Ok(()));
        assert_eq!(verify(provider, &key, &message, &Signature::from_bytes(good)), Ok(()));
        let (other_key, _) = sign(provider, seed + 1, &message);
        assert_eq!(verify(provider, &other_key, &message, &Signature::from_bytes(good)), Err(Mismatch));
        let other_message = [&message, &[0][..]].concat();
        assert_eq!(verify(provider, &key, &other_message, &Signature::from_bytes(good)), Err(Mismatch));
        for bit in 0..512 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(provider, &key, &message, &Signature::from_bytes(bad)).is_err(), "bit {bit}");
        }
    }
}
