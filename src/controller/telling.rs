//! What people are told waits until it is on disk, in its order, but never longer than a quarter of a second.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::effect::{Batch, Effect, Record, Report};
use super::moment::Boottime;

/// A disk that takes longer is not waited for.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);
/// A store that has not answered for this long is a fault.
const SILENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    since: Boottime,
    reports: Vec<Report>,
}

#[derive(Debug, Default)]
pub(super) struct Telling {
    next_ticket: u64,
    /// Everything up to this ticket is on disk.
    committed: u64,
    /// Since when the store has not answered for a batch.
    unanswered: Option<Boottime>,
    waiting: VecDeque<Waiting>,
    /// The store has said that it fails: nobody waits for it.
    failing: bool,
    /// The store has been silent for too long.
    stalled: bool,
}

impl Telling {
    /// The ticket of the next batch.
    pub fn upcoming_ticket(&self) -> u64 {
        self.next_ticket + 1
    }

    /// Whether what had to wait for this batch since then may go out: the batch is on disk, or nobody waits any longer.
    pub fn waited_for(&self, ticket: u64, since: Boottime, now: Boottime) -> bool {
        ticket <= self.committed || self.failing || now >= since + PATIENCE
    }

    /// Takes a turn's records and reports. Reports go out at once where nothing has to be on disk before them.
    pub fn take(&mut self, records: Vec<Record>, reports: Vec<Report>, now: Boottime, effects: &mut Vec<Effect>) {
        if !records.is_empty() {
            self.next_ticket += 1;
            self.unanswered.get_or_insert(now);
            effects.push(Effect::Persist(Batch { ticket: self.next_ticket, records }));
        }
        if !reports.is_empty() {
            self.waiting.push_back(Waiting { ticket: self.next_ticket, since: now, reports });
        }
    }

    pub fn committed(&mut self, ticket: u64, now: Boottime) {
        self.failing = false;
        self.stalled = false;
        self.committed = self.committed.max(ticket);
        self.unanswered = (ticket < self.next_ticket).then_some(now);
    }

    /// Whether the store has just begun to fail.
    pub fn fails(&mut self) -> bool {
        self.unanswered = None;
        !core::mem::replace(&mut self.failing, true)
    }

    /// Whether the store has just become silent for too long.
    pub fn stalls(&mut self, now: Boottime) -> bool {
        let silent = self.unanswered.is_some_and(|since| now >= since + SILENCE);
        silent && !core::mem::replace(&mut self.stalled, true)
    }

    /// Lets out what is on disk, and what has waited long enough; gives the ids of accepted commands whose reply went
    /// out without being on disk.
    pub fn release(&mut self, now: Boottime, effects: &mut Vec<Effect>) -> Vec<alloc::string::String> {
        let mut not_durable = Vec::new();
        while let Some(head) = self.waiting.front() {
            let durable = head.ticket <= self.committed;
            if !self.waited_for(head.ticket, head.since, now) {
                break;
            }
            let Some(head) = self.waiting.pop_front() else { break };
            for mut report in head.reports {
                if let Report::Reply { reply, .. } = &mut report
                    && reply.refused.is_none()
                    && !durable
                {
                    reply.durable = Some(false);
                    not_durable.extend(reply.id.clone());
                }
                effects.push(Effect::Tell(report));
            }
        }
        not_durable
    }

    pub fn deadline(&self) -> Option<Boottime> {
        let patience = self.waiting.front().map(|head| head.since + PATIENCE);
        let silence = self.unanswered.filter(|_| !self.stalled).map(|since| since + SILENCE);
        super::turn::earliest(patience, silence)
    }
}
