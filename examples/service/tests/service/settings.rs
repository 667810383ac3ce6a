//! Settings with which what was acknowledged is lost are refused, by name, with the line that mends them: at the start, and
//! where they change under a running service.

use std::sync::Arc;

use sharekey::crypto::PublicKey;
use sharekey::id::LockId;
use sharekey_service::store::postgres::PostgresStore;
use sharekey_service::store::sqlite::SqliteStore;
use sharekey_service::store::{Change, Row, Store, StoreError, Token};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tempfile::TempDir;

use crate::stores::{Own, block_on, database, run, server};

fn refused<T: std::fmt::Debug>(outcome: Result<T, StoreError>, name: &str, found: &str) {
    let Err(StoreError::Unsafe(setting)) = &outcome else { panic!("{name} is accepted: {outcome:?}") };
    assert_eq!((setting.name, setting.found.as_str()), (name, found));
    assert!(!setting.reason.is_empty() && !setting.mend.is_empty());
}

fn change(version: u64) -> Change {
    let key = (LockId::new(PublicKey::from_bytes([1; 32])), None);
    let row = Row { key, version, bytes: vec![1], owner: None, subject: None, state: None };
    let before = (version > 1).then(|| Row { version: version - 1, ..row.clone() }.token());
    Change { before, row, told: None }
}

fn sqlite(folder: &TempDir) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(folder.path().join("records.db")).create_if_missing(true)
}

#[test]
fn sqlite_is_refused_where_a_power_cut_takes_back_a_commit() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let wal = sqlite(&folder).journal_mode(SqliteJournalMode::Wal);
        for (level, name) in [(SqliteSynchronous::Normal, "NORMAL"), (SqliteSynchronous::Off, "OFF")] {
            refused(SqliteStore::open_with(wal.clone().synchronous(level)).await, "synchronous", name);
        }
        for level in [SqliteSynchronous::Full, SqliteSynchronous::Extra] {
            SqliteStore::open_with(wal.clone().synchronous(level)).await.unwrap().close().await;
        }
        let folder = TempDir::new().unwrap();
        let rollback = sqlite(&folder).journal_mode(SqliteJournalMode::Delete).synchronous(SqliteSynchronous::Full);
        refused(SqliteStore::open_with(rollback).await, "journal_mode", "delete");
        let memory = SqliteConnectOptions::new().filename("file:none?mode=memory&cache=shared");
        refused(SqliteStore::open_with(memory).await, "the database", "in memory");
    });
}

#[test]
fn a_session_that_does_not_wait_for_the_disk_is_refused() {
    let Some(server) = server() else { return };
    block_on(async {
        for level in ["off", "local", "remote_write"] {
            let database = database(&server).await;
            let name = database.rsplit_once('/').unwrap().1;
            run(&database, &format!("ALTER DATABASE {name} SET synchronous_commit = {level}")).await;
            refused(PostgresStore::connect(database.parse().unwrap(), 2).await, "synchronous_commit", level);
        }
    });
}

#[test]
fn a_setting_that_changes_under_a_running_service_is_noticed_at_the_next_commit() {
    let Some(server) = server() else { return };
    block_on(async {
        let database = database(&server).await;
        let name = database.rsplit_once('/').unwrap().1;
        let store = PostgresStore::connect(database.parse().unwrap(), 1).await.unwrap();
        store.commit(&change(1)).await.unwrap();
        run(&server, &format!("ALTER DATABASE {name} SET synchronous_commit = off")).await;
        // As a pooler or an administrator does, and every restart.
        run(&server, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")).await;
        let refusal = loop {
            match store.commit(&change(2)).await {
                Err(StoreError::Unavailable(_) | StoreError::Unknown(_)) => {}
                other => break other,
            }
        };
        refused(refusal, "synchronous_commit", "off");
        refused(store.fence().await, "synchronous_commit", "off");
        refused(store.ready().await, "synchronous_commit", "off");
        let read = store.load(change(1).row.key).await.unwrap().lock.unwrap();
        assert_eq!(read.token, Token { version: 1, ..change(1).row.token() }, "nothing was stored");
        run(&server, &format!("ALTER DATABASE {name} RESET synchronous_commit")).await;
        run(&server, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")).await;
        while store.commit(&change(2)).await.is_err() {}
    });
}

#[test]
fn a_server_that_does_not_reach_the_disk_is_refused() {
    let Some(server) = Own::start(&["-c", "fsync=off"]) else { return };
    block_on(async {
        refused(PostgresStore::connect(server.url.parse().unwrap(), 1).await, "fsync", "off");
        run(&server.url, "ALTER SYSTEM SET full_page_writes = off").await;
    });
    server.crash();
    server.start_again();
    block_on(async {
        refused(PostgresStore::connect(server.url.parse().unwrap(), 1).await, "full_page_writes", "off");
    });
}

#[test]
fn a_standby_that_nobody_waits_for_is_refused_also_where_it_comes_later() {
    let Some(primary) = Own::start(&[]) else { return };
    block_on(async {
        let store: Arc<dyn Store> = Arc::new(PostgresStore::connect(primary.url.parse().unwrap(), 2).await.unwrap());
        store.commit(&change(1)).await.unwrap();
        let standby = Own::follow(&primary);
        refused(store.ready().await, "synchronous_standby_names", "empty");
        refused(store.commit(&change(2)).await, "synchronous_standby_names", "empty");
        refused(PostgresStore::connect(standby.url.parse().unwrap(), 1).await, "in_hot_standby", "on");
        run(&primary.url, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'").await;
        run(&primary.url, "SELECT pg_reload_conf()").await;
        while store.ready().await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        store.commit(&change(2)).await.unwrap();
        store.fence().await.unwrap();
    });
}

/// What `Token` is for: the same by the version alone, which is no setting, goes on with what was never decided on.
#[test]
fn a_swap_by_the_version_alone_goes_wrong_after_a_rollback() {
    block_on(async {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(&folder.path().join("records.db")).await.unwrap();
        let row = change(1).row;
        store.commit(&change(1)).await.unwrap();
        // A process has read version 2; then an older copy is restored, and another version 2 comes of it.
        let read = Row { version: 2, bytes: b"released".to_vec(), ..row.clone() }.token();
        let other = Row { version: 2, bytes: b"withdrawn".to_vec(), ..row.clone() };
        store.commit(&Change { before: Some(row.token()), row: other, told: None }).await.unwrap();
        let next = Row { version: 3, bytes: b"downloaded".to_vec(), ..row };
        let swapped = store.commit(&Change { before: Some(read), row: next, told: None }).await;
        assert!(matches!(swapped, Err(StoreError::Conflict)), "{swapped:?}");
        let mut beside = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&sqlite(&folder)).await.unwrap();
        let by_version = "UPDATE records SET version = 3, bytes = x'00' WHERE version = 2";
        let swapped = sqlx::query(by_version).execute(&mut beside).await.unwrap();
        assert_eq!(swapped.rows_affected(), 1, "the withdrawal is gone");
    });
}
