//! What an open page is sent: its changed parts, as soon as the desk says that something has changed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::address::{self, Page};
use super::{Site, layout, pages};
use crate::center::desk::view::QueueView;
use crate::center::office::{Changes, Gone, Office};
use crate::drivers::clock;
use crate::web::events::{Events, stream};

/// Between two states of a page that show incidents, and between two that show hubs or what was rejected.
const INCIDENTS_GAP: Duration = Duration::from_millis(100);
const HUBS_GAP: Duration = Duration::from_secs(1);
/// How often it is looked whether the operator is still logged in.
const SESSION_GAP: Duration = Duration::from_secs(15);

/// The queue as it was asked for last. All open pages need it after every change, and one answer does for all.
#[derive(Default)]
pub struct Board(Mutex<Option<(Changes, Arc<QueueView>)>>);

impl Board {
    /// The queue of now.
    pub async fn queue(&self, office: &Office) -> Result<Arc<QueueView>, Gone> {
        let mut known = self.0.lock().await;
        // What changes while the desk answers may be in the answer; then it is asked once more than needed.
        let changes = *office.changes().borrow();
        if let Some((asked, queue)) = &*known
            && (asked.queue, asked.hubs) == (changes.queue, changes.hubs)
        {
            return Ok(Arc::clone(queue));
        }
        let queue = Arc::new(office.ask(|desk, _| desk.queue()).await?);
        *known = Some((changes, Arc::clone(&queue)));
        Ok(queue)
    }
}

/// A state of a page.
#[derive(Serialize)]
struct Frame {
    title: String,
    alarm: u64,
    unattended: usize,
    now: i64,
    nav: String,
    health: String,
    main: String,
}

/// `GET /live?page=ADDRESS`: the stream of that page's states.
pub async fn live(State(site): State<Arc<Site>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    if site.operator(&headers).await.is_none() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let query = query.unwrap_or_default();
    let wanted = query.strip_prefix("page=").and_then(address::decoded);
    let Some(page) = wanted.as_deref().and_then(Page::at) else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(room) = Arc::clone(&site.streams).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "Too many pages are open; close some.").into_response();
    };
    let shutdown = site.shutdown.clone();
    stream(shutdown, |events| async move {
        tell(&site, &page, &headers, &events).await;
        drop(room);
    })
}

/// Tells of the page until the operator is logged out or the desk has ended; whoever drops this ends it, too.
async fn tell(site: &Site, page: &Page, headers: &HeaderMap, events: &Events) {
    let mut changes = site.office.changes();
    let mut shown = None;
    let mut shown_at = Instant::now();
    let mut checked_at = Instant::now();
    loop {
        let now = *changes.borrow_and_update();
        let due = shown.map_or(Some(shown_at), |shown| Some(shown_at + gap(page, shown, now)?));
        let check = checked_at + SESSION_GAP;
        tokio::select! {
            () = sleep_until(due.unwrap_or(check).min(check)) => {}
            changed = changes.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        }
        // An open page counts as use: a console that watches through a quiet night must not go blind.
        if site.operator(headers).await.is_none() {
            let _ = events.send("over", "").await;
            return;
        }
        checked_at = Instant::now();
        if due.is_some_and(|due| due <= checked_at) {
            let Some(frame) = frame(site, page).await else { return };
            if events.send("page", &frame).await.is_err() {
                return;
            }
            (shown, shown_at) = (Some(now), checked_at);
        }
    }
}

/// How long a page stands before it shows these changes; `None` if they are none of its own.
fn gap(page: &Page, shown: Changes, now: Changes) -> Option<Duration> {
    let security = matches!(page, Page::Security) && shown.security != now.security;
    if shown.queue != now.queue {
        Some(INCIDENTS_GAP)
    } else if shown.hubs != now.hubs || security {
        Some(HUBS_GAP)
    } else {
        None
    }
}

async fn frame(site: &Site, page: &Page) -> Option<String> {
    let wall = clock::wall();
    let queue = site.board.queue(&site.office).await.ok()?;
    let parts = pages::parts(site, page, &queue, wall, None).await.ok()?;
    let frame = Frame {
        title: parts.title,
        alarm: queue.alarm_number,
        unattended: layout::unattended(&queue),
        now: wall.0,
        nav: layout::nav(page, &queue).into_string(),
        health: layout::health(&queue.health).into_string(),
        main: parts.main.into_string(),
    };
    serde_json::to_string(&frame).ok()
}
