//! What is owed to the monitoring center. A signal leaves only with the center's signed ack of its `jti`; until then it
//! is sent again, alarms before everything else.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::effect::{Effect, Record, Restored, Signal, SignalKind, SignalRecord};
use super::moment::{Boottime, ClockStanding, Id, Moment};
use super::telling::{PATIENCE, Telling};
use super::turn::{Turn, earliest};

const FIRST_RESEND: Duration = Duration::from_secs(5);
const NEXT_RESEND: Duration = Duration::from_secs(10);
/// How many signals that are about no alarm may be under way at a time, so that an alarm never queues behind a backlog.
const UNDER_WAY: usize = 8;
/// How many repeats of one alarm may be owed: they carry every further cry as well.
const REPEATS_OWED: usize = 8;
/// The `seq` of a signal that was withdrawn: after a restart it must not pass for a word that the center has heard.
pub(super) const WITHDRAWN: u64 = 0;
/// How many acked signals are remembered, to tell a repeated ack from a foreign one.
const SETTLED: usize = 256;

#[derive(Debug)]
struct Owed {
    signal: Signal,
    /// The batch that writes it down and when that was handed to the store, while that is waited for. Without this order
    /// a power cut could leave the center with an alarm whose countdown is on disk, starts afresh and is aborted.
    writing: Option<(u64, Boottime)>,
    sent: Option<Sent>,
    /// It was sent once, perhaps by the process before this one: the center may know of it.
    may_be_known: bool,
}

/// The transmissions on the present connection.
#[derive(Clone, Copy, Debug)]
struct Sent {
    last: Boottime,
    times: u32,
}

impl Sent {
    fn due(self) -> Boottime {
        self.last + if self.times == 1 { FIRST_RESEND } else { NEXT_RESEND }
    }
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    owed: Vec<Owed>,
    settled: VecDeque<Id>,
    /// The last heartbeat, until its ack.
    heartbeat: Option<Id>,
    link_up: bool,
}

impl Outbox {
    /// Takes what was owed before a restart. A signal that was raised in an earlier boot is at least as old as this one.
    pub fn restore(&mut self, restored: Restored, turn: &Turn) {
        for SignalRecord { mut signal, settled } in restored.signals {
            if settled || self.knows(signal.jti) {
                self.remember(signal.jti);
                continue;
            }
            if signal.boot != turn.boot {
                let uptime = u64::try_from(turn.at.now.since(Boottime::default()).as_millis()).unwrap_or(u64::MAX);
                signal.age_base_ms = signal.age_base_ms.saturating_add(uptime);
                signal.raised = turn.at.now;
                signal.boot = turn.boot;
            }
            self.owed.push(Owed { signal, writing: None, sent: None, may_be_known: true });
        }
    }

    /// Owes a signal from now on, and writes it down.
    pub fn add(&mut self, signal: Signal, turn: &mut Turn) {
        turn.record(Record::Signal(SignalRecord { signal: signal.clone(), settled: false }));
        self.owed.push(Owed { signal, writing: Some((turn.ticket, turn.at.now)), sent: None, may_be_known: false });
    }

    /// Whether another repeat of this incident's alarm is of use.
    pub fn takes_repeat(&self, incident: Id) -> bool {
        self.repeats(incident).count() < REPEATS_OWED
    }

    /// The repeats of this incident's alarm that are owed.
    pub fn repeats(&self, incident: Id) -> impl Iterator<Item = &Signal> {
        let signals = self.owed.iter().map(|owed| &owed.signal);
        signals.filter(move |signal| signal.is_alarm() && signal.repeat && signal.incident == Some(incident))
    }

    /// Whether a signal like this is owed already.
    pub fn owes(&self, predicate: impl Fn(&Signal) -> bool) -> bool {
        self.owed.iter().any(|owed| predicate(&owed.signal))
    }

    /// Forgets signals that have become pointless before they were ever sent.
    pub fn withdraw_unsent(&mut self, turn: &mut Turn, predicate: impl Fn(&Signal) -> bool) -> bool {
        let mut withdrawn = false;
        self.owed.retain(|owed| {
            let goes = !owed.may_be_known && predicate(&owed.signal);
            if goes {
                withdrawn = true;
                let signal = Signal { seq: WITHDRAWN, ..owed.signal.clone() };
                turn.record(Record::Signal(SignalRecord { signal, settled: true }));
            }
            !goes
        });
        withdrawn
    }

