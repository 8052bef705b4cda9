//! Delivered means the center's signed word; until then a signal is owed and sent again, alarms first; and at the center
//! there is one incident, however many copies came.

use std::collections::BTreeMap;

use super::{Checker, Verdict, holds};
use crate::center::words::Meaning;
use crate::history::Entry;
use crate::ledger::Ledger;
use crate::time::{At, MS, S, show};

const PATIENCE: u64 = 250 * MS;
const RESEND: u64 = 10 * S;

#[derive(Default)]
pub struct DeliveredIsTheCentersWord {
    owed: usize,
}

impl Checker for DeliveredIsTheCentersWord {
    fn name(&self) -> &'static str {
        "6: delivered means the center's ack"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        match entry {
            Entry::State(state) => {
                self.owed = state.center.owed;
                Ok(())
            }
            Entry::Event(event) if event.kind == "acknowledged" => {
                let incident = event.incident.as_ref().and_then(|id| ledger.incidents.get(id));
                let confirmed = incident.is_some_and(|incident| incident.confirmed);
                holds(confirmed, || format!("{:?} is acknowledged, and no ack of it has come", event.incident))
            }
            _ => Ok(()),
        }
    }

    fn settled(&self, ledger: &Ledger) -> Verdict {
        holds(self.owed == 0, || format!("{} signals are still owed", self.owed))?;
        for (id, incident) in &ledger.incidents {
            let owes = incident.told_alarm.is_some() && incident.service != "siren";
            let settled = !incident.taken.is_empty() || incident.refused;
            holds(!owes || settled || incident.forgiven, || format!("the alarm of {id} never reached the center"))?;
        }
        Ok(())
    }
}

/// The alarms that the center has not acked, as far as it got through to the hub.
#[derive(Default)]
pub struct WhatIsOwedIsSentAgain {
    /// By `jti`: the incident, and when it was last sent.
    owed: BTreeMap<String, (Option<String>, At)>,
    settled: Vec<String>,
    sent_for: Vec<String>,
}

impl Checker for WhatIsOwedIsSentAgain {
    fn name(&self) -> &'static str {
        "6: an alarm is sent at once, and again until it is acked"
    }

    fn see(&mut self, now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        match entry {
            Entry::Sent(sent) if sent.kind == "alarm" => {
                self.sent_for.extend(sent.incident.clone());
                if !self.settled.contains(&sent.jti) {
                    self.owed.insert(sent.jti.clone(), (sent.incident.clone(), now));
                }
            }
            Entry::Given(Meaning::Ack { jti, .. }) => {
                // A refusal for want of an account is none, but then it is sent again all the same.
                self.owed.remove(jti);
                self.settled.push(jti.clone());
            }
            Entry::Turned => {
                let Some(up_since) = ledger.center_up_since else { return Ok(()) };
                let patient = |span| now > up_since + span && ledger.turns_since(span + 1, now);
                let late = self.owed.iter().find(|(_, (incident, last))| {
                    let known = incident.as_ref().and_then(|id| ledger.incidents.get(id));
                    let forgiven = known.is_some_and(|incident| incident.forgiven);
                    !forgiven && now > last + RESEND && patient(RESEND)
                });
                holds(late.is_none(), || format!("the alarm {late:?} is owed, and is not sent again"))?;
                let unsent = ledger.incidents.iter().find(|(id, incident)| {
                    let due = incident.due.map_or(At::MAX, |due| due.to);
                    let center_knows = incident.confirmed || incident.refused || !incident.taken.is_empty();
                    incident.certainly_due(now)
                        && incident.service != "siren"
                        && now > due.saturating_add(PATIENCE)
                        && patient(PATIENCE)
                        && !center_knows
                        && !self.sent_for.contains(id)
                });
                holds(unsent.is_none(), || {
                    let due = unsent.and_then(|(_, incident)| incident.due).map_or(0, |due| due.to);
                    format!("{:?} is an alarm since {}, and was not sent", unsent.map(|(id, _)| id), show(due))
                })?;
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
pub struct AlarmsGoFirst {
    /// Something else was sent in this turn.
    other: Option<&'static str>,
}

impl Checker for AlarmsGoFirst {
    fn name(&self) -> &'static str {
        "6: alarms go first"
    }

    fn see(&mut self, _now: At, entry: &Entry, _ledger: &Ledger) -> Verdict {
        match entry {
            Entry::Sent(sent) if sent.kind == "alarm" => {
                holds(self.other.is_none(), || format!("the alarm {} goes behind a {:?}", sent.jti, self.other))
            }
            Entry::Sent(sent) => {
                self.other = Some(sent.kind);
                Ok(())
            }
            Entry::Turned | Entry::Ended { .. } => {
                self.other = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

pub struct OneIncidentAtTheCenter;

impl Checker for OneIncidentAtTheCenter {
    fn name(&self) -> &'static str {
        "6: one alarm for each incident at the center"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        let Entry::Took(taking) = entry else { return Ok(()) };
        let Some(incident) = taking.claims.incident.as_ref().and_then(|id| ledger.incidents.get(id)) else {
            return Ok(());
        };
        let firsts = incident.taken.iter().filter(|(_, repeat)| !repeat).count();
        holds(firsts <= 1, || {
            format!("{:?} came under more than one jti: {:?}", taking.claims.incident, incident.taken)
        })
    }
}

pub struct NoEndSwallowsACry;

impl Checker for NoEndSwallowsACry {
    fn name(&self) -> &'static str {
        "6: an end that crosses a cry does not swallow it"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        let Entry::Event(event) = entry else { return Ok(()) };
        if !matches!(event.kind.as_str(), "closed" | "cancelled_by_contact") {
            return Ok(());
        }
        let incident = event.incident.as_ref().and_then(|id| ledger.incidents.get(id));
        let swallows = incident.is_some_and(|incident| incident.open_cry.is_some() && !incident.forgiven);
        holds(!swallows, || format!("{:?} ends, and the center has not heard the last cry", event.incident))
    }
}
