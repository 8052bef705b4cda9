//! A disk for scenarios: keeps what was committed, the way the store does, and forgets what was not.

use std::collections::BTreeMap;

use sos_hub::controller::effect::{
    Batch, CountersRecord, IncidentRecord, Record, ReplyRecord, Restored, SignalRecord, SoundingRecord, StepRecord,
};
use sos_hub::controller::input::PlanToken;
use sos_hub::controller::moment::{Boottime, Id};

#[derive(Clone, Debug, Default)]
pub struct Disk {
    incidents: BTreeMap<Id, IncidentRecord>,
    pub steps: Vec<StepRecord>,
    signals: BTreeMap<Id, SignalRecord>,
    replies: BTreeMap<String, ReplyRecord>,
    sounding: BTreeMap<Id, SoundingRecord>,
    counters: CountersRecord,
    pub plan: Option<PlanToken>,
}

impl Disk {
    /// A disk as the center's bundle leaves it.
    pub fn with_plan(plan: PlanToken) -> Disk {
        Disk { plan: Some(plan), ..Disk::default() }
    }

    pub fn commit(&mut self, batch: Batch) {
        for record in batch.records {
            match record {
                Record::Incident(record) => drop(self.incidents.insert(record.id, record)),
                Record::Step(record) => self.steps.push(record),
                Record::Signal(record) => drop(self.signals.insert(record.signal.jti, record)),
                Record::Reply(record) => drop(self.replies.insert(record.id.clone(), record)),
                Record::ForgetRepliesBefore { serial } => self.replies.retain(|_, record| record.serial >= serial),
                Record::Sounding(record) => drop(self.sounding.insert(record.incident, record)),
                Record::Silenced { incident } => drop(self.sounding.remove(&incident)),
                Record::Counters(record) => self.counters = record,
                Record::Plan { token, .. } => {
                    // A real disk holds the text; what it says was said when it was taken.
                    self.plan = crate::hub::plan_of_token(&token);
                }
            }
        }
    }

    /// Where every incident stands that this disk knows.
    pub fn incidents(&self) -> Vec<&IncidentRecord> {
        self.incidents.values().collect()
    }

    /// The values of an incident and of its sound that a failing card has turned into the largest ones.
    pub fn damage(&mut self, id: Id) {
        let far = Boottime(i64::MAX.unsigned_abs());
        if let Some(incident) = self.incidents.get_mut(&id) {
            incident.deadline = far;
        }
        if let Some(sounding) = self.sounding.get_mut(&id) {
            (sounding.until, sounding.left_ms) = (far, far.0);
        }
    }

    /// What a start finds.
    pub fn restored(&self) -> Restored {
        let mut incidents: Vec<IncidentRecord> = self.incidents.values().cloned().collect();
        incidents.sort_by_key(|record| record.id);
        Restored {
            incidents,
            signals: self.signals.values().cloned().collect(),
            replies: self.replies.values().cloned().collect(),
            sounding: self.sounding.values().cloned().collect(),
            counters: self.counters,
            plan: self.plan.clone(),
        }
    }
}
