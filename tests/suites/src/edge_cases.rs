//! Every combination of edge cases of an Ed25519 key and commitment, under each provider.
//!
//! The classes are those of C2SP CCTV's Ed25519 vectors ([`cctv`](crate::cctv)), whose flags name them; the cases are made
//! here, since no package registry ships that file. A is `a·B + T`, R is `r·B + U`, T and U each of the eight
//! points of the torsion, `a` and `r` zero or not, a point of small order in each of its encodings (14 in
//! all), S = r + k·a; and each time with k over the re-encoded points too, where an encoding is not
//! canonical. The arithmetic is `curve25519-dalek`'s, on which `RustCrypto` stands and ring does not.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity as _, IsIdentity as _};
use sha2::{Digest as _, Sha512};
use sharekey::crypto::{PublicKey, Ring, RustCrypto, Signature, Verify, verify};
use sharekey::error::KeyError::{NotCanonical, SmallOrder};
use sharekey::error::SignatureError::{self, Commitment, Key, Mismatch};

/// A point as it stands in a key or a signature.
#[derive(Clone, Copy)]
struct Encoded {
    bytes: [u8; 32],
    point: EdwardsPoint,
    /// The multiple of B in it.
    scalar: Scalar,
}

impl Encoded {
    fn new(scalar: Scalar, torsion: EdwardsPoint) -> Self {
        let point = EdwardsPoint::mul_base(&scalar) + torsion;
        Self { bytes: point.compress().0, point, scalar }
    }

    /// y is below p. A negative zero is not canonical either, but its y is that of a point of small order.
    fn y_below_p(&self) -> bool {
        let mut canonical = self.point.compress().0;
        canonical[31] = (canonical[31] & 0x7f) | (self.bytes[31] & 0x80);
        canonical == self.bytes
    }

    fn small(&self) -> bool {
        self.point.is_small_order()
    }
}

/// The 14 encodings of the eight points of small order: both signs, and y + p where that fits in 255 bits.
fn small_order() -> Vec<Encoded> {
    let mut found: Vec<Encoded> = Vec::new();
    for point in EIGHT_TORSION {
        let canonical = point.compress().0;
        let mut encodings = vec![canonical];
        // 0 and 1 have a second y below 2^255: p and p + 1.
        if canonical[1..31].iter().all(|byte| *byte == 0) && canonical[31] & 0x7f == 0 {
            let mut above = [0xff; 32];
            above[0] = 0xed + canonical[0];
            above[31] = 0x7f | canonical[31];
            encodings.push(above);
        }
        for encoding in encodings {
            found.push(Encoded { bytes: encoding, point, scalar: Scalar::ZERO });
            // x = 0 has no sign: the other sign bit is a second encoding of the same point.
            if point == -point && (canonical[0] == 1 || canonical[0] == 0xec) {
                let mut negative = encoding;
                negative[31] ^= 0x80;
                found.push(Encoded { bytes: negative, point, scalar: Scalar::ZERO });
            }
        }
    }
    found
}

/// The points to try for one role, whose scalar comes from `label`.
fn points(label: &str) -> Vec<Encoded> {
    let scalar = Scalar::from_bytes_mod_order_wide(&Sha512::digest(label).into());
    let mixed = EIGHT_TORSION.into_iter().map(|torsion| Encoded::new(scalar, torsion));
    mixed.chain(small_order()).collect()
}

fn challenge(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(a).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

struct Case {
    key: Encoded,
    commitment: Encoded,
    message: Vec<u8>,
    s: Scalar,
    /// k was taken over the canonical encodings, as no verifier here does.
    reencoded: bool,
}

impl Case {
    fn signature(&self) -> Signature {
        let (r, s) = (self.commitment.bytes, self.s.to_bytes());
        Signature::from_bytes([r, s].concat().try_into().unwrap())
    }

    /// Whether S·B − k·A has R's encoding.
    fn equation(&self) -> bool {
        let k = challenge(&self.commitment.bytes, &self.key.bytes, &self.message);
        let recomputed = EdwardsPoint::mul_base(&self.s) - self.key.point * k;
        recomputed.compress().0 == self.commitment.bytes
    }

    /// What the strict rule says, read from how the case was made.
    fn strict(&self) -> Result<(), SignatureError> {
        let point = |point: &Encoded| match (point.y_below_p(), point.small()) {
            (false, _) => Err(NotCanonical),
            (true, true) => Err(SmallOrder),
            (true, false) => Ok(()),
        };
        point(&self.key).map_err(Key)?;
        point(&self.commitment).map_err(Commitment)?;
        if self.equation() { Ok(()) } else { Err(Mismatch) }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for key in points("key") {
        for commitment in points("commitment") {
            let message = format!("edge case {}", cases.len()).into_bytes();
            let canonical = [commitment.point.compress().0, key.point.compress().0];
            let encodings = [[commitment.bytes, key.bytes], canonical];
            let ways = if encodings[0] == encodings[1] { 1 } else { 2 };
            for (way, [r, a]) in encodings.into_iter().take(ways).enumerate() {
                let s = commitment.scalar + challenge(&r, &a, &message) * key.scalar;
                cases.push(Case { key, commitment, message: message.clone(), s, reencoded: way == 1 });
            }
        }
    }
    cases
}

#[test]
fn there_are_fourteen_encodings_of_small_order() {
    let all = small_order();
    assert_eq!(all.len(), 14);
    for encoded in all {
        assert!(EdwardsPoint::identity() == encoded.point * Scalar::from(8_u8));
        assert!((encoded.point.mul_by_cofactor()).is_identity());
        assert_eq!(CompressedEdwardsY(encoded.bytes).decompress(), Some(encoded.point), "{:02x?}", encoded.bytes);
    }
}

/// The strict rule has to say the same under both, and what was expected. The bare equation is compared
/// where the rule lets it decide, and nowhere else.
#[test]
fn both_providers_decide_every_combination_as_the_strict_rule_says() {
    let cases = cases();
    for (provider, verdicts) in [("ring", decide(&Ring, &cases)), ("rustcrypto", decide(&RustCrypto, &cases))] {
        let count =
            |wanted: &dyn Fn(&Result<(), SignatureError>) -> bool| verdicts.iter().filter(|v| wanted(v)).count();
        let held = count(&|verdict| verdict.is_ok());
        let [key, commitment] = [count(&|v| matches!(v, Err(Key(_)))), count(&|v| matches!(v, Err(Commitment(_))))];
        let mismatch = count(&|verdict| *verdict == Err(Mismatch));
        println!(
            "edge cases of A and R     {provider:<10} {} cases: {held} hold, {key} refused for the key, {commitment} for R, {mismatch} for the equation",
            cases.len(),
        );
        assert_eq!([cases.len(), held, key, commitment, mismatch], [712, 7, 488, 160, 57], "{provider}");
    }
}

fn decide(provider: &impl Verify, cases: &[Case]) -> Vec<Result<(), SignatureError>> {
    let decided = cases.iter().enumerate().map(|(at, case)| {
        let key = PublicKey::from_bytes(case.key.bytes);
        let verdict = verify(provider, &key, &[&case.message], &case.signature());
        assert_eq!(verdict, case.strict(), "case {at}");
        // The equation decides alone where the encodings are good ones.
        if !matches!(verdict, Err(Key(_) | Commitment(_))) {
            assert!(!case.reencoded);
            let ready = provider.ready(&key);
            let found = ready.is_some_and(|key| provider.verify_equation(&key, &[&case.message], &case.signature()));
            assert_eq!(found, case.equation(), "case {at}");
        }
        verdict
    });
    decided.collect()
}
