//! The store as the hub sees it, and what it keeps: one commit at a time of all that waits, all of it or nothing; what
//! fails is kept and tried again after a pause; a start finds what `src/store` says it finds.
//!
//! The real store also gives up history when more than two thousand records wait. No run here comes near that.

use sos_hub::controller::effect::{Batch, Record};
use sos_hub::controller::input::StoreReport;
use sos_hub::controller::moment::Id;
use sos_hub::store::Told;

use crate::history::Reply;
use crate::plan::DiskMood;
use crate::rng::Rng;
use crate::rows::Rows;
use crate::time::{At, MS, S};

const FIRST_PAUSE: u64 = S;
const LONGEST_PAUSE: u64 = 30 * S;

#[derive(Default)]
pub struct Disk {
    rows: Rows,
    pub mood: Option<DiskMood>,
    /// Handed over by the present process and not on disk, with the time of the hand-over.
    waiting: Vec<(At, Batch)>,
    thread: Thread,
    has_restored: bool,
    /// The process was told of a failure, and has heard of no commit since: it waits for nothing.
    said_failed: bool,
    /// Up to this ticket nothing was waited for.
    not_waited_for: u64,
}

/// What the store's thread is at.
#[derive(Default)]
enum Thread {
    #[default]
    Gone,
    Opening {
        until: Option<At>,
    },
    Idle,
    /// This many of those that wait are being written.
    Writing {
        batches: usize,
        until: Option<At>,
    },
    Broken {
        problem: &'static str,
        retry_at: At,
        pause: u64,
    },
}

/// What a crash took away although the hub waited for it no longer: of that nothing can be demanded.
#[derive(Clone, Debug, Default)]
pub struct Lost {
    /// How long the oldest batch that was lost had waited.
    pub behind: u64,
    pub incidents: Vec<Id>,
    pub replies: Vec<String>,
    /// Something was lost that people may have been told of.
    pub told: bool,
}

impl Disk {
    /// A disk as the center's bundle leaves it.
    pub fn with_plan_file(token: String) -> Disk {
        Disk { rows: Rows::with_plan_file(token), ..Disk::default() }
    }

    /// The process starts. Gives what the store's thread says at once.
    pub fn start(&mut self, now: At, rng: &mut Rng) -> Vec<Told> {
        self.has_restored = false;
        (self.said_failed, self.not_waited_for) = (false, 0);
        match self.mood() {
            DiskMood::Fails => {
                self.thread = Thread::Broken { problem: OPENING, retry_at: now + FIRST_PAUSE, pause: 2 * FIRST_PAUSE };
                self.said_failed = true;
                let token = self.rows.plan_file.clone().map(Told::PlanToken);
                [report(StoreReport::Unavailable { problem: OPENING.into() })].into_iter().chain(token).collect()
            }
            mood => {
                self.thread = Thread::Opening { until: duration(mood, rng).map(|lasts| now + 2 * lasts) };
                Vec::new()
            }
        }
    }

