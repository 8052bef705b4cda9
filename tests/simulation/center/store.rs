//! The center's store as its desk sees it, by the rules of `src/center/store`: two lanes, all that waits in one commit,
//! what fails is kept and tried again; and an archive beside it, which answers what is on the disk.

use std::collections::BTreeMap;

use sos_hub::center::desk::effect::{Batch, Urgency};
use sos_hub::center::desk::input::{Input, Past, StoreReport};
use sos_hub::center::desk::records::{HubRecord, Record, Restored};
use sos_hub::center::desk::words::{AccountId, Signal, SignalKind};
use sos_hub::controller::moment::Id;

use super::words::CenterLost;
use crate::paper::Paper;
use crate::plan::DiskMood;
use crate::rng::Rng;
use crate::time::{At, MS, S};

const FIRST_PAUSE: u64 = S;
const LONGEST_PAUSE: u64 = 30 * S;
/// How long a heartbeat waits for others.
const GATHERS: u64 = 50 * MS;
/// How long the desk holds back what helps people.
const PATIENCE: u64 = S;
/// How long the desk waits for what is known of an alarm.
pub const LOOKS_UP: u64 = 3 * S;
const PROBLEM: &str = "center.db cannot be written (disk I/O error): check the disk";

pub struct Store {
    pub paper: Paper,
    mood: DiskMood,
    thread: Thread,
    batches: Vec<Waiting>,
    heartbeats: Vec<Waiting>,
    /// The latest of each hub that waits.
    hubs: BTreeMap<AccountId, HubRecord>,
    look_ups: Vec<LookUp>,
    /// The desk has heard of an outage, and not of its end: it waits for nothing.
    is_out: bool,
    /// Up to this ticket nothing was waited for.
    not_waited_for: u64,
    last_ticket: u64,
}

#[derive(Clone)]
struct Waiting {
    since: At,
    ticket: u64,
    records: Vec<Record>,
    hubs: Vec<AccountId>,
}

enum Thread {
    Gone,
    Opening { until: Option<At> },
    Idle,
    Writing { group: Group, until: Option<At> },
    Broken { retry_at: At, pause: u64 },
}

#[derive(Default)]
struct Group {
    waiting: Vec<Waiting>,
    hubs: Vec<HubRecord>,
    are_heartbeats: bool,
}

struct LookUp {
    at: Option<At>,
    signal: Box<Signal>,
    incidents: Vec<Id>,
    /// The disk may still fail before it is read.
    was_promised: bool,
}

pub enum Told {
    Restored(Box<Restored>),
    /// The process cannot start.
    Fatal,
    /// These rows are on the disk now.
    Kept(Vec<Record>),
    /// The answer to this signal that was to come does not.
    NotLookedUp(Box<Signal>),
    Input(Input),
}

impl Store {
    pub fn new(paper: Paper) -> Store {
        Store {
            paper,
            mood: DiskMood::Well,
            thread: Thread::Gone,
            batches: Vec::new(),
            heartbeats: Vec::new(),
            hubs: BTreeMap::new(),
            look_ups: Vec::new(),
            is_out: false,
            not_waited_for: 0,
            last_ticket: 0,
        }
    }

    pub fn start(&mut self, now: At, rng: &mut Rng) {
        (self.is_out, self.not_waited_for, self.last_ticket) = (false, 0, 0);
        self.thread = Thread::Opening { until: duration(self.mood, rng).map(|lasts| now + 2 * lasts) };
    }

    pub fn persist(&mut self, batch: Batch, now: At, rng: &mut Rng) {
        let Batch { ticket, urgency, records } = batch;
        self.last_ticket = ticket;
        if self.is_out {
            self.not_waited_for = ticket;
        }
        let mut waiting = Waiting { since: now, ticket, records: Vec::new(), hubs: Vec::new() };
        for record in records {
            if let Record::Hub(hub) = record {
                waiting.hubs.push(hub.account.clone());
                self.hubs.insert(hub.account.clone(), hub);
            } else {
                waiting.records.push(record);
            }
        }
        if urgency == Urgency::Soon && waiting.records.is_empty() && waiting.hubs.len() == 1 {
            self.heartbeats.push(waiting);
        } else {
            self.batches.push(waiting);
        }
        if matches!(self.thread, Thread::Idle) {
            self.write(now, rng);
        }
    }

