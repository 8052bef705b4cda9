//! The center's memory: one SQLite file. Nobody else knows SQL.
//!
//! [`Store`] hands records to a thread that commits all that waits in one transaction (one sync of the disk) and then
//! tells their tickets. What cannot be committed stays in its order and is written when the disk works again.
//! [`Archive`] answers questions on a thread of its own. [`books::Books`] is what the command line reads and writes,
//! beside a center that runs or without one.
//!
//! | file in the state directory | what it is |
//! | --- | --- |
//! | `center.db`, `center.db-wal`, `center.db-shm` | the database |
//! | `center.lock` | held by the center that runs |
//! | `center.sock` | where the command line says that it has changed an account |
//!
//! `queue` is what waits, `worker` the writing thread, `keeper` empties the log beside it, `database` is what both write
//! to, `rows`, `read` and `columns` turn records into rows and back, `schema` has the tables.

mod archive;
pub mod books;
mod columns;
mod database;
mod keeper;
mod queue;
mod read;
mod rows;
mod schema;
mod worker;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub use archive::{Archive, Operator};

use super::desk::effect::Batch;
use super::desk::input::{Past, StoreReport};
use super::desk::records::Restored;
use super::desk::words::{Account, AccountId, Signal};
use crate::controller::moment::Id;
use queue::Queue;

/// quick_check and the parser of SQL go some calls deep.
const STACK_BYTES: usize = 256 * 1024;

/// What the store tells the center, from its own thread.
#[derive(Debug)]
pub enum Told {
    /// What was found, and the key (SPKI in PEM) of each account's hub. Comes once, before everything but `Fatal`.
    Restored(Box<Restored>, Vec<(AccountId, String)>),
    /// Accounts that the command line has added or changed, with their hubs' keys (SPKI in PEM).
    Accounts(Vec<(Account, String)>),
    Report(StoreReport),
    /// The answer to [`Ledger::ping`] with the same number: the thread is done with what came before.
    Pong(u64),
    /// The database cannot be used, and a person has to mend it: a sentence. Comes at a start alone, and nothing after
    /// it.
    Fatal(String),
}

/// What the center's loop asks of whatever remembers for it.
pub trait Ledger: Sized {
    /// Opens what is in the directory and tells it. `tell` is called on the ledger's own threads and must not block.
    ///
    /// # Errors
    /// Only where the system gives no thread.
    fn start(state_dir: &Path, tell: impl Fn(Told) + Send + 'static) -> io::Result<Self>;

    /// Hands a batch over and returns at once; its ticket comes back in a `Committed`.
    fn persist(&self, batch: Batch);

    /// Asks what is known of a signal and of these incidents; `answer` is called on a thread of the ledger's, with a
    /// sentence if there is no telling.
    fn look_up(
        &self,
        signal: Box<Signal>,
        incidents: Vec<Id>,
        answer: impl FnOnce(Box<Signal>, Result<Past, String>) + Send + 'static,
    );

    /// Asks for a [`Told::Pong`] with this number. Of pings that wait together only the last is answered.
    fn ping(&self, n: u64);

    /// Commits what waits (trying once more if the disk was broken) and ends.
    fn stop(self);
}

/// The ledger that is a SQLite file.
pub struct Store {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    archive: Archive,
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    arrival: Condvar,
}

#[derive(Default)]
struct Inbox {
    queue: Queue,
    ping: Option<u64>,
    /// Accounts may have changed.
    reread: bool,
    stop: bool,
}

impl Shared {
    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Inbox)) {
        change(&mut self.inbox());
        self.arrival.notify_one();
    }
}

impl Store {
    /// For the questions of the console.
    pub fn archive(&self) -> Archive {
        self.archive.clone()
    }
}

impl Ledger for Store {
    fn start(state_dir: &Path, tell: impl Fn(Told) + Send + 'static) -> io::Result<Store> {
        let shared = Arc::new(Shared::default());
        let archive = Archive::start(state_dir)?;
        let (shared_with_worker, directory) = (Arc::clone(&shared), state_dir.to_path_buf());
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || worker::run(&shared_with_worker, &directory, &tell))?;
        Ok(Store { shared, thread: Some(thread), archive })
    }

    fn persist(&self, batch: Batch) {
        self.shared.change(|inbox| inbox.queue.put(batch));
    }

    fn look_up(
        &self,
        signal: Box<Signal>,
        incidents: Vec<Id>,
        answer: impl FnOnce(Box<Signal>, Result<Past, String>) + Send + 'static,
    ) {
        self.archive.look_up(signal, incidents, answer);
    }

    fn ping(&self, n: u64) {
        self.shared.change(|inbox| inbox.ping = Some(n));
    }

    fn stop(mut self) {
        self.shared.change(|inbox| inbox.stop = true);
        if let Some(thread) = self.thread.take() {
            // Its panic has already been reported and has ended the process.
            let _ = thread.join();
        }
    }
}

impl Drop for Store {
    /// Like [`Ledger::stop`], without waiting for the end.
    fn drop(&mut self) {
        self.shared.change(|inbox| inbox.stop = true);
    }
}

fn database_path(state_dir: &Path) -> PathBuf {
    state_dir.join("center.db")
}
