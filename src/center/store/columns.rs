//! How the values of the center lie in columns: words as text, lists of words with commas.

use rusqlite::Result;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::center::desk::records::DispatchReason;
use crate::center::desk::words::{AccountId, Verdict};
use crate::controller::words::CallStage;
use crate::store::columns::{unknown_word, word};

/// What an account may lack.
const MISSING: [&str; 3] = ["contact", "address", "password"];

/// What may come of a call.
const OUTCOMES: [&str; 5] = ["confirmed", "cancelled", "wrong_password", "no_answer", "answered"];

const STAGES: [CallStage; 7] = [
    CallStage::CallingFirstContact,
    CallStage::Confirmed,
    CallStage::CancelledByContact,
    CallStage::NoAnswer,
    CallStage::Dispatched,
    CallStage::CallingOtherContacts,
    CallStage::Closed,
];

const REASONS: [DispatchReason; 4] =
    [DispatchReason::Confirmed, DispatchReason::NoAnswer, DispatchReason::WrongPassword, DispatchReason::NoContact];

impl ToSql for AccountId {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

impl FromSql for AccountId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(AccountId::new)
    }
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::NoMonitoring => "no_monitoring",
        Verdict::UnknownAccount => "unknown_account",
    }
}

impl ToSql for Verdict {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(verdict_word(*self)))
    }
}

impl FromSql for Verdict {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        word(value, "verdict", &[Verdict::Accepted, Verdict::NoMonitoring, Verdict::UnknownAccount], verdict_word)
    }
}

impl ToSql for CallStage {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.stage().as_str()))
    }
}

impl FromSql for CallStage {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        word(value, "stage", &STAGES, |stage| stage.stage().as_str())
    }
}

impl ToSql for DispatchReason {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

impl FromSql for DispatchReason {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        word(value, "reason", &REASONS, DispatchReason::as_str)
    }
}

/// What came of a call.
pub struct Outcome(pub &'static str);

impl FromSql for Outcome {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        word(value, "outcome", &OUTCOMES, |word| word).map(Outcome)
    }
}

/// What an account lacks.
pub struct Missing(pub Vec<&'static str>);

impl ToSql for Missing {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.join(",")))
    }
}

impl FromSql for Missing {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let words = value.as_str()?.split(',').filter(|text| !text.is_empty());
        let known =
            |text: &str| MISSING.into_iter().find(|word| *word == text).ok_or_else(|| unknown_word("lack", text));
        words.map(known).collect::<FromSqlResult<_>>().map(Missing)
    }
}
