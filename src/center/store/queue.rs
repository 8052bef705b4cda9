//! What waits to be committed, in two lanes: heartbeats, and everything else.
//!
//! Of each hub's record only the latest waits, whichever batch brought it. It is written with the first of its batches
//! that is, so that it never goes back in time, and heartbeats without end take no more room than there are hubs.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::center::desk::effect::{Batch, Urgency};
use crate::center::desk::records::{HubRecord, Record};
use crate::center::desk::words::AccountId;

/// How many heartbeats are written at a time, so that an alarm does not wait behind many.
const HEARTBEATS_OF_A_GROUP: usize = 64;
/// How many rows of other batches: some 50 ms of work after a long outage.
const ROWS_OF_A_GROUP: usize = 4096;
/// How long a heartbeat waits for others.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Default)]
pub struct Queue {
    batches: VecDeque<Waiting>,
    heartbeats: VecDeque<AccountId>,
    /// The tickets of the heartbeats, for each account that is among them.
    tickets: HashMap<AccountId, Vec<u64>>,
    hubs: HashMap<AccountId, HubRecord>,
    /// When the oldest heartbeat came.
    oldest: Option<Instant>,
}

/// A batch without its hub records, which are in [`Queue::hubs`].
struct Waiting {
    ticket: u64,
    records: Vec<Record>,
    hubs: Vec<AccountId>,
}

/// What is committed together.
pub struct Group {
    batches: Vec<Waiting>,
    heartbeats: Vec<(AccountId, Vec<u64>)>,
    hubs: Vec<HubRecord>,
}

impl Queue {
    pub fn put(&mut self, batch: Batch) {
        let Batch { ticket, urgency, records } = batch;
        let mut waiting = Waiting { ticket, records: Vec::new(), hubs: Vec::new() };
        for record in records {
            match record {
                Record::Hub(hub) => {
                    waiting.hubs.push(hub.account.clone());
                    self.hubs.insert(hub.account.clone(), hub);
                }
                other => waiting.records.push(other),
            }
        }
        match waiting.hubs.as_slice() {
            [account] if urgency == Urgency::Soon && waiting.records.is_empty() => {
                self.put_heartbeat(account.clone(), ticket);
            }
            _ => self.batches.push_back(waiting),
        }
    }

    fn put_heartbeat(&mut self, account: AccountId, ticket: u64) {
        self.oldest.get_or_insert_with(Instant::now);
        let tickets = self.tickets.entry(account.clone()).or_default();
        if tickets.is_empty() {
            self.heartbeats.push_back(account);
        }
        tickets.push(ticket);
    }

    /// When the next group is to be taken; `None` if there is nothing to take.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        if !self.batches.is_empty() || self.heartbeats.len() >= HEARTBEATS_OF_A_GROUP {
            return Some(now);
        }
        self.oldest.map(|oldest| oldest + PATIENCE)
    }

    /// The batches that wait, in their order.
    pub fn take_batches(&mut self) -> Option<Group> {
        let mut rows = 0;
        let count = self.batches.iter().take_while(|waiting| {
            let fits = rows < ROWS_OF_A_GROUP;
            rows += waiting.records.len();
            fits
        });
        let count = count.count();
        let batches: Vec<Waiting> = self.batches.drain(..count).collect();
        let hubs = batches.iter().flat_map(|waiting| &waiting.hubs).filter_map(|account| self.hubs.remove(account));
        let hubs = hubs.collect();
        (!batches.is_empty()).then_some(Group { batches, heartbeats: Vec::new(), hubs })
    }

    /// Heartbeats that have waited long enough, or enough of them.
    pub fn take_heartbeats(&mut self, now: Instant) -> Option<Group> {
        let is_due = self.heartbeats.len() >= HEARTBEATS_OF_A_GROUP
            || self.oldest.is_some_and(|oldest| oldest + PATIENCE <= now);
        if !is_due {
            return None;
        }
        let count = self.heartbeats.len().min(HEARTBEATS_OF_A_GROUP);
        let accounts: Vec<AccountId> = self.heartbeats.drain(..count).collect();
        let hubs = accounts.iter().filter_map(|account| self.hubs.remove(account)).collect();
        let heartbeats = accounts.into_iter().map(|account| {
            let tickets = self.tickets.remove(&account).unwrap_or_default();
            (account, tickets)
        });
        let heartbeats = heartbeats.collect();
        if self.heartbeats.is_empty() {
            self.oldest = None;
        }
        Some(Group { batches: Vec::new(), heartbeats, hubs })
    }

    /// Everything, whether it is due or not.
    pub fn take_next(&mut self) -> Option<Group> {
        if let Some(oldest) = &mut self.oldest {
            *oldest = oldest.checked_sub(PATIENCE).unwrap_or(*oldest);
        }
        self.take_batches().or_else(|| self.take_heartbeats(Instant::now()))
    }

    /// Takes back what could not be committed; what has come since is newer.
    pub fn put_back(&mut self, group: Group) {
        for hub in group.hubs {
            self.hubs.entry(hub.account.clone()).or_insert(hub);
        }
        for waiting in group.batches.into_iter().rev() {
            self.batches.push_front(waiting);
        }
        for (account, mut tickets) in group.heartbeats.into_iter().rev() {
            let newer = self.tickets.entry(account.clone()).or_default();
            if newer.is_empty() {
                self.heartbeats.push_front(account);
            }
            tickets.append(newer);
            *newer = tickets;
        }
        if !self.heartbeats.is_empty() {
            self.oldest.get_or_insert_with(Instant::now);
        }
    }
}

impl Group {
    /// Every batch's records, then the latest of the hubs.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.batches.iter().flat_map(|waiting| &waiting.records)
    }

    pub fn hubs(&self) -> &[HubRecord] {
        &self.hubs
    }

    pub fn rows(&self) -> usize {
        self.hubs.len() + self.records().count()
    }

    pub fn tickets(&self) -> Vec<u64> {
        let of_batches = self.batches.iter().map(|waiting| waiting.ticket);
        of_batches.chain(self.heartbeats.iter().flat_map(|(_, tickets)| tickets.iter().copied())).collect()
    }
}
