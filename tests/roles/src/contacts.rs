//! Does the contact book pin keys, and change only when it says so?

use proptest::prelude::*;
use sharekey::contacts::{ContactBook, Fingerprint, Trust};
use sharekey::crypto::{PublicKey, Signer};
use sharekey::error::{ContactError, Fault, FingerprintError, IdError, KeyError, Retry};
use sharekey::id::{AccountId, ContactName};
use sharekey::secret::Seed;
use sharekey_stage::provider::Provider;

const SMALL_ORDER: PublicKey = PublicKey::from_bytes([0; 32]);
const NOT_CANONICAL: PublicKey = PublicKey::from_bytes([0xff; 32]);

fn key(seed: u8) -> PublicKey {
    *Signer::from_seed(&Provider, &Seed::from_bytes([seed; 32])).unwrap().public()
}

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn name(text: &str) -> ContactName {
    text.parse().unwrap()
}

fn fingerprint(of: &PublicKey) -> Fingerprint {
    Fingerprint::of(&Provider, of)
}

/// Berta, unverified, and Anton, verified.
fn book() -> ContactBook {
    let mut book = ContactBook::new();
    book.add(id("berta"), name("Berta B."), key(2)).unwrap();
    book.add(id("anton"), name("Anton"), key(1)).unwrap();
    book.verify_key(&id("anton"), &key(1)).unwrap();
    book
}

fn trust(book: &ContactBook, who: &str) -> Trust {
    book.get(&id(who)).unwrap().trust()
}

/// Does `change` to a book; it must fail so and change nothing.
fn assert_refused(error: ContactError, change: impl FnOnce(&mut ContactBook) -> Result<(), ContactError>) {
    let mut changed = book();
    assert_eq!(change(&mut changed), Err(error));
    assert_eq!(changed, book());
}

//= spec/protocol.md#contacts
//# CON-1. A contact MUST be unverified until its fingerprint was compared or its key was scanned from its owner's screen.
#[test]
fn contacts_are_listed_by_id_as_they_were_added() {
    let book = book();
    let list: Vec<_> = book.iter().map(|(id, c)| (id.as_str(), c.name().as_str(), *c.key(), c.trust())).collect();
    assert_eq!(list, [("anton", "Anton", key(1), Trust::Verified), ("berta", "Berta B.", key(2), Trust::Unverified)]);
    assert_eq!((book.len(), book.is_empty(), ContactBook::default().is_empty()), (2, false, true));
    assert_eq!(book.get(&id("carla")), None);
}

#[test]
fn a_second_contact_of_one_id_is_refused() {
    assert_refused(ContactError::Duplicate, |book| book.add(id("anton"), name("Other"), key(3)));
}

//= spec/protocol.md#contacts
//# CON-5. A contact MUST NOT be pinned with a key that fails KEY-1 or KEY-2.
#[test]
fn a_bad_key_is_never_pinned() {
    for (bad, error) in [(SMALL_ORDER, KeyError::SmallOrder), (NOT_CANONICAL, KeyError::NotCanonical)] {
        assert_refused(error.into(), |book| book.add(id("carla"), name("Carla"), bad));
        assert_refused(error.into(), |book| book.accept_changed_key(&id("anton"), bad));
        assert_refused(error.into(), |book| book.observe(&id("anton"), &bad));
    }
}

//= spec/protocol.md#contacts
//# CON-10. Each operation on the contacts MUST make the checks of the table, in its order, and change nothing where one of them fails.
#[test]
fn whoever_is_not_in_the_book_is_not_found() {
    let carla = id("carla");
    assert_refused(ContactError::NotFound, |book| book.delete(&carla).map(drop));
    assert_refused(ContactError::NotFound, |book| book.rename(&carla, name("Carla")));
    assert_refused(ContactError::NotFound, |book| book.verify(&Provider, &carla, &fingerprint(&key(1))));
    assert_refused(ContactError::NotFound, |book| book.verify_key(&carla, &key(1)));
    assert_refused(ContactError::NotFound, |book| book.observe(&carla, &key(1)));
    assert_refused(ContactError::NotFound, |book| book.accept_changed_key(&carla, key(1)));
}

#[test]
fn a_deleted_contact_is_gone_and_can_be_added_again_unverified() {
    let mut book = book();
    assert_eq!(*book.delete(&id("anton")).unwrap().key(), key(1));
    assert_eq!((book.get(&id("anton")), book.len(), book.by_key(&key(1))), (None, 1, None));
    book.add(id("anton"), name("Anton"), key(1)).unwrap();
    assert_eq!(trust(&book, "anton"), Trust::Unverified);
}

