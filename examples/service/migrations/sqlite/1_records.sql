-- What is kept of a lock: its own record (slot −1) and one for each slot, in the library's bytes, with the columns that are
-- asked by. `digest` stands beside `version`, because versions are used again after a rollback.
CREATE TABLE records (
    lock BLOB NOT NULL,
    slot INTEGER NOT NULL,
    version INTEGER NOT NULL,
    digest BLOB NOT NULL,
    bytes BLOB NOT NULL,
    owner BLOB,
    subject BLOB,
    state TEXT,
    PRIMARY KEY (lock, slot)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_subject ON records (subject, lock, slot) WHERE subject IS NOT NULL;
CREATE INDEX records_owner ON records (owner, lock, slot) WHERE owner IS NOT NULL;

-- What happened, in the order in which it was stored.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lock BLOB NOT NULL,
    slot INTEGER NOT NULL,
    version INTEGER NOT NULL,
    event TEXT NOT NULL
) STRICT;
