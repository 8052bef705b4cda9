//! The tables.

use super::file::Kind;

pub const KIND: Kind = Kind {
    program: "sos-hub",
    user: "the hub's user",
    // "SOSh"
    application_id: 0x534f_5368,
    migrations: MIGRATIONS,
    cache_kib: 256,
    // All of it: it is small.
    checked_up_to_bytes: u64::MAX,
};

/// Each step leads from the version of its index to the next. A step that has been released is never changed.
///
/// The primary keys are the only indexes: the file is small, and every further page would have to be written at each
/// commit. `ordinal` is the order in which rows were made, which neither the clock nor the ids can be trusted with.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE incident (
    id BLOB PRIMARY KEY NOT NULL,
    ordinal INTEGER NOT NULL,
    service TEXT NOT NULL,
    source TEXT NOT NULL,
    user TEXT,
    stage TEXT NOT NULL,
    alarm BLOB NOT NULL,
    boot BLOB NOT NULL,
    accepted_boot_ns INTEGER NOT NULL,
    deadline_boot_ns INTEGER NOT NULL,
    accepted_wall_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    resumed INTEGER NOT NULL,
    update_seq INTEGER NOT NULL,
    ended_wall_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE step (
    incident BLOB NOT NULL,
    seq INTEGER NOT NULL,
    stage TEXT NOT NULL,
    wall_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (incident, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE signal (
    jti BLOB PRIMARY KEY NOT NULL,
    ordinal INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    kind TEXT NOT NULL,
    code TEXT,
    event_code INTEGER,
    message TEXT,
    incident BLOB,
    service TEXT,
    source TEXT,
    user TEXT,
    resumed INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    plan TEXT,
    seq INTEGER NOT NULL,
    boot BLOB NOT NULL,
    raised_boot_ns INTEGER NOT NULL,
    raised_wall_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    age_base_ms INTEGER NOT NULL,
    age_ms INTEGER NOT NULL,
    sent_wall_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE reply (
    id TEXT PRIMARY KEY NOT NULL,
    serial INTEGER NOT NULL,
    command TEXT NOT NULL,
    service TEXT,
    named_incident BLOB,
    incident BLOB,
    durable INTEGER NOT NULL,
    message TEXT NOT NULL,
    boot BLOB NOT NULL,
    accepted_boot_ns INTEGER NOT NULL,
    accepted_wall_ms INTEGER NOT NULL,
    clock TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sounding (
    incident BLOB PRIMARY KEY NOT NULL,
    pattern TEXT NOT NULL,
    boot BLOB NOT NULL,
    until_boot_ns INTEGER NOT NULL,
    left_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE counters (
    one INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
    event_seq INTEGER NOT NULL,
    signal_seq INTEGER NOT NULL,
    ack_seq INTEGER NOT NULL,
    periodic_test_wall_ms INTEGER
) STRICT;

CREATE TABLE plan (
    one INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
    serial INTEGER NOT NULL,
    token TEXT NOT NULL
) STRICT;
",
    "
ALTER TABLE incident ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
UPDATE incident SET taken = 1 WHERE stage NOT IN ('countdown', 'aborted', 'requested', 'sounding', 'refused_by_center');
",
];
