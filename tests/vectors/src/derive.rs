//! `derivations.json`: everything that is derived from something else.

use crate::provider::Provider;
use serde_json::{Value, json};
use sharekey::contacts::Fingerprint;
use sharekey::crypto::{Agree, Hash as _, Kdf, Mac, PublicKey, Sign, Tag};
use sharekey::id::LockId;
use sharekey::secret::Seed;

use sharekey_stage::forge::{self, label};

use super::keys::{agreement, agreement_secret, bytes16, bytes32, card, public, some_digest};
use super::peer::form::{hex, key};

pub fn file() -> Value {
    let mut cases: Vec<Value> = (0..3).map(pairing).collect();
    cases.extend((0..3).map(lock_keys));
    cases.extend((0..3).map(agreement_secret_of));
    cases.extend([0, 1, 65_535, 65_536, u64::MAX].into_iter().flat_map(nonces));
    cases.extend(seeds());
    cases.extend((0..2).map(card_tag));
    cases.extend(["owner", "service", "subject", "device"].map(fingerprint));
    super::file(
        "pairing_key (KDF-3), lock_keys (KDF-6), agreement_secret (KDF-1), nonce (CTR-2, CTR-9), seed (LCK-7), card_tag (MSG-18), \
         fingerprint (CON-6): what goes in, and what comes out.",
        json!({}),
        cases,
    )
}

fn hkdf(salt: &[u8], ikm: &[u8], info: &[u8]) -> [u8; 32] {
    *Provider.hkdf_sha256(salt, ikm, info).unwrap()
}

fn pairing(number: usize) -> Value {
    let (guest, lock) = (format!("guest's agreement {number}"), format!("lock's agreement {number}"));
    let shared = Provider.agree(&agreement_secret(&guest), &agreement(&lock)).unwrap();
    let receipt = some_digest(&format!("receipt {number}"));
    json!({
        "name": format!("pairing key {number}"),
        "op": "pairing_key",
        "rule": "KDF-3",
        "guest_secret": hex(agreement_secret(&guest).expose()),
        "guest_public": hex(agreement(&guest).as_bytes()),
        "lock_secret": hex(agreement_secret(&lock).expose()),
        "lock_public": hex(agreement(&lock).as_bytes()),
        "shared": hex(shared.expose()),
        "receipt_digest": hex(receipt.as_bytes()),
        "pairing_key": hex(hkdf(receipt.as_bytes(), shared.expose(), label::PAIRING.as_bytes())),
    })
}

fn lock_keys(number: usize) -> Value {
    let seed = bytes32(&format!("seed of a lock {number}"));
    let signing = forge::derived(&seed, label::LOCK_KEY);
    let id = Provider.public_key(&Provider.signing_key(&Seed::from_bytes(signing)).unwrap());
    json!({
        "name": format!("lock keys {number}"),
        "op": "lock_keys",
        "rule": "KDF-6",
        "seed": hex(seed),
        "lock_key": hex(signing),
        "lock": key(&id),
        "record_key": hex(forge::derived(&seed, label::RECORD_MAC)),
        "nonce_key": hex(forge::derived(&seed, label::NONCE)),
        "agreement_key": hex(forge::derived(&seed, label::AGREEMENT)),
    })
}

/// A lock's X25519 secret: of a source of randomness as it should be, and of one that is stuck.
fn agreement_secret_of(number: usize) -> Value {
    let (agreement_key, install) = (bytes32("agreement key"), some_digest(&format!("install {number}")));
    let entropy = if number == 0 { bytes32("entropy of an install") } else { [0; 32] };
    let input = [entropy, *install.as_bytes()].concat();
    json!({
        "name": format!("agreement secret {number}"),
        "op": "agreement_secret",
        "rule": "KDF-1",
        "agreement_key": hex(agreement_key),
        "entropy": hex(entropy),
        "install_digest": hex(install.as_bytes()),
        "secret": hex(hkdf(&agreement_key, &input, label::AGREEMENT_SECRET.as_bytes())),
    })
}

fn nonces(number: u64) -> [Value; 2] {
    let (nonce_key, entropy) = (bytes32("nonce key"), bytes32(&format!("entropy of a nonce {number}")));
    let nonce = |label: &[u8]| {
        let mac = Provider.hmac_sha256(&nonce_key, &[label, &number.to_le_bytes(), &entropy]);
        hex(Tag::truncated(&mac).as_bytes())
    };
    let case = |name: &str, rule: &str, rescue: bool, label: &[u8]| {
        json!({
            "name": format!("{name} {number}"),
            "op": "nonce",
            "rule": rule,
            "rescue": rescue,
            "nonce_key": hex(nonce_key),
            "number": number,
            "entropy": hex(entropy),
            "nonce": nonce(label),
        })
    };
    [case("nonce of the counter", "CTR-2", false, b""), case("nonce of a rescue", "CTR-9", true, b"rescue")]
}

fn seeds() -> Vec<Value> {
    let entropy = bytes32("entropy of a seed");
    let case = |name: &str, rule: &str, before: [u8; 32]| {
        json!({
            "name": name,
            "op": "seed",
            "rule": rule,
            "before": hex(before),
            "entropy": hex(entropy),
            "seed": hex(hkdf(&before, &entropy, label::SEED.as_bytes())),
        })
    };
    vec![
        case("the seed of the first lock", "LCK-9", [0; 32]),
        case("the seed of a lock in the place of another", "LCK-9", Provider.sha256(&[&[0x5e; 54]])),
        case("the seed after a factory reset", "LCK-8", bytes32("nonce key")),
    ]
}

fn card_tag(number: usize) -> Value {
    let secret = if number == 0 { card() } else { bytes16("another card") };
    let (provision, lock) = (some_digest(&format!("provision {number}")), public("lock"));
    json!({
        "name": format!("card tag {number}"),
        "op": "card_tag",
        "rule": "MSG-18",
        "activation_secret": hex(secret),
        "provision_digest": hex(provision.as_bytes()),
        "lock": key(&lock),
        "tag": hex(forge::card_tag(&secret, &provision, LockId::new(lock)).as_bytes()),
    })
}

fn fingerprint(name: &str) -> Value {
    let public: PublicKey = public(name);
    json!({
        "name": format!("fingerprint of the {name}"),
        "op": "fingerprint",
        "rule": "CON-6",
        "public": key(&public),
        "fingerprint": Fingerprint::of(&Provider, &public).to_string(),
    })
}
