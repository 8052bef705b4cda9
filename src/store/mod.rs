//! The hub's memory: one SQLite file, written by one thread of its own.
//!
//! [`Store::persist`] only hands records over, so a disk that stalls holds nobody up. The thread takes all that waits,
//! commits it in one transaction (one sync of the disk), and then tells the highest ticket. What could not be
//! committed stays in memory, the latest record of each key, and is written when the disk works again.
//!
//! | file in the state directory | what it is |
//! | --- | --- |
//! | `hub.db`, `hub.db-wal`, `hub.db-shm` | the database |
//! | `hub.db.corrupt-N` | a database that could not be used, put aside for people to look at |
//! | `plan.jwt` | the last valid plan token, so that it outlives the database |
//!
//! `pending` merges what waits, `worker` is the thread, `database` what it reads and writes, `file` how a database file
//! is opened, `schema` the tables, `rows` and `columns` turn records into rows and back.

mod aside;
pub(crate) mod columns;
mod database;
pub(crate) mod file;
pub mod history;
mod pending;
mod plan_file;
mod rows;
mod schema;
mod worker;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::controller::effect::{Batch, Restored};
use crate::controller::input::StoreReport;
use pending::Inbox;

/// SQLite needs little, but quick_check and the parser of SQL go some calls deep.
const STACK_BYTES: usize = 256 * 1024;

/// What the store tells the hub, from its own thread.
#[derive(Debug)]
pub enum Told {
    /// What was found when the database was first opened; comes once in a process, before any `Committed`.
    Restored {
        /// `plan` is `None` here: the tokens are still to be verified.
        restored: Box<Restored>,
        /// Plan tokens (compact JWS) from the database and from `plan.jwt`, not verified; none, one or two.
        plan_tokens: Vec<String>,
    },
    /// The token (compact JWS, not verified) of `plan.jwt`, told at once where the database cannot be opened at start:
    /// without it a hub with a broken disk would refuse every request. It comes again with `Restored`.
    PlanToken(String),
    Report(StoreReport),
    /// The answer to [`Store::ping`] with the same number: the thread is done with what came before.
    Pong(u64),
}

/// The hub's side of the store.
pub struct Store {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    inbox: Mutex<Inbox>,
    arrival: Condvar,
}

impl Shared {
    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Starts the thread, which opens `hub.db` in `state_dir` (made with mode 0700 if missing) and goes on trying when
    /// that fails. `tell` is called on that thread and must not block.
    ///
    /// # Errors
    /// Only where the system gives no thread.
    pub fn start(state_dir: &Path, tell: impl Fn(Told) + Send + 'static) -> io::Result<Store> {
        let shared = Arc::new(Shared { inbox: Mutex::new(Inbox::default()), arrival: Condvar::new() });
        let (shared_with_worker, state_dir) = (Arc::clone(&shared), state_dir.to_path_buf());
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || worker::run(&shared_with_worker, state_dir, &tell))?;
        Ok(Store { shared, thread: Some(thread) })
    }

    /// Hands a batch over and returns at once. Its ticket is answered with `Committed` (that ticket or a higher one), or
    /// with `Failed` first and `Committed` once the disk works again.
    pub fn persist(&self, batch: Batch) {
        self.shared.inbox().put(batch);
        self.shared.arrival.notify_one();
    }

    /// Asks for a [`Told::Pong`] with this number. Of pings that wait together only the last is answered.
    pub fn ping(&self, n: u64) {
        self.shared.inbox().ping = Some(n);
        self.shared.arrival.notify_one();
    }

    /// Commits what waits (trying once more if the disk was broken), puts everything into the one file and ends.
    pub fn stop(mut self) {
        self.tell_to_stop();
        if let Some(thread) = self.thread.take() {
            // Its panic has already been reported and has ended the process.
            let _ = thread.join();
        }
    }

    fn tell_to_stop(&self) {
        self.shared.inbox().stop = true;
        self.shared.arrival.notify_one();
    }
}

impl Drop for Store {
    /// Like [`Store::stop`], without waiting for the end.
    fn drop(&mut self) {
        self.tell_to_stop();
    }
}

fn database_path(state_dir: &Path) -> PathBuf {
    state_dir.join("hub.db")
}
