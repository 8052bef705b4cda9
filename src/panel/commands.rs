//! A request, cancel, silence or test that somebody sends from a page.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::gate::Standing;
use super::{Hub, Site, updates, words};
use crate::controller::input::{Content, Received, ReplyTo};
use crate::controller::moment::Boottime;
use crate::controller::report::Reply;
use crate::controller::words::{CommandName, Reason};
use crate::web::guard::Begun;
use crate::wire::{commands, reports};

/// On their way to the controller at the same time; more are turned away, so that a flood of them ends here.
pub(super) const MOST_AT_ONCE: usize = 32;
/// The controller answers within a quarter of a second, however slow the disk is.
const REPLY: Duration = Duration::from_secs(3);
const SOURCE: &str = "panel";
/// Longer than a page goes on asking for the same. What comes later was given up by whoever asked, and told so.
const STALE: Duration = Duration::from_secs(15);
/// From a request's head to the end of its body.
const SLOW: Duration = Duration::from_secs(5);
/// How far a page's idea of the hub's clock may be ahead of it.
const AHEAD_MS: u64 = 1000;

/// `POST /commands/{name}` with the JSON of the command's topic: answers with the JSON of the topic `reply`.
///
/// What may start or stop something has an `id`, so that a page whose connection broke can ask once more without
/// starting anything twice. `source` and `sent_at` are the hub's to say; `asked_ms` says when somebody asked, by the
/// hub's boot clock as far as the page knows it, and what lay in a buffer for longer than [`STALE`] is refused.
pub(super) async fn command<H: Hub>(
    State(site): State<Arc<Site<H>>>,
    Extension(begun): Extension<Begun>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let arrived = site.hub.now();
    let Some(command) = CommandName::ALL.into_iter().find(|known| known.as_str() == name) else {
        return (StatusCode::NOT_FOUND, words::NO_SUCH_PAGE).into_response();
    };
    // Before the wait for the disk, which is not the page's fault.
    let is_late = begun.0.elapsed() > SLOW || is_stale(&body, arrived);
    match site.gate.standing(&headers, site.hub.dated()).await {
        Standing::Knows => {}
        Standing::Stranger if !site.gate.is_sure() => {
            return (StatusCode::SERVICE_UNAVAILABLE, words::TRY_AGAIN).into_response();
        }
        Standing::Stranger => return (StatusCode::UNAUTHORIZED, words::PIN_FIRST).into_response(),
        Standing::NoPin => return (StatusCode::FORBIDDEN, words::NO_PIN_FILE).into_response(),
    }
    let mut content = commands::command(command, &body);
    if let Ok(content) = &mut content
        && !is_ours(content)
    {
        return (StatusCode::BAD_REQUEST, "the command needs an id").into_response();
    }
    if is_late {
        return json(stale(command, content.ok()));
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
        Ok(Ok(reply)) => json(reply),
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

/// Whether it was asked for too long ago, or before the hub's machine was started.
fn is_stale(body: &[u8], now: Boottime) -> bool {
    #[derive(serde::Deserialize)]
    struct Asked {
        asked_ms: u64,
    }
    let Ok(Asked { asked_ms }) = serde_json::from_slice(body) else { return false };
    let now_ms = updates::milliseconds(now);
    u128::from(now_ms.saturating_sub(asked_ms)) > STALE.as_millis() || asked_ms > now_ms.saturating_add(AHEAD_MS)
}

fn stale(command: CommandName, content: Option<Content>) -> Vec<u8> {
    let id = content.and_then(|content| match content {
        Content::Request { id, .. } | Content::Cancel { id, .. } | Content::Silence { id } => id,
        Content::Test(_) => None,
    });
    let (refused, message) = (Some(Reason::Stale), words::STALE.to_owned());
    reports::reply(&Reply { id, command, refused, incident: None, durable: None, message })
}

fn json(reply: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], reply).into_response()
}
