//! A service's two records in their stored forms: today's bytes, yesterday's, and what is none.

use std::fmt::Debug;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sharekey::error::{ServiceError, StoredRecordError, StoredSlotError};
use sharekey::message::Holding;
use sharekey::service::{LockRecord, ShareRecord, SlotRecord};
use sharekey_stage::desk::*;
use sharekey_stage::forge::signed;
use sharekey_stage::rows::joined;
use sharekey_stage::store::stored;
use sharekey_stage::{hex, public, seed};

/// The records of a format. Lines may be added, and none changed: somebody has stored it.
const SLOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/slot_record_2.txt");
const LOCKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/lock_record_129.txt");

/// One of each shape.
fn shapes() -> Vec<(&'static str, ShareRecord)> {
    let after = |mut record: ShareRecord, messages: &[Vec<u8>]| {
        messages.iter().for_each(|message| drop(take(&mut record, message)));
        record
    };
    let (me, mine) = (public(&owner_seed()), public(&service_seed()));
    let mut full = active_record();
    for n in 2..18 {
        take(&mut full, &granted(n));
        take(&mut full, (&claimed(n), &install(n, 1)));
        take(&mut full, &withdraw(n));
    }
    vec![
        ("opened", record()),
        ("active", active_record()),
        ("closed", after(shared_record(2), &[by_lock(&deactivated(3))])),
        ("sharing", sharing_record(2)),
        ("shared", shared_record(2)),
        ("downloaded", after(shared_record(2), &[receipt(2)])),
        ("inspected", after(shared_record(2), &[by_lock(&found(2, Holding::Empty))])),
        ("revoked", after(sharing_record(2), &[withdraw(2)])),
        ("reset", after(shared_record(2), &[receipt(2), withdraw(2), granted(3)])),
        ("full", full),
        ("reopened", after(shared_record(2), &[by_lock(&transfer_to(me, mine, 2))])),
        ("moved", after(shared_record(2), &[by_lock(&transfer_to(me, public(&seed(50)), 2))])),
    ]
}

fn slots() -> Vec<(&'static str, SlotRecord)> {
    shapes().into_iter().map(|(name, record)| (name, record.of_slot().clone())).collect()
}

fn locks() -> Vec<(&'static str, LockRecord)> {
    let shapes = shapes().into_iter().filter(|(name, _)| ["opened", "reopened", "moved"].contains(name));
    let mut locks: Vec<_> = shapes.map(|(name, record)| (name, record.of_lock().clone())).collect();
    let mut restored = locks[0].1.clone();
    let Ok(_) = service().restored(&mut restored).unwrap().commit(stored);
    locks.push(("restored", restored));
    locks
}

/// A record's own forms.
trait Record: Clone + PartialEq + Debug + Serialize + DeserializeOwned {
    const FORMAT: u8;
    fn bytes(&self) -> Vec<u8>;
    fn read(bytes: &[u8]) -> Result<Self, StoredRecordError>;
}

macro_rules! record {
    ($type:ty, $format:literal) => {
        impl Record for $type {
            const FORMAT: u8 = $format;
            fn bytes(&self) -> Vec<u8> {
                self.to_bytes()
            }
            fn read(bytes: &[u8]) -> Result<Self, StoredRecordError> {
                Self::from_bytes(bytes)
            }
        }
    };
}

record!(SlotRecord, 2);
record!(LockRecord, 129);

fn stay<T: Record>(path: &str, shapes: Vec<(&str, T)>) {
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    let mut golden: Vec<_> = golden.lines().map(|line| line.split_once(' ').unwrap()).collect();
    let mut missing = String::new();
    for (name, record) in shapes {
        let bytes = record.bytes();
        let line = golden.iter().position(|(known, _)| *known == name);
        let stored = line.map(|line| hex::bytes(golden.remove(line).1));
        if stored.as_ref() != Some(&bytes) {
            missing += &format!("{name} {}\n", hex::text(&bytes));
        }
        assert_eq!(T::read(&bytes), Ok(record), "{name}");
    }
    assert!(missing.is_empty(), "not in {path}:\n{missing}");
    // What is made no more is read all the same.
    for (name, stored) in golden {
        assert_eq!(T::read(&hex::bytes(stored)).unwrap().bytes(), hex::bytes(stored), "{name}");
    }
}

#[test]
fn todays_code_reads_yesterdays_records_and_writes_them_the_same() {
    stay(SLOTS, slots());
    stay(LOCKS, locks());
}

fn survive<T: Record>(shapes: Vec<(&str, T)>) {
    for (name, record) in shapes {
        let stored = postcard::to_allocvec(&record).unwrap();
        assert_eq!(stored, record.bytes(), "{name}");
        assert_eq!(postcard::from_bytes::<T>(&stored).unwrap(), record, "{name}");
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<T>(&text).unwrap(), record, "{name}");
    }
}

#[test]
fn a_record_survives_the_forms_of_serde() {
    survive(slots());
    survive(locks());
}

fn told_apart<T: Record>(shapes: Vec<(&str, T)>) {
    for (name, record) in shapes {
        let stored = record.bytes();
        for length in 0..stored.len() {
            let cut = T::read(&stored[..length]);
            assert_eq!(cut, Err(StoredRecordError::Truncated), "{name}: {length} bytes");
        }
        assert_eq!(T::read(&[&stored[..], &[0]].concat()), Err(StoredRecordError::Trailing), "{name}");
        // A slot's record is not read as a lock's, nor one that had the ownership in it.
        for found in [0, 1, 2, 129, 255].into_iter().filter(|found| *found != T::FORMAT) {
            let other = [&[found], &stored[1..]].concat();
            assert_eq!(T::read(&other), Err(StoredRecordError::Format { found }), "{name}");
        }
    }
}

