//! The statements that both engines take, and what is done by them.

pub const LOAD: &str = "SELECT slot, version, digest, bytes FROM records WHERE lock = $1 AND slot IN (-1, $2)";

pub const CREATE: &str = "INSERT INTO records (lock, slot, version, digest, bytes, owner, subject, epoch, state) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";

pub const SWAP: &str = "UPDATE records SET version = $3, digest = $4, bytes = $5, owner = $6, subject = $7, epoch = $8, \
     state = $9 WHERE lock = $1 AND slot = $2 AND version = $10 AND digest = $11";

pub const TELL: &str = "INSERT INTO outbox (lock, slot, version, event) VALUES ($1, $2, $3, $4)";

// Row values compare in the order of the primary key; an empty lock stands before all.
pub const FIND: &str = "SELECT lock, slot FROM records WHERE subject = $1 AND (lock, slot) > ($2, $3) \
     ORDER BY lock, slot LIMIT $4";

pub const LIST: &str = "SELECT lock, slot FROM records WHERE owner = $1 AND (lock, slot) > ($2, $3) \
     ORDER BY lock, slot LIMIT $4";

/// What both engines do by these statements, each with types of its own.
macro_rules! statements {
    ($engine:ty, $row:ty) => {
        /// Does all of a change but to commit it; a conflict leaves the transaction to be rolled back.
        async fn apply(
            connection: &mut <$engine as sqlx::Database>::Connection,
            change: &super::Change,
        ) -> Result<(), super::StoreError> {
            use super::{StoreError, column, signed, sql};

            for (key, token) in &change.seen {
                let seen = sqlx::query(SEEN).bind(&key.0.key().as_bytes()[..]).bind(column(key.1));
                let seen = seen.bind(signed(token.version)?).bind(&token.digest[..]);
                let seen = seen.fetch_optional(&mut *connection).await.map_err(StoreError::Unavailable)?;
                seen.ok_or(StoreError::Conflict)?;
            }
            for (before, row) in &change.put {
                let token = row.token();
                let put = sqlx::query(if before.is_some() { sql::SWAP } else { sql::CREATE })
                    .bind(&row.key.0.key().as_bytes()[..])
                    .bind(column(row.key.1))
                    .bind(signed(token.version)?)
                    .bind(token.digest.to_vec())
                    .bind(&row.bytes)
                    .bind(&row.owner.as_bytes()[..])
                    .bind(row.subject.map(|subject| subject.as_bytes().to_vec()))
                    .bind(i64::from(row.epoch))
                    .bind(row.state);
                let put = match before {
                    Some(before) => put.bind(signed(before.version)?).bind(&before.digest[..]),
                    None => put,
                };
                let put = put.execute(&mut *connection).await.map_err(StoreError::Unavailable)?;
                if put.rows_affected() != 1 {
                    return Err(StoreError::Conflict);
                }
            }
            for (key, version, event) in &change.told {
                let told = sqlx::query(sql::TELL).bind(&key.0.key().as_bytes()[..]).bind(column(key.1));
                let told = told.bind(signed(*version)?).bind(event);
                told.execute(&mut *connection).await.map_err(StoreError::Unavailable)?;
            }
            Ok(())
        }

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

        async fn tables(pool: &sqlx::Pool<$engine>) -> Result<(), super::StoreError> {
            MIGRATIONS.run(pool).await.map_err(|error| super::StoreError::Unavailable(error.into()))
        }
    };
}

pub(super) use statements;
