//! What the center does with an incident: its updates are numbered one by one, it is closed once help was sent, only the
//! first contact cancels, nothing but a new cry opens it again, and no help is sent after a valid cancellation.

use std::collections::{BTreeMap, BTreeSet};

use sos_hub::center::desk::records::StepRecordState;

use super::{Checker, Verdict, holds};
use crate::books::{Case, has_ended};
use crate::center::words::{Booked, Meaning};
use crate::history::Entry;
use crate::ledger::Ledger;
use crate::time::At;

#[derive(Default)]
pub struct TheProcedureIsFollowed {
    /// By incident: the `seq` of the last update, and whether it has ended.
    seen: BTreeMap<String, (u64, bool)>,
}

impl Checker for TheProcedureIsFollowed {
    fn name(&self) -> &'static str {
        "center: the procedure is followed"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        match entry {
            Entry::Booked(Booked::Update { incident, seq, .. }) => {
                let (last, _) = self.seen.entry(incident.clone()).or_default();
                let follows = std::mem::replace(last, *seq) + 1 == *seq;
                let forgiven = ledger.books.cases[incident].forgiven;
                holds(follows || forgiven, || format!("an update of {incident} is left out before {seq}"))
            }
            Entry::Booked(Booked::Incident { id, step, .. }) => {
                let (_, ended) = self.seen.entry(id.clone()).or_default();
                let had_ended = std::mem::replace(ended, has_ended(*step));
                let case = &ledger.books.cases[id];
                if case.forgiven {
                    return Ok(());
                }
                self.judge(id, *step, had_ended, case, ledger.books.calls_are_simulated)
            }
            _ => Ok(()),
        }
    }
}

impl TheProcedureIsFollowed {
    fn judge(&self, id: &str, step: StepRecordState, had_ended: bool, case: &Case, simulated: bool) -> Verdict {
        match step {
            StepRecordState::Closed => holds(case.dispatched, || format!("{id} is closed, and no help was sent")),
            StepRecordState::Cancelled => {
                let said = case.ever_cancel_said || simulated;
                holds(said, || format!("{id} is cancelled, and the first contact has not said so"))
            }
            _ => holds(!had_ended || case.reopened < case.cries.len(), || {
                format!("{id} had ended, and nobody has cried again")
            }),
        }
    }
}

#[derive(Default)]
pub struct HelpIsSentForWhomItWasAsked {
    /// The updates that said so while nothing was cancelled: a disk that is slow has them later.
    said: BTreeSet<(String, u64)>,
}

impl Checker for HelpIsSentForWhomItWasAsked {
    fn name(&self) -> &'static str {
        "center: help is sent as it was asked for, and not after a valid cancellation"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        let is_cancelled = |incident: &String| {
            let case = ledger.books.cases.get(incident);
            case.is_some_and(|case| case.cancelled && !case.forgiven)
        };
        let (incident, service) = match entry {
            Entry::HelpAsked { incident, service } | Entry::HelpSent { incident, service } => {
                (incident, Some(*service))
            }
            Entry::Said(Meaning::Update { incident, seq, stage: "dispatched" }) => {
                if !is_cancelled(incident) {
                    self.said.insert((incident.clone(), *seq));
                }
                return Ok(());
            }
            Entry::Booked(Booked::Update { incident, seq, stage: "dispatched" })
                if !self.said.contains(&(incident.clone(), *seq)) =>
            {
                (incident, None)
            }
            _ => return Ok(()),
        };
        let cancelled = is_cancelled(incident);
        holds(!cancelled, || format!("the first contact has cancelled {incident}, and help is sent"))?;
        let wanted = ledger.incidents.get(incident).map_or("", |incident| &incident.service);
        holds(service.is_none_or(|service| service == wanted), || {
            format!("{service:?} is sent for {incident}, and asked for was {wanted}")
        })
    }
}