    pub fn link_up(&mut self) {
        self.link_up = true;
        for owed in &mut self.owed {
            owed.sent = None;
        }
    }

    pub fn link_down(&mut self) {
        self.link_up = false;
    }

    /// The signal of this `jti`, if it is owed.
    pub fn find(&self, jti: Id) -> Option<&Signal> {
        self.owed.iter().map(|owed| &owed.signal).find(|signal| signal.jti == jti)
    }

    /// The center has it, or will never want it.
    pub fn settle(&mut self, jti: Id, turn: &mut Turn) {
        if let Some(position) = self.owed.iter().position(|owed| owed.signal.jti == jti) {
            let signal = self.owed.remove(position).signal;
            turn.record(Record::Signal(SignalRecord { signal, settled: true }));
            self.remember(jti);
        }
    }

    pub fn remember(&mut self, jti: Id) {
        self.settled.push_back(jti);
        if self.settled.len() > SETTLED {
            self.settled.pop_front();
        }
    }

    /// Heartbeats are not owed, but their ack is waited for.
    pub fn heartbeat_sent(&mut self, jti: Id) {
        self.heartbeat = Some(jti);
        self.remember(jti);
    }

    pub fn heartbeat_acked(&mut self, jti: Id) {
        self.heartbeat = self.heartbeat.filter(|&sent| sent != jti);
    }

    /// Whether an ack of this `jti` is still to come.
    pub fn awaits(&self, jti: Id) -> bool {
        self.heartbeat == Some(jti) || self.find(jti).is_some()
    }

    /// Whether this `jti` was ever one of ours, as far as we remember.
    pub fn knows(&self, jti: Id) -> bool {
        self.settled.contains(&jti) || self.owes(|signal| signal.jti == jti)
    }

    pub fn len(&self) -> usize {
        self.owed.len()
    }

    /// Sends what is due and on disk (or waited for long enough): alarms all at once, the rest a few at a time.
    pub fn elapse(&mut self, telling: &Telling, turn: &mut Turn) {
        if !self.link_up {
            return;
        }
        let now = turn.at.now;
        self.owed.sort_by_key(|owed| owed.signal.seq);
        let mut under_way = self.owed.iter().filter(|owed| !owed.signal.is_urgent() && owed.sent.is_some()).count();
        for owed in &mut self.owed {
            owed.writing = owed.writing.filter(|&(ticket, since)| !telling.waited_for(ticket, since, now));
            if owed.writing.is_some() {
                continue;
            }
            let times = match owed.sent {
                Some(sent) if now >= sent.due() => sent.times + 1,
                Some(_) => continue,
                None if owed.signal.is_urgent() => 1,
                None if under_way < UNDER_WAY => {
                    under_way += 1;
                    1
                }
                None => continue,
            };
            owed.sent = Some(Sent { last: now, times });
            owed.may_be_known = true;
            turn.effects.push(Effect::Transmit(owed.signal.stamped(turn.at)));
        }
    }

    pub fn deadline(&self) -> Option<Boottime> {
        if !self.link_up {
            return None;
        }
        self.owed.iter().fold(None, |soonest, owed| {
            let waited = owed.writing.map(|(_, since)| since + PATIENCE);
            earliest(soonest, waited.or(owed.sent.map(Sent::due)))
        })
    }
}

impl Signal {
    pub(super) fn is_alarm(&self) -> bool {
        self.kind == SignalKind::Alarm
    }

    /// An alarm, or a wish to cancel one: few by nature, and never behind a backlog of the rest.
    fn is_urgent(&self) -> bool {
        self.is_alarm() || self.kind == SignalKind::CancelRequest
    }

    /// As it is to be sent at this moment: with its age.
    pub(super) fn stamped(&self, at: Moment) -> Signal {
        let elapsed = u64::try_from(at.now.since(self.raised).as_millis()).unwrap_or(u64::MAX);
        let at_least = self.age_base_ms.saturating_add(elapsed);
        // Within one boot the boot clock knows it exactly, and a step of the wall clock must not make an alarm look old.
        let (by_wall, clock) = match (self.age_base_ms, self.clock) {
            (0, _) => (0, at.clock),
            (_, ClockStanding::Synced) if at.clock == ClockStanding::Synced => {
                (at.wall.0.saturating_sub(self.raised_wall.0).max(0), at.clock)
            }
            _ => (0, ClockStanding::Unsynced),
        };
        Signal { age_ms: at_least.max(by_wall.unsigned_abs()), sent_wall: at.wall, clock, ..self.clone() }
    }
}
