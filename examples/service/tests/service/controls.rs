//! Negative controls: with the settings that are refused, what was acknowledged is lost; with those that are taken, it is not.

use std::path::{Path, PathBuf};
use std::process::Command;

use sharekey_service::store::Store as _;
use sharekey_service::store::postgres::PostgresStore;
use sharekey_service::store::sqlite::SqliteStore;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::stores::{Own, block_on, run};

const COMMITS: i64 = 300;

/// Commits records until the server crashes right after the last; gives how many of the acknowledged are not there afterwards.
fn lost(server: &Own, level: &str) -> i64 {
    let put = "INSERT INTO records (lock, slot, version, digest, bytes) VALUES ($1, 0, 1, '', repeat('x', 500)::BYTEA)";
    block_on(async {
        let options: PgConnectOptions = server.url.parse().unwrap();
        let mut session = PgConnection::connect_with(&options.options([("synchronous_commit", level)])).await.unwrap();
        for number in 0..COMMITS {
            sqlx::query(put).bind(&number.to_be_bytes()[..]).execute(&mut session).await.unwrap();
        }
        server.crash();
    });
    server.start_again();
    block_on(async {
        let mut session = PgConnection::connect(&server.url).await.unwrap();
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM records").fetch_one(&mut session).await.unwrap();
        COMMITS - there
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

/// A disk whose power can be cut: a file with a file system in it, of which only what was synced is there afterwards.
struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        let disk = Self(TempDir::new().unwrap());
        std::fs::File::create(disk.at("image")).unwrap().set_len(64 << 20).unwrap();
        run_as_root("mkfs.ext4", &["-q".as_ref(), &disk.at("image")]);
        disk.mount("image", "before");
        disk
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn mount(&self, image: &str, at: &str) {
        std::fs::create_dir(self.at(at)).unwrap();
        // What nobody has synced stays in memory for five minutes.
        run_as_root("mount", &["-o".as_ref(), "loop,commit=300".as_ref(), &self.at(image), &self.at(at)]);
    }

    /// What is on the disk at this moment, mounted beside.
    fn cut(&self) -> PathBuf {
        std::fs::copy(self.at("image"), self.at("image.cut")).unwrap();
        self.mount("image.cut", "after");
        self.at("after")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        for at in ["before", "after"] {
            drop(Command::new("umount").arg(self.at(at)).status());
        }
    }
}

fn run_as_root(program: &str, arguments: &[&Path]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program} {arguments:?}");
}

/// Commits to a SQLite on a disk whose power is cut right after the last; gives how many of the acknowledged are not there.
async fn lost_on_sqlite(journal: SqliteJournalMode, level: SqliteSynchronous) -> i64 {
    let disk = Disk::new();
    let file = disk.at("before").join("records.db");
    SqliteStore::open(&file).await.unwrap().close().await;
    let options = SqliteConnectOptions::new().journal_mode(journal).synchronous(level);
    let mut session = options.clone().filename(&file).connect().await.unwrap();
    // The tables are there, whatever comes.
    run_as_root("sync", &["-f".as_ref(), &file]);
    let put = "INSERT INTO records (lock, slot, version, digest, bytes) VALUES ($1, 0, 1, x'', randomblob(500))";
    for number in 0..CUT {
        sqlx::query(put).bind(&number.to_be_bytes()[..]).execute(&mut session).await.unwrap();
    }
    let after = disk.cut().join("records.db");
    let mut again: SqliteConnection = options.filename(after).connect().await.unwrap();
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM records").fetch_one(&mut again).await.unwrap();
    again.close().await.unwrap();
    session.close().await.unwrap();
    CUT - there
}

const CUT: i64 = 100;

#[test]
#[ignore = "needs root, for a disk whose power is cut: faults.sh"]
fn what_sqlite_acknowledged_without_the_disk_is_lost_when_the_power_is_cut() {
    use SqliteJournalMode::{Delete, Wal};
    use SqliteSynchronous::{Full, Normal, Off};
    block_on(async {
        let lost = [
            lost_on_sqlite(Wal, Full).await,
            lost_on_sqlite(Wal, Normal).await,
            lost_on_sqlite(Wal, Off).await,
            lost_on_sqlite(Delete, Full).await,
        ];
        println!("lost of {CUT} on SQLite: WAL and FULL, NORMAL, OFF, DELETE and FULL: {lost:?}");
        assert_eq!(lost[0], 0);
        assert!(lost[1] > 0 && lost[2] > 0, "{lost:?}");
    });
}
