//! What is kept, and what a store of it has to do: the contract is in `sharekey::service`, its test in
//! `tests/service/conformance.rs`.

pub mod postgres;
pub mod settings;
mod sql;
pub mod sqlite;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use sharekey::crypto::{Hash as _, PublicKey, Ring};
use sharekey::id::{LockId, SlotId};
pub use sharekey::service::Key;
use sharekey::service::LockRecord;
use sharekey::slot::State;

use self::settings::Unsafe;

/// A record as it is stored: the library's bytes, and the columns that are asked by.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it is.
    pub key: Key,
    /// The record's version.
    pub version: u64,
    /// The record.
    pub bytes: Vec<u8>,
    /// Whose lock it is, in the lock's own record.
    pub owner: Option<PublicKey>,
    /// To whom the slot is shared.
    pub subject: Option<PublicKey>,
    /// The slot's state.
    pub state: Option<State>,
}

impl Row {
    /// The row of a lock's own record.
    #[must_use]
    pub fn of_lock(record: &LockRecord) -> Self {
        let (key, owner) = ((record.lock(), None), Some(*record.owner()));
        Self { key, version: record.version(), bytes: record.to_bytes(), owner, subject: None, state: None }
    }

    /// What a later change of this record names as what it was decided on.
    #[must_use]
    pub fn token(&self) -> Token {
        Token { version: self.version, digest: Ring.sha256(&[&self.bytes]) }
    }
}

/// Which copy of a record: after a rollback versions are used again, so its digest stands beside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// The record's version.
    pub version: u64,
    /// SHA-256 of the record.
    pub digest: [u8; 32],
}

/// A record that was read.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Which copy.
    pub token: Token,
    /// The record.
    pub bytes: Vec<u8>,
}

/// What is kept of a lock and of one of its slots, as of one moment.
#[derive(Clone, Default, Debug)]
pub struct Loaded {
    /// The lock's own record.
    pub lock: Option<Copied>,
    /// The slot's, where one was asked for.
    pub slot: Option<Copied>,
}

/// What one transaction does: all of it, or nothing.
#[derive(Clone, Debug)]
pub struct Change {
    /// The copy that it was decided on, and in place of which the record is put; or none is there.
    pub before: Option<Token>,
    /// The record.
    pub row: Row,
    /// What is told to those who listen, as JSON.
    pub told: Option<String>,
}

/// Where a listener is in the outbox.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Cursor {
    /// The transaction; 0 where the engine has one writer.
    pub transaction: u64,
    /// The number.
    pub id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.transaction, self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('-').and_then(|(transaction, id)| {
            Some(Self { transaction: transaction.parse().ok()?, id: id.parse().ok().filter(|id| *id >= 0)? })
        });
        parsed.ok_or("a cursor is two numbers with a hyphen between, as an event's id shows it")
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Where it stands.
    pub at: Cursor,
    /// Of which record.
    pub key: Key,
    /// Which version of the record came of it.
    pub version: u64,
    /// What, as JSON.
    pub event: String,
}

/// Why a store did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another change came first: nothing was stored. Read again, and decide again.
    #[error("another request came first")]
    Conflict,
    /// Nothing was stored.
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The change may be stored, or not: the same request once more finds out.
    #[error("whether it was stored is not known: {0}")]
    Unknown(#[source] sqlx::Error),
    /// The engine's settings would lose what is acknowledged: nothing was stored.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// What is stored is not what a store has written.
    #[error("the database holds what no service wrote: {0}")]
    Corrupt(&'static str),
}

/// What keeps the records.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Reads the lock's record, and the slot's where the key names one, as they were acknowledged last, and both as of one
    /// moment. What is read may yet have to be [fenced](Self::fence) before something is signed from it that is not stored.
    async fn load(&self, key: Key) -> Result<Loaded, StoreError>;

    /// Does all of a change in one transaction, durable when this returns.
    async fn commit(&self, change: &Change) -> Result<(), StoreError>;

    /// Returns once whatever was read before the call is durable, and was the newest at some moment after the call
    /// that read it: an engine where a read alone shows it has nothing to do.
    async fn fence(&self) -> Result<(), StoreError>;

    /// Where something may be shared with a key, in their order, after one. A hint: look at the record.
    async fn find(&self, subject: &PublicKey, after: Option<Key>, limit: u32) -> Result<Vec<Key>, StoreError>;

    /// The locks of an owner, in their order, after one.
    async fn list(&self, owner: &PublicKey, after: Option<Key>, limit: u32) -> Result<Vec<Key>, StoreError>;

    /// All locks, in their order, after one.
    async fn locks(&self, after: Option<LockId>, limit: u32) -> Result<Vec<LockId>, StoreError>;

    /// What happened after that, in the order of the store: an event that comes later never stands before.
    async fn events(&self, after: Cursor, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// Where the outbox ends now.
    async fn newest(&self) -> Result<Cursor, StoreError>;

    /// Whether it would store now: reached, writable, and its settings safe.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Ends all connections, after what runs on them.
    async fn close(&self);
}

/// Opens the store that a URL names: `sqlite:FILE`, or `postgres://…`.
///
/// # Errors
/// Where it cannot be opened, or would lose what it acknowledges.
pub async fn open(url: &str, connections: u32) -> anyhow::Result<Arc<dyn Store>> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        return Ok(Arc::new(sqlite::SqliteStore::open(Path::new(file.trim_start_matches("//"))).await?));
    }
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return Ok(Arc::new(postgres::PostgresStore::connect(url.parse()?, connections).await?));
    }
    anyhow::bail!("a database is sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE")
}

/// The number of a slot in a column: −1 for the lock's own record.
fn column(slot: Option<SlotId>) -> i16 {
    slot.map_or(-1, |slot| i16::from(slot.index()))
}

/// A copy from its columns.
fn copied(version: i64, digest: &[u8], bytes: Vec<u8>) -> Result<Copied, StoreError> {
    let token = u64::try_from(version).ok().zip(digest.try_into().ok());
    let (version, digest) = token.ok_or(StoreError::Corrupt("a version is not negative, and a digest has 32 bytes"))?;
    Ok(Copied { token: Token { version, digest }, bytes })
}

/// A version as it stands in a column.
fn signed(version: u64) -> Result<i64, StoreError> {
    i64::try_from(version).map_err(|_| StoreError::Corrupt("a version has 63 bits"))
}

/// Lock and slot from their columns.
fn key(lock: &[u8], slot: i16) -> Result<Key, StoreError> {
    let lock = lock.try_into().map_err(|_| StoreError::Corrupt("a lock's id has 32 bytes"))?;
    let slot = match slot {
        -1 => None,
        slot => Some(SlotId::new(u8::try_from(slot).map_err(|_| StoreError::Corrupt("a slot is a byte"))?)),
    };
    Ok((LockId::new(PublicKey::from_bytes(lock)), slot))
}
