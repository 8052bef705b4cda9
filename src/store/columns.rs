//! How the values of the hub lie in columns: ids as 16 bytes, times as integers, words as text.

use rusqlite::Result;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::controller::moment::{BootId, Boottime, ClockStanding, Id, Wall};
use crate::controller::words::{CommandName, Pattern, Service, Stage};

/// An unsigned number. SQLite's integers end at 2^63 - 1, and so does what is stored: a larger one (292 years in
/// nanoseconds) is nonsense, and must not make a record that can never be written.
pub struct Unsigned(pub u64);

impl ToSql for Unsigned {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }
}

impl FromSql for Unsigned {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number).map(Unsigned).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

impl ToSql for Boottime {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }
}

impl FromSql for Boottime {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Unsigned::column_result(value).map(|number| Boottime(number.0))
    }
}

impl ToSql for Wall {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for Wall {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Wall)
    }
}

fn sixteen_bytes(value: ValueRef<'_>) -> FromSqlResult<u128> {
    let bytes = value.as_blob()?;
    let exact =
        bytes.try_into().map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 16, blob_size: bytes.len() });
    exact.map(u128::from_be_bytes)
}

impl ToSql for Id {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_be_bytes().to_vec()))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        sixteen_bytes(value).map(Id)
    }
}

impl ToSql for BootId {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_be_bytes().to_vec()))
    }
}

impl FromSql for BootId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        sixteen_bytes(value).map(BootId)
    }
}

/// A word that this version does not know, or a damaged one.
pub fn unknown_word(column: &str, word: &str) -> FromSqlError {
    FromSqlError::Other(format!("{word:?} is no {column}").into())
}

/// Reads a word by comparing it with what each value is written as.
pub fn word<T: Copy>(value: ValueRef<'_>, column: &str, all: &[T], as_str: fn(T) -> &'static str) -> FromSqlResult<T> {
    let text = value.as_str()?;
    all.iter().copied().find(|one| as_str(*one) == text).ok_or_else(|| unknown_word(column, text))
}

impl ToSql for Service {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

impl FromSql for Service {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        word(value, "service", &Service::ALL, Service::as_str)
    }
}

impl ToSql for Stage {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

impl FromSql for Stage {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        word(value, "stage", &Stage::ALL, Stage::as_str)
    }
}

impl ToSql for CommandName {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

impl FromSql for CommandName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        word(value, "command", &CommandName::ALL, CommandName::as_str)
    }
}

impl ToSql for Pattern {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

impl FromSql for Pattern {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        word(value, "siren pattern", &[Pattern::Steady, Pattern::Temporal3], Pattern::as_str)
    }
}

/// The word for a clock's standing, in columns and in the history alike.
pub fn clock_word(clock: ClockStanding) -> &'static str {
    match clock {
        ClockStanding::Synced => "synced",
        ClockStanding::Unsynced => "unsynced",
    }
}

impl ToSql for ClockStanding {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(clock_word(*self)))
    }
}

impl FromSql for ClockStanding {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        word(value, "clock standing", &[ClockStanding::Synced, ClockStanding::Unsynced], clock_word)
    }
}
