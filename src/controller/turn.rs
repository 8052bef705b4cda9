//! One turn of the controller: what one input leads to, gathered until the turn is over.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::effect::{Effect, LogLine, Record, Report, Severity};
use super::input::ReplyTo;
use super::moment::{BootId, Id, Moment};
use super::report::{Event, EventKind, Reply};
use super::words::Service;

/// Collects effects, records and reports while the parts of the controller work on one input.
pub(super) struct Turn {
    pub at: Moment,
    pub boot: BootId,
    /// The ticket of the batch that will hold this turn's records.
    pub ticket: u64,
    /// The `seq` of the last event.
    pub event_seq: u64,
    /// Something that the published state shows may have changed.
    pub changed: bool,
    /// The state is to be published even if nothing but the time has changed in it.
    pub tell_state: bool,
    pub effects: Vec<Effect>,
    pub records: Vec<Record>,
    pub reports: Vec<Report>,
    /// Last of all effects: nothing that matters waits for a line of the log.
    pub log: Vec<LogLine>,
    draws: u64,
}

impl Turn {
    pub fn new(at: Moment, boot: BootId, ticket: u64, event_seq: u64) -> Turn {
        Turn {
            at,
            boot,
            ticket,
            event_seq,
            changed: false,
            tell_state: false,
            effects: Vec::new(),
            records: Vec::new(),
            reports: Vec::new(),
            log: Vec::new(),
            draws: 0,
        }
    }

    /// An id that no other turn and no other call in this turn gives.
    pub fn fresh_id(&mut self) -> Id {
        self.draws += 1;
        self.at.fresh_id(self.draws)
    }

    pub fn record(&mut self, record: Record) {
        self.changed = true;
        self.records.push(record);
    }

    /// Tells of a change, and logs it. Gives the event's `seq`.
    pub fn event(&mut self, kind: EventKind, about: Option<(Id, Service)>, message: String) -> u64 {
        self.event_seq += 1;
        self.changed = true;
        let severity = match kind {
            EventKind::Countdown { .. } => Severity::Debug,
            EventKind::Fault { .. } | EventKind::Refused { .. } => Severity::Warning,
            _ => Severity::Info,
        };
        let (incident, service) = (about.map(|(id, _)| id), about.map(|(_, service)| service));
        self.log(severity, incident, kind.as_str(), message.clone());
        self.reports.push(Report::Event(Event {
            seq: self.event_seq,
            kind,
            at: self.at.wall,
            incident,
            service,
            message,
        }));
        self.event_seq
    }

    /// Tells of a refusal, which may be about a service without an incident.
    pub fn refusal(&mut self, kind: EventKind, incident: Option<Id>, service: Option<Service>, message: String) {
        self.event(kind, None, message);
        if let Some(Report::Event(event)) = self.reports.last_mut() {
            event.incident = incident;
            event.service = service;
        }
    }

    pub fn reply(&mut self, reply: Reply, reply_to: Option<ReplyTo>) {
        self.reports.push(Report::Reply { reply, reply_to });
    }

    pub fn log(&mut self, severity: Severity, incident: Option<Id>, topic: &'static str, text: String) {
        self.log.push(LogLine { severity, incident, topic, text });
    }
}

/// The earlier of two deadlines, either of which may be missing.
pub(super) fn earliest<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Lets `burst` pass at once and one more each `period`.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    burst: u32,
    period: Duration,
    left: u32,
    filled: super::moment::Boottime,
}

impl Bucket {
    pub fn new(burst: u32, period: Duration) -> Bucket {
        Bucket { burst, period, left: burst, filled: super::moment::Boottime::default() }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: super::moment::Boottime) -> bool {
        let periods = now.since(self.filled).as_nanos() / self.period.as_nanos().max(1);
        if periods > 0 {
            self.left = u32::try_from(periods).unwrap_or(u32::MAX).saturating_add(self.left).min(self.burst);
            let spent = self.period.saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX));
            self.filled = if self.left == self.burst { now } else { self.filled + spent };
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
}
