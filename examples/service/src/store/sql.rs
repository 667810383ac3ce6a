//! The statements that both engines take, and what is done by them.

pub const LOAD: &str = "SELECT slot, version, digest, bytes FROM records WHERE lock = $1 AND slot IN (-1, $2)";

// Row values compare in the order of the primary key; an empty lock stands before all.
pub const FIND: &str = "SELECT lock, slot FROM records WHERE subject = $1 AND (lock, slot) > ($2, $3) \
     ORDER BY lock, slot LIMIT $4";

pub const LIST: &str = "SELECT lock, slot FROM records WHERE owner = $1 AND (lock, slot) > ($2, $3) \
     ORDER BY lock, slot LIMIT $4";

pub const LOCKS: &str =
    "SELECT lock FROM records WHERE owner IS NOT NULL AND slot = -1 AND lock > $1 ORDER BY lock LIMIT $2";

/// What both engines do by these statements, each with types of its own.
macro_rules! statements {
    ($engine:ty, $row:ty) => {
        async fn load(pool: &sqlx::Pool<$engine>, key: super::Key) -> Result<super::Loaded, super::StoreError> {
            use super::{Loaded, StoreError, column, copied, sql};

            let rows = sqlx::query(sql::LOAD).bind(&key.0.key().as_bytes()[..]).bind(column(key.1));
            let rows: Vec<$row> = rows.fetch_all(pool).await.map_err(StoreError::Unavailable)?;
            let mut loaded = Loaded::default();
            for row in rows {
                let copy = copied(row.get("version"), row.get("digest"), row.get("bytes"))?;
                match row.get::<i16, _>("slot") {
                    -1 => loaded.lock = Some(copy),
                    _ => loaded.slot = Some(copy),
                }
            }
            Ok(loaded)
        }

        /// A page of the places that a statement finds by a key.
        async fn page(
            pool: &sqlx::Pool<$engine>,
            statement: &'static str,
            by: &sharekey::crypto::PublicKey,
            (after, limit): (Option<super::Key>, u32),
        ) -> Result<Vec<super::Key>, super::StoreError> {
            let lock = after.map_or(Vec::new(), |(lock, _)| lock.key().as_bytes().to_vec());
            let slot = after.map_or(-1, |(_, slot)| super::column(slot));
            let rows = sqlx::query(statement).bind(&by.as_bytes()[..]).bind(lock).bind(slot).bind(i64::from(limit));
            let rows: Vec<$row> = rows.fetch_all(pool).await.map_err(super::StoreError::Unavailable)?;
            rows.iter().map(|row| super::key(row.get("lock"), row.get("slot"))).collect()
        }

        async fn locks(
            pool: &sqlx::Pool<$engine>,
            after: Option<sharekey::id::LockId>,
            limit: u32,
        ) -> Result<Vec<sharekey::id::LockId>, super::StoreError> {
            let after = after.map_or(Vec::new(), |lock| lock.key().as_bytes().to_vec());
            let rows = sqlx::query(super::sql::LOCKS).bind(after).bind(i64::from(limit)).fetch_all(pool).await;
            let rows: Vec<$row> = rows.map_err(super::StoreError::Unavailable)?;
            rows.iter().map(|row| Ok(super::key(row.get("lock"), -1)?.0)).collect()
        }

        async fn tables(pool: &sqlx::Pool<$engine>) -> Result<(), super::StoreError> {
            MIGRATIONS.run(pool).await.map_err(|error| super::StoreError::Unavailable(error.into()))
        }
    };
}

pub(super) use statements;
