//! The database file: opened, judged, read, written. Whether and when is the worker's business.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Row, TransactionBehavior};

use super::file::{self, Trouble, judge};
use super::pending::Pending;
use super::rows;
use super::schema;
use crate::controller::effect::{Record, Restored};

/// How many ended incidents, and how many settled signals, the file remembers.
const REMEMBERED: u32 = 1000;
/// How many of them are read at start.
const RESTORED: u32 = 200;
/// After this many records the log goes into the database: well under 1,000 pages of 4 KiB.
const RECORDS_BETWEEN_UPKEEP: usize = 256;

pub struct Database {
    connection: Connection,
    next_ordinal: i64,
    records_since_upkeep: usize,
}

/// What a database held when it was opened.
pub struct Found {
    pub restored: Restored,
    pub plan_token: Option<String>,
    /// Rows that could not be read: which, and why.
    pub unreadable: Vec<String>,
}

impl Database {
    /// Opens the file, makes it if there is none, brings it to this version's schema.
    pub fn open(path: &Path) -> Result<Database, Trouble> {
        let connection = file::open(path, &schema::KIND)?;
        let next_ordinal = prepare(&connection).map_err(|error| judge(path, "opened", &error))?;
        Ok(Database { connection, next_ordinal, records_since_upkeep: 0 })
    }

    /// Reads what is to go on after a restart.
    pub fn found(&self, path: &Path) -> Result<Found, Trouble> {
        self.read().map_err(|error| judge(path, "read", &error))
    }

    fn read(&self) -> rusqlite::Result<Found> {
        let mut unreadable = Vec::new();
        let restored = Restored {
            incidents: self.read_rows(
                "incident",
                &format!(
                    "WHERE ended_wall_ms IS NULL OR ordinal IN (SELECT ordinal FROM incident
                     WHERE ended_wall_ms IS NOT NULL ORDER BY ordinal DESC LIMIT {RESTORED}) ORDER BY ordinal"
                ),
                rows::incident,
                &mut unreadable,
            )?,
            signals: self.read_rows(
                "signal",
                &format!(
                    "WHERE NOT settled OR ordinal IN (SELECT ordinal FROM signal
                     WHERE settled ORDER BY ordinal DESC LIMIT {RESTORED}) ORDER BY ordinal"
                ),
                rows::signal,
                &mut unreadable,
            )?,
            replies: self.read_rows("reply", "ORDER BY serial", rows::reply, &mut unreadable)?,
            sounding: self.read_rows("sounding", "", rows::sounding, &mut unreadable)?,
            counters: self.read_rows("counters", "", rows::counters, &mut unreadable)?.pop().unwrap_or_default(),
            plan: None,
        };
        let plan_token = self.read_rows("plan", "", |row| row.get("token"), &mut unreadable)?.pop();
        Ok(Found { restored, plan_token, unreadable })
    }

    /// One row that cannot be understood must not cost the others.
    fn read_rows<T>(
        &self,
        table: &str,
        which: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        unreadable: &mut Vec<String>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut statement = self.connection.prepare(&format!("SELECT * FROM {table} {which}"))?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            match read(row) {
                Ok(one) => all.push(one),
                Err(error) => unreadable.push(format!("{}: {error}", rows::name(table, row))),
            }
        }
        Ok(all)
    }

    /// Commits all of it or nothing.
    pub fn commit(&mut self, group: &Pending) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut ordinal = self.next_ordinal;
        if let Some(serial) = group.forget_replies_before {
            rows::write(&transaction, &Record::ForgetRepliesBefore { serial }, ordinal)?;
        }
        for record in group.in_order() {
            rows::write(&transaction, record, ordinal)?;
            ordinal += 1;
        }
        transaction.commit()?;
        self.next_ordinal = ordinal;
        self.records_since_upkeep += group.len();
        Ok(())
    }

    /// Drops old history and moves the log into the database, when enough has come together. Done between commits, and
    /// not by SQLite within one, so that no answer waits for it.
    pub fn upkeep(&mut self) -> rusqlite::Result<()> {
        if self.records_since_upkeep >= RECORDS_BETWEEN_UPKEEP {
            self.records_since_upkeep = 0;
            self.prune()?;
            self.checkpoint("PASSIVE")?;
        }
        Ok(())
    }

    /// Has everything in the one file, synced, and the log empty. After a sync that failed the system may take pages
    /// for written that are not: this writes them again.
    pub fn settle(&mut self) -> rusqlite::Result<()> {
        self.prune()?;
        self.checkpoint("TRUNCATE")
    }

    /// The orderly end: one file is left.
    pub fn close(mut self) -> rusqlite::Result<()> {
        self.settle()?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        self.connection.close().map_err(|(_, error)| error)
    }

    fn checkpoint(&self, mode: &str) -> rusqlite::Result<()> {
        self.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
    }

    fn prune(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let incidents = transaction.execute(
            "DELETE FROM incident WHERE ended_wall_ms IS NOT NULL AND ordinal <= (SELECT ordinal FROM incident
             WHERE ended_wall_ms IS NOT NULL ORDER BY ordinal DESC LIMIT 1 OFFSET ?1)",
            [REMEMBERED],
        )?;
        if incidents > 0 {
            transaction.execute("DELETE FROM step WHERE incident NOT IN (SELECT id FROM incident)", [])?;
        }
        transaction.execute(
            "DELETE FROM signal WHERE settled AND ordinal <= (SELECT ordinal FROM signal
             WHERE settled ORDER BY ordinal DESC LIMIT 1 OFFSET ?1)",
            [REMEMBERED],
        )?;
        transaction.commit()
    }
}

/// Has every statement ready; returns the ordinal of the next row.
fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
    connection.set_prepared_statement_cache_capacity(rows::WRITES.len());
    for statement in rows::WRITES {
        connection.prepare_cached(statement)?;
    }
    let highest: Option<i64> = connection.query_row(
        "SELECT max(ordinal) FROM (SELECT ordinal FROM incident UNION ALL SELECT ordinal FROM signal)",
        [],
        |row| row.get(0),
    )?;
    Ok(highest.map_or(1, |highest| highest.saturating_add(1)))
}
