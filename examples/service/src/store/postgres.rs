//! PostgreSQL, alone or as a cluster that replicates synchronously.

use std::time::Duration;

use async_trait::async_trait;
use sharekey::crypto::PublicKey;
use sharekey::id::LockId;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{PgPool, Postgres, Row as _};

use super::{Change, Cursor, Event, Key, Loaded, Store, StoreError, column, key, settings, signed, sql};

/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

const JUDGED: &str = settings::judged!();

/// Puts a record, tells of it, and gives the settings and how many records were put: none where the settings lose what is
/// acknowledged.
macro_rules! put {
    ($put:literal) => {
        concat!(
            "WITH judged AS MATERIALIZED (",
            settings::judged!(),
            "), put AS (",
            $put,
            " RETURNING 1), told AS (INSERT INTO outbox (lock, slot, version, event) \
             SELECT $1, $2, $3, $9 FROM put WHERE $9::TEXT IS NOT NULL) \
             SELECT judged.*, (SELECT count(*) FROM put) AS put FROM judged"
        )
    };
}

const CREATE: &str = put!(
    "INSERT INTO records (lock, slot, version, digest, bytes, owner, subject, state) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM judged WHERE unsafe IS NULL ON CONFLICT DO NOTHING"
);

const SWAP: &str = put!(
    "UPDATE records SET version = $3, digest = $4, bytes = $5, owner = $6, subject = $7, state = $8 FROM judged \
     WHERE unsafe IS NULL AND lock = $1 AND slot = $2 AND version = $10 AND digest = $11"
);

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
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE);
        let store = Self { pool: pool.connect_with(options).await.map_err(StoreError::Unavailable)? };
        store.judge().await?;
        tables(&store.pool).await?;
        Ok(store)
    }

    async fn judge(&self) -> Result<bool, StoreError> {
        let judged = sqlx::query(JUDGED).fetch_one(&self.pool).await.map_err(StoreError::Unavailable)?;
        settings::postgres(&judged)
    }
}

/// Whether a statement that failed may have been stored all the same: the server says of most errors that it was not.
fn failed(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
    match (&error, code.as_deref()) {
        (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed, _) => StoreError::Unavailable(error),
        // Serialization failure and deadlock, under another isolation than the ordinary one.
        (_, Some("40001" | "40P01")) => StoreError::Conflict,
        // Shut down, or cancelled, perhaps while it waited for a standby.
        (_, Some(code)) if !code.starts_with("57") && !code.starts_with("08") => StoreError::Unavailable(error),
        _ => StoreError::Unknown(error),
    }
}

sql::statements!(Postgres, PgRow);

#[async_trait]
impl Store for PostgresStore {
    async fn load(&self, key: Key) -> Result<Loaded, StoreError> {
        load(&self.pool, key).await
    }

    /// One statement, which is a transaction by itself: the settings, the record and the event.
    async fn commit(&self, change: &Change) -> Result<(), StoreError> {
        let Change { before, row, told } = change;
        let bytes_of = |key: PublicKey| key.as_bytes().to_vec();
        let token = row.token();
        let put = sqlx::query(if before.is_some() { SWAP } else { CREATE });
        let put = put.bind(&row.key.0.key().as_bytes()[..]).bind(column(row.key.1)).bind(signed(token.version)?);
        let put = put.bind(token.digest.to_vec()).bind(&row.bytes).bind(row.owner.map(bytes_of));
        let put = put.bind(row.subject.map(bytes_of)).bind(row.state.map(|state| state.to_string())).bind(told);
        let put = match before {
            Some(before) => put.bind(signed(before.version)?).bind(before.digest.to_vec()),
            None => put,
        };
        // To its end: the answer to the statement is not yet that to its transaction.
        let rows = put.fetch_all(&self.pool).await.map_err(failed)?;
        let row = rows.first().ok_or(StoreError::Corrupt("a statement without its row"))?;
        settings::postgres(row)?;
        if row.get::<i64, _>("put") == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    /// Where standbys have to acknowledge, what was read may not have reached them (after a restart of the primary it shows at once),
    /// and this server may lead no more: a commit of its own comes back only after all before it was acknowledged.
    async fn fence(&self) -> Result<(), StoreError> {
        if self.judge().await? {
            let raised = sqlx::query("UPDATE fence SET raised = raised + 1").execute(&self.pool).await;
            raised.map_err(StoreError::Unavailable)?;
        }
        Ok(())
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
        self.judge().await.map(drop)
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
