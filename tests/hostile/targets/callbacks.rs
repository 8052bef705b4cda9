//! Anything that may be posted as the outcome of a call: a token is of its call alone, and a word is one of four.

use std::sync::LazyLock;

use serde_json::Value;
use sos_hub::center::callback::CallbackTokens;
use sos_hub::center::wire::outcomes::{Outcome, bearer, word};
use sos_hub::controller::moment::Id;

use super::keys;

static TOKENS: LazyLock<CallbackTokens> =
    LazyLock::new(|| CallbackTokens::from_pem(&keys::private_key_pem()).expect("a key"));

/// Lines: what the header says, then the body.
pub fn check(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (header, body) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    if let Some(token) = str::from_utf8(header).ok().and_then(bearer) {
        let call = Id(7);
        assert_eq!(TOKENS.is_token(call, token), token == TOKENS.token(call), "{token:?}");
    }
    match word(body) {
        Ok(word) => {
            let outcome = match word.outcome {
                Outcome::Answered => "answered",
                Outcome::Confirmed => "confirmed",
                Outcome::Cancelled => "cancelled",
                Outcome::NoAnswer => "no_answer",
            };
            assert!(str::from_utf8(body).is_ok(), "JSON is UTF-8");
            // In what is ignored there may be a number that is too large for any reader.
            let Ok(said) = serde_json::from_slice::<Value>(body) else { return };
            assert!(said["outcome"] == outcome || said.is_array(), "{said}");
            assert!(said.is_array() || said["password"].as_str() == word.password.as_deref(), "{said}");
        }
        Err(problem) => assert!(problem.starts_with("This is not understood: "), "{problem}"),
    }
}
