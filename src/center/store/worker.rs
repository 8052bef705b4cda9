//! The store's thread: it waits without a clock while nothing is to be written, and tries again with growing pauses
//! while the disk fails.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::database::Database;
use super::keeper::Keeper;
use super::queue::Group;
use super::{Shared, Told, database_path};
use crate::center::desk::input::StoreReport;
use crate::center::desk::records::Restored;
use crate::center::desk::words::AccountId;
use crate::center::nudge::{self, Listener};
use crate::store::file::{Trouble, give_to_owner_of_directory, sentence};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// After this many rows the log is moved into the database beside the writer.
const ROWS_BETWEEN_TIDYING: usize = 1024;
/// After this many rows the writer itself moves the rest, as the log cannot begin anew under a writer that never rests.
const ROWS_BETWEEN_CATCHING_UP: usize = 32 * 1024;

pub fn run(shared: &Arc<Shared>, state_dir: &Path, tell: &dyn Fn(Told)) {
    let path = database_path(state_dir);
    let opened = open_first(&path).and_then(|(lock, database, found)| {
        let keeper = Keeper::start(&path)
            .map_err(|error| format!("The system gives no thread to the store ({error}): end other programs."))?;
        Ok((lock, database, found, keeper))
    });
    let (_lock, database, (restored, keys), keeper) = match opened {
        Ok(opened) => opened,
        Err(problem) => return tell(Told::Fatal(problem)),
    };
    let _nudges = listen(shared, state_dir);
    tell(Told::Restored(Box::new(restored), keys));
    let version = database.version();
    let (database, outage) = (Some(database), None);
    let mut worker = Worker { shared, tell, path, database, outage, keeper, version, to_tidy: 0, to_catch_up: 0 };
    while worker.turn() {}
}

/// Hears of the command line's changes.
fn listen(shared: &Arc<Shared>, state_dir: &Path) -> Option<Listener> {
    let shared = Arc::clone(shared);
    let listener = nudge::listen(state_dir, move || shared.change(|inbox| inbox.reread = true));
    listener.inspect_err(|problem| tracing::warn!("{problem}")).ok()
}

/// What is to go on, and the key of each account's hub.
type Found = (Restored, Vec<(AccountId, String)>);

/// Opens and reads the database for the first time; the error is a sentence. Whatever is wrong now, a person has to
/// mend: a center that started without its accounts would turn alarms away.
fn open_first(path: &Path) -> Result<(File, Database, Found), String> {
    let in_words = |trouble| match trouble {
        Trouble::Around(problem) => format!("{problem}."),
        Trouble::File(reason) => format!(
            "{} cannot be used, because {reason}: restore a copy of it, or move it away to begin without accounts.",
            path.display()
        ),
    };
    let mut database = Database::open(path).map_err(in_words)?;
    let lock = lock(path)?;
    let found = database.found(path).map_err(in_words)?;
    database.settle().map_err(|error| format!("{}.", sentence(path, "written", &error)))?;
    Ok((lock, database, found))
}

/// Two centers on one database would work each alarm twice.
fn lock(path: &Path) -> Result<File, String> {
    let path = path.with_extension("lock");
    let refuse = |error: std::io::Error| {
        format!("{} cannot be made or locked ({error}): check that its directory is writable.", path.display())
    };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(refuse)?;
    give_to_owner_of_directory(&path).map_err(refuse)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let directory = path.parent().unwrap_or(&path).display();
            Err(format!("Another sos-center runs with {directory}: stop it, or set another center.state_dir."))
        }
        Err(TryLockError::Error(error)) => Err(refuse(error)),
    }
}

struct Worker<'a> {
    shared: &'a Shared,
    tell: &'a dyn Fn(Told),
    path: PathBuf,
    /// `None` between an error and the next try.
    database: Option<Database>,
    /// From an error until something could be written again.
    outage: Option<Outage>,
    keeper: Keeper,
    /// Of the accounts that have been told.
    version: i64,
    /// Rows since the log was last moved, by the keeper and by us.
    to_tidy: usize,
    to_catch_up: usize,
}

struct Outage {
    problem: String,
    retry_at: Instant,
    /// Until the try after the next one.
    pause: Duration,
}