    /// Asks what is known; whether the desk will have an answer while it waits for one.
    pub fn look_up(&mut self, signal: Box<Signal>, incidents: Vec<Id>, now: At, rng: &mut Rng) -> bool {
        let at = duration(self.mood, rng).map(|lasts| now + lasts);
        let is_answered = self.mood != DiskMood::Fails && at.is_some_and(|at| at < now + LOOKS_UP);
        self.look_ups.push(LookUp { at, signal, incidents, was_promised: is_answered });
        is_answered
    }

    /// The desk has heard that the store works.
    pub fn recovery_was_heard(&mut self) {
        self.is_out = matches!(self.thread, Thread::Broken { .. });
    }

    pub fn set_mood(&mut self, mood: DiskMood, now: At) {
        self.mood = mood;
        if mood == DiskMood::Stalls {
            return;
        }
        if let Thread::Opening { until } | Thread::Writing { until, .. } = &mut self.thread {
            until.get_or_insert(now + 5 * MS);
        }
        for look_up in &mut self.look_ups {
            look_up.at.get_or_insert(now + 6 * MS);
        }
    }

    pub fn deadline(&self) -> Option<At> {
        let thread = match self.thread {
            Thread::Opening { until } | Thread::Writing { until, .. } => until,
            Thread::Broken { retry_at, .. } => Some(retry_at),
            Thread::Idle => self.heartbeats.first().map(|first| first.since + GATHERS),
            Thread::Gone => None,
        };
        self.look_ups.iter().filter_map(|look_up| look_up.at).chain(thread).min()
    }

    pub fn elapse(&mut self, now: At, rng: &mut Rng) -> Vec<Told> {
        let mut told = Vec::new();
        let is_due = |at: Option<At>| at.is_some_and(|at| at <= now);
        let fails = self.mood == DiskMood::Fails;
        while let Some(place) = self.look_ups.iter().position(|look_up| is_due(look_up.at)) {
            let LookUp { signal, incidents, was_promised, .. } = self.look_ups.remove(place);
            if fails && was_promised {
                told.push(Told::NotLookedUp(signal.clone()));
            }
            if !fails {
                let past = self.paper.look_up(&signal, &incidents);
                told.push(Told::Input(Input::LookedUp { signal, past }));
            } else if matches!(signal.kind, SignalKind::Alarm { .. }) {
                told.push(Told::Input(Input::LookedUp { signal, past: Past::default() }));
            }
        }
        match std::mem::replace(&mut self.thread, Thread::Gone) {
            Thread::Opening { until } if is_due(until) => {
                if fails {
                    told.push(Told::Fatal);
                } else {
                    told.push(Told::Restored(Box::new(self.paper.restored())));
                    self.write(now, rng);
                }
            }
            Thread::Writing { group, until } if is_due(until) && fails => self.break_off(group, now, &mut told),
            Thread::Writing { group, until } if is_due(until) => {
                self.recovered(&mut told);
                let tickets = group.waiting.iter().map(|waiting| waiting.ticket).collect();
                told.push(Told::Kept(self.keep(group)));
                told.push(Told::Input(Input::Store(StoreReport::Committed { tickets })));
                self.write(now, rng);
            }
            Thread::Broken { retry_at, pause } if retry_at <= now && fails => {
                let longer = (2 * pause).min(LONGEST_PAUSE);
                self.thread = Thread::Broken { retry_at: now + pause, pause: longer };
            }
            Thread::Broken { retry_at, .. } if retry_at <= now => {
                if self.batches.is_empty() && self.heartbeats.is_empty() {
                    self.recovered(&mut told);
                }
                self.write(now, rng);
            }
            Thread::Idle => self.write(now, rng),
            other => self.thread = other,
        }
        told
    }

