//! The incidents of the past, read beside the running hub (or without one): for `sos-hub history`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Row};
use serde::Serialize;

use super::columns::clock_word;
use super::file::{self, Standing, Trouble};
use super::{database_path, rows, schema};
use crate::controller::effect::{IncidentRecord, StepRecord};
use crate::controller::moment::{Id, Wall};

/// One incident with its steps, as `sos-hub history --json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// A UUID.
    pub id: String,
    pub service: &'static str,
    pub source: String,
    pub user: Option<String>,
    /// The stage that it has come to.
    pub stage: &'static str,
    /// RFC 3339 in UTC with milliseconds, as are all times here.
    pub accepted_at: String,
    /// `synced` or `unsynced`: whether the clock could be believed then.
    pub clock: &'static str,
    /// `None` while it is open.
    pub ended_at: Option<String>,
    /// Its countdown was started afresh after a reboot.
    pub resumed: bool,
    /// In the order of `seq`.
    pub steps: Vec<HistoryStep>,
}

/// One stage that an incident came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryStep {
    /// The `seq` of the event that told of it.
    pub seq: u64,
    pub stage: &'static str,
    pub at: String,
    pub clock: &'static str,
    pub message: String,
}

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("there is no history at {}: check hub.state_dir, or start the hub once", .0.display())]
    Missing(PathBuf),
    #[error("{} is closed to this user: try with sudo", .0.display())]
    Closed(PathBuf),
    #[error("{} cannot be read as the hub's history: {reason}", .path.display())]
    Foreign { path: PathBuf, reason: String },
    #[error("{} cannot be read ({error}): check that you run this as root or as the hub's user", .path.display())]
    Unreadable { path: PathBuf, error: rusqlite::Error },
}

/// The latest incidents, at most `limit`, newest first. Never waits for the hub and never holds it up. Rows that cannot
/// be understood are left out and logged.
pub fn read(state_dir: &Path, limit: usize) -> Result<Vec<HistoryEntry>, HistoryError> {
    let path = database_path(state_dir);
    if !path.exists() {
        return Err(HistoryError::Missing(path));
    }
    let unreadable = |error| HistoryError::Unreadable { path: path.clone(), error };
    let connection =
        Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(unreadable)?;
    // Only in the moment in which the hub starts or stops is there anything to wait for.
    connection.busy_timeout(Duration::from_secs(5)).map_err(unreadable)?;
    match file::standing(&connection, &schema::KIND).map_err(unreadable)? {
        Standing::New => Ok(Vec::new()),
        Standing::Foreign(reason) => Err(HistoryError::Foreign { path: path.clone(), reason }),
        Standing::Known => entries(&connection, limit).map_err(unreadable),
    }
}

/// Reads the whole database through, beside the running hub or without one.
///
/// # Errors
///
/// [`HistoryError::Foreign`] with what is wrong, if the file is damaged or not ours.
pub fn check(state_dir: &Path) -> Result<(), HistoryError> {
    let path = database_path(state_dir);
    let foreign = |reason: String| HistoryError::Foreign { path: path.clone(), reason };
    let judged = |error: rusqlite::Error| match file::judge(&path, "read", &error) {
        Trouble::File(reason) => foreign(reason),
        Trouble::Around(_) => HistoryError::Unreadable { path: path.clone(), error },
    };
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(HistoryError::Missing(path)),
        Err(_) => return Err(HistoryError::Closed(path)),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).map_err(judged)?;
    connection.busy_timeout(Duration::from_secs(1)).map_err(judged)?;
    if let Standing::Foreign(reason) = file::standing(&connection, &schema::KIND).map_err(judged)? {
        return Err(foreign(reason));
    }
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(judged)?;
    if said == "ok" { Ok(()) } else { Err(foreign(format!("it is damaged ({said})"))) }
}

fn entries(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<HistoryEntry>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut incidents = connection.prepare("SELECT * FROM incident ORDER BY ordinal DESC LIMIT ?1")?;
    let mut steps = connection.prepare("SELECT * FROM step WHERE incident = ?1 ORDER BY seq")?;
    let mut entries = Vec::new();
    // While this one runs, the connection stays at one moment, so the steps are of the same moment too.
    let mut rows = incidents.query([limit])?;
    while let Some(row) = rows.next()? {
        if let Some(incident) = understood("incident", row, rows::incident) {
            let steps = steps_of(&mut steps, incident.id)?;
            entries.push(entry(incident, steps));
        }
    }
    Ok(entries)
}

fn steps_of(statement: &mut rusqlite::Statement<'_>, incident: Id) -> rusqlite::Result<Vec<HistoryStep>> {
    let mut rows = statement.query([incident])?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.extend(understood("step", row, rows::step).map(step));
    }
    Ok(steps)
}

fn understood<T>(table: &str, row: &Row<'_>, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> Option<T> {
    read(row).inspect_err(|error| tracing::warn!("{} cannot be understood: {error}", rows::name(table, row))).ok()
}

fn entry(incident: IncidentRecord, steps: Vec<HistoryStep>) -> HistoryEntry {
    HistoryEntry {
        id: incident.id.to_string(),
        service: incident.service.as_str(),
        source: incident.source,
        user: incident.user,
        stage: incident.stage.as_str(),
        accepted_at: rfc3339(incident.accepted_wall),
        clock: clock_word(incident.clock),
        ended_at: incident.ended_wall.map(rfc3339),
        resumed: incident.resumed,
        steps,
    }
}

fn step(step: StepRecord) -> HistoryStep {
    HistoryStep {
        seq: step.seq,
        stage: step.stage.as_str(),
        at: rfc3339(step.wall),
        clock: clock_word(step.clock),
        message: step.message,
    }
}

/// A time beyond the calendar (only a broken clock has one) is shown as its nearest end.
fn rfc3339(wall: Wall) -> String {
    let end = if wall.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.3}", Timestamp::from_millisecond(wall.0).unwrap_or(end))
}
