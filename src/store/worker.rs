//! The store's thread: it waits without a clock while all is well, and tries again with growing pauses while not.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::aside::put_aside;
use super::database::{Database, Found};
use super::file::{self, Trouble};
use super::pending::{Live, Pending, Tickets};
use super::plan_file::PlanFile;
use super::{Shared, Told, database_path};
use crate::controller::input::StoreReport;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub fn run(shared: &Shared, state_dir: PathBuf, tell: &dyn Fn(Told)) {
    let mut worker = Worker {
        shared,
        tell,
        path: database_path(&state_dir),
        plan_file: PlanFile::new(&state_dir),
        state: State::Broken { problem: String::new(), retry_at: Instant::now(), pause: FIRST_PAUSE },
        has_restored: false,
        is_emptied: false,
    };
    worker.open();
    if !worker.has_restored
        && let Some(token) = worker.plan_file.read()
    {
        tell(Told::PlanToken(token));
    }
    while worker.turn() {}
}

struct Worker<'a> {
    shared: &'a Shared,
    tell: &'a dyn Fn(Told),
    path: PathBuf,
    plan_file: PlanFile,
    state: State,
    /// `Restored` has been told.
    has_restored: bool,
    /// The database was replaced by an empty one while the hub ran: all that is live is to be written again.
    is_emptied: bool,
}

enum State {
    Working(Database),
    Broken { problem: String, retry_at: Instant, pause: Duration },
}

