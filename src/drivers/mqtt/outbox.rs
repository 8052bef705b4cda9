//! What is to be published, until the broker has it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tracing::debug;

use super::{Keep, Publication, Room};

/// How many connections may end on a publication before it is given up: one that the broker cannot digest must not
/// end every connection for ever.
const MOST_TRIES: u8 = 3;

/// A publication on its way.
#[derive(Debug)]
pub struct Waiting {
    pub publication: Publication,
    pub keep: Keep,
    /// How many connections ended while it was under way.
    pub tries: u8,
}

/// Shared by the callers' threads and the link's own.
pub struct Outbox {
    queue: Mutex<Queue>,
    arrival: Notify,
}

struct Queue {
    room: Room,
    waiting: VecDeque<Waiting>,
    /// The topics of those that wait with [`Keep::Latest`]: at most one a topic does.
    latest: HashSet<String>,
    bytes: usize,
    up: bool,
    /// What the connection that stands has announced.
    announcement: Option<Publication>,
}

impl Waiting {
    fn bytes(&self) -> usize {
        let Publication { topic, payload, correlation, .. } = &self.publication;
        topic.len() + payload.len() + correlation.as_ref().map_or(0, Vec::len)
    }

    /// At most this many bytes on the wire: fixed header 5, topic length 2, packet identifier 2, property length 4,
    /// correlation header 3.
    pub fn packet_bytes(&self) -> usize {
        self.bytes() + 16
    }
}

impl Outbox {
    pub fn new(room: Room) -> Outbox {
        let queue =
            Queue { room, waiting: VecDeque::new(), latest: HashSet::new(), bytes: 0, up: false, announcement: None };
        Outbox { queue: Mutex::new(queue), arrival: Notify::new() }
    }

    /// Takes a publication in; the link's thread is woken.
    pub fn push(&self, publication: Publication, keep: Keep) {
        let mut queue = self.queue();
        if keep == Keep::Now && !queue.up {
            return;
        }
        if keep == Keep::Latest {
            queue.remove_latest(&publication.topic);
        }
        queue.push_back(Waiting { publication, keep, tries: 0 });
        let dropped = queue.trim();
        let up = queue.up;
        drop(queue);
        if dropped > 0 {
            debug!(dropped, "dropped the oldest publications: too many wait");
        }
        if up {
            self.arrival.notify_one();
        }
    }

    /// Waits until something may have come in.
    pub async fn arrival(&self) {
        self.arrival.notified().await;
    }

    /// The next one to send. One that was under way when an earlier connection ended travels `alone`, so that it can
    /// be told which of them ends the connections.
    pub fn next(&self, alone: bool) -> Option<Waiting> {
        let mut queue = self.queue();
        if !alone && queue.waiting.front()?.tries > 0 {
            return None;
        }
        queue.pop_front()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue().waiting.is_empty()
    }

    /// A connection is up: these go first, and then the announcement.
    pub fn up(&self, first: &[Publication], announcement: Option<Publication>) {
        let mut queue = self.queue();
        queue.up = true;
        queue.announcement = announcement;
        for publication in first.iter().chain(&queue.announcement.clone()).rev() {
            queue.push_front(Waiting { publication: publication.clone(), keep: Keep::Now, tries: 0 });
        }
    }

    /// The announcement once more, unless it waits anyway: who asks at speed takes no room from what else waits.
    pub fn announce_again(&self) {
        let queue = self.queue();
        let announcement = queue.announcement.clone().filter(|announcement| !queue.has_momentary(&announcement.topic));
        drop(queue);
        if let Some(announcement) = announcement {
            self.push(announcement, Keep::Now);
        }
    }

    /// The connection is to end: these go last.
    pub fn closing(&self, last: &[Publication]) {
        let mut queue = self.queue();
        for publication in last {
            queue.push_back(Waiting { publication: publication.clone(), keep: Keep::Now, tries: 0 });
        }
    }

    /// The connection is gone. `under_way` is what the broker has not acknowledged, in the order of sending.
    pub fn down(&self, under_way: impl DoubleEndedIterator<Item = Waiting>) {
        let mut queue = self.queue();
        queue.up = false;
        queue.announcement = None;
        for mut waiting in under_way.rev() {
            waiting.tries += 1;
            if waiting.tries == MOST_TRIES {
                debug!(topic = waiting.publication.topic, "gave up a publication: every connection ended on it");
            } else if !(waiting.keep == Keep::Latest && queue.has_latest(&waiting.publication.topic)) {
                queue.push_front(waiting);
            }
        }
        queue.remove_momentary();
        queue.trim();
    }

    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push_back(&mut self, waiting: Waiting) {
        self.count(&waiting);
        self.waiting.push_back(waiting);
    }

    fn push_front(&mut self, waiting: Waiting) {
        self.count(&waiting);
        self.waiting.push_front(waiting);
    }

    fn pop_front(&mut self) -> Option<Waiting> {
        self.remove(0)
    }

    fn remove(&mut self, index: usize) -> Option<Waiting> {
        let waiting = self.waiting.remove(index)?;
        self.bytes -= waiting.bytes();
        if waiting.keep == Keep::Latest {
            self.latest.remove(&waiting.publication.topic);
        }
        Some(waiting)
    }

    fn count(&mut self, waiting: &Waiting) {
        self.bytes += waiting.bytes();
        if waiting.keep == Keep::Latest {
            self.latest.insert(waiting.publication.topic.clone());
        }
    }

    fn has_latest(&self, topic: &str) -> bool {
        self.latest.contains(topic)
    }

    fn remove_latest(&mut self, topic: &str) {
        let is_older = |waiting: &Waiting| waiting.keep == Keep::Latest && waiting.publication.topic == topic;
        if self.has_latest(topic)
            && let Some(index) = self.waiting.iter().position(is_older)
        {
            self.remove(index);
        }
    }

    /// Whether something for the connection that stands waits on this topic.
    fn has_momentary(&self, topic: &str) -> bool {
        self.waiting.iter().any(|waiting| waiting.keep == Keep::Now && waiting.publication.topic == topic)
    }

    /// What was for the connection that is gone.
    fn remove_momentary(&mut self) {
        let bytes = &mut self.bytes;
        self.waiting.retain(|waiting| {
            let stays = waiting.keep != Keep::Now;
            if !stays {
                *bytes -= waiting.bytes();
            }
            stays
        });
    }

    /// Drops the oldest until the rest fits, those of which only the latest counts last. Returns how many.
    fn trim(&mut self) -> usize {
        let mut dropped = 0;
        while self.waiting.len() > self.room.waiting || self.bytes > self.room.waiting_bytes {
            let only_latest = self.latest.len() == self.waiting.len();
            let oldest = self.waiting.iter().position(|waiting| only_latest || waiting.keep != Keep::Latest);
            if self.remove(oldest.unwrap_or(0)).is_none() {
                break;
            }
            dropped += 1;
        }
        dropped
    }
}
