//! Settings of the engines with which what was acknowledged is lost: each was tried, and each is refused, at the start
//! and in every transaction in which it could have changed meanwhile.

use sqlx::{PgConnection, Row as _, SqlitePool};

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

/// What a server is.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// Whether standbys have to acknowledge what it commits.
    pub replicates: bool,
}

/// Judges the session: any can change what counts for it, and an administrator what counts for all.
///
/// # Errors
/// [`StoreError::Unsafe`]; [`StoreError::Unavailable`].
pub async fn postgres(session: &mut PgConnection) -> Result<Server, StoreError> {
    let asked = sqlx::query(
        "SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync, \
         current_setting('full_page_writes') AS pages, current_setting('synchronous_standby_names') AS standbys, \
         pg_is_in_recovery() AS standby, \
         EXISTS (SELECT FROM pg_stat_replication WHERE application_name NOT IN ('pg_basebackup', 'pg_receivewal')) AS streams",
    );
    let found = asked.fetch_one(session).await.map_err(StoreError::Unavailable)?;
    let text = |name: &str| found.get::<String, _>(name);
    if found.get("standby") {
        let reason = "a standby writes nothing, and shows what may never have been acknowledged";
        return Err(refuse(
            "pg_is_in_recovery()",
            "true",
            reason,
            "add target_session_attrs=primary, or name the primary",
        ));
    }
    let commit = text("commit");
    if !matches!(commit.as_str(), "on" | "remote_apply") {
        let reason =
            "a commit is acknowledged before it is on every disk that has to have it, and a crash takes it back";
        return Err(refuse("synchronous_commit", &commit, reason, "ALTER SYSTEM SET synchronous_commit = on"));
    }
    if text("fsync") != "on" {
        let reason = "nothing is ever forced to the disk, and a power cut takes back what was acknowledged";
        return Err(refuse("fsync", &text("fsync"), reason, "ALTER SYSTEM SET fsync = on"));
    }
    if text("pages") != "on" {
        let reason = "a page that was half written at a power cut cannot be mended";
        return Err(refuse("full_page_writes", &text("pages"), reason, "ALTER SYSTEM SET full_page_writes = on"));
    }
    let standbys = text("standbys");
    if standbys.is_empty() && found.get("streams") {
        let reason = "a standby may be promoted without what was acknowledged last";
        let mend = "synchronous_mode: quorum and synchronous_mode_strict: true in Patroni, or synchronous_standby_names = 'ANY 1 (*)'";
        return Err(refuse("synchronous_standby_names", "empty", reason, mend));
    }
    Ok(Server { replicates: !standbys.is_empty() })
}
