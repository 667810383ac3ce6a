//! `contacts.json`: typed fingerprints, and what a book of contacts does.

use crate::provider::Provider;
use serde_json::{Map, Value, json};
use sharekey::contacts::{ContactBook, Fingerprint, Trust};
use sharekey::crypto::PublicKey;
use sharekey::error::ContactError;
use sharekey::id::AccountId;

use super::bad;
use super::keys::public;
use super::peer::fail::error_name;
use super::peer::form::{hex, key};
use super::peer::request::unhex;

pub fn file() -> Value {
    let mut cases = typed();
    cases.extend(books());
    super::file(
        "read: a fingerprint as somebody types it, and as it is shown, or the error. book: steps from an empty book of \
         contacts, each with its error or null, and the book afterwards.",
        json!({}),
        cases,
    )
}

// --- typed fingerprints -------------------------------------------------------------------------

const SHOWN: &str = "01234 56789 01234 56789 01234 56789";

fn typed() -> Vec<Value> {
    let digits = SHOWN.replace(' ', "");
    let good = [
        ("as shown", SHOWN.to_owned()),
        ("without spaces", digits.clone()),
        ("with whitespace anywhere", format!("\t{}\r\n", SHOWN.replace("34", "3 4"))),
        (
            "with whitespace of Unicode",
            SHOWN.replace(' ', "\u{85}\u{a0}\u{1680}\u{2003}\u{2028}\u{202f}\u{205f}\u{3000}"),
        ),
    ];
    let bad = [
        ("nothing", String::new(), "TooShort"),
        ("29 digits", digits[..29].to_owned(), "TooShort"),
        ("31 digits", format!("{digits}0"), "TooLong"),
        ("a letter", SHOWN.replace('0', "O"), "NotADigit"),
        ("a letter, too short", "x".to_owned(), "NotADigit"),
        ("a letter, too long", format!("{digits}{digits}x"), "NotADigit"),
        ("hyphens", SHOWN.replace(' ', "-"), "NotADigit"),
        ("digits of another script", SHOWN.replace('3', "\u{663}"), "NotADigit"),
        ("an invisible mark", SHOWN.replace(' ', "\u{200b}"), "NotADigit"),
        ("a control character that is no whitespace", SHOWN.replace(' ', "\u{1c}"), "NotADigit"),
    ];
    let good = good.map(|(name, text)| read(name, &text, None));
    good.into_iter().chain(bad.map(|(name, text, error)| read(name, &text, Some(error)))).collect()
}

fn read(name: &str, text: &str, error: Option<&str>) -> Value {
    let found = text.parse::<Fingerprint>();
    assert_eq!(found.err().map(|error| error_name(&error)).as_deref(), error, "{name}");
    let mut case = json!({ "name": format!("read {name}"), "op": "read", "rule": "CON-6", "text": text });
    match found {
        Ok(fingerprint) => case["fingerprint"] = fingerprint.to_string().into(),
        Err(error) => case["error"] = error_name(&error).into(),
    }
    case
}

// --- a book -------------------------------------------------------------------------------------

