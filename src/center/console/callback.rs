//! A telephony provider's word on a call that it was asked to place.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{Site, orders};
use crate::center::desk::words::{CallOutcome, PasswordCheck};
use crate::center::wire::outcomes::{self, Outcome};
use crate::controller::moment::Id;
use crate::wire::text;

/// `POST /calls/ID` with `Authorization: Bearer TOKEN` and `{"outcome", "password"}`.
pub async fn outcome(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(outcomes::bearer);
    let Some(call) = text::parse_id(&id).filter(|call| token.is_some_and(|token| (site.callback)(*call, token))) else {
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], "This is not the token of that call.")
            .into_response();
    };
    let word = match outcomes::word(&body) {
        Ok(word) => word,
        Err(problem) => return (StatusCode::BAD_REQUEST, problem).into_response(),
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

/// A call that is not under way has no password that could be right.
async fn check(site: &Site, call: Id, said: &str) -> Result<PasswordCheck, &'static str> {
    match site.office.ask(move |desk, _| desk.incident_of_call(call)).await {
        Ok(Some(incident)) => orders::verbal(site, incident, said).await,
        Ok(None) => Ok(PasswordCheck::Wrong),
        Err(_) => Err("The center is shutting down; try again in a moment."),
    }
}
