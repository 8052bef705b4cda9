//! A telephony provider's word on a call that it was asked to place.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{Site, orders};
use crate::center::desk::words::{CallOutcome, PasswordCheck};
use crate::controller::moment::Id;
use crate::wire::text;

/// What it says.
#[derive(Deserialize)]
struct Word {
    outcome: Outcome,
    /// What the contact said, with `cancelled`.
    password: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Answered,
    Confirmed,
    Cancelled,
    NoAnswer,
}

/// `POST /calls/ID` with `Authorization: Bearer TOKEN` and `{"outcome", "password"}`.
pub async fn outcome(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    let Some(call) = text::parse_id(&id).filter(|call| token.is_some_and(|token| (site.callback)(*call, token))) else {
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], "This is not the token of that call.")
            .into_response();
    };
    let word: Word = match serde_json::from_slice(&body) {
        Ok(word) => word,
        Err(problem) => {
            return (StatusCode::BAD_REQUEST, format!("This is not understood: {problem}.")).into_response();
        }
    };
    let outcome = match word.outcome {
        Outcome::Answered => CallOutcome::Answered,
        Outcome::Confirmed => CallOutcome::Confirmed,
        Outcome::NoAnswer => CallOutcome::NoAnswer,
        Outcome::Cancelled => match check(&site, call, word.password.as_deref().unwrap_or_default()).await {
            Ok(check) => CallOutcome::Cancelled(check),
            Err(problem) => return (StatusCode::SERVICE_UNAVAILABLE, problem).into_response(),
        },
    };
    site.office.call_outcome(call, outcome);
    StatusCode::NO_CONTENT.into_response()
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A call of no open incident has no password that could be right.
async fn check(site: &Site, call: Id, said: &str) -> Result<PasswordCheck, &'static str> {
    let incident = site.office.ask(move |desk, now| {
        let of_call =
            |id: &Id| desk.incident(*id, now).is_some_and(|view| view.calls.iter().any(|made| made.id == call));
        desk.queue().open.iter().map(|line| line.id).find(of_call)
    });
    match incident.await {
        Ok(Some(incident)) => orders::verbal(site, incident, said).await,
        Ok(None) => Ok(PasswordCheck::Wrong),
        Err(_) => Err("The center is shutting down; try again in a moment."),
    }
}
