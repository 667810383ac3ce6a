//! `keys.json`: public keys, signatures and X25519 keys, under the strict rules.

use crate::provider::Provider;
use serde_json::{Value, json};
use sharekey::crypto::{Agree, AgreementKey, PublicKey, Signature, verify};
use sharekey::secret::AgreementSecret;

use super::keys::{agreement_secret, public, seed};
use super::peer::fail::error_name;
use super::peer::form::hex;
use super::peer::request::unhex;
use super::{bad, forge};

pub fn file() -> Value {
    let mut cases = public_keys();
    cases.extend(speccheck());
    cases.extend(spoilt());
    cases.extend(lenient());
    cases.extend(agreements());
    super::file(
        "key: whether a public key passes KEY-1 and KEY-2. signature: whether it verifies, or the first check that fails. \
         agreement: an X25519 secret and a peer's key, and what they share, or why not.",
        json!({}),
        cases,
    )
}

fn key_case(name: &str, bytes: [u8; 32], error: Option<&str>) -> Value {
    let found = PublicKey::from_bytes(bytes).check().err().map(|error| error_name(&error));
    assert_eq!(found.as_deref(), error, "{name}");
    let rule = if error == Some("SmallOrder") { "KEY-2" } else { "KEY-1" };
    json!({ "name": name, "op": "key", "rule": rule, "public": hex(bytes), "error": error })
}

fn public_keys() -> Vec<Value> {
    let mut cases = Vec::new();
    for (number, y) in bad::SMALL_ORDER_Y.iter().enumerate() {
        cases.push(key_case(&format!("small order {number}"), bad::array(y), Some("SmallOrder")));
        cases.push(key_case(&format!("small order {number}, negative"), bad::high(bad::array(y)), Some("SmallOrder")));
    }
    for low in 0xed..=0xff_u8 {
        let mut y = [0xff; 32];
        (y[0], y[31]) = (low, 0x7f);
        cases.push(key_case(&format!("y is p plus {}", low - 0xed), y, Some("NotCanonical")));
        cases.push(key_case(&format!("y is p plus {}, negative", low - 0xed), bad::high(y), Some("NotCanonical")));
    }
    let mut two = [0; 32];
    two[0] = 2;
    let mut below = bad::array(bad::FIELD_PRIME);
    below[0] -= 2;
    cases.push(key_case("the base point", bad::array(bad::BASE), None));
    cases.push(key_case("the owner's key", *public("owner").as_bytes(), None));
    cases.push(key_case("y is 2, which is no point", two, None));
    cases.push(key_case("y is p minus 2", below, None));
    cases
}

fn signature_case(name: &str, public: &[u8; 32], message: &[u8], signature: &[u8; 64], error: Option<&str>) -> Value {
    let key = PublicKey::from_bytes(*public);
    let found =
        verify(&Provider, &key, &[message], &Signature::from_bytes(*signature)).err().map(|error| error_name(&error));
    assert_eq!(found.as_deref(), error, "{name}");
    let rule = match error {
        Some("Key.NotCanonical") => "KEY-1",
        Some("Key.SmallOrder") => "KEY-2",
        Some("Commitment.NotCanonical") => "KEY-3",
        Some("Commitment.SmallOrder") => "KEY-4",
        Some("ScalarNotReduced") => "KEY-5",
        _ => "KEY-6",
    };
    json!({
        "name": name, "op": "signature", "rule": rule, "public": hex(public), "message": hex(message),
        "signature": hex(signature), "error": error,
    })
}

