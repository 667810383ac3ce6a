//! What every store has to do (`sharekey::service`, "What the store has to do").

use std::sync::Arc;

use sharekey::crypto::PublicKey;
use sharekey::id::{LockId, SlotId};
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
    Row { key, version, bytes: content.into(), owner: OLGA, subject: None, epoch: 1, state: "NotShared" }
}

fn put(before: Option<Token>, row: Row) -> Change {
    let told = vec![(row.key, row.version, format!("{{\"version\":{}}}", row.version))];
    Change { put: vec![(before, row)], told, ..Change::default() }
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

async fn all_events(store: &Arc<dyn Store>) -> Vec<(Key, u64)> {
    store.events(Cursor::default(), 1_000).await.unwrap().into_iter().map(|event| (event.key, event.version)).collect()
}

#[test]
fn a_record_is_created_only_where_none_is() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        store.commit(&put(None, row(HALL, 1, "first"))).await.unwrap();
        conflicts(store.commit(&put(None, row(HALL, 1, "second"))).await);
        assert_eq!(content(&store, HALL).await.as_deref(), Some("first"));
        assert_eq!(all_events(&store).await, [(HALL, 1)]);
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
        assert_eq!(all_events(&store).await, [(HALL, 1), (HALL, 2)]);
    });
}

#[test]
fn a_change_is_done_whole_or_not_at_all() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        let house = row(HOUSE, 1, "house");
        store.commit(&put(None, house.clone())).await.unwrap();
        let mut both = put(Some(house.token()), row(HOUSE, 2, "moved"));
        both.put.push((Some(row(HALL, 1, "none is there").token()), row(HALL, 2, "hall")));
        conflicts(store.commit(&both).await);
        assert_eq!(content(&store, HOUSE).await.as_deref(), Some("house"));
        assert_eq!(all_events(&store).await, [(HOUSE, 1)]);
    });
}

#[test]
fn what_a_change_was_decided_on_and_leaves_has_to_be_there_still() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        let house = row(HOUSE, 1, "house");
        store.commit(&put(None, house.clone())).await.unwrap();
        let opening = Change { seen: vec![(HOUSE, house.token())], ..put(None, row(HALL, 1, "hall")) };
        store.commit(&put(Some(house.token()), row(HOUSE, 2, "moved"))).await.unwrap();
        conflicts(store.commit(&opening).await);
        assert_eq!(content(&store, HALL).await, None);
        let moved = row(HOUSE, 2, "moved").token();
        store.commit(&Change { seen: vec![(HOUSE, moved)], ..opening }).await.unwrap();
        let loaded = store.load(HALL).await.unwrap();
        assert_eq!(loaded.lock.unwrap().token, moved);
        assert_eq!(loaded.slot.unwrap().bytes, b"hall");
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

/// What is decided on a lock's record, and a change of that record: one comes first, and the other sees it.
#[test]
fn a_slot_and_its_lock_do_not_change_past_each_other() {
    on_each(|fresh| async move {
        let store = fresh.open().await;
        for round in 0..20 {
            let (house, hall) = ((lock(round), None), (lock(round), Some(SlotId::new(0))));
            let before = row(house, 1, "house");
            store.commit(&put(None, before.clone())).await.unwrap();
            let opening = Change { seen: vec![(house, before.token())], ..put(None, row(hall, 1, "hall")) };
            let moving = put(Some(before.token()), row(house, 2, "moved"));
            let (opened, moved) = tokio::join!(store.commit(&opening), store.commit(&moving));
            // Moving waits for what was decided before it, and is never refused for that.
            moved.unwrap();
            let events: Vec<Key> =
                all_events(&store).await.into_iter().map(|(key, _)| key).filter(|key| key.0 == house.0).collect();
            match opened {
                Ok(()) => assert_eq!(events, [house, hall, house]),
                lost => {
                    conflicts(lost);
                    assert_eq!(events, [house, house]);
                }
            }
        }
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
        let owned = store.list(&OLGA, None, 4).await.unwrap();
        assert_eq!(owned.len(), 4);
        assert_eq!(store.list(&OLGA, Some(owned[3]), 4).await.unwrap().len(), 2);
        assert_eq!(store.list(&ana, None, 4).await.unwrap(), []);
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
        assert_eq!(all_events(&again).await, [(HALL, 1)]);
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
