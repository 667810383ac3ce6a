//! A service's record in its stored form: today's bytes, yesterday's, and what is none.

use base64ct::{Base64UrlUnpadded, Encoding};
use sharekey::error::{StoredRecordError, StoredSlotError};
use sharekey::message::Holding;
use sharekey::service::ShareRecord;
use sharekey_stage::desk::*;
use sharekey_stage::{hex, public, seed};

/// The records of the first format. Lines may be added, and none changed: somebody has stored it.
const FORMAT_1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/share_record_1.txt");

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

#[test]
fn todays_code_reads_yesterdays_records_and_writes_them_the_same() {
    let golden = std::fs::read_to_string(FORMAT_1).unwrap();
    let mut golden: Vec<_> = golden.lines().map(|line| line.split_once(' ').unwrap()).collect();
    let mut missing = String::new();
    for (name, record) in shapes() {
        let bytes = record.to_bytes();
        let line = golden.iter().position(|(known, _)| *known == name);
        let stored = line.map(|line| hex::bytes(golden.remove(line).1));
        if stored.as_ref() != Some(&bytes) {
            missing += &format!("{name} {}\n", hex::text(&bytes));
        }
        assert_eq!(ShareRecord::from_bytes(&bytes), Ok(record), "{name}");
    }
    assert!(missing.is_empty(), "not in {FORMAT_1}:\n{missing}");
    // What is made no more is read all the same.
    for (name, stored) in golden {
        assert_eq!(ShareRecord::from_bytes(&hex::bytes(stored)).unwrap().to_bytes(), hex::bytes(stored), "{name}");
    }
}

#[test]
fn a_record_survives_the_forms_of_serde() {
    for (name, record) in shapes() {
        let stored = postcard::to_allocvec(&record).unwrap();
        assert_eq!(stored, record.to_bytes(), "{name}");
        assert_eq!(postcard::from_bytes::<ShareRecord>(&stored).unwrap(), record, "{name}");
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<ShareRecord>(&text).unwrap(), record, "{name}");
    }
}

#[test]
fn bytes_that_are_no_record_are_told_apart() {
    for (name, record) in shapes() {
        let stored = record.to_bytes();
        for length in 0..stored.len() {
            let cut = ShareRecord::from_bytes(&stored[..length]);
            assert_eq!(cut, Err(StoredRecordError::Truncated), "{name}: {length} bytes");
        }
        assert_eq!(ShareRecord::from_bytes(&[&stored[..], &[0]].concat()), Err(StoredRecordError::Trailing), "{name}");
        for found in [0, 2, 255] {
            let other = [&[found], &stored[1..]].concat();
            assert_eq!(ShareRecord::from_bytes(&other), Err(StoredRecordError::Format { found }), "{name}");
        }
    }
}

#[test]
fn a_record_that_contradicts_itself_is_refused() {
    // Format, lock, slot, owner, service and epoch; after the version the slot: its epoch, the highest number, the
    // last Done and the proven floor.
    const LOCK: usize = 1;
    const SLOT_ID: usize = LOCK + 32;
    const EPOCH: usize = SLOT_ID + 1 + 32 + 32;
    const VERSION: usize = EPOCH + 4;
    const LAST_TOLD: usize = VERSION + 1 + 4 + 4;
    let altered = |record: ShareRecord, at: usize, byte: u8| {
        let mut stored = record.to_bytes();
        assert_ne!(stored[at], byte);
        stored[at] = byte;
        ShareRecord::from_bytes(&stored).unwrap_err()
    };
    for (record, at, byte, error) in [
        (record(), VERSION, 0, StoredRecordError::Version),
        (record(), EPOCH, 9, StoredRecordError::Epoch),
        (record(), LAST_TOLD, 9, StoredRecordError::Slot(StoredSlotError::LastToldAboveFloor)),
        (record(), LOCK, 9, StoredRecordError::Evidence),
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
    let json = |record: &ShareRecord| serde_json::to_value(record).unwrap();
    let complaint = |value| serde_json::from_value::<ShareRecord>(value).unwrap_err().to_string();
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
        ("ownership", by_lock(&transfer)),
        ("ownership", by_lock(&activated(1))),
        ("done", by_lock(&elsewhere)),
        ("done", by_lock(&transfer)),
        ("inspected", vec![]),
        ("receipt", claimed(2)),
        ("withdrawn", withdraw(2)),
    ] {
        let value = with(&sharing_record(2), &["evidence", field], text(&message));
        assert_eq!(complaint(value), "a message that is kept is not of this record", "{field}");
    }
    let value = with(&record(), &["format"], 7.into());
    assert_eq!(complaint(value), "the record has format 7, which is not supported");
}
