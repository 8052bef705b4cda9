//! The tables.

use crate::store::file::Kind;

pub const KIND: Kind = Kind {
    program: "sos-center",
    user: "the center's user",
    // "SOSc"
    application_id: 0x534f_5363,
    migrations: MIGRATIONS,
    cache_kib: 16 * 1024,
    // Some 100 ms. What is needed to go on is read at the start in any case.
    checked_up_to_bytes: 64 * 1024 * 1024,
};

/// Each step leads from the version of its index to the next. A step that has been released is never changed.
///
/// `ordinal` is the order in which rows came, which no clock can be trusted with. `version` of an account is higher than
/// that of every account which was changed before.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE account (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    plan TEXT NOT NULL,
    password_hash TEXT,
    key_pem TEXT NOT NULL,
    closed INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX account_version ON account (version);

CREATE TABLE contact (
    account TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    PRIMARY KEY (account, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    account TEXT PRIMARY KEY NOT NULL,
    plan TEXT NOT NULL,
    professional_monitoring INTEGER NOT NULL,
    missing TEXT NOT NULL,
    serial INTEGER NOT NULL,
    issued_wall_ms INTEGER NOT NULL,
    expires_wall_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE operator (
    name TEXT PRIMARY KEY NOT NULL,
    password_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE hub (
    account TEXT PRIMARY KEY NOT NULL,
    heartbeat_wall_ms INTEGER,
    interval_ms INTEGER NOT NULL,
    offline INTEGER NOT NULL,
    ack_seq INTEGER NOT NULL,
    signal_seq INTEGER NOT NULL,
    sent_wall_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE hub_fault (
    account TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    since_wall_ms INTEGER NOT NULL,
    PRIMARY KEY (account, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
    id BLOB PRIMARY KEY NOT NULL,
    account TEXT NOT NULL,
    service TEXT NOT NULL,
    source TEXT,
    user TEXT,
    raised_wall_ms INTEGER,
    received_wall_ms INTEGER NOT NULL,
    resumed INTEGER NOT NULL,
    first_call_wall_ms INTEGER,
    step TEXT NOT NULL,
    step_call BLOB,
    step_answered INTEGER NOT NULL,
    step_reason TEXT,
    step_called INTEGER NOT NULL,
    step_number INTEGER NOT NULL,
    update_seq INTEGER NOT NULL,
    operator TEXT,
    ended_wall_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_received ON incident (received_wall_ms);
CREATE INDEX incident_ended ON incident (ended_wall_ms);

CREATE TABLE step (
    incident BLOB NOT NULL,
    number INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    operator TEXT,
    text TEXT NOT NULL,
    PRIMARY KEY (incident, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE hub_update (
    incident BLOB NOT NULL,
    seq INTEGER NOT NULL,
    account TEXT NOT NULL,
    stage TEXT NOT NULL,
    position INTEGER,
    contact TEXT,
    note TEXT,
    at_wall_ms INTEGER NOT NULL,
    PRIMARY KEY (incident, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE call (
    ordinal INTEGER PRIMARY KEY NOT NULL,
    id BLOB NOT NULL UNIQUE,
    incident BLOB NOT NULL,
    position INTEGER NOT NULL,
    contact TEXT NOT NULL,
    placed_wall_ms INTEGER NOT NULL,
    outcome TEXT
) STRICT;
CREATE INDEX call_incident ON call (incident);

CREATE TABLE signal (
    ordinal INTEGER PRIMARY KEY NOT NULL,
    jti BLOB NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    incident BLOB,
    received_wall_ms INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    ack_seq INTEGER NOT NULL,
    claims TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX signal_jti ON signal (jti, account);

CREATE TABLE audit (
    ordinal INTEGER PRIMARY KEY NOT NULL,
    wall_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    account TEXT,
    incident BLOB
) STRICT;

CREATE TABLE security (
    number INTEGER PRIMARY KEY NOT NULL,
    first_wall_ms INTEGER NOT NULL,
    last_wall_ms INTEGER NOT NULL,
    count INTEGER NOT NULL,
    account TEXT,
    problem TEXT NOT NULL
) STRICT;

CREATE TRIGGER signal_is_not_changed BEFORE UPDATE ON signal
BEGIN SELECT RAISE(ABORT, 'signals are never changed'); END;
CREATE TRIGGER signal_is_not_removed BEFORE DELETE ON signal
BEGIN SELECT RAISE(ABORT, 'signals are never removed'); END;
CREATE TRIGGER signal_is_not_replaced BEFORE INSERT ON signal
WHEN EXISTS (SELECT 1 FROM signal WHERE ordinal = NEW.ordinal)
BEGIN SELECT RAISE(ABORT, 'signals are never replaced'); END;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is never shortened'); END;
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE ordinal = NEW.ordinal)
BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
",
    "
ALTER TABLE signal ADD COLUMN reopened_after INTEGER;
",
    "
ALTER TABLE hub ADD COLUMN ahead_from_wall_ms INTEGER;
ALTER TABLE hub ADD COLUMN ahead_to_wall_ms INTEGER;
",
];
