//! What an observer knows of the monitoring center: what stands on its books, what it was asked and told, and what it has
//! said. The desk's own thoughts have no place here.

use std::collections::{BTreeMap, BTreeSet};

use sos_hub::center::desk::records::StepRecordState;

use crate::center::words::{Booked, Meaning};
use crate::history::Entry;

#[derive(Default)]
pub struct Books {
    pub cases: BTreeMap<String, Case>,
    /// Every signal that is on the center's disk.
    pub taken: BTreeSet<String>,
    /// Signals of which the disk did not say in time whether they came before.
    pub not_looked_up: BTreeSet<String>,
    pub calls_are_simulated: bool,
    /// How often the process ended.
    pub ends: u64,
}

/// One incident on the books.
#[derive(Clone, Debug, Default)]
pub struct Case {
    pub account: String,
    pub service: &'static str,
    /// `None`: it is not on the books.
    pub step: Option<StepRecordState>,
    /// The first contact has cancelled, ever, and since the last cry.
    pub ever_cancel_said: bool,
    pub cancel_said: bool,
    /// And that counts.
    pub cancelled: bool,
    /// The alarms of the hub that were not known when they came.
    pub cries: BTreeSet<String>,
    /// Cries of which the disk does not say in time whether they came before: each counts only when that was waited for.
    held_up: u32,
    /// The last update that said that the first contact is called.
    last_call: u64,
    /// How often it was opened again.
    pub reopened: usize,
    /// Help was sent since the incident was opened or opened again.
    pub dispatched: bool,
    /// The disk lost what was said or done.
    pub forgiven: bool,
}

impl Case {
    pub fn has_ended(&self) -> bool {
        self.step.is_some_and(has_ended)
    }
}

pub fn has_ended(step: StepRecordState) -> bool {
    matches!(step, StepRecordState::Cancelled | StepRecordState::Closed)
}

impl Books {
    pub fn note(&mut self, entry: &Entry) {
        match entry {
            Entry::CenterStarted { calls_are_simulated } => self.calls_are_simulated = *calls_are_simulated,
            Entry::CenterEnded(lost) => {
                self.ends += 1;
                lost.incidents.iter().for_each(|id| self.case(id).forgiven = true);
            }
            // The first alarm of an incident is never newer than what is known of it.
            Entry::AlarmHeard { jti, incident, repeat }
                if !self.taken.contains(jti) && (*repeat || !self.is_booked(incident)) =>
            {
                self.cry(incident, jti.clone());
            }
            Entry::NotLookedUp { jti, incident } => {
                self.not_looked_up.insert(jti.clone());
                self.cry(incident, format!("{jti}, not looked up"));
                self.case(incident).held_up += 1;
            }
            Entry::Said(Meaning::Update { incident, seq, stage: "calling_first_contact" }) => {
                let case = self.case(incident);
                let is_new = *seq > case.last_call;
                case.last_call = case.last_call.max(*seq);
                // The contact had cancelled before the cry counted.
                if is_new && case.held_up > 0 {
                    case.held_up -= 1;
                    (case.cancel_said, case.cancelled) = (false, false);
                }
            }
            Entry::Took(taking) => {
                let claims = &taking.claims;
                self.taken.insert(claims.jti.clone());
                // One that was still looked up when the contact cancelled counts after that.
                if let (true, Some(incident)) = (claims.repeat, &claims.incident) {
                    self.cry(incident, claims.jti.clone());
                }
            }
            Entry::ContactCancels { incident } => {
                let case = self.case(incident);
                (case.cancel_said, case.ever_cancel_said) = (true, true);
            }
            Entry::CancelRecorded { incident } => {
                let case = self.case(incident);
                case.cancelled |= case.cancel_said;
            }
            Entry::Booked(Booked::Incident { id, account, service, step }) => {
                let case = self.case(id);
                if case.has_ended() && !has_ended(*step) {
                    case.reopened += 1;
                    case.dispatched = false;
                }
                (case.account, case.service, case.step) = (account.clone(), service, Some(*step));
                if *step == StepRecordState::Cancelled {
                    case.cancelled |= case.cancel_said;
                }
            }
            Entry::Booked(Booked::Update { incident, stage, .. }) => {
                self.case(incident).dispatched |= *stage == "dispatched";
            }
            _ => {}
        }
    }

    /// Somebody needs help again, whatever was said before.
    fn cry(&mut self, incident: &str, alarm: String) {
        let case = self.case(incident);
        (case.cancel_said, case.cancelled) = (false, false);
        case.cries.insert(alarm);
    }

    fn is_booked(&self, incident: &str) -> bool {
        self.cases.get(incident).is_some_and(|case| case.step.is_some())
    }

    fn case(&mut self, incident: &str) -> &mut Case {
        self.cases.entry(incident.to_owned()).or_default()
    }
}
