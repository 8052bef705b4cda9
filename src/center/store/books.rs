//! Accounts and operators, as the command line reads and writes them, beside a center that runs or without one. Each
//! change and its line of the audit trail are one transaction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::schema::KIND;
use super::{database_path, read, rows};
use crate::center::desk::records::AuditRecord;
use crate::center::desk::tokens;
use crate::center::desk::words::{Account, AccountId, PlanToken};
use crate::controller::moment::Wall;
use crate::store::file::{self, Trouble, sentence};

/// The database, opened for a few changes. All errors are sentences.
pub struct Books {
    connection: Connection,
    path: PathBuf,
}

/// An account with what only the store knows of it.
pub struct Entry {
    pub account: Account,
    /// Of the verbal password, as a PHC string.
    pub password_hash: Option<String>,
    /// Of its hub: SPKI in PEM.
    pub key_pem: String,
}

/// Who changes something, and when.
pub struct Hand {
    /// `command line (root)`.
    pub who: String,
    pub wall: Wall,
}

impl Books {
    /// Opens the database and makes it if there is none.
    pub fn open(state_dir: &Path) -> Result<Books, String> {
        let path = database_path(state_dir);
        match file::open(&path, &KIND) {
            Ok(connection) => {
                // Whoever closes it last leaves one file.
                let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
                Ok(Books { connection, path })
            }
            Err(Trouble::Around(problem)) => Err(format!("{problem}, or call this as root.")),
            Err(Trouble::File(reason)) => {
                Err(format!("{} cannot be used, because {reason}: restore a copy of it.", path.display()))
            }
        }
    }

    /// Whether the database is there and holds accounts, closed ones included. The error is a sentence.
    pub fn has_accounts(state_dir: &Path) -> Result<bool, String> {
        if !database_path(state_dir).exists() {
            return Ok(false);
        }
        Ok(!Books::open(state_dir)?.accounts()?.is_empty())
    }

    /// All of them, closed ones included, by their names.
    pub fn accounts(&self) -> Result<Vec<Account>, String> {
        let found = read::accounts_since(&self.connection, 0).map_err(|error| self.in_words("read", &error))?;
        Ok(found.into_iter().map(|(account, _)| account).collect())
    }

    /// Adds an account, or opens a closed one again with other data. `deliver` is given its first token; what it does
    /// must not fail, or nothing is added.
    pub fn add(
        &mut self,
        entry: &Entry,
        plans: &BTreeMap<String, bool>,
        hand: &Hand,
        deliver: impl FnOnce(&PlanToken) -> Result<(), String>,
    ) -> Result<(), String> {
        let account = &entry.account;
        self.change(|transaction| {
            let is_again = match find(transaction, &account.id)? {
                Some(other) if !other.closed => {
                    return Ok(Err(format!(
                        "There is an account {} already: change its plan with `account plan`, or close it first.",
                        account.id
                    )));
                }
                found => found.is_some(),
            };
            put(transaction, entry)?;
            let token = issue(transaction, account, plans, hand.wall)?;
            if let Err(problem) = deliver(&token) {
                return Ok(Err(problem));
            }
            let done = if is_again { "reopened" } else { "added" };
            audit(
                transaction,
                hand,
                format!("Account {} {done}, plan {}.", account.id, account.plan),
                Some(&account.id),
            )?;
            Ok(Ok(()))
        })
    }

    /// Changes the account's plan; returns the one before.
    pub fn set_plan(
        &mut self,
        id: &AccountId,
        plan: &str,
        plans: &BTreeMap<String, bool>,
        hand: &Hand,
    ) -> Result<String, String> {
        self.change(|transaction| {
            let Some(mut account) = find(transaction, id)? else { return Ok(Err(unknown(id))) };
            if account.closed {
                return Ok(Err(format!("The account {id} is closed: open it again with `account add`.")));
            }
            let before = std::mem::replace(&mut account.plan, plan.to_owned());
            let sql = format!("UPDATE account SET plan = ?2, version = {NEXT_VERSION} WHERE id = ?1");
            transaction.execute(&sql, params![id, plan])?;
            issue(transaction, &account, plans, hand.wall)?;
            audit(transaction, hand, format!("Plan of account {id} changed from {before} to {plan}."), Some(id))?;
            Ok(Ok(before))
        })
    }

    /// Ends the account. Its hub's key is kept, so that the hub is told so.
    pub fn close_account(&mut self, id: &AccountId, plans: &BTreeMap<String, bool>, hand: &Hand) -> Result<(), String> {
        self.change(|transaction| {
            let Some(mut account) = find(transaction, id)? else { return Ok(Err(unknown(id))) };
            if account.closed {
                return Ok(Err(format!("The account {id} is closed already: there is nothing to do.")));
            }
            account.closed = true;
            let sql = format!("UPDATE account SET closed = 1, version = {NEXT_VERSION} WHERE id = ?1");
            transaction.execute(&sql, [id])?;
            issue(transaction, &account, plans, hand.wall)?;
            audit(transaction, hand, format!("Account {id} closed."), Some(id))?;
            Ok(Ok(()))
        })
    }

