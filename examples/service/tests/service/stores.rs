//! Stores to try: each fresh, and gone afterwards.

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
    Postgres(PgConnectOptions),
}

impl Fresh {
    pub async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(folder) => Arc::new(SqliteStore::open(&folder.path().join("records.db")).await.unwrap()),
            Self::Postgres(options) => Arc::new(PostgresStore::connect(options.clone(), 8).await.unwrap()),
        }
    }
}

/// The server that `with-postgres.sh` has started.
pub fn server() -> Option<PgConnectOptions> {
    let found = std::env::var("SHAREKEY_POSTGRES").ok().map(|url| url.parse().unwrap());
    if found.is_none() {
        println!("NOT RUN on PostgreSQL: no SHAREKEY_POSTGRES (examples/service/with-postgres.sh cargo test …)");
    }
    found
}

/// A database of its own on that server.
pub async fn database() -> Option<PgConnectOptions> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let server = server()?;
    let name = format!("test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect_with(&server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
    Some(server.database(&name))
}

/// Plays it on a fresh store of each kind.
pub fn on_each<F: Future<Output = ()>>(play: impl Fn(Fresh) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        play(Fresh::Sqlite(TempDir::new().unwrap())).await;
        if let Some(database) = database().await {
            play(Fresh::Postgres(database)).await;
        }
    });
}
