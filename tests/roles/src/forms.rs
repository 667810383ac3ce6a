//! How stored values stand in a format of bytes, and in one that people and databases read.

use std::fmt::Write;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sharekey::contacts::ContactBook;
use sharekey::error::{Fault, RefuseReason, Retry};
use sharekey::guest::{Claimed, GuestKey, Installing};
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::owner::{Order, OwnedLock, PendingCommand, PendingProvision, Status};
use sharekey::secret::{ActivationSecret, Exposed, Seed};
use sharekey::service::{LockRecord, SlotRecord};
use sharekey_stage::world::door::NOON;
use sharekey_stage::world::{ANA, BEN, HALL, OLGA, World, digest, key_of, seed};

/// One of everything that an app, a service or a phone stores.
struct Stored {
    view: OwnedLock,
    lock: LockRecord,
    record: SlotRecord,
    key: GuestKey,
    claimed: Claimed,
    installing: Installing,
    command: PendingCommand,
    provision: PendingProvision,
    contacts: ContactBook,
    seed: Seed,
    limits: Limits,
}

fn limits() -> Limits {
    let schedule =
        Schedule::new(Weekdays::MON_TO_FRI, 480, 1080, UtcOffset::from_minutes(-210).unwrap(), None).unwrap();
    let time = |seconds| Some(Timestamp::from_unix_seconds(seconds));
    Limits::new(time(NOON - 5), time(NOON + 86_400), Some(schedule), Some(300)).unwrap()
}

fn stored() -> Stored {
    let mut w = World::active();
    let mut ana = w.guest(ANA);
    w.share_with(HALL, &ana, Rights::OPEN_AND_LOCK, limits()).unwrap();
    w.download(&mut ana).unwrap();
    w.sync();
    let (_, installing) = w.asks(&mut ana);
    w.withdraw(HALL).unwrap();
    let mut ben = w.guest(BEN);
    w.claims(HALL, &mut ben);
    w.sync();
    let (.., command) = w.ordered(Order::Inspect { slot: HALL });
    let (challenge, _) = World::fresh(2).door.connect::<sharekey::lock::purpose::Operate>();
    let card = ActivationSecret::from_bytes([2; 16]);
    let (_, provision) = w.olga.owner.provision(&card, &challenge, w.cloud.key(), &mut w.olga.rng).unwrap();
    let mut contacts = ContactBook::new();
    contacts.add("ana@example".parse().unwrap(), "Ana".parse().unwrap(), key_of(ANA)).unwrap();
    Stored {
        view: w.olga.view.unwrap(),
        lock: w.cloud.record((w.door.lock.id(), HALL)).of_lock().clone(),
        record: w.cloud.record((w.door.lock.id(), HALL)).of_slot().clone(),
        key: ana.key.unwrap(),
        claimed: ben.claimed.unwrap(),
        installing,
        command,
        provision,
        contacts,
        seed: seed(ANA),
        limits: limits(),
    }
}

/// A line for each: its name, how long it is in bytes, and what they are.
#[test]
fn what_is_stored_as_bytes_stays_as_it_was() {
    fn line<T: Serialize>(lines: &mut String, name: &str, value: &T) {
        let bytes = postcard::to_allocvec(value).unwrap();
        writeln!(lines, "{name}: {} bytes, {}", bytes.len(), digest(&bytes)).unwrap();
    }
    let Stored { view, lock, record, key, claimed, installing, command, provision, contacts, seed, limits } = stored();
    let mut lines = String::new();
    line(&mut lines, "OwnedLock", &view);
    line(&mut lines, "LockRecord", &lock);
    line(&mut lines, "SlotRecord", &record);
    line(&mut lines, "GuestKey", &Exposed(&key));
    line(&mut lines, "Claimed", &Exposed(&claimed));
    line(&mut lines, "Installing", &Exposed(&installing));
    line(&mut lines, "PendingCommand", &command);
    line(&mut lines, "PendingProvision", &Exposed(&provision));
    line(&mut lines, "ContactBook", &contacts);
    line(&mut lines, "Seed", &Exposed(&seed));
    line(&mut lines, "Limits", &limits);
    insta::assert_snapshot!(lines);
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap()
}