    /// The names of those who may log in.
    pub fn operators(&self) -> Result<Vec<String>, String> {
        let found = read::all(&self.connection, "SELECT name FROM operator ORDER BY name", [], |row| row.get(0));
        found.map_err(|error| self.in_words("read", &error))
    }

    /// `hash` is that of the password, as a PHC string.
    pub fn add_operator(&mut self, name: &str, hash: &str, hand: &Hand) -> Result<(), String> {
        self.change(|transaction| {
            let added = transaction.execute(
                "INSERT INTO operator (name, password_hash) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                [name, hash],
            )?;
            if added == 0 {
                return Ok(Err(format!(
                    "There is an operator {name} already: for a new password, remove and add this operator again."
                )));
            }
            audit(transaction, hand, format!("Operator {name} added."), None)?;
            Ok(Ok(()))
        })
    }

    pub fn remove_operator(&mut self, name: &str, hand: &Hand) -> Result<(), String> {
        self.change(|transaction| {
            if transaction.execute("DELETE FROM operator WHERE name = ?1", [name])? == 0 {
                return Ok(Err(format!("There is no operator {name}: see `sos-center operator list`.")));
            }
            audit(transaction, hand, format!("Operator {name} removed."), None)?;
            Ok(Ok(()))
        })
    }

    /// Commits what `act` does unless it refuses.
    fn change<T>(
        &mut self,
        act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<T, String>>,
    ) -> Result<T, String> {
        let path = &self.path;
        let in_words = |error: rusqlite::Error| format!("{}.", sentence(path, "written", &error));
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(in_words)?;
        let done = act(&transaction).map_err(in_words)??;
        transaction.commit().map_err(in_words)?;
        Ok(done)
    }

    fn in_words(&self, done: &str, error: &rusqlite::Error) -> String {
        format!("{}.", sentence(&self.path, done, error))
    }
}

/// Higher than that of every account.
const NEXT_VERSION: &str = "(SELECT coalesce(max(version), 0) + 1 FROM account)";

fn unknown(id: &AccountId) -> String {
    format!("There is no account {id}: see `sos-center account list`.")
}

fn find(transaction: &Transaction<'_>, id: &AccountId) -> rusqlite::Result<Option<Account>> {
    let version: Option<i64> =
        transaction.query_row("SELECT version FROM account WHERE id = ?1", [id], |row| row.get(0)).optional()?;
    let Some(version) = version else { return Ok(None) };
    let found = read::accounts_since(transaction, version - 1)?;
    Ok(found.into_iter().map(|(account, _)| account).find(|account| account.id == *id))
}

fn put(transaction: &Transaction<'_>, entry: &Entry) -> rusqlite::Result<()> {
    let account = &entry.account;
    let sql = format!(
        "INSERT OR REPLACE INTO account (id, name, address, plan, password_hash, key_pem, closed, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, {NEXT_VERSION})"
    );
    let values = params![account.id, account.name, account.address, account.plan, entry.password_hash, entry.key_pem];
    transaction.execute(&sql, values)?;
    transaction.execute("DELETE FROM contact WHERE account = ?1", [&account.id])?;
    // Maybe its hub is another one: its first heartbeat must not look like a recording.
    let forget =
        "UPDATE hub SET signal_seq = 0, sent_wall_ms = NULL, ahead_from_wall_ms = NULL, ahead_to_wall_ms = NULL
        WHERE account = ?1";
    transaction.execute(forget, [&account.id])?;
    let mut add =
        transaction.prepare("INSERT INTO contact (account, position, name, phone) VALUES (?1, ?2, ?3, ?4)")?;
    for (contact, position) in account.contacts.iter().zip(1_u32..) {
        add.execute(params![account.id, position, contact.name, contact.phone])?;
    }
    Ok(())
}

/// Issues the token that the account needs now; gives the last one where that still says what is true.
fn issue(
    transaction: &Transaction<'_>,
    account: &Account,
    plans: &BTreeMap<String, bool>,
    wall: Wall,
) -> rusqlite::Result<PlanToken> {
    let last = read::token_of(transaction, &account.id)?;
    match last {
        Some(last) if !tokens::is_outdated(Some(&last), account, plans) => Ok(last),
        last => {
            let token = tokens::issue(account, plans, last.as_ref(), wall);
            rows::put_token(transaction, &token)?;
            Ok(token)
        }
    }
}

fn audit(
    transaction: &Transaction<'_>,
    hand: &Hand,
    what: String,
    account: Option<&AccountId>,
) -> rusqlite::Result<()> {
    let record =
        AuditRecord { wall: hand.wall, who: hand.who.clone(), what, account: account.cloned(), incident: None };
    rows::add_audit(transaction, &record)
}