impl Worker<'_> {
    /// Waits for something to do and does it; `false` when it was told to stop.
    fn turn(&mut self) -> bool {
        self.wait();
        let (ping, stop) = {
            let mut inbox = self.shared.inbox();
            (inbox.ping.take(), inbox.stop)
        };
        if let State::Broken { retry_at, .. } = self.state
            && (stop || retry_at <= Instant::now())
        {
            self.open();
        }
        self.answer();
        self.plan_file.write();
        if let Some(n) = ping {
            (self.tell)(Told::Pong(n));
        }
        if stop {
            self.close();
        }
        !stop
    }

    fn wait(&self) {
        let nothing_new = |inbox: &mut super::Inbox| inbox.unanswered.is_empty() && inbox.ping.is_none() && !inbox.stop;
        let inbox = self.shared.inbox();
        match self.state {
            State::Working(_) => {
                drop(self.shared.arrival.wait_while(inbox, nothing_new).unwrap_or_else(PoisonError::into_inner));
            }
            State::Broken { retry_at, .. } => {
                let patience = retry_at.saturating_duration_since(Instant::now());
                let waited = self.shared.arrival.wait_timeout_while(inbox, patience, nothing_new);
                drop(waited.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// Commits what waits, or says of each new ticket that it cannot be committed now.
    fn answer(&mut self) {
        let mut inbox = self.shared.inbox();
        if let Some(token) = inbox.pending.plan_token() {
            self.plan_file.want(token);
        }
        let tickets = std::mem::take(&mut inbox.unanswered);
        if let State::Broken { problem, .. } = &self.state {
            drop(inbox);
            self.report_failed(tickets, problem);
        } else if inbox.pending.highest_ticket.is_some() {
            let group = std::mem::take(&mut inbox.pending);
            inbox.live.trying(&group);
            drop(inbox);
            self.commit(group, tickets);
        }
    }

    fn commit(&mut self, group: Pending, tickets: Tickets) {
        let State::Working(database) = &mut self.state else { return };
        match database.commit(&group) {
            Ok(()) => {
                self.shared.inbox().live.committed(&group);
                if let Some(ticket) = group.highest_ticket {
                    self.report(StoreReport::Committed { ticket });
                }
                self.upkeep();
            }
            Err(error) => {
                // First the handle: after a failed sync it would believe things of the file that are not so.
                self.break_off("written", &error);
                self.shared.inbox().put_back(group);
                if let State::Broken { problem, .. } = &self.state {
                    self.report_failed(tickets, problem);
                }
            }
        }
    }

    fn upkeep(&mut self) {
        if let State::Working(database) = &mut self.state
            && let Err(error) = database.upkeep()
        {
            tracing::warn!("{}", file::sentence(&self.path, "tidied up", &error));
            self.break_off("tidied up", &error);
        }
    }

    /// Lets the handle go and has another one opened after a pause.
    fn break_off(&mut self, done: &str, error: &rusqlite::Error) {
        let problem = file::sentence(&self.path, done, error);
        self.state = State::Broken { problem, retry_at: Instant::now() + FIRST_PAUSE, pause: FIRST_PAUSE };
    }

    fn open(&mut self) {
        if let Err(problem) = self.try_to_open() {
            let (last_problem, pause) = match &self.state {
                State::Broken { problem, pause, .. } => (problem.as_str(), *pause),
                State::Working(_) => ("", FIRST_PAUSE),
            };
            if last_problem != problem {
                self.report(StoreReport::Unavailable { problem: problem.clone() });
            }
            let longer = (pause * 2).min(LONGEST_PAUSE);
            self.state = State::Broken { problem, retry_at: Instant::now() + pause, pause: longer };
        }
    }

    fn try_to_open(&mut self) -> Result<(), String> {
        let (mut database, found) = match self.open_and_read() {
            Ok(opened) => opened,
            Err(Trouble::Around(problem)) => return Err(problem),
            Err(Trouble::File(reason)) => {
                self.put_aside(&reason)?;
                // A file that was made a moment ago: if it is no good either, it is the disk, and there is no haste.
                self.open_and_read().map_err(|trouble| match trouble {
                    Trouble::Around(problem) => problem,
                    Trouble::File(reason) => {
                        format!("{} was made anew, but {reason}: check the disk or card", self.path.display())
                    }
                })?
            }
        };
        if let Some(found) = found {
            self.restore(found);
        }
        let settled = database.settle().and_then(|()| self.refill(&mut database));
        settled.map_err(|error| file::sentence(&self.path, "written", &error))?;
        self.state = State::Working(database);
        Ok(())
    }

    /// Opens the database and, if that was not told yet, reads what it holds.
    fn open_and_read(&mut self) -> Result<(Database, Option<Found>), Trouble> {
        let database = Database::open(&self.path)?;
        if self.has_restored {
            return Ok((database, None));
        }
        let found = database.found(&self.path)?;
        Ok((database, Some(found)))
    }

    fn restore(&mut self, found: Found) {
        let Found { restored, plan_token, unreadable } = found;
        if !unreadable.is_empty() {
            let problem = format!("what could not be understood is left out: {}", unreadable.join("; "));
            tracing::warn!("{}: {problem}", self.path.display());
            self.report(StoreReport::PutAside { path: self.path.display().to_string(), problem });
        }
        let mut plan_tokens: Vec<String> = plan_token.into_iter().chain(self.plan_file.read()).collect();
        plan_tokens.dedup();
        let mut inbox = self.shared.inbox();
        inbox.live = Live::restored(&restored);
        inbox.pending.raise_counters(&restored.counters);
        drop(inbox);
        self.has_restored = true;
        (self.tell)(Told::Restored { restored: Box::new(restored), plan_tokens });
    }

    fn put_aside(&mut self, reason: &str) -> Result<(), String> {
        let aside = put_aside(&self.path).map_err(|error| {
            format!("{} cannot be used ({reason}) nor be put aside ({error}): move it away", self.path.display())
        })?;
        self.is_emptied = self.has_restored;
        let problem = format!("{} could not be used, because {reason}", self.path.display());
        self.report(StoreReport::PutAside { path: aside.display().to_string(), problem });
        Ok(())
    }

    /// After the loss of the file in mid-run: the hub still knows what is live.
    fn refill(&mut self, database: &mut Database) -> rusqlite::Result<()> {
        if self.is_emptied {
            let all = self.shared.inbox().live.all();
            database.commit(&all)?;
            self.is_emptied = false;
        }
        Ok(())
    }

    fn close(&mut self) {
        let gone = State::Broken { problem: String::new(), retry_at: Instant::now(), pause: FIRST_PAUSE };
        if let State::Working(database) = std::mem::replace(&mut self.state, gone)
            && let Err(error) = database.close()
        {
            // Nothing is lost: it is all in the log, which the next start reads.
            tracing::warn!("{}", file::sentence(&self.path, "tidied up", &error));
        }
    }

    fn report_failed(&self, tickets: Tickets, problem: &str) {
        for ticket in tickets.into_iter() {
            self.report(StoreReport::Failed { ticket, problem: problem.to_owned() });
        }
    }

    fn report(&self, report: StoreReport) {
        (self.tell)(Told::Report(report));
    }
}