//= spec/protocol.md#contacts
//# CON-7. A key that a deleted contact is added again with MUST be taken for a changed one where it is not the one that was pinned last.
#[test]
fn a_deleted_contact_that_is_added_again_with_another_key_is_noticed() {
    let mut book = book();
    book.delete(&id("anton")).unwrap();
    let mut book = sharekey_stage::world::through_storage(&book);
    let add = |book: &mut ContactBook, key| book.add(id("anton"), name("Anton"), key);
    assert_eq!(add(&mut book, SMALL_ORDER), Err(KeyError::SmallOrder.into()));
    assert_eq!(add(&mut book, key(9)), Err(ContactError::KeyChanged));
    assert_eq!(book.get(&id("anton")), None);
    assert_eq!(book.accept_changed_key(&id("anton"), key(1)), Err(ContactError::KeyNotChanged));
    assert_eq!(book.accept_changed_key(&id("anton"), SMALL_ORDER), Err(KeyError::SmallOrder.into()));
    book.accept_changed_key(&id("anton"), key(9)).unwrap();
    assert_eq!(add(&mut book, key(1)), Err(ContactError::KeyChanged), "the accepted one, and no other");
    add(&mut book, key(9)).unwrap();
    assert_eq!((trust(&book, "anton"), *book.get(&id("anton")).unwrap().key()), (Trust::Unverified, key(9)));
    // Forgotten on purpose, there is nothing to compare with.
    book.delete(&id("anton")).unwrap();
    assert_eq!(book.forget(&id("berta")), Err(ContactError::NotFound));
    book.forget(&id("anton")).unwrap();
    assert_eq!(book.forget(&id("anton")), Err(ContactError::NotFound));
    add(&mut book, key(3)).unwrap();
}

#[test]
fn a_renamed_contact_keeps_key_and_trust() {
    let mut book = book();
    for (who, pinned, trust) in [("anton", key(1), Trust::Verified), ("berta", key(2), Trust::Unverified)] {
        book.rename(&id(who), name("Toni")).unwrap();
        let renamed = book.get(&id(who)).unwrap();
        assert_eq!((renamed.name().as_str(), *renamed.key(), renamed.trust()), ("Toni", pinned, trust));
    }
}

#[test]
fn a_compared_fingerprint_verifies() {
    let mut book = book();
    let typed = fingerprint(&key(2)).to_string().parse().unwrap();
    book.verify(&Provider, &id("berta"), &typed).unwrap();
    assert_eq!(trust(&book, "berta"), Trust::Verified);
}

#[test]
fn a_scanned_key_verifies() {
    let mut book = book();
    book.verify_key(&id("berta"), &key(2)).unwrap();
    assert_eq!(trust(&book, "berta"), Trust::Verified);
}

//= spec/protocol.md#contacts
//# CON-1. A contact MUST be unverified until its fingerprint was compared or its key was scanned from its owner's screen.
#[test]
fn another_fingerprint_or_key_verifies_nobody() {
    for who in ["anton", "berta"] {
        assert_refused(ContactError::FingerprintMismatch, |book| {
            book.verify(&Provider, &id(who), &fingerprint(&key(3)))
        });
        assert_refused(ContactError::ScannedKeyMismatch, |book| book.verify_key(&id(who), &key(3)));
    }
}

//= spec/protocol.md#contacts
//# CON-2. A changed key of a contact MUST be an error until it is accepted explicitly.
//= spec/protocol.md#contacts
//# CON-3. A contact whose changed key was accepted MUST be unverified again.
#[test]
fn a_changed_key_is_an_error_until_accepted_and_then_unverified() {
    assert_refused(ContactError::KeyChanged, |book| book.observe(&id("anton"), &key(9)));
    let mut book = book();
    assert_eq!(book.observe(&id("anton"), &key(1)), Ok(()));
    book.accept_changed_key(&id("anton"), key(9)).unwrap();
    assert_eq!(trust(&book, "anton"), Trust::Unverified);
    assert_eq!(book.observe(&id("anton"), &key(9)), Ok(()));
    assert_eq!(book.observe(&id("anton"), &key(1)), Err(ContactError::KeyChanged));
}

