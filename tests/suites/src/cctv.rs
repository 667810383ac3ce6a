//! C2SP CCTV's Ed25519 vectors: 914 signatures over combinations of low order, mixed order and encodings that are not
//! canonical, each under flags that say which. No package registry ships the file, and it is not committed here:
//!
//! ```sh
//! SHAREKEY_CCTV=/path/to/ed25519vectors.json cargo test -p sharekey-suites cctv:: -- --nocapture
//! ```
//!
//! The path is absolute, or from this package's folder. What the strict rule says of a vector is read from its flags
//! alone. [`edge_cases`](crate::edge_cases) makes such cases for those who do not have the file.

use std::{env, fs};

use serde::Deserialize;
use sharekey::crypto::{PublicKey, Ring, RustCrypto, Signature, Verify, verify};
use sharekey::error::SignatureError;

#[derive(Deserialize)]
struct Vector {
    number: usize,
    key: PublicKey,
    #[serde(rename = "sig")]
    signature: Signature,
    #[serde(rename = "msg")]
    message: String,
    flags: Option<Vec<String>>,
}

impl Vector {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().flatten().any(|has| has == flag)
    }
}

/// What a verdict comes to, as far as flags can tell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Holds,
    Key,
    Commitment,
    Equation,
}

impl From<Result<(), SignatureError>> for Class {
    fn from(verdict: Result<(), SignatureError>) -> Self {
        match verdict {
            Ok(()) => Self::Holds,
            Err(SignatureError::Key(_)) => Self::Key,
            Err(SignatureError::Commitment(_)) => Self::Commitment,
            Err(_) => Self::Equation,
        }
    }
}

/// The strict rule (spec: "Strict keys"), in the order of its checks. A component of low order is no reason: only one
/// that is left over in the equation is.
const RULE: [(&str, Class); 3] =
    [("low_order_A", Class::Key), ("low_order_R", Class::Commitment), ("low_order_residue", Class::Equation)];

/// What these flags come to, the first that a vector has.
fn by(rule: &[(&str, Class)], vector: &Vector) -> Class {
    rule.iter().find(|(flag, _)| vector.has(flag)).map_or(Class::Holds, |(_, class)| *class)
}

/// The vectors; `None`, and it is said so, where nobody says where they are.
fn vectors() -> Option<Vec<Vector>> {
    let Some(path) = env::var_os("SHAREKEY_CCTV") else {
        println!("NOT RUN: C2SP CCTV's Ed25519 vectors: SHAREKEY_CCTV names no file");
        return None;
    };
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_slice(&text).unwrap())
}

fn decide(provider: &impl Verify, vectors: &[Vector]) -> Vec<Class> {
    let verdict = |it: &Vector| verify(provider, &it.key, &[it.message.as_bytes()], &it.signature);
    vectors.iter().map(|vector| verdict(vector).into()).collect()
}

#[test]
fn every_provider_decides_the_vectors_as_the_strict_rule_reads_their_flags() {
    let Some(vectors) = vectors() else { return };
    // An encoding that is not canonical is of low order in all of them, so the flags of those, and of a challenge that
    // was taken over other encodings than the signature's, decide nothing more.
    for vector in &vectors {
        assert!(!vector.has("non_canonical_A") || vector.has("low_order_A"), "{}", vector.number);
        assert!(!vector.has("non_canonical_R") || vector.has("low_order_R"), "{}", vector.number);
        assert!(!vector.has("reencoded_k") || vector.has("low_order_A") || vector.has("low_order_R"));
    }
    for (provider, verdicts) in [("ring", decide(&Ring, &vectors)), ("rustcrypto", decide(&RustCrypto, &vectors))] {
        for (vector, verdict) in vectors.iter().zip(&verdicts) {
            assert_eq!(*verdict, by(&RULE, vector), "{provider}: vector {}, {:?}", vector.number, vector.flags);
        }
        let count = |wanted: Class| verdicts.iter().filter(|verdict| **verdict == wanted).count();
        let counts = [Class::Holds, Class::Key, Class::Commitment, Class::Equation].map(count);
        let [holds, key, commitment, equation] = counts;
        println!(
            "cctv Ed25519              {provider:<10} {} vectors: {holds} hold, {key} refused for the key, {commitment} for R, {equation} for the equation",
            vectors.len(),
        );
        assert_eq!((vectors.len(), counts), (914, [43, 526, 282, 63]), "{provider}");
        // The control: a rule that forgets one of its flags is another one.
        for (forgotten, _) in RULE {
            let rest: Vec<_> = RULE.into_iter().filter(|(flag, _)| *flag != forgotten).collect();
            let wrong =
                vectors.iter().zip(&verdicts).filter(|(vector, verdict)| by(&rest, vector) != **verdict).count();
            println!("cctv Ed25519              {provider:<10} a rule without {forgotten}: wrong of {wrong}");
            assert!(wrong > 0, "{forgotten} decides nothing");
        }
    }
}
