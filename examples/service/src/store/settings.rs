//! Settings of the engines with which what was acknowledged is lost: each was tried, and each is refused, at the start
//! and in every transaction in which it could have changed meanwhile.

use sqlx::postgres::PgRow;
use sqlx::{Row as _, SqlitePool};

use super::StoreError;

/// A setting that loses what was acknowledged.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name} is {found}: {reason}. Mend it so: {mend}")]
pub struct Unsafe {
    /// The setting, as the engine names it.
    pub name: &'static str,
    /// What it is.
    pub found: String,
    /// What it loses.
    pub reason: &'static str,
    /// The line that mends it.
    pub mend: &'static str,
}

fn refuse(name: &'static str, found: &str, reason: &'static str, mend: &'static str) -> StoreError {
    Unsafe { name, found: found.to_owned(), reason, mend }.into()
}

/// Judges the connection that writes.
///
/// # Errors
/// [`StoreError::Unsafe`]; [`StoreError::Unavailable`].
pub async fn sqlite(writer: &SqlitePool) -> Result<(), StoreError> {
    let asked = sqlx::query(
        "SELECT (SELECT journal_mode FROM pragma_journal_mode) AS journal, \
         (SELECT synchronous FROM pragma_synchronous) AS synchronous, \
         (SELECT file FROM pragma_database_list WHERE name = 'main') AS file",
    );
    let found = asked.fetch_one(writer).await.map_err(StoreError::Unavailable)?;
    let (journal, file): (String, String) = (found.get("journal"), found.get("file"));
    if file.is_empty() {
        let reason = "a database in memory is gone with the process";
        return Err(refuse("the database", "in memory", reason, "--database sqlite:sharekey.db"));
    }
    if journal != "wal" {
        let reason = "with another journal than the log a power cut took back the last commit, even at FULL";
        return Err(refuse("journal_mode", &journal, reason, "PRAGMA journal_mode = WAL"));
    }
    let level: i64 = found.get("synchronous");
    if level < 2 {
        let reason = "a commit is acknowledged before it is on the disk, and a power cut takes it back";
        return Err(refuse(
            "synchronous",
            if level == 1 { "NORMAL" } else { "OFF" },
            reason,
            "PRAGMA synchronous = FULL",
        ));
    }
    Ok(())
}

/// What a session is, in one row: the setting that loses what is acknowledged, if one does, and what it is; and whether standbys
/// have to acknowledge. Any session can change what counts for it, and an administrator what counts for all, so each
/// transaction asks. A backup that is taken, or a log that is archived, is no standby.
macro_rules! judged {
    () => {
        "SELECT unsafe, coalesce(nullif(current_setting(unsafe), ''), 'empty') AS found, \
             current_setting('synchronous_standby_names') <> '' AS replicates \
         FROM (SELECT CASE \
             WHEN current_setting('in_hot_standby') <> 'off' THEN 'in_hot_standby' \
             WHEN current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN 'synchronous_commit' \
             WHEN current_setting('fsync') <> 'on' THEN 'fsync' \
             WHEN current_setting('full_page_writes') <> 'on' THEN 'full_page_writes' \
             WHEN current_setting('synchronous_standby_names') = '' AND EXISTS (SELECT FROM pg_stat_replication \
                 WHERE application_name NOT IN ('pg_basebackup', 'pg_receivewal')) THEN 'synchronous_standby_names' \
         END AS unsafe) AS judged"
    };
}

pub(super) use judged;

/// Of each setting that loses something: its name, what it loses, and what mends it.
const LOSING: [(&str, &str, &str); 5] = [
    (
        "in_hot_standby",
        "a standby writes nothing, and shows what may never have been acknowledged",
        "name the primary in --database",
    ),
    (
        "synchronous_commit",
        "a commit is acknowledged before it is on every disk that has to have it, and a crash takes it back",
        "ALTER SYSTEM SET synchronous_commit = on",
    ),
    (
        "fsync",
        "nothing is ever forced to the disk, and a power cut takes back what was acknowledged",
        "ALTER SYSTEM SET fsync = on",
    ),
    (
        "full_page_writes",
        "a page that was half written at a power cut cannot be mended",
        "ALTER SYSTEM SET full_page_writes = on",
    ),
    (
        "synchronous_standby_names",
        "a standby may be promoted without what was acknowledged last",
        "synchronous_mode: quorum and synchronous_mode_strict: true in Patroni, or synchronous_standby_names = 'ANY 1 (*)'",
    ),
];

/// Judges a row of [`judged`]; whether standbys have to acknowledge what this session commits.
///
/// # Errors
/// [`StoreError::Unsafe`].
pub fn postgres(judged: &PgRow) -> Result<bool, StoreError> {
    let Some(losing) = judged.get::<Option<String>, _>("unsafe") else { return Ok(judged.get("replicates")) };
    let known = LOSING.iter().find(|(name, ..)| *name == losing);
    let (name, reason, mend) = *known.ok_or(StoreError::Corrupt("a setting that nobody knows"))?;
    Err(refuse(name, &judged.get::<String, _>("found"), reason, mend))
}