#[test]
fn accepting_the_pinned_key_is_refused() {
    assert_refused(ContactError::KeyNotChanged, |book| book.accept_changed_key(&id("anton"), key(1)));
}

#[test]
fn a_book_survives_storing() {
    let stored = serde_json::to_string(&book()).unwrap();
    assert_eq!(serde_json::from_str::<ContactBook>(&stored).unwrap(), book());
}

//= spec/protocol.md#contacts
//# CON-5. A contact MUST NOT be pinned with a key that fails KEY-1 or KEY-2.
#[test]
fn a_stored_book_with_bad_content_is_refused() {
    let stored = serde_json::to_value(book()).unwrap();
    for bad in [SMALL_ORDER, NOT_CANONICAL] {
        let mut changed = stored.clone();
        changed["contacts"]["anton"]["key"] = serde_json::to_value(bad).unwrap();
        assert!(serde_json::from_value::<ContactBook>(changed).is_err());
    }
    let mut changed = stored.clone();
    changed["contacts"]["anton"]["name"] = "".into();
    assert!(serde_json::from_value::<ContactBook>(changed).is_err());
    let mut changed = stored;
    changed["contacts"][" carla"] = changed["contacts"]["anton"].clone();
    assert!(serde_json::from_value::<ContactBook>(changed).is_err());
}

/// Made with Python: `hashlib.sha256(b"sharekey v1 fingerprint" + key)`, then
/// `int.from_bytes(d[5*i:5*i+5], "big") % 100_000` for i in 0..6.
const FINGERPRINTS: [(&str, &str); 4] = [
    ("0000000000000000000000000000000000000000000000000000000000000000", "49885 24515 43511 36901 55362 80508"),
    ("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "53305 07509 07208 26320 13294 81437"),
    ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "37444 18386 77202 20978 26893 07696"),
    ("efd96aedf377e20afd95285a7c751a864260bd6a149656a4040c5b7757bdbbb6", "75556 70654 00041 42647 05432 97218"),
];

//= spec/protocol.md#contacts
//# CON-6. The fingerprint of a key MUST be formed from d = SHA-256(`"sharekey v1 fingerprint"` ‖ key) as given here.
#[test]
fn fingerprints_are_as_documented() {
    for (key, expected) in FINGERPRINTS {
        assert_eq!(fingerprint(&PublicKey::from_bytes(sharekey_stage::hex::array(key))).to_string(), expected);
    }
}

#[test]
fn fingerprints_read_with_whitespace_anywhere() {
    let shown = fingerprint(&key(1)).to_string();
    let digits = shown.replace(' ', "");
    assert_eq!(digits.len(), 30);
    for text in [shown.clone(), digits.clone(), format!(" {}\n", shown.replace(' ', "\u{a0}\t"))] {
        assert_eq!(text.parse(), Ok(fingerprint(&key(1))), "{text:?}");
    }
    assert_eq!(format!("{:?}", fingerprint(&key(1))), format!("Fingerprint({shown})"));
    assert_eq!(digits[1..].parse::<Fingerprint>(), Err(FingerprintError::TooShort));
    assert_eq!(format!("{digits}0").parse::<Fingerprint>(), Err(FingerprintError::TooLong));
    for other in ["-", "O", "٣", "\u{130}", "/", ":"] {
        assert_eq!(format!("{digits}{other}").parse::<Fingerprint>(), Err(FingerprintError::NotADigit));
    }
}

/// The text as an id and as a name, each in every way that it can come.
fn reads(text: &str) -> (Result<(), IdError>, Result<(), IdError>) {
    let (an_id, a_name) = (text.parse::<AccountId>().map(drop), text.parse::<ContactName>().map(drop));
    assert_eq!(AccountId::try_from(text.to_owned()).map(|id| id.as_str().to_owned()).map(drop), an_id);
    assert_eq!(ContactName::try_from(text.to_owned()).map(|name| name.to_string()).map(drop), a_name);
    assert_eq!(serde_json::from_value::<AccountId>(text.into()).is_ok(), an_id.is_ok(), "{text:?}");
    assert_eq!(serde_json::from_value::<ContactName>(text.into()).is_ok(), a_name.is_ok(), "{text:?}");
    (an_id, a_name)
}

