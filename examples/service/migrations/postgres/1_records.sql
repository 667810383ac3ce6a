-- What is kept of a lock: its own record (slot −1) and one for each slot, in the library's bytes, with the columns that are
-- asked by. `digest` stands beside `version`, because versions are used again after a rollback.
CREATE TABLE records (
    lock BYTEA NOT NULL,
    slot SMALLINT NOT NULL,
    version BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    bytes BYTEA NOT NULL,
    owner BYTEA,
    subject BYTEA,
    state TEXT,
    PRIMARY KEY (lock, slot)
);

CREATE INDEX records_subject ON records (subject, lock, slot) WHERE subject IS NOT NULL;
CREATE INDEX records_owner ON records (owner, lock, slot) WHERE owner IS NOT NULL;

-- What happened. Numbers are drawn before transactions end, and not in that order: so a reader goes by transaction and then by
-- number, and only up to the oldest transaction that has not ended.
CREATE TABLE outbox (
    tx XID8 NOT NULL DEFAULT pg_current_xact_id(),
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    lock BYTEA NOT NULL,
    slot SMALLINT NOT NULL,
    version BIGINT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (tx, id)
);

-- One row that a fence raises: see `Store::fence`.
CREATE TABLE fence (one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one), raised BIGINT NOT NULL);
INSERT INTO fence (raised) VALUES (0);
