//! The tables, and how a file of an older version becomes one of this version.

use rusqlite::{Connection, Result, TransactionBehavior};

/// `PRAGMA application_id` of our files ("SOSh"): tells them from any other program's.
pub const APPLICATION_ID: i32 = 0x534f_5368;

/// Each step leads from the version of its index to the next. A step that has been released is never changed.
///
/// The primary keys are the only indexes: the file is small, and every further page would have to be written at each
/// commit. `ordinal` is the order in which rows were made, which neither the clock nor the ids can be trusted with.
pub const MIGRATIONS: &[&str] = &["
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
"];

/// What a database file says of itself.
pub enum Standing {
    /// Nothing in it yet.
    New,
    /// Ours, of a version that the migrations lead on from.
    Known,
    /// Not for this program; the text says why, as the end of a sentence.
    Foreign(String),
}

pub fn standing(connection: &Connection) -> Result<Standing> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let known = MIGRATIONS.len();
    Ok(match usize::try_from(version) {
        Ok(0) if application == 0 && objects == 0 => Standing::New,
        _ if application != APPLICATION_ID => Standing::Foreign("it is another program's database".to_owned()),
        Ok(version) if version > known => {
            Standing::Foreign(format!("a newer sos-hub wrote it (its schema is {version}, this version knows {known})"))
        }
        Ok(1..) => Standing::Known,
        _ => Standing::Foreign(format!("its schema version {version} makes no sense")),
    })
}

/// Brings the file to the version of the last step. Each step and its number are one transaction, so that an
/// interrupted upgrade leaves the file of the step before, whole.
pub fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<()> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let Some(step) = steps.get(version as usize) else { return Ok(()) };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_that_fails_half_way_leaves_the_file_of_the_version_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = ["CREATE TABLE first (a)", "CREATE TABLE second (a); CREATE TABLE first (a)"];
        migrate(&mut connection, &broken).unwrap_err();
        let tables = |connection: &Connection| -> Vec<String> {
            let mut statement = connection.prepare("SELECT name FROM sqlite_schema ORDER BY name").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!(tables(&connection), ["first"]);
        migrate(&mut connection, &["CREATE TABLE first (a)", "CREATE TABLE second (a)"]).unwrap();
        assert_eq!(tables(&connection), ["first", "second"]);
    }
}
