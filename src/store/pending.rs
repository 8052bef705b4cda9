//! What waits for the disk, merged by key: however long the disk stalls, only the latest record of each key is kept,
//! and what is mere history goes first when there is no more room.

use std::collections::{BTreeMap, btree_map as map};
use std::ops::RangeInclusive;

use crate::controller::effect::{Batch, CountersRecord, Record, Restored, SignalKind};
use crate::controller::moment::Id;

/// How many records may wait, about 1 MiB. Only what is still live may go beyond it, and the hub bounds that.
const ROOM: usize = 2048;

/// What makes two records the same row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Counters,
    Plan,
    Incident(Id),
    Step(Id, u64),
    Signal(Id),
    Reply(String),
    /// `Sounding` or `Silenced`: one takes the place of the other.
    Siren(Id),
}

/// What the thread finds when it wakes up.
#[derive(Default)]
pub struct Inbox {
    pub pending: Pending,
    /// Tickets that have had no answer yet.
    pub unanswered: Tickets,
    pub live: Live,
    pub ping: Option<u64>,
    pub stop: bool,
}

impl Inbox {
    pub fn put(&mut self, batch: Batch) {
        self.unanswered.add(batch.ticket);
        self.pending.highest_ticket = self.pending.highest_ticket.max(Some(batch.ticket));
        for record in batch.records {
            self.pending.put(record);
        }
        self.trim();
    }

    /// Takes back what could not be committed. What came since is newer and wins.
    pub fn put_back(&mut self, failed: Pending) {
        let newer = std::mem::replace(&mut self.pending, failed);
        self.pending.merge(newer);
        self.trim();
    }

    fn trim(&mut self) {
        if self.pending.records.len() > ROOM {
            let lost = self.pending.trim(&self.live, ROOM / 4 * 3);
            tracing::warn!(lost, "the disk does not take the history of incidents: the oldest lines are given up");
        }
    }
}

/// Records on their way to the disk.
#[derive(Default)]
pub struct Pending {
    /// The highest ticket of what is in here.
    pub highest_ticket: Option<u64>,
    /// To be applied before the records, which are those that are to stay.
    pub forget_replies_before: Option<u64>,
    records: BTreeMap<Key, Entry>,
    arrivals: u64,
}

struct Entry {
    /// When the key was first seen: rows are made in this order.
    arrival: u64,
    record: Record,
}

impl Pending {
    pub fn len(&self) -> usize {
        self.records.len() + usize::from(self.forget_replies_before.is_some())
    }

    pub fn put(&mut self, record: Record) {
        let key = match &record {
            Record::Incident(incident) => Key::Incident(incident.id),
            Record::Step(step) => Key::Step(step.incident, step.seq),
            // Heartbeats are sent once and never kept.
            Record::Signal(signal) if matches!(signal.signal.kind, SignalKind::Heartbeat { .. }) => return,
            Record::Signal(signal) => Key::Signal(signal.signal.jti),
            Record::Reply(reply) => Key::Reply(reply.id.clone()),
            Record::Sounding(sounding) => Key::Siren(sounding.incident),
            Record::Silenced { incident } => Key::Siren(*incident),
            Record::Counters(_) => Key::Counters,
            Record::Plan { .. } => Key::Plan,
            Record::ForgetRepliesBefore { serial } => {
                self.forget_replies(*serial);
                return;
            }
        };
        self.arrivals += 1;
        match self.records.entry(key) {
            map::Entry::Occupied(mut known) => known.get_mut().record = record,
            map::Entry::Vacant(new) => {
                new.insert(Entry { arrival: self.arrivals, record });
            }
        }
    }

    fn forget_replies(&mut self, before: u64) {
        self.records.retain(|_, entry| !matches!(&entry.record, Record::Reply(reply) if reply.serial < before));
        self.forget_replies_before = self.forget_replies_before.max(Some(before));
    }

    fn merge(&mut self, newer: Pending) {
        self.highest_ticket = self.highest_ticket.max(newer.highest_ticket);
        if let Some(serial) = newer.forget_replies_before {
            self.forget_replies(serial);
        }
        let mut entries: Vec<Entry> = newer.records.into_values().collect();
        entries.sort_by_key(|entry| entry.arrival);
        for entry in entries {
            self.put(entry.record);
        }
    }

