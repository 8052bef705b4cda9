//! What the hub said last, for all pages; and which page waits for which reply. The loop writes here and never waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, oneshot, watch};

use super::Hub;
use crate::controller::moment::Boottime;

/// A page that is further behind has missed some; the state, which it gets in any case, says the rest.
const EVENTS_KEPT: usize = 16;

/// The latest state, and when it was true.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// JSON as on the topic `state`; `None` before the first.
    pub state: Option<Arc<str>>,
    pub at: Boottime,
}

/// Where the loop puts what pages show.
pub struct Board {
    shown: watch::Sender<Shown>,
    events: broadcast::Sender<Arc<str>>,
    /// When the loop turned last because a page wanted to know.
    life: watch::Sender<Boottime>,
    /// The loop was asked whether it turns, and has not answered yet.
    is_asked: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    last: u64,
    pages: HashMap<u64, oneshot::Sender<Vec<u8>>>,
}

/// A page's place in the queue for a reply; it is given up with this.
pub(super) struct Ticket<'b> {
    board: &'b Board,
    pub number: u64,
}

impl Default for Board {
    fn default() -> Self {
        Board {
            shown: watch::Sender::default(),
            events: broadcast::Sender::new(EVENTS_KEPT),
            life: watch::Sender::default(),
            is_asked: AtomicBool::new(false),
            waiting: Mutex::default(),
        }
    }
}

impl Board {
    /// Shows a state, as JSON, that is true now.
    pub fn state(&self, json: &[u8], now: Boottime) {
        let Ok(json) = str::from_utf8(json) else { return };
        self.shown.send_replace(Shown { state: Some(json.into()), at: now });
    }

    /// Tells open pages of an event, as JSON.
    pub fn event(&self, json: &[u8]) {
        // Without a page nobody listens, and nothing has to be made for anybody.
        if self.events.receiver_count() > 0
            && let Ok(json) = str::from_utf8(json)
        {
            let _ = self.events.send(json.into());
        }
    }

    /// Sends the latest state again, with its age: a countdown has gone on.
    pub fn tick(&self) {
        self.shown.send_modify(|_| {});
    }

    /// The loop turns: the answer to [`Hub::ask_for_life`](super::Hub::ask_for_life).
    pub fn lives(&self, now: Boottime) {
        self.is_asked.store(false, Ordering::SeqCst);
        self.life.send_replace(now);
    }

    /// Hands a reply, as JSON, to the page that waits for it.
    pub fn reply(&self, page: u64, json: Vec<u8>) {
        let page = self.waiting().pages.remove(&page);
        if let Some(page) = page {
            // It may have gone in this moment.
            let _ = page.send(json);
        }
    }

    /// Asks the loop whether it turns, once until it has answered.
    pub(super) fn ask_for_life(&self, hub: &impl Hub) {
        if !self.is_asked.swap(true, Ordering::SeqCst) {
            hub.ask_for_life();
        }
    }

    /// When the loop answered last.
    pub(super) fn life(&self) -> watch::Receiver<Boottime> {
        self.life.subscribe()
    }

    /// Whether a page is open.
    pub(super) fn is_watched(&self) -> bool {
        self.life.receiver_count() > 0
    }

    pub(super) fn watch(&self) -> watch::Receiver<Shown> {
        self.shown.subscribe()
    }

    pub(super) fn hear(&self) -> broadcast::Receiver<Arc<str>> {
        self.events.subscribe()
    }

    /// A number for a reply, and where it will come.
    pub(super) fn expect_reply(&self) -> (Ticket<'_>, oneshot::Receiver<Vec<u8>>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.last += 1;
        let number = waiting.last;
        waiting.pages.insert(number, sender);
        (Ticket { board: self, number }, receiver)
    }

    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.board.waiting().pages.remove(&self.number);
    }
}
