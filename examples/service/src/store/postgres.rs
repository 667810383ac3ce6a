//! PostgreSQL, alone or as a cluster that replicates synchronously.

use std::time::Duration;

use async_trait::async_trait;
use sharekey::crypto::PublicKey;
use sharekey::id::LockId;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{PgPool, Postgres, Row as _};

use super::{Change, Cursor, Event, Key, Loaded, Store, StoreError, key, settings, sql};

/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Numbers are drawn before transactions end, and these do not end in that order. What began before the oldest that still
/// runs has ended, so nothing can come to stand before what this gives.
const EVENTS: &str = "SELECT tx::text, id, lock, slot, version, event FROM outbox \
     WHERE (tx, id) > ($1::text::xid8, $2) AND tx < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY tx, id LIMIT $3";

const NEWEST: &str = "SELECT tx::text, id FROM outbox WHERE tx < pg_snapshot_xmin(pg_current_snapshot()) \
     ORDER BY tx DESC, id DESC LIMIT 1";

/// A database on a server.
#[derive(Debug)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Connects, and makes the tables where there are none.
    ///
    /// # Errors
    /// [`StoreError::Unsafe`] where the server would acknowledge what it can lose; [`StoreError::Unavailable`].
    pub async fn connect(options: PgConnectOptions, connections: u32) -> Result<Self, StoreError> {
        let store = Self::connect_unjudged(options, connections).await?;
        store.ready().await?;
        tables(&store.pool).await?;
        Ok(store)
    }

    /// Without a look at the settings, and without tables: for the tests that show what is lost by them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    #[doc(hidden)]
    pub async fn connect_unjudged(options: PgConnectOptions, connections: u32) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE);
        Ok(Self { pool: pool.connect_with(options).await.map_err(StoreError::Unavailable)? })
    }

    /// [`commit`](Store::commit) without a look at the settings: for the same tests.
    ///
    /// # Errors
    /// As there.
    #[doc(hidden)]
    pub async fn commit_unjudged(&self, change: &Change) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await.map_err(StoreError::Unavailable)?;
        apply(&mut transaction, change).await?;
        transaction.commit().await.map_err(StoreError::Unknown)
    }
}

sql::statements!(Postgres, PgRow);

#[async_trait]
impl Store for PostgresStore {
    async fn load(&self, key: Key) -> Result<Loaded, StoreError> {
        load(&self.pool, key).await
    }

    async fn commit(&self, change: &Change) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await.map_err(StoreError::Unavailable)?;
        apply(&mut transaction, change).await?;
        settings::postgres(&mut transaction).await?;
        transaction.commit().await.map_err(StoreError::Unknown)
    }

    /// Where standbys have to acknowledge, what was read may not have reached them (after a restart of the primary it shows at once),
    /// and this server may lead no more: a commit of its own comes back only after all before it was acknowledged.
    async fn fence(&self) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await.map_err(StoreError::Unavailable)?;
        if !settings::postgres(&mut transaction).await?.replicates {
            return Ok(());
        }
        let raised = sqlx::query("UPDATE fence SET raised = raised + 1").execute(&mut *transaction).await;
        raised.map_err(StoreError::Unavailable)?;
        transaction.commit().await.map_err(StoreError::Unavailable)
    }

    async fn find(&self, subject: &PublicKey, after: Option<Key>, limit: u32) -> Result<Vec<Key>, StoreError> {
        page(&self.pool, sql::FIND, subject, (after, limit)).await
    }

    async fn list(&self, owner: &PublicKey, after: Option<Key>, limit: u32) -> Result<Vec<Key>, StoreError> {
        page(&self.pool, sql::LIST, owner, (after, limit)).await
    }

    async fn locks(&self, after: Option<LockId>, limit: u32) -> Result<Vec<LockId>, StoreError> {
        locks(&self.pool, after, limit).await
    }

    async fn events(&self, after: Cursor, limit: u32) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(EVENTS).bind(after.transaction.to_string()).bind(after.id).bind(i64::from(limit));
        rows.fetch_all(&self.pool).await.map_err(StoreError::Unavailable)?.iter().map(event).collect()
    }

    async fn newest(&self) -> Result<Cursor, StoreError> {
        let newest = sqlx::query(NEWEST).fetch_optional(&self.pool).await.map_err(StoreError::Unavailable)?;
        newest.as_ref().map_or(Ok(Cursor::default()), cursor)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await.map_err(StoreError::Unavailable)?;
        settings::postgres(&mut connection).await.map(drop)
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

fn cursor(row: &PgRow) -> Result<Cursor, StoreError> {
    let transaction =
        row.get::<String, _>("tx").parse().map_err(|_| StoreError::Corrupt("a transaction is a number"))?;
    Ok(Cursor { transaction, id: row.get("id") })
}

fn event(row: &PgRow) -> Result<Event, StoreError> {
    let version =
        u64::try_from(row.get::<i64, _>("version")).map_err(|_| StoreError::Corrupt("a version is negative"))?;
    let key = key(row.get("lock"), row.get("slot"))?;
    Ok(Event { at: cursor(row)?, key, version, event: row.get("event") })
}