fn books() -> Vec<Value> {
    let (ana, other) = (public("account of Ana"), public("another account"));
    let fingerprint = |key: &PublicKey| Fingerprint::of(&Provider, key).to_string();
    let small = PublicKey::from_bytes([0; 32]);
    let not_canonical = PublicKey::from_bytes(bad::array(bad::FIELD_PRIME));
    let add = ("add", key(&ana));
    vec![
        book(
            "a contact is unverified until its fingerprint was compared",
            "CON-1",
            &[
                (add.clone(), None),
                (("compare", fingerprint(&other).into()), Some("FingerprintMismatch")),
                (("compare", fingerprint(&ana).into()), None),
            ],
        ),
        book(
            "a contact that nobody compared stays unverified",
            "CON-1",
            &[
                (add.clone(), None),
                (("compare", fingerprint(&other).into()), Some("FingerprintMismatch")),
                (("scan", key(&other)), Some("ScannedKeyMismatch")),
                (("observe", key(&ana)), None),
            ],
        ),
        book(
            "a contact is verified once its key was scanned",
            "CON-1",
            &[(add.clone(), None), (("scan", key(&other)), Some("ScannedKeyMismatch")), (("scan", key(&ana)), None)],
        ),
        book(
            "a changed key is an error until it is accepted, and unverified again then",
            "CON-3",
            &[
                (add.clone(), None),
                (("scan", key(&ana)), None),
                (("accept", key(&ana)), Some("KeyNotChanged")),
                (("observe", key(&other)), Some("KeyChanged")),
                (("accept", key(&other)), None),
                (("observe", key(&ana)), Some("KeyChanged")),
            ],
        ),
        book(
            "a changed key that is not accepted changes nothing",
            "CON-2",
            &[(add.clone(), None), (("scan", key(&ana)), None), (("observe", key(&other)), Some("KeyChanged"))],
        ),
        book(
            "a bad key is never pinned",
            "CON-5",
            &[
                (("add", key(&small)), Some("Key.SmallOrder")),
                (("add", key(&not_canonical)), Some("Key.NotCanonical")),
                (add.clone(), None),
                (("observe", key(&small)), Some("Key.SmallOrder")),
                (("accept", key(&small)), Some("Key.SmallOrder")),
                (("accept", key(&not_canonical)), Some("Key.NotCanonical")),
            ],
        ),
        book(
            "a contact is there once",
            "CON-2",
            &[(add, None), (("add", key(&other)), Some("Duplicate")), (("add", key(&small)), Some("Duplicate"))],
        ),
        book(
            "a failed comparison changes nothing, also of a verified contact",
            "CON-1",
            &[
                (("add", key(&ana)), None),
                (("scan", key(&ana)), None),
                (("compare", fingerprint(&other).into()), Some("FingerprintMismatch")),
                (("scan", key(&other)), Some("ScannedKeyMismatch")),
            ],
        ),
        book(
            "a contact that is called otherwise is as verified as before",
            "CON-1",
            &[(("add", key(&ana)), None), (("rename", key(&ana)), None)],
        ),
        book(
            "a deleted contact is added again with the key that it had",
            "CON-7",
            &[
                (("add", key(&ana)), None),
                (("scan", key(&ana)), None),
                (("delete", key(&ana)), None),
                (("add", key(&ana)), None),
            ],
        ),
        book(
            "a deleted contact that is added again with another key is noticed",
            "CON-7",
            &[
                (("add", key(&ana)), None),
                (("delete", key(&ana)), None),
                (("add", key(&small)), Some("Key.SmallOrder")),
                (("add", key(&other)), Some("KeyChanged")),
                (("observe", key(&other)), Some("NotFound")),
                (("accept", key(&ana)), Some("KeyNotChanged")),
                (("accept", key(&other)), None),
                (("add", key(&ana)), Some("KeyChanged")),
                (("add", key(&other)), None),
            ],
        ),
        book(
            "who is not there",
            "CON-1",
            &[
                (("compare", fingerprint(&ana).into()), Some("NotFound")),
                (("scan", key(&ana)), Some("NotFound")),
                (("observe", key(&small)), Some("NotFound")),
                (("accept", key(&small)), Some("NotFound")),
                (("rename", key(&ana)), Some("NotFound")),
                (("delete", key(&ana)), Some("NotFound")),
            ],
        ),
    ]
}

type Step = ((&'static str, Value), Option<&'static str>);

fn book(name: &str, rule: &str, steps: &[Step]) -> Value {
    let mut book = ContactBook::new();
    let mut shown = Vec::new();
    for ((action, with), error) in steps {
        let mut step = json!({ "do": action, "contact": "ana", "with": with });
        let found = act(&mut book, &step).err().map(|error| error_name(&error));
        assert_eq!(found.as_deref(), *error, "{name}: {step}");
        step["error"] = found.into();
        shown.push(step);
    }
    json!({ "name": format!("book: {name}"), "op": "book", "rule": rule, "book": shown, "contacts": contacts(&book) })
}

/// One step, as a case gives it.
pub fn act(book: &mut ContactBook, step: &Value) -> Result<(), ContactError> {
    let text = |name: &str| step[name].as_str().unwrap();
    let id: AccountId = text("contact").parse().unwrap();
    let key = || PublicKey::from_bytes(unhex(text("with")).unwrap().try_into().unwrap());
    match text("do") {
        "add" => book.add(id, "somebody".parse().unwrap(), key()),
        "compare" => book.verify(&Provider, &id, &text("with").parse().unwrap()),
        "scan" => book.verify_key(&id, &key()),
        "observe" => book.observe(&id, &key()),
        "rename" => book.rename(&id, text("with").parse().unwrap()),
        "delete" => book.delete(&id).map(drop),
        _ => book.accept_changed_key(&id, key()),
    }
}

/// What a book holds, as a case gives it.
pub fn contacts(book: &ContactBook) -> Value {
    let shown = book.iter().map(|(id, contact)| {
        let verified = contact.trust() == Trust::Verified;
        (id.as_str().to_owned(), json!({ "key": hex(contact.key().as_bytes()), "verified": verified }))
    });
    Value::Object(shown.collect::<Map<_, _>>())
}
