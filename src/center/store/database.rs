//! The database file: opened, read, written. Whether and when is the worker's business.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use super::queue::Group;
use super::schema::KIND;
use super::{read, rows};
use crate::center::desk::records::Restored;
use crate::center::desk::words::{Account, AccountId};
use crate::store::file::{self, Trouble, judge};

pub struct Database {
    connection: Connection,
    /// That of the account that was changed last, as far as has been read.
    version: i64,
}

impl Database {
    /// Opens the file, makes it if there is none, brings it to this version's schema.
    pub fn open(path: &Path) -> Result<Database, Trouble> {
        let connection = file::open(path, &KIND)?;
        prepare(&connection).map_err(|error| judge(path, "opened", &error))?;
        Ok(Database { connection, version: 0 })
    }

    /// Reads what is to go on after a restart, and the key of each account's hub.
    pub fn found(&mut self, path: &Path) -> Result<(Restored, Vec<(AccountId, String)>), Trouble> {
        self.read().map_err(|error| judge(path, "read", &error))
    }

    fn read(&mut self) -> rusqlite::Result<(Restored, Vec<(AccountId, String)>)> {
        // All of one moment, whatever the command line writes beside it.
        let moment = self.connection.transaction()?;
        self.version = read::highest_version(&moment)?;
        read::restored(&moment)
    }

    /// The accounts that have changed since they were last read, those of a handle before this one included.
    pub fn changed_accounts(&mut self) -> rusqlite::Result<Vec<(Account, String)>> {
        let moment = self.connection.transaction()?;
        let accounts = read::accounts_since(&moment, self.version)?;
        self.version = read::highest_version(&moment)?;
        Ok(accounts)
    }

    /// Commits all of it or nothing.
    pub fn commit(&mut self, group: &Group) -> rusqlite::Result<()> {
        if group.rows() == 0 {
            return Ok(());
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for record in group.records() {
            rows::write(&transaction, record)?;
        }
        for hub in group.hubs() {
            rows::put_hub(&transaction, hub)?;
        }
        transaction.commit()
    }

    /// Moves what the log still holds into the database, so that the log begins anew with the next commit.
    pub fn catch_up(&self) -> rusqlite::Result<()> {
        checkpoint(&self.connection, "PASSIVE")
    }

    /// Has everything in the one file, synced, and the log empty. After a sync that failed the system may take pages
    /// for written that are not: this writes them again.
    pub fn settle(&self) -> rusqlite::Result<()> {
        checkpoint(&self.connection, "TRUNCATE")
    }

    /// The orderly end: one file is left.
    pub fn close(self) -> rusqlite::Result<()> {
        self.settle()?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        self.connection.close().map_err(|(_, error)| error)
    }

    pub fn version(&self) -> i64 {
        self.version
    }

    /// Goes on from the version that another handle has read.
    pub fn resume_at(&mut self, version: i64) {
        self.version = version;
    }
}

pub fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(2 * rows::WRITES.len());
    for statement in rows::WRITES {
        connection.prepare_cached(statement)?;
    }
    Ok(())
}
