//! One turn of the desk: what one input leads to, gathered until the turn is over.

use std::collections::BTreeSet;

use super::effect::{Changed, Effect, Urgency};
use super::records::{AuditRecord, Record};
use super::words::AccountId;
use crate::controller::effect::{LogLine, Severity};
use crate::controller::moment::{Id, Moment};

/// Collects records and effects while the parts of the desk work on one input.
pub(super) struct Turn {
    pub at: Moment,
    /// The ticket of the batch that will hold this turn's records.
    pub ticket: u64,
    pub records: Vec<Record>,
    pub urgency: Urgency,
    /// Acks and plan tokens: they leave only once the records are on disk.
    pub once_stored: Vec<Effect>,
    /// What helps people: it waits for the records, but not for long.
    pub soon: Vec<Effect>,
    pub at_once: Vec<Effect>,
    /// Whose order is carried out.
    pub operator: Option<String>,
    /// How many times the console's page is to sound.
    pub cries: u64,
    /// Each once, however often it has changed.
    changed: Vec<Changed>,
    changed_incidents: BTreeSet<Id>,
    log: Vec<LogLine>,
    draws: u64,
}

impl Turn {
    pub fn new(at: Moment, ticket: u64) -> Turn {
        Turn {
            at,
            ticket,
            records: Vec::new(),
            urgency: Urgency::Soon,
            once_stored: Vec::new(),
            soon: Vec::new(),
            at_once: Vec::new(),
            operator: None,
            cries: 0,
            changed: Vec::new(),
            changed_incidents: BTreeSet::new(),
            log: Vec::new(),
            draws: 0,
        }
    }

    /// An id that no other turn and no other call in this turn gives.
    pub fn fresh_id(&mut self) -> Id {
        self.draws += 1;
        self.at.fresh_id(self.draws)
    }

    /// Keeps a record that somebody waits for.
    pub fn record(&mut self, record: Record) {
        self.somebody_waits();
        self.records.push(record);
    }

    /// The batch is not to wait for others.
    pub fn somebody_waits(&mut self) {
        self.urgency = Urgency::Now;
    }

    /// Keeps a record that may be put together with others first.
    pub fn record_soon(&mut self, record: Record) {
        self.records.push(record);
    }

    pub fn audit(&mut self, who: String, what: String, account: Option<AccountId>, incident: Option<Id>) {
        self.record_soon(Record::Audit(AuditRecord { wall: self.at.wall, who, what, account, incident }));
    }

    pub fn changed(&mut self, changed: Changed) {
        if let Changed::Incident(incident) = changed {
            self.changed_incidents.insert(incident);
        } else if !self.changed.contains(&changed) {
            self.changed.push(changed);
        }
    }

    pub fn log(&mut self, severity: Severity, incident: Option<Id>, topic: &'static str, text: impl Into<String>) {
        self.log.push(LogLine { severity, incident, topic, text: text.into() });
    }

    /// What has nothing to wait for, the log last.
    pub fn finish(self, effects: &mut Vec<Effect>) {
        effects.extend(self.at_once);
        let incidents = self.changed_incidents.into_iter().map(Changed::Incident);
        effects.extend(incidents.chain(self.changed).map(Effect::Changed));
        effects.extend(self.log.into_iter().map(Effect::Log));
    }
}
