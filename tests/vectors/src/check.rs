//! What a program that reads the files does with a case, through the library's public interface.

use std::collections::BTreeSet;

use serde_json::Value;
use sharekey::code::ShareCode;
use sharekey::contacts::{ContactBook, Fingerprint};
use sharekey::crypto::{
    Agree, AgreementKey, Hash, Kdf, Mac, PublicKey, SIGNATURE_CONTEXT, Sign, Signature, Stretch, Tag, Verify, verify,
};
use sharekey::id::SlotId;
use sharekey::message::{Bundle, Refused};
use sharekey::secret::{AgreementSecret, Seed};
use sharekey::wire::{self, Encoded, Kind, Message, Unverified};

use sharekey_stage::every_body;
use sharekey_stage::forge::label;
use sharekey_stage::ops::{Op, Order, Sent, To};

use crate::contacts;
use crate::decode::{by_body, decoded};
use crate::peer::desk::Peer;
use crate::peer::fail::error_name;
use crate::peer::form::{self, form, hex};
use crate::peer::request::unhex;
use crate::provider::Provider;

/// The files that are runs: requests to a peer, and its replies.
pub const RUNS: [&str; 9] = [
    "install_errors.json",
    "unlock_errors.json",
    "command_errors.json",
    "provision_errors.json",
    "reset_errors.json",
    "service_errors.json",
    "guest_errors.json",
    "owner_errors.json",
    "conversations.json",
];

fn bytes(value: &Value) -> Vec<u8> {
    unhex(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn kind(case: &Value) -> Kind {
    Kind::ALL.into_iter().find(|kind| format!("{kind:?}") == case["kind"].as_str().unwrap()).unwrap()
}

/// Every name of an error in a file.
pub fn errors(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| errors(item, found)),
        Value::Object(members) => {
            if let Some(error) = members.get("error").and_then(Value::as_str) {
                found.insert(error.to_owned());
            }
            members.values().for_each(|member| errors(member, found));
        }
        _ => {}
    }
}

/// What only the case and the provider know of an authenticator.
fn authenticated(case: &Value, keys: &Value, bytes: &[u8]) {
    let auth = &case["authenticator"];
    let key = &keys[auth["key"].as_str().unwrap_or_default()];
    match auth["type"].as_str().unwrap() {
        "signature" => {
            let (covered, signature) = bytes.split_last_chunk().unwrap();
            let key = PublicKey::from_bytes(array(&key["public"]));
            verify(&Provider, &key, &[SIGNATURE_CONTEXT, covered], &Signature::from_bytes(*signature)).unwrap();
        }
        "tag" => {
            let (covered, tag) = bytes.split_last_chunk().unwrap();
            let mac = Provider.hmac_sha256(&self::bytes(&key["secret"]), &[covered]);
            assert_eq!(Tag::truncated(&mac), Tag::from_bytes(*tag));
        }
        _ => assert!(matches!(kind(case), Kind::Challenge | Kind::Connect | Kind::Bundle | Kind::Refused)),
    }
}

/// Decodes, gives the fields, and makes sure that the bytes are the only ones with that meaning.
fn fields<T: Message>(bytes: &[u8]) -> Value {
    let message = Unverified::<T>::parse(bytes).unwrap();
    assert_eq!(Encoded::<T>::copy(bytes).unwrap().as_bytes(), bytes);
    assert!(bytes[4..].starts_with(&wire::encode(message.claims()).unwrap()));
    form(message.claims())
}

fn fields_of(kind: Kind, bytes: &[u8]) -> Value {
    if kind == Kind::Refused && matches!(Refused::parse(bytes), Ok(Refused::Opaque)) {
        return Value::Object(serde_json::Map::new());
    }
    every_body!(by_body!(kind, fields, (bytes), form::bundle(&Bundle::parse(bytes).unwrap())))
}

pub fn message(case: &Value, keys: &Value) {
    let message = bytes(&case["bytes"]);
    assert_eq!(fields_of(kind(case), &message), case["fields"], "{}", case["name"]);
    assert_eq!(hex(Provider.sha256(&[&message])), case["digest"], "{}", case["name"]);
    authenticated(case, keys, &message);
}

