//! Retained, stale, repeated, forged, foreign and malformed messages are refused for what they are, and change nothing.

use std::collections::BTreeSet;

use super::{Checker, Verdict, holds};
use crate::center::words::Meaning;
use crate::history::{Entry, Worth};
use crate::ledger::Ledger;
use crate::time::At;

/// The stages that only an update of the center brings.
const CALL_STAGES: [&str; 7] = [
    "calling_first_contact",
    "confirmed",
    "cancelled_by_contact",
    "no_answer",
    "dispatched",
    "calling_other_contacts",
    "closed",
];

#[derive(Default)]
pub struct StrangersChangeNothing {
    /// The updates that truly came: incident and stage.
    given: BTreeSet<(String, &'static str)>,
    /// The last plan of the center that came, and the highest serial.
    plan: Option<(u64, bool)>,
    /// When a plan without monitoring was last in force.
    denied: Option<At>,
}

impl Checker for StrangersChangeNothing {
    fn name(&self) -> &'static str {
        "7: strangers start nothing and change nothing"
    }

    fn see(&mut self, now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        match entry {
            Entry::Given(Meaning::Update { incident, stage, .. }) => {
                self.given.insert((incident.clone(), stage));
                Ok(())
            }
            Entry::Given(Meaning::Plan { serial, monitoring }) => {
                if self.plan.is_none_or(|(known, _)| *serial > known) {
                    if self.plan.is_some_and(|(_, monitoring)| !monitoring) {
                        self.denied = Some(now);
                    }
                    self.plan = Some((*serial, *monitoring));
                }
                Ok(())
            }
            Entry::Event(event) => {
                let Some(id) = &event.incident else { return Ok(()) };
                let Some(&stage) = CALL_STAGES.iter().find(|stage| **stage == event.kind) else { return Ok(()) };
                let by_itself = ledger.incidents[id].service == "siren";
                let given = by_itself || self.given.contains(&(id.clone(), stage));
                holds(given, || format!("{id} is {stage}, and the center never said so"))
            }
            Entry::Reply { ask: Some(number), reply, .. } => {
                let those = ledger.asks.iter().filter(|(ask, _)| ask.number == *number);
                let worths: Vec<(Worth, At)> = those.map(|(ask, _)| (ask.worth, ask.at)).collect();
                match worths[..] {
                    [(Worth::Never(reasons), _)] => {
                        let refused = reply.reason.as_deref().is_some_and(|reason| reasons.contains(&reason));
                        holds(refused, || {
                            format!("request {number} must be refused for {reasons:?}, and got {reply:?}")
                        })
                    }
                    [(Worth::Good, asked)] if reply.command == "request" => {
                        let may_refuse = match reply.reason.as_deref() {
                            None => true,
                            Some("plan_required") => {
                                let is_denied = self.plan.is_some_and(|(_, monitoring)| !monitoring);
                                is_denied || self.denied >= Some(asked) || ledger.amnesia
                            }
                            Some("not_provisioned") => !ledger.remembers,
                            Some(_) => false,
                        };
                        holds(may_refuse, || format!("the good request {number} was refused: {reply:?}"))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
