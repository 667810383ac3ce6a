//! What every store has to do (`sharekey::service`, "What the store has to do").

use std::sync::Arc;

use sharekey::crypto::PublicKey;
use sharekey::id::{LockId, SlotId};
use sharekey::slot::State;
use sharekey_service::store::{Change, Copied, Cursor, Key, Row, Store, StoreError, Token};

use crate::stores::{Fresh, on_each};

const fn lock(byte: u8) -> LockId {
    LockId::new(PublicKey::from_bytes([byte; 32]))
}

const fn account(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

const HOUSE: Key = (lock(1), None);
const HALL: Key = (lock(1), Some(SlotId::new(0)));
const OLGA: PublicKey = account(7);

fn row(key: Key, version: u64, content: &str) -> Row {
    let (owner, state) = if key.1.is_some() { (None, Some(State::NotShared)) } else { (Some(OLGA), None) };
    Row { key, version, bytes: content.into(), owner, subject: None, state }
}

fn put(before: Option<Token>, row: Row) -> Change {
    let told = Some(format!("{{\"version\":{}}}", row.version));
    Change { before, row, told }
}

async fn copy(store: &Arc<dyn Store>, key: Key) -> Option<Copied> {
    let loaded = store.load(key).await.unwrap();
    if key.1.is_some() { loaded.slot } else { loaded.lock }
}

async fn content(store: &Arc<dyn Store>, key: Key) -> Option<String> {
    copy(store, key).await.map(|copy| String::from_utf8(copy.bytes).unwrap())
}

fn conflicts(outcome: Result<(), StoreError>) {
    assert!(matches!(outcome, Err(StoreError::Conflict)), "{outcome:?}");
}

/// These were told, and nothing else: as soon as nothing that began before is on its way any more, of which a PostgreSQL has
/// that of its other databases, too.
async fn told(store: &Arc<dyn Store>, expected: &[(Key, u64)]) {
    let mut events = Vec::new();
    for _ in 0..1_000 {
        let read = store.events(Cursor::default(), 1_000).await.unwrap();
        events = read.into_iter().map(|event| (event.key, event.version)).collect();
        if events.len() >= expected.len() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(events, expected);
}

#[test]
fn a_record_is_created_only_where_none_is() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        store.commit(&put(None, row(HALL, 1, "first"))).await.unwrap();
        conflicts(store.commit(&put(None, row(HALL, 1, "second"))).await);
        assert_eq!(content(&store, HALL).await.as_deref(), Some("first"));
        told(&store, &[(HALL, 1)]).await;
        assert_eq!(content(&store, HOUSE).await, None);
    });
}

#[test]
fn a_record_is_replaced_only_in_place_of_the_copy_that_was_decided_on() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        let first = row(HALL, 1, "first");
        conflicts(store.commit(&put(Some(first.token()), row(HALL, 2, "of none"))).await);
        store.commit(&put(None, first.clone())).await.unwrap();
        assert_eq!(copy(&store, HALL).await.unwrap().token, first.token());
        let second = row(HALL, 2, "second");
        store.commit(&put(Some(first.token()), second.clone())).await.unwrap();
        conflicts(store.commit(&put(Some(first.token()), row(HALL, 2, "late"))).await);
        // After a rollback versions are used again.
        let other_content = row(HALL, 2, "rolled back").token();
        conflicts(store.commit(&put(Some(other_content), row(HALL, 3, "third"))).await);
        let other_version = Token { version: 3, ..second.token() };
        conflicts(store.commit(&put(Some(other_version), row(HALL, 3, "third"))).await);
        assert_eq!(content(&store, HALL).await.as_deref(), Some("second"));
        told(&store, &[(HALL, 1), (HALL, 2)]).await;
    });
}

#[test]
fn what_tells_nothing_is_stored_all_the_same() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        store.commit(&Change { told: None, ..put(None, row(HALL, 1, "silent")) }).await.unwrap();
        assert_eq!(content(&store, HALL).await.as_deref(), Some("silent"));
        told(&store, &[]).await;
    });
}

#[test]
fn a_slot_is_read_together_with_its_lock() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        store.commit(&put(None, row(HALL, 1, "hall"))).await.unwrap();
        let alone = store.load(HALL).await.unwrap();
        assert_eq!((alone.lock.is_none(), alone.slot.unwrap().bytes), (true, b"hall".to_vec()));
        let house = row(HOUSE, 1, "house");
        store.commit(&put(None, house.clone())).await.unwrap();
        let both = store.load(HALL).await.unwrap();
        assert_eq!((both.lock.unwrap().token, both.slot.unwrap().bytes), (house.token(), b"hall".to_vec()));
        let of_lock = store.load(HOUSE).await.unwrap();
        assert_eq!((of_lock.lock.unwrap().bytes, of_lock.slot.is_none()), (b"house".to_vec(), true));
    });
}