pub fn decode_error(case: &Value) {
    let found = decoded(kind(case), &bytes(&case["bytes"])).unwrap_err();
    assert_eq!(error_name(&found), case["error"], "{}", case["name"]);
}

pub fn code(case: &Value) {
    match case["op"].as_str().unwrap() {
        "issue" => {
            let entropy = bytes(&case["entropy"][0]["hex"]);
            let mut entropy = crate::peer::entropy::Entropy::of(Some(entropy));
            assert_eq!(ShareCode::issue(&mut entropy).expose().as_str(), case["code"]);
        }
        "subject" => {
            let code = ShareCode::parse(case["text"].as_str().unwrap()).unwrap();
            let seed = stretched(code);
            assert_eq!(hex(seed.expose()), case["seed"]);
            let key = Provider.public_key(&Provider.signing_key(&seed).unwrap());
            assert_eq!(hex(key.as_bytes()), case["subject"]);
        }
        _ => match ShareCode::parse(case["text"].as_str().unwrap()) {
            Ok(code) => assert_eq!(code.expose().as_str(), case["code"], "{}", case["name"]),
            Err(error) => assert_eq!(error_name(&error), case["error"], "{}", case["name"]),
        },
    }
}

fn stretched(code: ShareCode) -> Seed {
    fn of(code: ShareCode, crypto: &impl Stretch) -> Seed {
        code.redeem(crypto)
    }
    of(code, &Provider)
}

pub fn contact(case: &Value) {
    if case["op"] == "read" {
        match case["text"].as_str().unwrap().parse::<Fingerprint>() {
            Ok(fingerprint) => assert_eq!(fingerprint.to_string(), case["fingerprint"], "{}", case["name"]),
            Err(error) => assert_eq!(error_name(&error), case["error"], "{}", case["name"]),
        }
        return;
    }
    let mut book = ContactBook::new();
    for step in case["book"].as_array().unwrap() {
        let error = contacts::act(&mut book, step).err().map(|error| error_name(&error));
        assert_eq!(error.as_deref(), step["error"].as_str(), "{}: {step}", case["name"]);
    }
    assert_eq!(contacts::contacts(&book), case["contacts"], "{}", case["name"]);
}

pub fn strict(case: &Value) {
    let error = match case["op"].as_str().unwrap() {
        "key" => PublicKey::from_bytes(array(&case["public"])).check().err().map(|error| error_name(&error)),
        "signature" => judged(case, &Provider),
        _ => agreed(case, &Provider),
    };
    assert_eq!(error.as_deref(), case["error"].as_str(), "{}", case["name"]);
}

fn judged(case: &Value, crypto: &impl Verify) -> Option<String> {
    let (key, signature) =
        (PublicKey::from_bytes(array(&case["public"])), Signature::from_bytes(array(&case["signature"])));
    verify(crypto, &key, &[&bytes(&case["message"])], &signature).err().map(|error| error_name(&error))
}

fn agreed(case: &Value, crypto: &impl Agree) -> Option<String> {
    let secret = AgreementSecret::from_bytes(array(&case["secret"]));
    assert_eq!(hex(crypto.agreement_key(&secret).as_bytes()), case["public"]);
    match crypto.agree(&secret, &AgreementKey::from_bytes(array(&case["peer"]))) {
        Ok(shared) => {
            assert_eq!(hex(shared.expose()), case["shared"], "{}", case["name"]);
            None
        }
        Err(error) => Some(error_name(&error)),
    }
}

fn hkdf(salt: &[u8], ikm: &[u8], info: &[u8]) -> Value {
    hex(*Provider.hkdf_sha256(salt, ikm, info).unwrap())
}

fn tag(key: &[u8], parts: &[&[u8]]) -> Value {
    hex(Tag::truncated(&Provider.hmac_sha256(key, parts)).as_bytes())
}

