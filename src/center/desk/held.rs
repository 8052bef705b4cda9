//! What waits until it is on disk. An ack says "it is on the center's disk", and a plan token must never come with a
//! lower serial after a crash: both wait for as long as it takes. Updates, calls and dispatch help people: they wait a
//! second at most, and not at all for a store that says that it fails.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use super::effect::{Batch, Effect};
use super::turn::Turn;
use crate::controller::moment::Boottime;

/// People before paper: a store that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// A store that has not answered for this long is said to fail.
const SILENCE: Duration = Duration::from_secs(5);
/// How many batches may be with the store. Above that, only what is about an alarm is taken: the rest comes again.
const FULL: usize = 20_000;

/// A batch that the store has.
struct Pending {
    since: Boottime,
    once_stored: Vec<Effect>,
}

/// What a store that does not answer holds up.
struct Waiting {
    ticket: u64,
    since: Boottime,
    effect: Effect,
}

#[derive(Default)]
pub(super) struct Held {
    last_ticket: u64,
    pending: BTreeMap<u64, Pending>,
    /// In the order in which they leave.
    waiting: VecDeque<Waiting>,
    problem: Option<String>,
    silent: bool,
}

impl Held {
    pub fn upcoming_ticket(&self) -> u64 {
        self.last_ticket + 1
    }

    /// Not on disk: the store has it, or it is of the turn that goes on.
    pub fn is_pending(&self, ticket: u64) -> bool {
        ticket > self.last_ticket || self.pending.contains_key(&ticket)
    }

    pub fn is_full(&self) -> bool {
        self.pending.len() >= FULL
    }

    /// Takes a turn's records and what waits for them. What waits although its turn has no records goes after what
    /// waits already.
    pub fn take(&mut self, turn: &mut Turn, effects: &mut Vec<Effect>) {
        let since = turn.at.now;
        let once_stored = core::mem::take(&mut turn.once_stored);
        if turn.records.is_empty() {
            effects.extend(once_stored);
        } else {
            self.last_ticket += 1;
            let (ticket, records) = (self.last_ticket, core::mem::take(&mut turn.records));
            effects.push(Effect::Persist(Batch { ticket, urgency: turn.urgency, records }));
            self.pending.insert(ticket, Pending { since, once_stored });
        }
        let ticket = self.last_ticket;
        self.waiting.extend(turn.soon.drain(..).map(|effect| Waiting { ticket, since, effect }));
    }

    /// These batches are on disk.
    pub fn committed(&mut self, tickets: &[u64], effects: &mut Vec<Effect>) {
        let mut free: Vec<(u64, Effect)> = Vec::new();
        for ticket in tickets {
            let pending = self.pending.remove(ticket).map(|pending| pending.once_stored).unwrap_or_default();
            free.extend(pending.into_iter().map(|effect| (*ticket, effect)));
        }
        // An end that was said before an alarm's ack must not leave after it: the hub would take it for the newer word.
        while let Some(head) = self.waiting.front().filter(|head| !self.pending.contains_key(&head.ticket)) {
            let ticket = head.ticket;
            free.extend(self.waiting.pop_front().map(|head| (ticket, head.effect)));
        }
        free.sort_by_key(|(ticket, _)| *ticket);
        effects.extend(free.into_iter().map(|(_, effect)| effect));
    }

    /// Lets out what has nothing to wait for any more, or has waited for long enough.
    pub fn release(&mut self, now: Boottime, effects: &mut Vec<Effect>) {
        let failing = self.problem.is_some();
        while let Some(head) = self.waiting.front()
            && (failing || now >= head.since + PATIENCE || !self.pending.contains_key(&head.ticket))
        {
            effects.extend(self.waiting.pop_front().map(|head| head.effect));
        }
    }

    /// Forgets what was to be said but must not be any more.
    pub fn withdraw(&mut self, predicate: impl Fn(&Effect) -> bool) {
        self.waiting.retain(|waiting| !predicate(&waiting.effect));
    }

    /// `None`: the store works.
    pub fn store_is(&mut self, problem: Option<String>) {
        self.problem = problem;
    }

    /// Whether the store's silence has just begun or ended.
    pub fn judge_silence(&mut self, now: Boottime) -> bool {
        let silent = self.oldest().is_some_and(|since| now >= since + SILENCE);
        core::mem::replace(&mut self.silent, silent) != silent
    }

    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Why nothing can be written.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    pub fn deadline(&self) -> Option<Boottime> {
        let patience = self.waiting.front().map(|head| head.since + PATIENCE);
        let silence = self.oldest().filter(|_| !self.silent).map(|since| since + SILENCE);
        patience.into_iter().chain(silence).min()
    }

    fn oldest(&self) -> Option<Boottime> {
        self.pending.first_key_value().map(|(_, pending)| pending.since)
    }
}
