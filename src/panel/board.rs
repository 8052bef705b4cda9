//! What the hub said last, for all pages; and which page waits for which reply. The loop writes here and never waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, oneshot, watch};

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
        let (shown, events) = (watch::Sender::default(), broadcast::Sender::new(EVENTS_KEPT));
        Board { shown, events, waiting: Mutex::default() }
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

    /// Hands a reply, as JSON, to the page that waits for it.
    pub fn reply(&self, page: u64, json: Vec<u8>) {
        let page = self.waiting().pages.remove(&page);
        if let Some(page) = page {
            // It may have gone in this moment.
            let _ = page.send(json);
        }
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
