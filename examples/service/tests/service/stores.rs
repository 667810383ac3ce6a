//! Stores to try: each fresh, and gone afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sharekey_service::store::Store;
use sharekey_service::store::postgres::PostgresStore;
use sharekey_service::store::sqlite::SqliteStore;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tempfile::TempDir;

/// A store, and what it stands on.
pub enum Fresh {
    Sqlite(TempDir),
    Postgres(Box<PgConnectOptions>),
}

impl Fresh {
    pub async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(folder) => Arc::new(SqliteStore::open(&folder.path().join("records.db")).await.unwrap()),
            Self::Postgres(options) => Arc::new(PostgresStore::connect((**options).clone(), 8).await.unwrap()),
        }
    }
}

/// The server that `with-postgres.sh` has started.
pub fn server() -> Option<String> {
    let found = std::env::var("SHAREKEY_POSTGRES").ok();
    if found.is_none() {
        println!("NOT RUN on PostgreSQL: no SHAREKEY_POSTGRES (examples/service/with-postgres.sh cargo test …)");
    }
    found
}

/// A database of its own on a server, by its URL.
pub async fn database(server: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    run(server, &format!("CREATE DATABASE {name}")).await;
    format!("{}/{name}", server.rsplit_once('/').unwrap().0)
}

/// Runs a statement on a connection of its own.
pub async fn run(database: &str, statement: &str) {
    let mut connection = PgConnection::connect(database).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

/// Plays it on a fresh store of each kind.
pub fn on_each<F: Future<Output = ()>>(play: impl Fn(Fresh) -> F) {
    block_on(async {
        play(Fresh::Sqlite(TempDir::new().unwrap())).await;
        if let Some(server) = server() {
            play(Fresh::Postgres(Box::new(database(&server).await.parse().unwrap()))).await;
        }
    });
}

/// A server of the test's own, which it may kill.
pub struct Own {
    folder: TempDir,
    pub url: String,
}

impl Own {
    /// Started with these settings; `None` where the tests are to go without PostgreSQL.
    pub fn start(settings: &[&str]) -> Option<Self> {
        server()?;
        let folder = TempDir::new().unwrap();
        let url = Self::script("start", folder.path(), settings);
        Some(Self { folder, url })
    }

    /// A standby of another.
    pub fn follow(primary: &Self) -> Self {
        let folder = TempDir::new().unwrap();
        let url = Self::script("follow", folder.path(), &[primary.folder.path().to_str().unwrap()]);
        Self { folder, url }
    }

    /// As a crash: nothing is written any more, and no connection is closed in order.
    pub fn crash(&self) {
        Self::script("kill", self.folder.path(), &[]);
    }

    pub fn start_again(&self) {
        Self::script("start", self.folder.path(), &[]);
    }

    fn script(what: &str, folder: &Path, more: &[&str]) -> String {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("postgres.sh");
        let done = Command::new(script).arg(what).arg(folder).args(more).output().unwrap();
        assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        Self::script("stop", self.folder.path(), &[]);
    }
}
