//! The stream of what changes, for an open page.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::browsers::Badge;
use super::gate::Standing;
use super::{Hub, Site, words};
use crate::controller::moment::Boottime;
use crate::web::events::{Deaf, Events, stream_alone};

/// A page that hears nothing for some of these says that its connection is gone.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// Whoever opens pages has the loop asked for more signs of life; no page is told of all of them.
const LEAST_LIFE: Duration = Duration::from_millis(900);
/// Pages that are kept up to date at the same time.
const MOST_STREAMS: usize = 256;
/// Of browsers that have to give the PIN first: they take no room from those that know it.
const MOST_STRANGERS: usize = 64;

/// The room for streams.
pub(super) struct Streams {
    room: Arc<Semaphore>,
    room_of_strangers: Arc<Semaphore>,
    /// A page was opened.
    opened: Notify,
}

impl Streams {
    pub fn new() -> Streams {
        Streams {
            room: Arc::new(Semaphore::new(MOST_STREAMS)),
            room_of_strangers: Arc::new(Semaphore::new(MOST_STRANGERS)),
            opened: Notify::new(),
        }
    }

    fn enter(&self, standing: Standing) -> Option<OwnedSemaphorePermit> {
        let room = if standing == Standing::Stranger { &self.room_of_strangers } else { &self.room };
        Arc::clone(room).try_acquire_owned().ok()
    }
}

/// `GET /updates`: the event `standing` with what the browser may do (`act`, `pin`, `never`), and again when it has lost
/// that, at which the stream ends; `state` with `{"now_ms", "age_ms", "state"}` at once and after every change; `event`
/// with what happened (for those who may see it); `alive` with `now_ms` each second. `now_ms` is the hub's boot clock.
/// All but `standing` come only while the hub's loop turns.
pub(super) async fn updates<H: Hub>(State(site): State<Arc<Site<H>>>, headers: HeaderMap) -> Response {
    let standing = site.gate.standing(&headers, site.hub.dated()).await;
    let Some(room) = site.streams.enter(standing) else {
        return (StatusCode::SERVICE_UNAVAILABLE, words::TOO_MANY_PAGES).into_response();
    };
    let badge = site.gate.badge(&headers);
    let shutdown = site.shutdown.clone();
    stream_alone(shutdown, move |events| async move {
        // It ends when the browser has gone.
        let _ = tell(&site, badge.as_ref(), standing, &events).await;
        drop(room);
    })
}

async fn tell<H: Hub>(site: &Site<H>, badge: Option<&Badge>, standing: Standing, page: &Events) -> Result<(), Deaf> {
    let mut standings = site.gate.changes();
    let mut life = site.board.life();
    let mut shown = site.board.watch();
    let mut happened = site.board.hear();
    page.send("standing", standing.as_str()).await?;
    // A hub that hangs says nothing: what it said last may not be true any more.
    let asked = site.hub.now();
    site.board.ask_for_life(&*site.hub);
    site.streams.opened.notify_one();
    if life.wait_for(|answered| *answered >= asked).await.is_err() {
        return Ok(());
    }
    shown.mark_changed();
    let mut told: Option<Instant> = None;
    loop {
        let standing_now = site.gate.standing_of(badge, site.hub.dated());
        if standing_now != standing {
            return page.send("standing", standing_now.as_str()).await;
        }
        tokio::select! {
            biased;
            Ok(()) = standings.changed() => {}
            Ok(()) = shown.changed() => {
                let latest = shown.borrow_and_update().clone();
                let Some(state) = latest.state else { continue };
                let now = site.hub.now();
                let (now_ms, age_ms) = (milliseconds(now), now.since(latest.at).as_millis());
                page.send("state", &format!(r#"{{"now_ms":{now_ms},"age_ms":{age_ms},"state":{state}}}"#)).await?;
            }
            event = happened.recv(), if standing.may_see() => match event {
                Ok(event) => page.send("event", &event).await?,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
            Ok(()) = life.changed() => if told.is_none_or(|told| told.elapsed() >= LEAST_LIFE) {
                told = Some(Instant::now());
                page.send("alive", &milliseconds(site.hub.now()).to_string()).await?;
            },
            else => return Ok(()),
        }
    }
}

/// Has the loop give its sign of life as long as pages are open; without one, nothing is woken.
pub(super) async fn pulse<H: Hub>(site: Arc<Site<H>>) {
    loop {
        site.streams.opened.notified().await;
        while site.board.is_watched() {
            sleep(SIGN_OF_LIFE).await;
            site.board.ask_for_life(&*site.hub);
        }
    }
}

/// As pages know the hub's boot clock.
pub(super) fn milliseconds(time: Boottime) -> u64 {
    time.0 / 1_000_000
}