    /// The records in the order in which their keys were first seen.
    pub fn in_order(&self) -> Vec<&Record> {
        let mut entries: Vec<&Entry> = self.records.values().collect();
        entries.sort_by_key(|entry| entry.arrival);
        entries.into_iter().map(|entry| &entry.record).collect()
    }

    /// The token of the plan that waits, if one does.
    pub fn plan_token(&self) -> Option<&str> {
        match self.records.get(&Key::Plan).map(|entry| &entry.record) {
            Some(Record::Plan { token, .. }) => Some(token),
            _ => None,
        }
    }

    /// Counters that were begun without knowledge of those on the disk never set these back.
    pub fn raise_counters(&mut self, found: &CountersRecord) {
        if let Some(Entry { record: Record::Counters(counters), .. }) = self.records.get_mut(&Key::Counters) {
            counters.event_seq = counters.event_seq.max(found.event_seq);
            counters.signal_seq = counters.signal_seq.max(found.signal_seq);
            counters.ack_seq = counters.ack_seq.max(found.ack_seq);
            counters.periodic_test = counters.periodic_test.or(found.periodic_test);
        }
    }

    /// Gives up the oldest of what nothing depends on, until `room` records are left or nothing more can go. The end
    /// of something that is live on the disk stays: without it a restart would bring a ghost back. Returns how many
    /// records went.
    fn trim(&mut self, live: &Live, room: usize) -> usize {
        let mut expendable: Vec<(u64, Key)> = self
            .records
            .iter()
            .filter(|(key, entry)| !is_live(&entry.record) && !live.0.contains_key(key))
            .map(|(key, entry)| (entry.arrival, key.clone()))
            .collect();
        expendable.sort();
        expendable.truncate(self.records.len().saturating_sub(room));
        for (_, key) in &expendable {
            self.records.remove(key);
        }
        expendable.len()
    }
}

/// Whether the hub would act differently after a restart without this record.
fn is_live(record: &Record) -> bool {
    match record {
        Record::Incident(incident) => incident.ended_wall.is_none(),
        Record::Signal(signal) => !signal.settled,
        Record::Sounding(_) | Record::Counters(_) | Record::Plan { .. } => true,
        Record::Step(_) | Record::Reply(_) | Record::Silenced { .. } | Record::ForgetRepliesBefore { .. } => false,
    }
}

/// What the disk may hold that is live: written afresh when the database is lost while the hub runs.
#[derive(Default)]
pub struct Live(BTreeMap<Key, Record>);

impl Live {
    pub fn restored(restored: &Restored) -> Live {
        let mut found = Pending::default();
        restored.incidents.iter().cloned().map(Record::Incident).for_each(|record| found.put(record));
        restored.signals.iter().cloned().map(Record::Signal).for_each(|record| found.put(record));
        restored.sounding.iter().cloned().map(Record::Sounding).for_each(|record| found.put(record));
        found.put(Record::Counters(restored.counters));
        let mut live = Live::default();
        live.trying(&found);
        live
    }

    /// To be called before a commit: even one that fails may have left its rows on the disk.
    pub fn trying(&mut self, group: &Pending) {
        for (key, entry) in group.records.iter().filter(|(_, entry)| is_live(&entry.record)) {
            self.0.insert(key.clone(), entry.record.clone());
        }
    }

    /// To be called after a commit.
    pub fn committed(&mut self, group: &Pending) {
        for (key, _) in group.records.iter().filter(|(_, entry)| !is_live(&entry.record)) {
            self.0.remove(key);
        }
    }

    /// Everything, to be written to an empty database.
    pub fn all(&self) -> Pending {
        let mut all = Pending::default();
        // The ids of incidents and signals begin with their time, so this is their order as well as it is known.
        self.0.values().cloned().for_each(|record| all.put(record));
        all
    }
}

/// Ticket numbers, kept as ranges because they come one after the other.
#[derive(Default)]
pub struct Tickets(Vec<RangeInclusive<u64>>);

impl Tickets {
    fn add(&mut self, ticket: u64) {
        match self.0.last_mut() {
            Some(range) if range.end().checked_add(1) == Some(ticket) => *range = *range.start()..=ticket,
            _ => self.0.push(ticket..=ticket),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_iter(self) -> impl Iterator<Item = u64> {
        self.0.into_iter().flatten()
    }
}