/// The value again, from a format that people read and from one of bytes; `same` says what is to be the same.
fn both<T: Serialize + DeserializeOwned>(value: &T, same: impl Fn(&T, &T) -> bool) {
    let text = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&text).unwrap();
    assert!(same(&read, value), "{text}");
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let bytes = postcard::to_allocvec(value).unwrap();
    let read: T = postcard::from_bytes(&bytes).unwrap();
    assert!(same(&read, value), "as bytes: {text}");
    assert_eq!(postcard::to_allocvec(&read).unwrap(), bytes);
}

#[test]
fn what_is_stored_is_read_back_from_both_forms() {
    let Stored { view, lock, record, key, claimed, installing, command, provision, contacts, seed, limits } = stored();
    both(&view, OwnedLock::eq);
    both(&view.status(HALL), Status::eq);
    both(&lock, LockRecord::eq);
    both(&record, SlotRecord::eq);
    both(&Exposed(key), |a, b| a == b);
    both(&Exposed(claimed), |a, b| a == b);
    both(&Exposed(installing), |a, b| a == b);
    both(&command, PendingCommand::eq);
    both(&Exposed(provision), |a, b| a == b);
    both(&contacts, ContactBook::eq);
    both(&Exposed(seed), |a, b| a == b);
    both(&limits, Limits::eq);
    for reason in RefuseReason::ALL {
        both(reason, RefuseReason::eq);
    }
    both(&Action::Lock, Action::eq);
    Fault::ALL.iter().for_each(|fault| both(fault, Fault::eq));
    Retry::ALL.iter().for_each(|retry| both(retry, Retry::eq));
}