impl Worker<'_> {
    /// Waits for something to do and does it; `false` when it was told to stop.
    fn turn(&mut self) -> bool {
        self.wait();
        let (ping, stop, reread) = {
            let mut inbox = self.shared.inbox();
            (inbox.ping.take(), inbox.stop, std::mem::take(&mut inbox.reread))
        };
        let is_time = self.outage.as_ref().is_some_and(|outage| stop || outage.retry_at <= Instant::now());
        if self.database.is_none() && is_time {
            self.reopen();
        }
        if stop {
            while self.commit_with(|shared| shared.inbox().queue.take_next()) {}
            self.close();
        } else {
            self.commit_with(|shared| shared.inbox().queue.take_batches());
            self.commit_with(|shared| shared.inbox().queue.take_heartbeats(Instant::now()));
        }
        if reread {
            self.reread();
        }
        if let Some(n) = ping {
            (self.tell)(Told::Pong(n));
        }
        !stop
    }

    fn wait(&self) {
        let mut inbox = self.shared.inbox();
        loop {
            let now = Instant::now();
            let due = match &self.outage {
                Some(outage) if self.database.is_none() => Some(outage.retry_at),
                _ => inbox.queue.due(now),
            };
            if inbox.stop || inbox.ping.is_some() || inbox.reread || due.is_some_and(|due| due <= now) {
                return;
            }
            inbox = match due {
                None => self.shared.arrival.wait(inbox).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let waited = self.shared.arrival.wait_timeout(inbox, due.saturating_duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Commits the group that `take` yields and says so; whether there was one and all went well.
    fn commit_with(&mut self, take: impl FnOnce(&Shared) -> Option<Group>) -> bool {
        let Some(database) = &mut self.database else { return false };
        let Some(group) = take(self.shared) else { return false };
        if let Err(error) = database.commit(&group) {
            self.shared.inbox().queue.put_back(group);
            self.break_off("written", &error);
            return false;
        }
        self.recovered();
        self.report(StoreReport::Committed { tickets: group.tickets() });
        self.tidy(group.rows());
        true
    }

    fn tidy(&mut self, rows: usize) {
        self.to_tidy += rows;
        self.to_catch_up += rows;
        if self.to_tidy >= ROWS_BETWEEN_TIDYING {
            self.to_tidy = 0;
            self.keeper.tidy();
        }
        if self.to_catch_up >= ROWS_BETWEEN_CATCHING_UP
            && let Some(database) = &self.database
        {
            self.to_catch_up = 0;
            if let Err(error) = database.catch_up() {
                self.break_off("tidied up", &error);
            }
        }
    }

    fn reread(&mut self) {
        let Some(database) = &mut self.database else { return };
        match database.changed_accounts() {
            Ok(accounts) => {
                self.version = database.version();
                if !accounts.is_empty() {
                    (self.tell)(Told::Accounts(accounts));
                }
            }
            Err(error) => self.break_off("read", &error),
        }
    }

    /// Lets the handle go, which after a failed sync would believe things of the file that are not so, and has another
    /// one opened after a pause.
    fn break_off(&mut self, done: &str, error: &rusqlite::Error) {
        self.database = None;
        self.failed(sentence(&self.path, done, error));
    }

    /// Says so unless it was said already.
    fn failed(&mut self, problem: String) {
        let last = self.outage.take();
        let pause = last.as_ref().map_or(FIRST_PAUSE, |last| last.pause);
        if last.is_none_or(|last| last.problem != problem) {
            self.report(StoreReport::Failing { problem: problem.clone() });
        }
        let retry_at = Instant::now() + pause;
        self.outage = Some(Outage { problem, retry_at, pause: (pause * 2).min(LONGEST_PAUSE) });
    }

    fn reopen(&mut self) {
        match self.try_to_reopen() {
            Ok(database) => {
                self.database = Some(database);
                // Else the first commit shows whether it works.
                if self.shared.inbox().queue.due(Instant::now()).is_none() {
                    self.recovered();
                }
                // Whoever changed an account meanwhile was not heard.
                self.reread();
            }
            Err(problem) => self.failed(problem),
        }
    }

    fn recovered(&mut self) {
        if self.outage.take().is_some() {
            self.report(StoreReport::Working);
        }
    }

    fn try_to_reopen(&self) -> Result<Database, String> {
        let path = self.path.display();
        if !self.path.exists() {
            return Err(format!("{path} is gone: put it back, with its -wal file if there is one"));
        }
        let mut database = Database::open(&self.path).map_err(|trouble| match trouble {
            Trouble::Around(problem) => problem,
            Trouble::File(reason) => format!("{path} cannot be used, because {reason}: restore a copy of it"),
        })?;
        database.settle().map_err(|error| sentence(&self.path, "written", &error))?;
        database.resume_at(self.version);
        Ok(database)
    }

    fn close(&mut self) {
        if let Some(database) = self.database.take()
            && let Err(error) = database.close()
        {
            // Nothing is lost: it is all in the log, which the next start reads.
            tracing::warn!("{}", sentence(&self.path, "tidied up", &error));
        }
    }

    fn report(&self, report: StoreReport) {
        (self.tell)(Told::Report(report));
    }
}