/// Of many who decided on one copy, one is acknowledged.
#[test]
fn one_of_many_swaps_is_stored() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        let first = row(HALL, 1, "first");
        store.commit(&put(None, first.clone())).await.unwrap();
        let swaps = (0..24).map(|number| {
            let (store, before) = (Arc::clone(&store), first.token());
            tokio::spawn(async move { store.commit(&put(Some(before), row(HALL, 2, &number.to_string()))).await })
        });
        let mut won = Vec::new();
        for (number, swap) in swaps.collect::<Vec<_>>().into_iter().enumerate() {
            match swap.await.unwrap() {
                Ok(()) => won.push(number.to_string()),
                lost => conflicts(lost),
            }
        }
        assert_eq!(won, content(&store, HALL).await.into_iter().collect::<Vec<_>>());
    });
}

#[test]
fn a_subject_and_an_owner_find_their_records_page_by_page() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        let (ana, ben) = (account(1), account(2));
        for byte in 1..=3 {
            for slot in [0, 1] {
                let key = (lock(byte), Some(SlotId::new(slot)));
                let subject = Some(if slot == 0 { ana } else { ben });
                store.commit(&put(None, Row { subject, ..row(key, 1, "shared") })).await.unwrap();
            }
        }
        let of_ana = [1, 2, 3].map(|byte| (lock(byte), Some(SlotId::new(0))));
        assert_eq!(store.find(&ana, None, 10).await.unwrap(), of_ana);
        assert_eq!(store.find(&ana, None, 2).await.unwrap(), of_ana[..2]);
        assert_eq!(store.find(&ana, Some(of_ana[1]), 2).await.unwrap(), of_ana[2..]);
        assert_eq!(store.find(&account(3), None, 10).await.unwrap(), []);
        // It is not found by what it was before.
        let before = Row { subject: Some(ana), ..row(of_ana[0], 1, "shared") }.token();
        store.commit(&put(Some(before), row(of_ana[0], 2, "shared no more"))).await.unwrap();
        assert_eq!(store.find(&ana, None, 10).await.unwrap(), of_ana[1..]);
        for byte in 1..=3 {
            store.commit(&put(None, row((lock(byte), None), 1, "house"))).await.unwrap();
        }
        let houses = [1, 2, 3].map(|byte| (lock(byte), None));
        assert_eq!(store.list(&OLGA, None, 2).await.unwrap(), houses[..2]);
        assert_eq!(store.list(&OLGA, Some(houses[1]), 2).await.unwrap(), houses[2..]);
        assert_eq!(store.list(&ana, None, 4).await.unwrap(), []);
        let locks = houses.map(|(lock, _)| lock);
        assert_eq!(store.locks(None, 2).await.unwrap(), locks[..2]);
        assert_eq!(store.locks(Some(locks[1]), 2).await.unwrap(), locks[2..]);
    });
}

/// One listener, many writers: each event once, none before one that was given already.
#[test]
fn a_listener_misses_nothing_and_hears_nothing_twice() {
    const WRITERS: u8 = 8;
    const EACH: u8 = 25;
    on_each(|fresh| async move {
        let store = fresh.open().await;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    for slot in 0..EACH {
                        store.commit(&put(None, row((lock(writer), Some(SlotId::new(slot))), 1, "new"))).await.unwrap();
                    }
                })
            })
            .collect();
        let (mut at, mut heard) = (Cursor::default(), Vec::new());
        while heard.len() < usize::from(WRITERS) * usize::from(EACH) {
            for event in store.events(at, 7).await.unwrap() {
                assert!(event.at > at, "{:?} after {at:?}", event.at);
                at = event.at;
                heard.push(event.key);
            }
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert!(store.events(at, 7).await.unwrap().is_empty());
        assert_eq!(store.newest().await.unwrap(), at);
        heard.sort_unstable();
        heard.dedup();
        assert_eq!(heard.len(), usize::from(WRITERS) * usize::from(EACH));
    });
}

#[test]
fn what_was_acknowledged_is_there_when_the_store_is_opened_again() {
    on_each(|fresh: Fresh| async move {
        let store = fresh.open().await;
        let long = "x".repeat(8_192);
        store.commit(&put(None, row(HALL, 1, &long))).await.unwrap();
        store.close().await;
        let again = fresh.open().await;
        again.ready().await.unwrap();
        again.fence().await.unwrap();
        assert_eq!(content(&again, HALL).await.as_deref(), Some(&long[..]));
        told(&again, &[(HALL, 1)]).await;
    });
}

#[test]
fn a_version_that_no_column_holds_is_refused() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        let refused = store.commit(&put(None, row(HALL, u64::MAX, "x"))).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
        assert_eq!(content(&store, HALL).await, None);
    });
}