    /// The process ends, and what was being written is on disk or not. Gives what is on disk now, and what was lost.
    pub fn crash(&mut self, now: At, commit_kept: bool) -> (Vec<Record>, CenterLost) {
        let mut kept = Vec::new();
        let mut lost = std::mem::take(&mut self.batches);
        if let Thread::Writing { group, .. } = std::mem::replace(&mut self.thread, Thread::Gone) {
            if commit_kept {
                kept = self.keep(group);
            } else {
                lost.extend(group.waiting);
            }
        }
        self.heartbeats.clear();
        self.hubs.clear();
        self.look_ups.clear();
        lost.retain(|batch| batch.since + PATIENCE <= now || batch.ticket <= self.not_waited_for);
        let incidents = lost.iter().flat_map(|batch| &batch.records).filter_map(|record| match record {
            Record::Incident(incident) => Some(incident.id),
            Record::Update(update) => Some(update.incident),
            _ => None,
        });
        let lost = CenterLost { incidents: incidents.map(|id| id.to_string()).collect() };
        (kept, lost)
    }

    /// The orderly end: what waits is written, if the disk works.
    pub fn stop(&mut self, now: At) -> (Vec<Record>, CenterLost) {
        let mut kept = Vec::new();
        let works = !matches!(self.mood, DiskMood::Fails | DiskMood::Stalls);
        if works && !matches!(self.thread, Thread::Opening { .. } | Thread::Gone) {
            if let Thread::Writing { group, .. } = std::mem::replace(&mut self.thread, Thread::Gone) {
                kept = self.keep(group);
            }
            for are_heartbeats in [false, true] {
                let group = self.group(are_heartbeats);
                kept.extend(self.keep(group));
            }
        }
        let (more, lost) = self.crash(now, true);
        kept.extend(more);
        (kept, lost)
    }

    fn write(&mut self, now: At, rng: &mut Rng) {
        let may_wait = self.heartbeats.first().is_none_or(|first| first.since + GATHERS > now);
        if self.batches.is_empty() && may_wait {
            self.thread = Thread::Idle;
            return;
        }
        let group = self.group(self.batches.is_empty());
        self.thread = Thread::Writing { group, until: duration(self.mood, rng).map(|lasts| now + lasts) };
    }

    fn group(&mut self, are_heartbeats: bool) -> Group {
        let lane = if are_heartbeats { &mut self.heartbeats } else { &mut self.batches };
        let waiting = std::mem::take(lane);
        let hubs = waiting.iter().flat_map(|batch| &batch.hubs).filter_map(|account| self.hubs.remove(account));
        Group { hubs: hubs.collect(), waiting, are_heartbeats }
    }

    /// Gives the rows that were not there before.
    fn keep(&mut self, group: Group) -> Vec<Record> {
        let records = group.waiting.into_iter().flat_map(|batch| batch.records);
        let records: Vec<Record> = records.chain(group.hubs.into_iter().map(Record::Hub)).collect();
        let is_new = |record: &&Record| match record {
            Record::Signal(signal) => self.paper.signal(&signal.account, signal.jti).is_none(),
            Record::Update(update) => !self.paper.updates.contains_key(&(update.incident, update.seq)),
            _ => true,
        };
        let kept = records.iter().filter(is_new).cloned().collect();
        self.paper.commit(records);
        kept
    }

    fn break_off(&mut self, group: Group, now: At, told: &mut Vec<Told>) {
        for hub in group.hubs {
            self.hubs.entry(hub.account.clone()).or_insert(hub);
        }
        let lane = if group.are_heartbeats { &mut self.heartbeats } else { &mut self.batches };
        lane.splice(0..0, group.waiting);
        self.not_waited_for = self.last_ticket;
        if !std::mem::replace(&mut self.is_out, true) {
            let problem = PROBLEM.to_owned();
            told.push(Told::Input(Input::Store(StoreReport::Failing { problem })));
        }
        self.thread = Thread::Broken { retry_at: now + FIRST_PAUSE, pause: 2 * FIRST_PAUSE };
    }

    fn recovered(&mut self, told: &mut Vec<Told>) {
        if self.is_out {
            told.push(Told::Input(Input::Store(StoreReport::Working)));
        }
    }
}

fn duration(mood: DiskMood, rng: &mut Rng) -> Option<u64> {
    match mood {
        DiskMood::Well | DiskMood::Fails if rng.percent(3) => Some(rng.within(20 * MS..1_500 * MS)),
        DiskMood::Well | DiskMood::Fails => Some(rng.within(MS..12 * MS)),
        DiskMood::Slow { ms } => Some(rng.within(MS..ms * MS)),
        DiskMood::Stalls => None,
    }
}