/// No bytes one by one; what a database's functions over JSON ask for stands where they ask for it.
#[test]
fn numbers_are_numbers_bytes_are_text_and_enumerations_have_their_names() {
    let Stored { view, record, key, contacts, seed, limits, .. } = stored();
    let (status, view, record) = (json(&view.status(HALL)), json(&view), json(&record));
    let of = |value: &Value, path: &str| value.pointer(path).unwrap_or_else(|| panic!("{path} in {value:#}")).clone();
    let lock = of(&record, "/lock");
    assert_eq!(lock.as_str().unwrap().len(), 64);
    assert_eq!(of(&view, "/lock"), lock);
    assert_eq!(of(&view, "/epoch"), 1);
    assert_eq!(of(&view, "/owner"), key_of(OLGA).to_string());
    assert_eq!(of(&view, "/standing"), "Owned");
    assert_eq!(of(&view, "/slots/0/slot/line/highest"), 3);
    let key_status = of(&status, "/may_open/0");
    assert_eq!((of(&status, "/slot"), of(&status, "/state")), (0.into(), "Sharing".into()));
    assert_eq!((of(&key_status, "/key/generation"), of(&key_status, "/method")), (2.into(), "Account".into()));
    assert_eq!(of(&key_status, "/grant/limits/uses"), 300);
    assert_eq!(of(&key_status, "/grant/limits/schedule/start"), 480);
    assert_eq!(of(&key_status, "/grant/subject"), key_of(ANA).to_string());
    assert_eq!(of(&key_status, "/downloaded/device"), key.device().to_string());
    assert_eq!(of(&record, "/version"), record["version"].as_u64().unwrap());
    assert_eq!(of(&record, "/slot/line/live/0/key/generation"), 2);
    assert_eq!(of(&record, "/slot/line/live/0/confirmation/device").as_str().unwrap().len(), 64);
    assert!(of(&record, "/evidence/done").as_str().unwrap().starts_with("U0sBD"), "base64url of SK, 1, 13");
    assert_eq!(of(&json(&contacts), "/contacts/ana@example/key"), key_of(ANA).to_string());
    assert_eq!(json(&Exposed(&seed)), hex(seed.expose()));
    assert_eq!(json(&RefuseReason::UsesSpent), "UsesSpent");
    assert_eq!(
        (json(&Action::Open), json(&Retry::FetchGrant), json(&Fault::Lock)),
        ("Open".into(), "FetchGrant".into(), "Lock".into())
    );
    assert_eq!(json(&limits)["from"], NOON - 5);
    for value in [status, view, record, json(&Exposed(&key))] {
        assert_eq!(bytes_one_by_one(&value), None);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A list of small numbers, which bytes would be.
fn bytes_one_by_one(value: &Value) -> Option<Value> {
    match value {
        Value::Array(items) if items.len() > 2 && items.iter().all(Value::is_u64) => Some(value.clone()),
        Value::Array(items) => items.iter().find_map(bytes_one_by_one),
        Value::Object(fields) => fields.values().find_map(bytes_one_by_one),
        _ => None,
    }
}

#[test]
fn a_guests_key_is_under_600_bytes_of_json() {
    let next =
        OffsetChange { at: Timestamp::from_unix_seconds(NOON), offset: UtcOffset::from_minutes(-840 + 120).unwrap() };
    let schedule =
        Schedule::new(Weekdays::MON_TO_FRI, 1000, 1080, UtcOffset::from_minutes(-210).unwrap(), Some(next)).unwrap();
    let time = |seconds| Some(Timestamp::from_unix_seconds(seconds));
    let most = Limits::new(time(NOON - 9), time(NOON + 20 * 86_400), Some(schedule), Some(u32::MAX)).unwrap();
    for limits in [Limits::NONE, limits(), most] {
        let (_, ana) = World::downloaded_with(limits);
        let text = serde_json::to_string(&Exposed(ana.key())).unwrap();
        assert!(text.len() < 600, "{}: {text}", text.len());
        assert_eq!(serde_json::from_str::<Exposed<GuestKey>>(&text).unwrap().0, *ana.key());
    }
}

#[test]
fn text_that_is_none_is_refused() {
    let Stored { record, key, seed, .. } = stored();
    let good = serde_json::to_string(&Exposed(&seed)).unwrap();
    let hex = good.trim_matches('"');
    let (short, long, other) = (&hex[1..], format!("{hex}00"), hex.replacen('0', "g", 1));
    assert!(other != hex && serde_json::from_str::<Exposed<Seed>>(&good.to_uppercase()).is_ok(), "either case");
    for text in [short, &long, &other, "", " "] {
        assert!(serde_json::from_str::<Exposed<Seed>>(&format!("\"{text}\"")).is_err(), "{text}");
    }
    let numbers = serde_json::to_string(seed.expose()).unwrap();
    assert!(serde_json::from_str::<Exposed<Seed>>(&numbers).is_err(), "bytes one by one");
    for (name, change) in [("/grant", "="), ("/evidence/done", "*"), ("/evidence/former/0/grant", "AAAA")] {
        let mut value = json(&record);
        let field = value.pointer_mut(name).unwrap();
        *field = format!("{}{change}", field.as_str().unwrap()).into();
        assert!(serde_json::from_value::<SlotRecord>(value).is_err(), "{name}");
    }
    let mut value = json(&Exposed(&key));
    value["receipt"] = value["receipt"].as_str().unwrap().replacen("U0sB", "U0sC", 1).into();
    assert!(serde_json::from_value::<Exposed<GuestKey>>(value).is_err(), "another version");
    assert!(serde_json::from_str::<RefuseReason>("\"Tired\"").is_err());
    assert!(postcard::from_bytes::<RefuseReason>(&[19]).is_err() && postcard::from_bytes::<Action>(&[0]).is_err());
}
