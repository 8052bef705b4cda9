//! The stream of what changes, for an open page.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;

use super::{Hub, Site, words};
use crate::web::events::{Events, stream};

/// A page that hears nothing for some of these says that its connection is gone.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
/// Pages that are kept up to date at the same time.
pub(super) const MOST_STREAMS: usize = 256;

/// `GET /updates`: the event `state` with `{"age_ms", "state"}` at once and after every change, `event` with what
/// happened (for those who may see it), and `alive` when there was neither for a while.
pub(super) async fn updates<H: Hub>(State(site): State<Arc<Site<H>>>, headers: HeaderMap) -> Response {
    let Ok(room) = Arc::clone(&site.streams).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, words::TOO_MANY_PAGES).into_response();
    };
    let may_see = site.gate.standing(&headers, site.hub.wall()).await.may_see();
    let shutdown = site.shutdown.clone();
    stream(shutdown, move |events| async move {
        tell(&site, may_see, &events).await;
        drop(room);
    })
}

async fn tell<H: Hub>(site: &Site<H>, may_see: bool, page: &Events) {
    let mut shown = site.board.watch();
    let mut happened = site.board.hear();
    shown.mark_changed();
    loop {
        let sent = tokio::select! {
            biased;
            changed = shown.changed() => {
                if changed.is_err() {
                    return;
                }
                let latest = shown.borrow_and_update().clone();
                let Some(state) = latest.state else { continue };
                let age_ms = site.hub.now().since(latest.at).as_millis();
                page.send("state", &format!(r#"{{"age_ms":{age_ms},"state":{state}}}"#)).await
            }
            event = happened.recv(), if may_see => match event {
                Ok(event) => page.send("event", &event).await,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            },
            () = sleep(SIGN_OF_LIFE) => page.send("alive", "").await,
        };
        if sent.is_err() {
            return;
        }
    }
}