//= spec/protocol.md#contacts
//# CON-9. A contact's name MUST be 1 to 64 bytes of UTF-8 without control characters and the invisible ones that are listed here, and without whitespace at either end.
#[test]
fn ids_and_names_are_checked_however_they_come() {
    let (long, longest) = ("é".repeat(32), "a".repeat(64));
    for good in ["a", "anton", "anton@example.org", "+43-660!", &longest] {
        assert_eq!(reads(good), (Ok(()), Ok(())), "{good}");
        assert_eq!(serde_json::to_value(id(good)).unwrap(), good);
    }
    for good in ["Anton Müller", "安東", "A\u{301}", &long] {
        assert_eq!(reads(good), (Err(IdError::Character), Ok(())), "{good}");
        assert_eq!(name(good).as_str(), good);
    }
    let too_long = format!("{long}a");
    for (bad, error) in [
        ("", IdError::Empty),
        (&*too_long, IdError::TooLong),
        ("a\nb", IdError::Control),
        ("a\u{7f}", IdError::Control),
        ("a\u{9f}b", IdError::Control),
        (" a", IdError::Whitespace),
        ("a\u{a0}", IdError::Whitespace),
        (" ", IdError::Whitespace),
    ] {
        assert_eq!(reads(bad), (Err(error), Err(error)), "{bad:?}");
    }
    assert_eq!(AccountId::MAX_LEN, 64);
}

//= spec/protocol.md#contacts
//# CON-8. An id MUST be 1 to 64 characters from U+0021 to U+007E.
#[test]
fn no_two_ids_that_look_the_same_are_two() {
    for (twin, error) in [
        ("ana\u{200b}", IdError::Invisible),
        ("an\u{ad}a", IdError::Invisible),
        ("\u{202e}ana", IdError::Invisible),
        ("ana\u{2066}", IdError::Invisible),
        ("ana\u{feff}", IdError::Invisible),
        ("ana\u{e0061}", IdError::Invisible),
        ("\u{430}na", IdError::Character),
        ("an\u{e9}", IdError::Character),
        ("ane\u{301}", IdError::Character),
        ("\u{ff41}na", IdError::Character),
        ("a na", IdError::Character),
        ("a\u{3000}na", IdError::Character),
    ] {
        assert_eq!(reads(twin).0, Err(error), "{twin:?}");
    }
    for code in 0..=0x10ffff_u32 {
        let Some(c) = char::from_u32(code) else { continue };
        let good = (0x21..=0x7e).contains(&code);
        assert_eq!(format!("a{c}a").parse::<AccountId>().is_ok(), good, "U+{code:04X}");
    }
}

/// As the text lists them.
#[test]
fn a_name_has_no_character_that_is_not_seen() {
    const LIST: &[(u32, u32)] = &[
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x61c, 0x61c),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffb),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0xe0000, 0xe0fff),
    ];
    for code in 0xa0..=0x10ffff_u32 {
        let Some(c) = char::from_u32(code) else { continue };
        let unseen = LIST.iter().any(|(first, last)| (*first..=*last).contains(&code));
        let found = format!("a{c}a").parse::<ContactName>().err();
        assert_eq!(found, unseen.then_some(IdError::Invisible), "U+{code:04X}");
    }
}

#[test]
fn errors_say_whose_fault_it_is_and_what_to_do() {
    use ContactError as E;
    for (error, fault, retry) in [
        (E::NotFound, Fault::Owner, Retry::OtherInput),
        (E::Duplicate, Fault::Owner, Retry::OtherInput),
        (E::Key(KeyError::SmallOrder), Fault::Guest, Retry::OtherInput),
        (E::KeyChanged, Fault::Transport, Retry::CompareKeys),
        (E::KeyNotChanged, Fault::Owner, Retry::Already),
        (E::FingerprintMismatch, Fault::Transport, Retry::OtherInput),
        (E::ScannedKeyMismatch, Fault::Transport, Retry::OtherInput),
    ] {
        assert_eq!((error.fault(), error.retry()), (fault, retry), "{error}");
    }
    assert_eq!((IdError::Empty.fault(), IdError::Empty.retry()), (Fault::Owner, Retry::OtherInput));
    let mistyped = FingerprintError::TooShort;
    assert_eq!((mistyped.fault(), mistyped.retry()), (Fault::Owner, Retry::OtherInput));
}

proptest! {
    #[test]
    fn a_shown_fingerprint_reads_as_itself(key in any::<[u8; 32]>()) {
        let shown = fingerprint(&PublicKey::from_bytes(key));
        prop_assert_eq!(shown.to_string().parse(), Ok(shown));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = text.parse::<Fingerprint>();
        let _ = text.parse::<AccountId>();
    }
}