    pub fn persist(&mut self, batch: Batch, now: At, rng: &mut Rng) -> Vec<Told> {
        let ticket = batch.ticket;
        self.waiting.push((now, batch));
        if self.said_failed {
            self.not_waited_for = ticket;
        }
        match &self.thread {
            Thread::Broken { problem, .. } => {
                let problem = (*problem).into();
                (self.said_failed, self.not_waited_for) = (true, ticket);
                vec![report(StoreReport::Failed { ticket, problem })]
            }
            Thread::Idle => {
                self.write(now, rng);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The process has heard that the disk works.
    pub fn commit_was_heard(&mut self) {
        self.said_failed = matches!(self.thread, Thread::Broken { .. });
    }

    /// When the thread has something to say or do.
    pub fn deadline(&self) -> Option<At> {
        match self.thread {
            Thread::Opening { until } | Thread::Writing { until, .. } => until,
            Thread::Broken { retry_at, .. } => Some(retry_at),
            Thread::Gone | Thread::Idle => None,
        }
    }

    /// A disk that hung goes on where it was.
    pub fn set_mood(&mut self, mood: DiskMood, now: At) {
        self.mood = Some(mood);
        if let Thread::Opening { until } | Thread::Writing { until, .. } = &mut self.thread
            && mood != DiskMood::Stalls
        {
            until.get_or_insert(now + 5 * MS);
        }
    }

    pub fn elapse(&mut self, now: At, rng: &mut Rng) -> Vec<Told> {
        let mut told = Vec::new();
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return told;
        }
        let fails = self.mood() == DiskMood::Fails;
        match std::mem::replace(&mut self.thread, Thread::Idle) {
            Thread::Writing { batches, .. } if fails => {
                // An error does not say that nothing of it is there.
                if rng.percent(50) {
                    self.rows.take(&self.waiting[..batches]);
                }
                self.break_off(WRITING, now);
                for (_, batch) in &self.waiting {
                    let problem = WRITING.into();
                    told.push(report(StoreReport::Failed { ticket: batch.ticket, problem }));
                }
            }
            Thread::Writing { batches, .. } => {
                let group: Vec<(At, Batch)> = self.waiting.drain(..batches).collect();
                self.rows.take(&group);
                if let Some((_, last)) = group.last() {
                    told.push(report(StoreReport::Committed { ticket: last.ticket }));
                }
                self.write(now, rng);
            }
            Thread::Opening { .. } if fails => {
                self.break_off(OPENING, now);
                told.push(report(StoreReport::Unavailable { problem: OPENING.into() }));
                told.extend(self.rows.plan_file.clone().map(Told::PlanToken));
            }
            Thread::Broken { problem, pause, .. } if fails => {
                if problem != OPENING {
                    told.push(report(StoreReport::Unavailable { problem: OPENING.into() }));
                }
                let longer = (pause * 2).min(LONGEST_PAUSE);
                self.thread = Thread::Broken { problem: OPENING, retry_at: now + pause, pause: longer };
            }
            Thread::Opening { .. } | Thread::Broken { .. } => {
                if !std::mem::replace(&mut self.has_restored, true) {
                    told.push(self.rows.found());
                    self.raise_waiting_counters();
                }
                self.write(now, rng);
            }
            Thread::Gone | Thread::Idle => {}
        }
        told
    }

    /// The process ends, and what the thread was writing is on disk or not.
    pub fn crash(&mut self, now: At, commit_kept: bool) -> Lost {
        if let Thread::Writing { batches, .. } = self.thread
            && commit_kept
        {
            let group: Vec<(At, Batch)> = self.waiting.drain(..batches).collect();
            self.rows.take(&group);
        }
        self.thread = Thread::Gone;
        let mut lost = Lost::default();
        for (since, batch) in std::mem::take(&mut self.waiting) {
            let waited = now.saturating_sub(since);
            lost.behind = lost.behind.max(waited);
            if waited < PATIENCE && batch.ticket > self.not_waited_for {
                continue;
            }
            lost.told = true;
            for record in batch.records {
                match record {
                    Record::Incident(incident) => lost.incidents.push(incident.id),
                    Record::Step(step) => lost.incidents.push(step.incident),
                    Record::Signal(signal) => lost.incidents.extend(signal.signal.incident),
                    Record::Reply(reply) => lost.replies.push(reply.id),
                    Record::Silenced { incident } => lost.incidents.push(incident),
                    _ => {}
                }
            }
        }
        lost
    }

    /// The orderly end: what waits is written, if the disk works.
    pub fn stop(&mut self, now: At) -> Lost {
        if !matches!(self.mood(), DiskMood::Fails | DiskMood::Stalls) && self.has_restored {
            self.rows.take(&self.waiting);
            self.waiting.clear();
            self.thread = Thread::Gone;
        }
        self.crash(now, true)
    }

    /// Whether what a reply says was accepted is on the disk.
    pub fn holds(&self, reply: &Reply) -> bool {
        let known = |incident: &String| self.rows.incidents.iter().any(|row| row.id.to_string() == *incident);
        reply.id.as_ref().is_none_or(|id| self.rows.replies.contains_key(id))
            && (reply.command != "request" || reply.incident.as_ref().is_none_or(known))
    }

    fn mood(&self) -> DiskMood {
        self.mood.unwrap_or(DiskMood::Well)
    }

    fn write(&mut self, now: At, rng: &mut Rng) {
        self.thread = match self.waiting.len() {
            0 => Thread::Idle,
            batches => Thread::Writing { batches, until: duration(self.mood(), rng).map(|lasts| now + lasts) },
        };
    }

    fn break_off(&mut self, problem: &'static str, now: At) {
        self.said_failed = true;
        self.not_waited_for = self.waiting.last().map_or(self.not_waited_for, |(_, batch)| batch.ticket);
        self.thread = Thread::Broken { problem, retry_at: now + FIRST_PAUSE, pause: FIRST_PAUSE };
    }

    /// Counters that were begun without knowledge of those on the disk never set these back.
    fn raise_waiting_counters(&mut self) {
        let found = self.rows.counters;
        for (_, batch) in &mut self.waiting {
            for record in &mut batch.records {
                if let Record::Counters(counters) = record {
                    counters.event_seq = counters.event_seq.max(found.event_seq);
                    counters.signal_seq = counters.signal_seq.max(found.signal_seq);
                    counters.ack_seq = counters.ack_seq.max(found.ack_seq);
                    counters.periodic_test = counters.periodic_test.or(found.periodic_test);
                }
            }
        }
    }
}

/// How long the hub waits for the disk.
const PATIENCE: u64 = 250 * MS;
const OPENING: &str = "hub.db cannot be opened (disk I/O error): check the disk or card";
const WRITING: &str = "hub.db cannot be written (disk I/O error): check the disk or card";

fn report(report: StoreReport) -> Told {
    Told::Report(report)
}

fn duration(mood: DiskMood, rng: &mut Rng) -> Option<u64> {
    match mood {
        DiskMood::Well | DiskMood::Fails if rng.percent(3) => Some(rng.within(20 * MS..240 * MS)),
        DiskMood::Well | DiskMood::Fails => Some(rng.within(MS..12 * MS)),
        DiskMood::Slow { ms } => Some(rng.within(MS..ms * MS)),
        DiskMood::Stalls => None,
    }
}
