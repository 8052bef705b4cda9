//! A button that an operator has pressed.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::address::{Page, field};
use super::{Site, not_found, words};
use crate::center::desk::view::Button;
use crate::center::desk::words::{CallOutcome, Order, OrderRefusal, PasswordCheck};
use crate::center::office::OrderFailure;
use crate::center::secrets;
use crate::controller::moment::Id;
use crate::wire::text;

const LONGEST_NOTE: usize = 500;

/// `POST /incidents/ID/orders`: `button` and `step`, with `password` or `text`. Answers JSON to a script that accepts
/// it, else a redirect or a page.
pub async fn order(State(site): State<Arc<Site>>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let (Some(incident), Some(operator)) = (text::parse_id(&id), site.operator(&headers).await) else {
        return not_found().await;
    };
    let outcome = carry_out(&site, &operator.name, incident, &body).await;
    let page = Page::Incident(incident);
    let wants_json =
        headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("json"));
    match (outcome, wants_json) {
        (Ok(()), false) => Redirect::to(&page.address()).into_response(),
        (Err(sentence), false) => site.shown(&page, &operator.name, Some(sentence)).await,
        (Ok(()), true) => json(StatusCode::OK, None),
        (Err(sentence), true) => json(StatusCode::CONFLICT, Some(sentence)),
    }
}

fn json(status: StatusCode, message: Option<&str>) -> Response {
    let body = serde_json::json!({ "ok": message.is_none(), "message": message }).to_string();
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn carry_out(site: &Site, operator: &str, incident: Id, body: &[u8]) -> Result<(), &'static str> {
    const UNREADABLE: &str = "That was no button of this page. Load the page again.";
    let step = field(body, "step").and_then(|step| step.parse().ok()).ok_or(UNREADABLE)?;
    let pressed = field(body, "button").ok_or(UNREADABLE)?;
    let order = if pressed == "note" {
        let note = text::tidy(&field(body, "text").unwrap_or_default(), LONGEST_NOTE);
        if note.is_empty() {
            return Err("Write something first.");
        }
        Order::Note(note)
    } else {
        let button = Button::ALL.into_iter().find(|button| words::key(*button) == pressed).ok_or(UNREADABLE)?;
        order_of(site, incident, button, body).await?
    };
    site.office.order(operator, incident, step, order).await.map_err(|failure| match failure {
        OrderFailure::Refused(OrderRefusal::MovedOn) => {
            "Somebody else was faster, or a time ran out: the incident has moved on. Nothing was done; look at it again."
        }
        OrderFailure::Refused(OrderRefusal::NotNow) => "That cannot be done at this step. Nothing was done.",
        OrderFailure::Refused(OrderRefusal::UnknownIncident) => "This incident has ended. Nothing was done.",
        OrderFailure::Gone => "The center is shutting down. Nothing was done; try again in a moment.",
    })
}

async fn order_of(site: &Site, incident: Id, button: Button, body: &[u8]) -> Result<Order, &'static str> {
    Ok(match button {
        Button::CallFirstContact => Order::CallFirstContact,
        Button::Answered => Order::Outcome(CallOutcome::Answered),
        Button::Confirmed => Order::Outcome(CallOutcome::Confirmed),
        Button::NoAnswer => Order::Outcome(CallOutcome::NoAnswer),
        Button::Dispatch => Order::Dispatch,
        Button::CallNextContact => Order::CallNextContact,
        Button::Close => Order::Close,
        Button::CancelledByContact => {
            let said = field(body, "password").unwrap_or_default();
            let check = verbal(site, incident, &said).await?;
            Order::Outcome(CallOutcome::Cancelled(check))
        }
    })
}

/// Whether the contact of this incident has said the right verbal password.
pub(super) async fn verbal(site: &Site, incident: Id, said: &str) -> Result<PasswordCheck, &'static str> {
    const UNREAD: &str = "The verbal password could not be looked up. Nothing was done; press again.";
    let account = site.office.ask(move |desk, now| desk.incident(incident, now).map(|view| view.line.account)).await;
    let account = account.map_err(|_| UNREAD)?.ok_or("This incident has ended. Nothing was done.")?;
    let hash = site.archive.password_hash(&account).await.map_err(|_| UNREAD)?;
    let is_right = match hash {
        Some(hash) if !said.is_empty() => site.matches(secrets::verbal(said), hash).await,
        _ => false,
    };
    Ok(if is_right { PasswordCheck::Right } else { PasswordCheck::Wrong })
}
