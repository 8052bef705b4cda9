//! The incidents of the past. Every page asks for them when one begins or ends, so those who ask at the same time share
//! one read of the disk; and no answer is older than its question.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::cameras::memory::carried;
use super::{Hub, Site, words};

const INCIDENTS: usize = 50;
/// Answers that lie in memory at the same time, until they are read; others wait for so long. Each may have 100 KiB.
const MOST_ANSWERS: usize = 24;
const ROOM: Duration = Duration::from_secs(5);

/// What was read, each incident as JSON; the error is a sentence.
type Read = Result<Arc<Vec<String>>, Arc<str>>;

/// The reads of one panel.
#[derive(Default)]
pub struct History {
    /// How many reads have begun.
    begun: AtomicU64,
    /// The most that anybody wants who waits for the next one.
    wanted: AtomicUsize,
    waiting: Arc<AtomicUsize>,
    /// Held while a read goes on.
    latest: Arc<Mutex<Option<Latest>>>,
    answers: Answers,
}

/// The room for answers.
struct Answers(Arc<Semaphore>);

impl Default for Answers {
    fn default() -> Answers {
        Answers(Arc::new(Semaphore::new(MOST_ANSWERS)))
    }
}

struct Latest {
    number: u64,
    most: usize,
    read: Read,
}

/// One who waits; goes with this.
struct Waits(Arc<AtomicUsize>);

impl History {
    /// What a read says that begins after this question.
    async fn ask<H: Hub>(&self, hub: &Arc<H>, most: usize) -> Read {
        let before = self.begun.load(Ordering::SeqCst);
        self.wanted.fetch_max(most, Ordering::SeqCst);
        let waits = Waits::among(&self.waiting);
        let mut latest = Arc::clone(&self.latest).lock_owned().await;
        drop(waits);
        let shared = latest.as_ref().filter(|latest| latest.number > before && latest.most >= most);
        if let Some(read) = shared.map(|latest| latest.read.clone()) {
            if self.waiting.load(Ordering::SeqCst) == 0 {
                *latest = None;
            }
            return read;
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let most = self.wanted.swap(0, Ordering::SeqCst).max(most);
        let (hub, waiting) = (Arc::clone(hub), Arc::clone(&self.waiting));
        // It goes on where whoever asked has gone, and holds up the next one until it is over: one thread is enough.
        let reading = spawn_blocking(move || {
            let read: Read = hub.history(most).map(Arc::new).map_err(Arc::from);
            let is_awaited = waiting.load(Ordering::SeqCst) > 0;
            *latest = is_awaited.then(|| Latest { number, most, read: read.clone() });
            read
        });
        reading.await.unwrap_or_else(|_| Err("The hub stops.".into()))
    }
}

impl Waits {
    fn among(waiting: &Arc<AtomicUsize>) -> Waits {
        waiting.fetch_add(1, Ordering::SeqCst);
        Waits(Arc::clone(waiting))
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Deserialize)]
pub(super) struct Wish {
    most: Option<usize>,
}

/// `GET /history.json`: as `sos-hub history --json` has it, the latest; with `?most=3` at most so many.
pub(super) async fn json<H: Hub>(State(site): State<Arc<Site<H>>>, Query(wish): Query<Wish>) -> Response {
    let most = wish.most.unwrap_or(INCIDENTS).min(INCIDENTS);
    // Before it is read: whoever waits for room holds nothing. What was read is shared; an answer is not.
    let room = timeout(ROOM, Arc::clone(&site.history.answers.0).acquire_owned()).await;
    let Ok(Ok(room)) = room else {
        return (StatusCode::SERVICE_UNAVAILABLE, words::TOO_MANY_PAGES).into_response();
    };
    match site.history.ask(&site.hub, most).await {
        Ok(entries) => {
            let json = format!("[{}]", entries.get(..most).unwrap_or(&entries).join(","));
            ([(CONTENT_TYPE, "application/json")], Body::from(carried(json, room))).into_response()
        }
        Err(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem.to_string()).into_response(),
    }
}
