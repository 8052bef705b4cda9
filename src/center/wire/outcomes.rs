//! What a telephony provider says came of a call.

use serde::Deserialize;

/// Its word. What else it says is ignored.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Word {
    pub outcome: Outcome,
    /// What the contact said, with `cancelled`.
    pub password: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Answered,
    Confirmed,
    Cancelled,
    NoAnswer,
}

/// The word in the body of a callback, a JSON object; the error is a sentence.
pub fn word(body: &[u8]) -> Result<Word, String> {
    // The library lets anything pass in what is ignored.
    let text = str::from_utf8(body).map_err(|problem| format!("This is not understood: {problem}."))?;
    serde_json::from_str(text).map_err(|problem| format!("This is not understood: {problem}."))
}

/// The token in the header `Authorization`, if it is of the scheme `Bearer`.
pub fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
