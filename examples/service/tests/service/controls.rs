//! Negative controls: with the settings that are refused, what was acknowledged is lost; with those that are taken, it is not.

use sharekey::crypto::PublicKey;
use sharekey::id::{LockId, SlotId};
use sharekey_service::store::postgres::PostgresStore;
use sharekey_service::store::{Change, Row, Store as _};

use crate::stores::{Own, block_on, run};

const COMMITS: u32 = 300;

/// Commits records until the server crashes right after the last; gives how many of the acknowledged are not there afterwards.
fn lost(server: &Own, level: &str) -> usize {
    let store = || async {
        let options: sqlx::postgres::PgConnectOptions = server.url.parse().unwrap();
        PostgresStore::connect_unjudged(options.options([("synchronous_commit", level)]), 1).await.unwrap()
    };
    let key = |number: u32| {
        let mut lock = [0; 32];
        lock[..4].copy_from_slice(&number.to_be_bytes());
        (LockId::new(PublicKey::from_bytes(lock)), Some(SlotId::new(0)))
    };
    block_on(async {
        let store = store().await;
        for number in 0..COMMITS {
            let row =
                Row { key: key(number), version: 1, bytes: vec![1; 500], owner: None, subject: None, state: None };
            store.commit_unjudged(&Change { before: None, row, told: None }).await.unwrap();
        }
        server.crash();
    });
    server.start_again();
    block_on(async {
        let store = store().await;
        let mut lost = 0;
        for number in 0..COMMITS {
            lost += usize::from(store.load(key(number)).await.unwrap().slot.is_none());
        }
        lost
    })
}

#[test]
fn what_postgres_acknowledged_without_the_disk_is_lost_when_it_crashes() {
    let Some(server) = Own::start(&[]) else { return };
    block_on(async {
        PostgresStore::connect(server.url.parse().unwrap(), 1).await.unwrap().close().await;
    });
    let safe = lost(&server, "on");
    block_on(run(&server.url, "DELETE FROM records"));
    let unsafely = lost(&server, "off");
    println!("lost of {COMMITS}: {safe} with synchronous_commit = on, {unsafely} with off");
    assert_eq!(safe, 0);
    assert!(unsafely > 0, "off lost nothing: is the check of the settings of any use?");
}
