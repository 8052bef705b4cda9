//! A database file: made, opened and judged, whatever its tables are.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::aside::sync_directory_of;

/// For another process that reads, or writes a few rows, at this moment.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(1);

/// What tells one program's files from another's.
pub struct Kind {
    pub program: &'static str,
    /// Whom its directory has to belong to, for people.
    pub user: &'static str,
    /// `PRAGMA application_id`.
    pub application_id: i32,
    /// Each step leads from the version of its index to the next.
    pub migrations: &'static [&'static str],
    /// How much of the file is kept in memory.
    pub cache_kib: u32,
    /// A larger file is not read through before it is used.
    pub checked_up_to_bytes: u64,
}

/// Why a database cannot be used; the text is one sentence for a person.
pub enum Trouble {
    /// The file itself is no use: damaged, or not ours. The text is the end of a sentence.
    File(String),
    /// Something around it: the disk, the directory, permissions. May pass.
    Around(String),
}

/// What a database file says of itself.
pub enum Standing {
    /// Nothing in it yet.
    New,
    /// Ours, of a version that the migrations lead on from.
    Known,
    /// Not for this program; the text says why, as the end of a sentence.
    Foreign(String),
}

/// Opens the file for writing, makes it if there is none, brings it to this version's schema. The log is moved into the
/// database when the program asks for it alone.
pub fn open(path: &Path, kind: &Kind) -> Result<Connection, Trouble> {
    let is_new = prepare(path, kind)?;
    let opened = open_prepared(path, kind);
    if is_new && opened.is_err() {
        // A file without content would be taken for a damaged one at the next try.
        let _ = fs::remove_file(path);
    }
    opened
}

/// Makes sure that there is a file with the right mode; whether it was made just now.
fn prepare(path: &Path, kind: &Kind) -> Result<bool, Trouble> {
    let around = |error: io::Error| {
        Trouble::Around(format!(
            "{} cannot be made or read ({error}): check that its directory exists and belongs to {}",
            path.display(),
            kind.user
        ))
    };
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(around)?;
    }
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(around)?;
            give_to_owner_of_directory(path).map_err(around)?;
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

/// What root makes in a service's directory must not be closed to the service.
pub fn give_to_owner_of_directory(path: &Path) -> io::Result<()> {
    let Some(directory) = path.parent() else { return Ok(()) };
    let (directory, file) = (fs::metadata(directory)?, fs::metadata(path)?);
    if directory.uid() == file.uid() {
        return Ok(());
    }
    chown(path, Some(directory.uid()), Some(directory.gid()))
}

fn open_prepared(path: &Path, kind: &Kind) -> Result<Connection, Trouble> {
    let judged = |error: rusqlite::Error| judge(path, "opened", &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(judged)?;
    connection.busy_timeout(PATIENCE_WITH_OTHERS).map_err(judged)?;
    // A handle is also closed because it failed, or because its file is not ours: then nothing more is to be written.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(judged)?;
    let cache_kib = kind.cache_kib;
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = 4096; PRAGMA cache_size = -{cache_kib}; PRAGMA temp_store = MEMORY;"
        ))
        .map_err(judged)?;
    if let Standing::Foreign(reason) = standing(&connection, kind).map_err(judged)? {
        return Err(Trouble::File(reason));
    }
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 4194304;",
        )
        .map_err(judged)?;
    if fs::metadata(path).is_ok_and(|found| found.len() <= kind.checked_up_to_bytes) {
        let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(judged)?;
        if check != "ok" {
            return Err(Trouble::File(format!("it is damaged ({check})")));
        }
    }
    migrate(&mut connection, kind.application_id, kind.migrations).map_err(judged)?;
    Ok(connection)
}

pub fn standing(connection: &Connection, kind: &Kind) -> rusqlite::Result<Standing> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let (known, program) = (kind.migrations.len(), kind.program);
    Ok(match usize::try_from(version) {
        Ok(0) if application == 0 && objects == 0 => Standing::New,
        _ if application != kind.application_id => Standing::Foreign("it is another program's database".to_owned()),
        Ok(version) if version > known => Standing::Foreign(format!(
            "a newer {program} wrote it (its schema is {version}, this version knows {known})"
        )),
        Ok(1..) => Standing::Known,
        _ => Standing::Foreign(format!("its schema version {version} makes no sense")),
    })
}

/// Brings the file to the version of the last step. Each step and its number are one transaction, so that an
/// interrupted upgrade leaves the file of the step before, whole.
fn migrate(connection: &mut Connection, application_id: i32, steps: &[&str]) -> rusqlite::Result<()> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let Some(step) = steps.get(version as usize) else { return Ok(()) };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", application_id)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

/// While it is being opened, an error in a statement of ours (no such table or column) is the file's fault too.
pub fn judge(path: &Path, done: &str, error: &rusqlite::Error) -> Trouble {
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
            "check that its directory is writable and belongs to the user of the service"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "end the other program that holds it",
        _ => "check the disk or card",
    };
    format!("{} cannot be {done} ({error}): {remedy}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_that_fails_half_way_leaves_the_file_of_the_version_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = ["CREATE TABLE first (a)", "CREATE TABLE second (a); CREATE TABLE first (a)"];
        migrate(&mut connection, 1, &broken).unwrap_err();
        let tables = |connection: &Connection| -> Vec<String> {
            let mut statement = connection.prepare("SELECT name FROM sqlite_schema ORDER BY name").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!(tables(&connection), ["first"]);
        migrate(&mut connection, 1, &["CREATE TABLE first (a)", "CREATE TABLE second (a)"]).unwrap();
        assert_eq!(tables(&connection), ["first", "second"]);
    }
}
