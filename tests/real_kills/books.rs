//! What the center's database says, read beside it.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;
use uuid::Uuid;

use crate::support::DEADLINE;

pub struct Books {
    database: Connection,
}

/// A signal that the center has taken, heartbeats excepted.
pub struct Signal {
    pub ordinal: i64,
    pub jti: String,
    pub kind: String,
    pub incident: String,
    /// `accepted`, or why it was refused.
    pub verdict: String,
    pub ack_seq: u64,
    /// What the hub said.
    pub claims: Value,
}

/// An incident as the center works on it.
#[derive(Debug)]
pub struct Case {
    pub service: String,
    /// Where its procedure stands: `waiting`, `calling_first`, `dispatch_due`, `dispatched`, `cancelled`, `closed`.
    pub step: String,
    /// A call is under way.
    pub is_calling: bool,
    /// How many contacts were called.
    pub called: i64,
    /// The number that a button has to bear.
    pub step_number: i64,
    pub has_ended: bool,
}

impl Books {
    pub fn open(path: &Path) -> Books {
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database");
        database.busy_timeout(DEADLINE).expect("patience");
        Books { database }
    }

    /// The signals after this one, in the order of their coming.
    pub fn signals(&self, after: i64) -> Vec<Signal> {
        let sql = "SELECT ordinal, jti, kind, incident, verdict, ack_seq, claims FROM signal WHERE ordinal > ?1
            ORDER BY ordinal";
        self.all(sql, [after], |row| {
            let claims: String = row.get(6)?;
            Ok(Signal {
                ordinal: row.get(0)?,
                jti: id(row, 1)?,
                kind: row.get(2)?,
                incident: id(row, 3)?,
                verdict: row.get(4)?,
                ack_seq: u64::try_from(row.get::<_, i64>(5)?).unwrap_or_default(),
                claims: serde_json::from_str(&claims).expect("claims"),
            })
        })
    }

    /// Every incident, by its id.
    pub fn cases(&self) -> BTreeMap<String, Case> {
        let sql = "SELECT id, service, step, step_call IS NOT NULL, step_called, step_number, ended_wall_ms IS NOT NULL
            FROM incident";
        let cases = self.all(sql, [], |row| {
            let case = Case {
                service: row.get(1)?,
                step: row.get(2)?,
                is_calling: row.get(3)?,
                called: row.get(4)?,
                step_number: row.get(5)?,
                has_ended: row.get(6)?,
            };
            Ok((id(row, 0)?, case))
        });
        cases.into_iter().collect()
    }

    pub fn case(&self, incident: &str) -> Option<Case> {
        self.cases().remove(incident)
    }

    /// What the hub was to be told of an incident: stages by their number.
    pub fn updates(&self, incident: &str) -> BTreeMap<i64, String> {
        let sql = "SELECT seq, stage FROM hub_update WHERE incident = ?1";
        self.all(sql, [blob(incident)], |row| Ok((row.get(0)?, row.get(1)?))).into_iter().collect()
    }

    /// How often each contact of an incident was called, by position.
    pub fn calls(&self, incident: &str) -> BTreeMap<i64, i64> {
        let sql = "SELECT position, count(*) FROM call WHERE incident = ?1 GROUP BY position";
        self.all(sql, [blob(incident)], |row| Ok((row.get(0)?, row.get(1)?))).into_iter().collect()
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let mut statement = self.database.prepare_cached(sql).expect("the statement");
        let rows = statement.query_map(values, read).expect("an answer");
        rows.collect::<rusqlite::Result<_>>().unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

/// An id as it is written everywhere else; nothing where there is none.
fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let bytes: Option<[u8; 16]> = row.get(column)?;
    Ok(bytes.map(|bytes| Uuid::from_bytes(bytes).to_string()).unwrap_or_default())
}

fn blob(id: &str) -> [u8; 16] {
    id.parse::<Uuid>().expect("an id").into_bytes()
}
