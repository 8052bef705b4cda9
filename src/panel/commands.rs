//! A request, cancel, silence or test that somebody sends from a page.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::browsers::Standing;
use super::{Hub, Site, words};
use crate::controller::input::{Content, Received, ReplyTo};
use crate::controller::words::CommandName;
use crate::wire::commands;

/// On their way to the controller at the same time; more are turned away, so that a flood of them ends here.
pub(super) const MOST_AT_ONCE: usize = 32;
/// The controller answers within a quarter of a second, however slow the disk is.
const REPLY: Duration = Duration::from_secs(3);
const SOURCE: &str = "panel";

/// `POST /commands/{name}` with the JSON of the command's topic: answers with the JSON of the topic `reply`.
///
/// What may start or stop something has an `id`, so that a page whose connection broke can ask once more without
/// starting anything twice. `source` and `sent_at` are the hub's to say.
pub(super) async fn command<H: Hub>(
    State(site): State<Arc<Site<H>>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let arrived = site.hub.now();
    let Some(command) = CommandName::ALL.into_iter().find(|known| known.as_str() == name) else {
        return (StatusCode::NOT_FOUND, words::NO_SUCH_PAGE).into_response();
    };
    match site.gate.standing(&headers, site.hub.wall()).await {
        Standing::Knows => {}
        Standing::Stranger => return (StatusCode::UNAUTHORIZED, words::PIN_FIRST).into_response(),
        Standing::NoPin => return (StatusCode::FORBIDDEN, words::NO_PIN_FILE).into_response(),
    }
    let mut content = commands::command(command, &body);
    if let Ok(content) = &mut content
        && !is_ours(content)
    {
        return (StatusCode::BAD_REQUEST, "the command needs an id").into_response();
    }
    let Ok(_room) = site.commands.try_acquire() else {
        return (StatusCode::SERVICE_UNAVAILABLE, words::TOO_MANY_COMMANDS).into_response();
    };
    let (ticket, reply) = site.board.expect_reply();
    let reply_to = Some(ReplyTo::Page(ticket.number));
    let received = Received { arrived, command, retained: false, duplicate: false, reply_to, content };
    let answered = async {
        site.hub.command(received).await;
        reply.await
    };
    match timeout(REPLY, answered).await {
        Ok(Ok(json)) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
        _ => (StatusCode::GATEWAY_TIMEOUT, words::NO_REPLY).into_response(),
    }
}

/// Puts our source on a command; whether it has the id that it needs.
fn is_ours(content: &mut Content) -> bool {
    match content {
        Content::Request { id, source, user, sent_at, .. } => {
            *source = Some(SOURCE.to_owned());
            (*user, *sent_at) = (None, None);
            id.is_some()
        }
        Content::Cancel { id, .. } | Content::Silence { id } => id.is_some(),
        Content::Test(_) => true,
    }
}
