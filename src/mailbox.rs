//! The loop's mailbox. Three lanes, always served in this order: what must never wait (buttons, links, store), messages
//! that somebody's life may hang on (at a center: alarms), and what else strangers may say. The last two are bounded,
//! and a full one holds its sender back.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

/// How many messages of strangers may wait for a hub; more stay with the broker.
const BULK_ROOM: usize = 256;

/// The sending side, for any thread or task.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// The receiving side: the loop's alone.
pub struct Mailbox<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    lanes: Mutex<Lanes<T>>,
    arrival: Condvar,
    grave_room: Semaphore,
    bulk_room: Semaphore,
}

struct Lanes<T> {
    urgent: VecDeque<T>,
    grave: VecDeque<T>,
    bulk: VecDeque<T>,
}

pub fn mailbox<T>() -> (Sender<T>, Mailbox<T>) {
    mailbox_for(BULK_ROOM)
}

/// One in which this many messages of either kind may wait.
pub fn mailbox_for<T>(room: usize) -> (Sender<T>, Mailbox<T>) {
    let shared = Arc::new(Shared {
        lanes: Mutex::new(Lanes { urgent: VecDeque::new(), grave: VecDeque::new(), bulk: VecDeque::new() }),
        arrival: Condvar::new(),
        grave_room: Semaphore::new(room),
        bulk_room: Semaphore::new(room),
    });
    (Sender { shared: Arc::clone(&shared) }, Mailbox { shared })
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Shared<T> {
    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn lanes(&self) -> MutexGuard<'_, Lanes<T>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Sender<T> {
    /// For what must never wait. The senders are few and bounded by nature.
    pub fn urgent(&self, item: T) {
        self.shared.lanes().urgent.push_back(item);
        self.shared.arrival.notify_one();
    }

    /// For messages that must not wait behind others: waits until there is room.
    pub async fn grave(&self, item: T) {
        if let Ok(permit) = self.shared.grave_room.acquire().await {
            permit.forget();
            self.shared.lanes().grave.push_back(item);
            self.shared.arrival.notify_one();
        }
    }

    /// For all other messages: waits until there is room.
    pub async fn bulk(&self, item: T) {
        if let Ok(permit) = self.shared.bulk_room.acquire().await {
            permit.forget();
            self.shared.lanes().bulk.push_back(item);
            self.shared.arrival.notify_one();
        }
    }
}

impl<T> Mailbox<T> {
    /// The next item, in the order of the lanes; `None` when `patience` (for ever if `None`) is over.
    pub fn next(&self, patience: Option<Duration>) -> Option<T> {
        let nothing = |lanes: &mut Lanes<T>| lanes.urgent.is_empty() && lanes.grave.is_empty() && lanes.bulk.is_empty();
        let lanes = self.shared.lanes();
        let mut lanes = match patience {
            None => self.shared.arrival.wait_while(lanes, nothing).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                self.shared
                    .arrival
                    .wait_timeout_while(lanes, patience, nothing)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        if let Some(item) = lanes.urgent.pop_front() {
            return Some(item);
        }
        if let Some(item) = lanes.grave.pop_front() {
            self.shared.grave_room.add_permits(1);
            return Some(item);
        }
        let item = lanes.bulk.pop_front()?;
        self.shared.bulk_room.add_permits(1);
        Some(item)
    }
}
