//! One file on one machine, with nothing to install: one connection writes, and several read.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use sharekey::crypto::PublicKey;
use sharekey::id::LockId;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool};

use super::{Change, Cursor, Event, Key, Loaded, Store, StoreError, column, key, settings, signed, sql};

/// How many read side by side.
const READERS: u32 = 4;
/// How long a writer waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(5);

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

const CREATE: &str = "INSERT INTO records (lock, slot, version, digest, bytes, owner, subject, state) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";

const SWAP: &str = "UPDATE records SET version = $3, digest = $4, bytes = $5, owner = $6, subject = $7, state = $8 \
     WHERE lock = $1 AND slot = $2 AND version = $9 AND digest = $10";

const TELL: &str = "INSERT INTO outbox (lock, slot, version, event) VALUES ($1, $2, $3, $4)";

const EVENTS: &str = "SELECT id, lock, slot, version, event FROM outbox WHERE id > $1 ORDER BY id LIMIT $2";

/// A database in a file.
#[derive(Debug)]
pub struct SqliteStore {
    // Eight writers wait on one another's locks for longer than one takes to serve them in turn.
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unsafe`] where the file cannot be written so that what is acknowledged is never lost;
    /// [`StoreError::Unavailable`].
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        Self::open_with(options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)).await
    }

    /// As [`open`](Self::open), with options of the caller's, which are judged as any others.
    ///
    /// # Errors
    /// As there.
    pub async fn open_with(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let store = Self::open_unjudged(options).await?;
        settings::sqlite(&store.writer).await?;
        Ok(store)
    }

    /// Without a look at the settings: for the tests that show what is lost by them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    #[doc(hidden)]
    pub async fn open_unjudged(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let options = options.busy_timeout(BUSY);
        let writer = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let writer = writer.connect_with(options.clone()).await.map_err(StoreError::Unavailable)?;
        tables(&writer).await?;
        let readers = SqlitePoolOptions::new().max_connections(READERS);
        let readers = readers.connect_with(options.read_only(true).create_if_missing(false)).await;
        Ok(Self { writer, readers: readers.map_err(StoreError::Unavailable)? })
    }
}

sql::statements!(Sqlite, SqliteRow);

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, key: Key) -> Result<Loaded, StoreError> {
        load(&self.readers, key).await
    }

    async fn commit(&self, change: &Change) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::Unavailable)?;
        apply(&mut transaction, change).await?;
        transaction.commit().await.map_err(StoreError::Unknown)
    }

    /// What a reader sees is in the log, and the log is synced before anybody sees it.
    async fn fence(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn find(&self, subject: &PublicKey, after: Option<Key>, limit: u32) -> Result<Vec<Key>, StoreError> {
        page(&self.readers, sql::FIND, subject, (after, limit)).await
    }

    async fn list(&self, owner: &PublicKey, after: Option<Key>, limit: u32) -> Result<Vec<Key>, StoreError> {
        page(&self.readers, sql::LIST, owner, (after, limit)).await
    }

    async fn locks(&self, after: Option<LockId>, limit: u32) -> Result<Vec<LockId>, StoreError> {
        locks(&self.readers, after, limit).await
    }

    async fn events(&self, after: Cursor, limit: u32) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(EVENTS).bind(after.id).bind(i64::from(limit)).fetch_all(&self.readers).await;
        rows.map_err(StoreError::Unavailable)?.iter().map(event).collect()
    }

    async fn newest(&self) -> Result<Cursor, StoreError> {
        let id = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM outbox").fetch_one(&self.readers).await;
        Ok(Cursor { transaction: 0, id: id.map_err(StoreError::Unavailable)? })
    }

    async fn ready(&self) -> Result<(), StoreError> {
        settings::sqlite(&self.writer).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Does all of a change but to commit it; a conflict leaves the transaction to be rolled back.
async fn apply(connection: &mut SqliteConnection, Change { before, row, told }: &Change) -> Result<(), StoreError> {
    let (lock, slot) = (&row.key.0.key().as_bytes()[..], column(row.key.1));
    let (token, bytes_of) = (row.token(), |key: PublicKey| key.as_bytes().to_vec());
    let put = sqlx::query(if before.is_some() { SWAP } else { CREATE });
    let put = put.bind(lock).bind(slot).bind(signed(token.version)?).bind(token.digest.to_vec());
    let put = put.bind(&row.bytes).bind(row.owner.map(bytes_of)).bind(row.subject.map(bytes_of));
    let put = put.bind(row.state.map(|state| state.to_string()));
    let put = match before {
        Some(before) => put.bind(signed(before.version)?).bind(before.digest.to_vec()),
        None => put,
    };
    if put.execute(&mut *connection).await.map_err(StoreError::Unavailable)?.rows_affected() != 1 {
        return Err(StoreError::Conflict);
    }
    if let Some(event) = told {
        let told = sqlx::query(TELL).bind(lock).bind(slot).bind(signed(row.version)?).bind(event);
        told.execute(connection).await.map_err(StoreError::Unavailable)?;
    }
    Ok(())
}

fn event(row: &SqliteRow) -> Result<Event, StoreError> {
    let version =
        u64::try_from(row.get::<i64, _>("version")).map_err(|_| StoreError::Corrupt("a version is negative"))?;
    Ok(Event {
        at: Cursor { transaction: 0, id: row.get("id") },
        key: key(row.get("lock"), row.get("slot"))?,
        version,
        event: row.get("event"),
    })
}