pub fn derivation(case: &Value) {
    let of = |name: &str| bytes(&case[name]);
    match case["op"].as_str().unwrap() {
        "pairing_key" => {
            let secret = AgreementSecret::from_bytes(array(&case["guest_secret"]));
            let shared = Provider.agree(&secret, &AgreementKey::from_bytes(array(&case["lock_public"]))).unwrap();
            assert_eq!(hex(shared.expose()), case["shared"]);
            let pairing = hkdf(&of("receipt_digest"), shared.expose(), label::PAIRING.as_bytes());
            assert_eq!(pairing, case["pairing_key"]);
        }
        "lock_keys" => {
            assert_eq!(hkdf(&[], &of("seed"), label::LOCK_KEY.as_bytes()), case["lock_key"]);
            assert_eq!(hkdf(&[], &of("seed"), label::RECORD_MAC.as_bytes()), case["record_key"]);
            assert_eq!(hkdf(&[], &of("seed"), label::NONCE.as_bytes()), case["nonce_key"]);
            assert_eq!(hkdf(&[], &of("seed"), label::AGREEMENT.as_bytes()), case["agreement_key"]);
        }
        "agreement_secret" => {
            let input = [of("entropy"), of("install_digest")].concat();
            let secret = hkdf(&of("agreement_key"), &input, label::AGREEMENT_SECRET.as_bytes());
            assert_eq!(secret, case["secret"]);
        }
        "nonce" => {
            let label: &[u8] = if case["rescue"] == true { b"rescue" } else { b"" };
            let number = case["number"].as_u64().unwrap().to_le_bytes();
            assert_eq!(tag(&of("nonce_key"), &[label, &number, &of("entropy")]), case["nonce"]);
        }
        "seed" => assert_eq!(hkdf(&of("before"), &of("entropy"), label::SEED.as_bytes()), case["seed"]),
        "card_tag" => {
            let parts: [&[u8]; 3] = [label::PROVISIONED.as_bytes(), &of("provision_digest"), &of("lock")];
            assert_eq!(tag(&of("activation_secret"), &parts), case["tag"]);
        }
        _ => {
            let fingerprint = Fingerprint::of(&Provider, &PublicKey::from_bytes(array(&case["public"])));
            assert_eq!(fingerprint.to_string(), case["fingerprint"]);
        }
    }
}

/// Asks a new peer everything again.
pub fn replay(file: &str, case: &Value) {
    let mut peer = Peer::default();
    for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        let reply = peer.handle(&step["request"]);
        assert_eq!(reply, step["reply"], "{file}, {}, step {number}: {}", case["name"], step["request"]);
    }
}

/// Which operation of the table a lock carried out in a step, if it did one, where what it wrote and answered is what the
/// table says.
pub fn carried_out(step: &Value) -> Option<Op> {
    let (request, ok) = (&step["request"], &step["reply"]["ok"]);
    if request["role"] != "lock" || ok.is_null() {
        return None;
    }
    let written: Vec<u64> =
        ok["written"].as_object().into_iter().flatten().map(|(cell, _)| cell.parse().unwrap()).collect();
    let sent = match request["op"].as_str().unwrap() {
        "challenge" => Sent::Nothing,
        "command" => Sent::Command(
            Order::ALL.into_iter().find(|order| format!("{order:?}") == ok["operation"]["type"].as_str().unwrap())?,
        ),
        call => Sent::To(To::named(call)?),
    };
    let op = Op::of(sent, !written.is_empty());
    let slot = ok["slot"].as_u64().or(ok["operation"]["slot"].as_u64()).unwrap_or(0);
    let cell = op.written(SlotId::new(slot.try_into().unwrap()));
    assert_eq!(written, cell.map(|cell| cell.key().into()).into_iter().collect::<Vec<u64>>(), "{op:?}: {step}");
    let answer = if sent == Sent::Nothing { &ok["challenge"] } else { &ok["answer"] };
    let answer = answer.as_str().map(|answer| Kind::of(&unhex(answer).unwrap()).unwrap());
    assert_eq!(answer, op.row().answer, "{op:?}: {step}");
    Some(op)
}