/// "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), table 6: message, key, R, S.
const SPECCHECK: [(&str, [&str; 4], Option<&str>); 12] = [
    (
        "S = 0, small A, small R",
        [
            "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "0000000000000000000000000000000000000000000000000000000000000000",
        ],
        Some("Key.SmallOrder"),
    ),
    (
        "small A, mixed R",
        [
            "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        ],
        Some("Key.SmallOrder"),
    ),
    (
        "mixed A, small R",
        [
            "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        ],
        Some("Commitment.SmallOrder"),
    ),
    (
        "mixed A, mixed R",
        [
            "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f",
            "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        ],
        None,
    ),
    (
        "mixed A, mixed R, holds only times the cofactor",
        [
            "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512",
            "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        ],
        Some("Mismatch"),
    ),
    (
        "mixed A, R of order L, holds only times the cofactor, and not where 8k is reduced first",
        [
            "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7",
            "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        ],
        Some("Mismatch"),
    ),
    (
        "S above L",
        [
            "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
            "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
            "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e",
            "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        ],
        Some("ScalarNotReduced"),
    ),
    (
        "S above 2 L",
        [
            "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
            "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
            "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942",
            "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        ],
        Some("ScalarNotReduced"),
    ),
    (
        "small R as a negative zero, k of R re-encoded",
        [
            "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        ],
        Some("Commitment.SmallOrder"),
    ),
    (
        "small R as a negative zero, k of R as it stands",
        [
            "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        ],
        Some("Commitment.SmallOrder"),
    ),
    (
        "small A as a negative zero, k of A re-encoded",
        [
            "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc",
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        ],
        Some("Key.SmallOrder"),
    ),
    (
        "small A as a negative zero, k of A as it stands",
        [
            "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc",
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        ],
        Some("Key.SmallOrder"),
    ),
];

fn speccheck() -> Vec<Value> {
    let case = |(number, (what, [message, key, r, s], error)): (usize, &(&str, [&str; 4], Option<&str>))| {
        let signature: [u8; 64] = unhex(&format!("{r}{s}")).unwrap().try_into().unwrap();
        let name = format!("speccheck {number}: {what}");
        signature_case(&name, &bad::array(key), &unhex(message).unwrap(), &signature, *error)
    };
    SPECCHECK.iter().enumerate().map(case).collect()
}

fn signed(name: &str, signed: &[u8], public: &[u8; 32], error: Option<&str>) -> Value {
    let (message, signature) = signed.split_last_chunk().unwrap();
    signature_case(name, public, message, signature, error)
}

fn spoilt() -> Vec<Value> {
    let good = forge::sign_under(b"", b"a message", &seed("owner"));
    let owner = *public("owner").as_bytes();
    let mut cases = vec![
        signed("a good signature", &good, &owner, None),
        signed("a good signature, under another key", &good, public("service").as_bytes(), Some("Mismatch")),
        signed("a good signature of no bytes", &forge::sign_under(b"", b"", &seed("owner")), &owner, None),
    ];
    for (what, bytes, error) in bad::signatures(&good) {
        cases.push(signed(what, &bytes, &owner, Some(error)));
    }
    let (frame, signature) = good.split_last_chunk::<64>().unwrap();
    let (r, s) = signature.split_at(32);
    let with = |r: &[u8], s: &[u8]| [frame, r, s].concat();
    let order = bad::array(bad::GROUP_ORDER);
    let mut below = order;
    below[0] -= 1;
    cases.push(signed("S is L", &with(r, &order), &owner, Some("ScalarNotReduced")));
    cases.push(signed("S is L minus 1", &with(r, &below), &owner, Some("Mismatch")));
    cases.push(signed("S is all ones", &with(r, &[0xff; 32]), &owner, Some("ScalarNotReduced")));
    for (number, y) in bad::SMALL_ORDER_Y.iter().enumerate() {
        for (sign, point) in [("", bad::array(y)), (", negative", bad::high(bad::array(y)))] {
            let name = format!("R of small order {number}{sign}");
            cases.push(signed(&name, &with(&point, s), &owner, Some("Commitment.SmallOrder")));
        }
    }
    for (number, y) in bad::NOT_CANONICAL.iter().enumerate() {
        let name = format!("R that is not canonical, {number}");
        cases.push(signed(&name, &with(&bad::high(bad::array(y)), s), &owner, Some("Commitment.NotCanonical")));
    }
    let all_bad = with(&bad::array(bad::FIELD_PRIME), &[0xff; 32]);
    cases.push(signed("R before S", &all_bad, &owner, Some("Commitment.NotCanonical")));
    cases.push(signed("the key before R", &all_bad, &[0; 32], Some("Key.SmallOrder")));
    cases
}

/// Signatures that a lenient verifier takes for a small-order key's over any bytes.
fn lenient() -> Vec<Value> {
    let any = bad::sign_as_identity(b"any bytes".to_vec());
    let mut cases = Vec::new();
    for (number, y) in bad::SMALL_ORDER_Y.iter().enumerate() {
        let name = format!("any bytes under the small-order key {number}");
        cases.push(signed(&name, &any, &bad::array(y), Some("Key.SmallOrder")));
    }
    let mut identity = bad::array(bad::FIELD_PRIME);
    identity[0] += 1;
    cases.push(signed("any bytes under the identity, not canonical", &any, &identity, Some("Key.NotCanonical")));
    let mut two = [0; 32];
    two[0] = 2;
    cases.push(signed("any bytes under a key that is no point", &any, &two, Some("Mismatch")));
    cases
}

fn agreement_case(name: &str, secret: [u8; 32], peer: [u8; 32]) -> Value {
    let (ours, theirs) = (AgreementSecret::from_bytes(secret), AgreementKey::from_bytes(peer));
    let shared = Provider.agree(&ours, &theirs);
    json!({
        "name": name, "op": "agreement", "rule": "KEY-8", "secret": hex(secret),
        "public": hex(Provider.agreement_key(&ours).as_bytes()), "peer": hex(peer),
        "shared": shared.as_ref().ok().map(|shared| hex(shared.expose())),
        "error": shared.err().map(|error| error_name(&error)),
    })
}

fn agreements() -> Vec<Value> {
    let ours = *agreement_secret("guest's agreement").expose();
    let peer = *Provider.agreement_key(&agreement_secret("lock's agreement")).as_bytes();
    let mut cases = vec![
        agreement_case("a guest and a lock", ours, peer),
        agreement_case("the bit of the peer's key that is not looked at", ours, bad::high(peer)),
        agreement_case("the base point of order L", ours, {
            let mut nine = [0; 32];
            nine[0] = 9;
            nine
        }),
    ];
    for (number, text) in bad::LOW_ORDER.iter().enumerate() {
        for (bit, peer) in [("", bad::array(text)), (", high bit set", bad::high(bad::array(text)))] {
            let case = agreement_case(&format!("a peer's key of low order, {number}{bit}"), ours, peer);
            assert_eq!(case["error"], "NonContributory");
            cases.push(case);
        }
    }
    cases
}
