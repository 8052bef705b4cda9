//! The database file: opened, judged, read, written. Whether and when is the worker's business.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, TransactionBehavior};

use super::aside::sync_directory_of;
use super::pending::Pending;
use super::rows;
use super::schema::{self, Standing};
use crate::controller::effect::{Record, Restored};

/// How many ended incidents, and how many settled signals, the file remembers.
const REMEMBERED: u32 = 1000;
/// How many of them are read at start.
const RESTORED: u32 = 200;
/// After this many records the log goes into the database: well under 1,000 pages of 4 KiB.
const RECORDS_BETWEEN_UPKEEP: usize = 256;
/// For a `history` that begins or ends at this moment.
const PATIENCE_WITH_READERS: Duration = Duration::from_secs(1);

/// Why a database cannot be used; the text is one sentence for a person.
pub enum Trouble {
    /// The file itself is no use: damaged, or not ours.
    File(String),
    /// Something around it: the disk, the directory, permissions. May pass.
    Around(String),
}

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
        let is_new = prepare_file(path)?;
        let opened = open_prepared(path);
        if is_new && opened.is_err() {
            // A file without content would be taken for a damaged one at the next try.
            let _ = fs::remove_file(path);
        }
        opened
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
            // A damaged row may have taken the last one already; then the order suffers, and nothing else.
            ordinal = ordinal.saturating_add(1);
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

/// Makes sure that there is a file with the right mode; whether it was made just now.
fn prepare_file(path: &Path) -> Result<bool, Trouble> {
    let around = |error: io::Error| {
        Trouble::Around(format!(
            "{} cannot be made or read ({error}): check that its directory exists and belongs to the hub's user",
            path.display()
        ))
    };
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(around)?;
    }
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(around)?;
            sync_directory_of(path).map_err(around)?;
            return Ok(true);
        }
        Err(error) => return Err(around(error)),
    };
    if !metadata.is_file() {
        return Err(Trouble::File("it is not a regular file".to_owned()));
    }
    if metadata.len() == 0 {
        return Err(Trouble::File("it is empty, so what it held is lost".to_owned()));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        // A wrong mode is no reason not to work.
        let _ = fs::set_permissions(path, Permissions::from_mode(0o600));
    }
    Ok(false)
}

fn open_prepared(path: &Path) -> Result<Database, Trouble> {
    let judged = |error: rusqlite::Error| judge(path, "opened", &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(judged)?;
    connection.busy_timeout(PATIENCE_WITH_READERS).map_err(judged)?;
    // A handle is also closed because it failed, or because its file is not ours: then nothing more is to be written.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(judged)?;
    connection
        .execute_batch("PRAGMA page_size = 4096; PRAGMA cache_size = -256; PRAGMA temp_store = MEMORY;")
        .map_err(judged)?;
    if let Standing::Foreign(reason) = schema::standing(&connection).map_err(judged)? {
        return Err(Trouble::File(reason));
    }
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 4194304;",
        )
        .map_err(judged)?;
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(judged)?;
    if check != "ok" {
        return Err(Trouble::File(format!("it is damaged ({check})")));
    }
    schema::migrate(&mut connection, schema::MIGRATIONS).map_err(judged)?;
    connection.set_prepared_statement_cache_capacity(rows::WRITES.len());
    for statement in rows::WRITES {
        connection.prepare_cached(statement).map_err(judged)?;
    }
    let next_ordinal = connection
        .query_row(
            "SELECT max(ordinal) FROM (SELECT ordinal FROM incident UNION ALL SELECT ordinal FROM signal)",
            [],
            |row| row.get::<_, Option<i64>>(0),
        )
        .map_err(judged)?
        .map_or(1, |highest| highest.saturating_add(1));
    Ok(Database { connection, next_ordinal, records_since_upkeep: 0 })
}

/// While it is being opened, an error in a statement of ours (no such table or column) is the file's fault too.
fn judge(path: &Path, done: &str, error: &rusqlite::Error) -> Trouble {
    match error.sqlite_error_code() {
        None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => {
            Trouble::File(format!("it is damaged ({error})"))
        }
        Some(_) => Trouble::Around(sentence(path, done, error)),
    }
}

/// What is wrong, where, and what to do.
pub fn sentence(path: &Path, done: &str, error: &rusqlite::Error) -> String {
    let remedy = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "free some space on its disk",
        Some(ErrorCode::ReadOnly) => "make its file system and directory writable",
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "check that its directory is writable and belongs to the hub's user"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "end the other program that holds it",
        _ => "check the disk or card",
    };
    format!("{} cannot be {done} ({error}): {remedy}", path.display())
}