#[test]
fn bytes_that_are_no_record_are_told_apart() {
    told_apart(slots());
    told_apart(locks());
}

#[test]
fn a_record_that_contradicts_itself_is_refused() {
    // Format, lock, slot, epoch and what it follows; after the version the slot: its epoch, the highest number, the
    // last Done and the proven floor.
    const LOCK: usize = 1;
    const SLOT_ID: usize = LOCK + 32;
    const EPOCH: usize = SLOT_ID + 1;
    const FOLLOWS: usize = EPOCH + 4;
    const VERSION: usize = FOLLOWS + 1;
    const LAST_TOLD: usize = VERSION + 1 + 4 + 4;
    let altered = |record: ShareRecord, at: usize, byte: u8| {
        let mut stored = record.of_slot().to_bytes();
        assert_ne!(stored[at], byte);
        stored[at] = byte;
        SlotRecord::from_bytes(&stored).unwrap_err()
    };
    for (record, at, byte, error) in [
        (record(), VERSION, 0, StoredRecordError::Version),
        (record(), FOLLOWS, 0, StoredRecordError::Version),
        (record(), EPOCH, 9, StoredRecordError::Epoch),
        (record(), LAST_TOLD, 9, StoredRecordError::Slot(StoredSlotError::LastToldAboveFloor)),
        (active_record(), SLOT_ID, 9, StoredRecordError::Evidence),
        (sharing_record(2), LOCK, 9, StoredRecordError::GrantContent),
        (sharing_record(2), SLOT_ID, 9, StoredRecordError::GrantContent),
    ] {
        assert_eq!(altered(record, at, byte), error, "byte {at}");
    }
}

/// A message as it stands in JSON.
fn text(message: &[u8]) -> serde_json::Value {
    Base64UrlUnpadded::encode_string(message).into()
}

#[test]
fn a_record_with_a_message_of_another_is_refused() {
    let json = |record: &ShareRecord| serde_json::to_value(record.of_slot()).unwrap();
    let complaint = |value| serde_json::from_value::<SlotRecord>(value).unwrap_err().to_string();
    let with = |record: &ShareRecord, path: &[&str], content: serde_json::Value| {
        let mut value = json(record);
        let field = path.iter().fold(&mut value, |value, field| &mut value[*field]);
        assert_ne!(*field, content);
        *field = content;
        value
    };
    let contradiction = "the stored grant and the slot's state contradict each other";
    assert_eq!(complaint(with(&sharing_record(2), &["grant"], serde_json::Value::Null)), contradiction);
    assert_eq!(complaint(with(&active_record(), &["grant"], text(&granted(2)))), contradiction);
    for other in [granted(3), vec![]] {
        let value = with(&sharing_record(2), &["grant"], text(&other));
        assert_eq!(complaint(value), "the stored grant is not the one that is shared");
    }
    let transfer = transfer_to(public(&seed(50)), public(&service_seed()), 1);
    let elsewhere = sharekey::message::Done { epoch: sharekey::counter::Epoch::new(2), ..activated(1) };
    for (field, message) in [
        ("done", by_lock(&elsewhere)),
        ("done", by_lock(&transfer)),
        ("inspected", vec![]),
        ("receipt", claimed(2)),
        ("withdrawn", withdraw(2)),
    ] {
        let value = with(&sharing_record(2), &["evidence", field], text(&message));
        assert_eq!(complaint(value), "a message that is kept is not of this record", "{field}");
    }
    for message in [by_lock(&transfer), by_lock(&activated(1)), vec![]] {
        let mut value = serde_json::to_value(record().of_lock()).unwrap();
        value["statement"] = text(&message);
        let complaint = serde_json::from_value::<LockRecord>(value).unwrap_err().to_string();
        assert_eq!(complaint, "a message that is kept is not of this record");
    }
    let value = with(&record(), &["format"], 7.into());
    assert_eq!(complaint(value), "the record has format 7, which is not supported");
}

//= spec/protocol.md#service
//# SVC-26. The service MUST refuse a lock's record that is older than the version that a slot's record follows.
#[test]
fn two_records_that_do_not_belong_together_are_not_joined() {
    let (me, mine) = (public(&owner_seed()), public(&service_seed()));
    let first = shared_record(2);
    let mut second = first.clone();
    take(&mut second, &by_lock(&transfer_to(me, mine, 2)));
    let join = |place, lock: &ShareRecord, slot: &ShareRecord| {
        joined(place, lock.of_lock(), Some(slot.of_slot().to_bytes())).map(|record| record.follows())
    };
    let stored = |error| Err(ServiceError::Stored(error));
    assert_eq!(join(first.place(), &first, &first), Ok(1));
    assert_eq!(join(first.place(), &second, &first), Ok(1), "it is brought along");
    assert_eq!(join(first.place(), &first, &second), stored(StoredRecordError::OlderLock));
    let elsewhere = (lock(), sharekey::id::SlotId::new(9));
    assert_eq!(join(elsewhere, &first, &first), stored(StoredRecordError::Place));
    let other = sharekey::message::Provisioned { lock: sharekey::id::LockId::new(public(&seed(60))), ..provisioned() };
    let other = open(&service(), &signed(&other, &seed(60)), SLOT).unwrap();
    assert_eq!(join(first.place(), &other, &first), stored(StoredRecordError::Place));
    let nothing = ShareRecord::load::<ServiceError>(first.place(), |_| Ok(None)).map(|record| record.version());
    assert_eq!(nothing, Err(ServiceError::UnknownLock));
}
