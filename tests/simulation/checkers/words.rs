//! What people are told is true.

use super::{Checker, Verdict, holds};
use crate::history::Entry;
use crate::ledger::Ledger;
use crate::time::{At, MS};

/// How long what people are told may wait for the disk.
const PATIENCE: u64 = 250 * MS;
const REQUESTED: &str = "Help has been requested";

pub struct HelpIsRequestedOnceTheCenterSaysSo;

impl Checker for HelpIsRequestedOnceTheCenterSaysSo {
    fn name(&self) -> &'static str {
        "9: help has been requested once the center says so"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        let confirmed = |id: &String| ledger.incidents.get(id).is_some_and(|incident| incident.confirmed);
        match entry {
            Entry::Event(event) if event.message.contains(REQUESTED) => {
                let is_true = event.incident.as_ref().is_some_and(confirmed);
                holds(is_true, || format!("the center has not confirmed, and people are told: {event:?}"))
            }
            Entry::State(state) => {
                let says_so = |message: &str| message.contains(REQUESTED);
                for shown in state.incidents.iter().filter(|shown| says_so(&shown.message)) {
                    holds(confirmed(&shown.id), || {
                        format!("the center has not confirmed, and the state says: {shown:?}")
                    })?;
                }
                let any = state.incidents.iter().any(|shown| confirmed(&shown.id));
                holds(any || !says_so(&state.message), || format!("the state says: {}", state.message))
            }
            Entry::Reply { reply, .. } => {
                holds(!reply.message.contains(REQUESTED), || format!("a reply says too much: {}", reply.message))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
pub struct EventsAreNumbered {
    last: Option<u64>,
    /// Some may have been numbered and not told before a crash: the first event after it shows that.
    gap: bool,
    /// The disk came late with numbers that are higher: some event after that leaps over them, once.
    leap: bool,
    ready: At,
    /// When the disk came late: what was numbered before that is told a little after it.
    late: At,
    /// What was told may have been forgotten.
    back: bool,
}

impl Checker for EventsAreNumbered {
    fn name(&self) -> &'static str {
        "9: events are numbered one by one"
    }

    fn see(&mut self, now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        match entry {
            Entry::Ended { lost, .. } => {
                (self.gap, self.leap) = (true, false);
                self.back |= lost.told;
            }
            Entry::Ready => self.ready = now,
            Entry::Remembers if now > self.ready => (self.leap, self.late) = (true, now),
            Entry::Remembers => {}
            Entry::Event(event) => {
                let Some(last) = self.last.replace(event.seq) else { return Ok(()) };
                let next = event.seq == last + 1 || ((self.gap || self.leap) && event.seq > last);
                self.leap &= event.seq <= last + 1;
                let excused = self.back || !ledger.remembers || (self.late > 0 && now <= self.late + PATIENCE);
                self.back &= !ledger.remembers;
                self.gap = false;
                return holds(next || excused, || format!("event {} follows event {last}", event.seq));
            }
            _ => {}
        }
        Ok(())
    }
}
