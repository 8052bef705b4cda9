//! The center's books: an ack is on the disk before it is said and is said again as it was, nothing is there that no hub
//! asked for, and in the end every alarm was worked to its end, of which hub and center say the same.

use std::collections::{BTreeMap, BTreeSet};

use sos_hub::center::desk::records::StepRecordState;
use sos_hub::center::desk::words::Verdict;

use super::{Checker, Verdict as Judgement, holds};
use crate::center::words::{ACCOUNT, Booked, Meaning};
use crate::history::Entry;
use crate::ledger::Ledger;
use crate::time::At;

#[derive(Default)]
pub struct AnAckIsOnDisk {
    /// What was answered to each signal.
    answers: BTreeMap<String, (Verdict, u64)>,
    numbers: BTreeMap<u64, String>,
}

impl Checker for AnAckIsOnDisk {
    fn name(&self) -> &'static str {
        "center: an ack is on disk before it is said, and stays as it was"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Judgement {
        let Entry::Said(Meaning::Ack { jti, kind, verdict, seq, .. }) = entry else { return Ok(()) };
        let owner = self.numbers.entry(*seq).or_insert_with(|| jti.clone());
        holds(owner == jti, || format!("the acks of {owner} and of {jti} have the same seq {seq}"))?;
        // Heartbeats are not kept, and of an account that was ended nothing is.
        if kind == "heartbeat" || *verdict == Verdict::UnknownAccount {
            return Ok(());
        }
        holds(ledger.books.taken.contains(jti), || {
            format!("the {kind} {jti} is acked, and is not on the center's disk")
        })?;
        let first = *self.answers.entry(jti.clone()).or_insert((*verdict, *seq));
        let same = first == (*verdict, *seq) || ledger.books.not_looked_up.contains(jti);
        holds(same, || format!("{jti} was answered {first:?}, and now {:?}", (verdict, seq)))
    }
}

#[derive(Default)]
pub struct NothingIsThereThatNoHubAskedFor {
    /// The signals that the hub has made, and the incidents of its alarms.
    made: BTreeSet<String>,
    alarms: BTreeSet<String>,
}

impl Checker for NothingIsThereThatNoHubAskedFor {
    fn name(&self) -> &'static str {
        "center: nothing is on the books that no hub asked for"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Judgement {
        match entry {
            Entry::Sent(sent) => {
                self.made.insert(sent.jti.clone());
                self.alarms.extend(sent.incident.clone().filter(|_| sent.kind == "alarm"));
                Ok(())
            }
            Entry::Took(taking) => {
                let jti = &taking.claims.jti;
                holds(self.made.contains(jti), || format!("the hub never made the signal {jti} that was taken"))
            }
            Entry::Said(Meaning::Ack { jti, .. }) => {
                holds(self.made.contains(jti), || format!("the hub never made the signal {jti} that is acked"))
            }
            Entry::Booked(Booked::Incident { id, account, service, .. }) => {
                let is_hubs = account == ACCOUNT && self.alarms.contains(id);
                holds(is_hubs, || format!("{account} has the incident {id}, for which its hub has raised no alarm"))?;
                let wanted = ledger.incidents.get(id).map_or("", |incident| &incident.service);
                holds(wanted == *service, || format!("{id} is for {service}, and asked for was {wanted}"))
            }
            _ => Ok(()),
        }
    }
}

pub struct EveryAlarmIsWorkedToItsEnd;

impl Checker for EveryAlarmIsWorkedToItsEnd {
    fn name(&self) -> &'static str {
        "center: every alarm is worked to its end, and the hub knows it"
    }

    fn see(&mut self, _now: At, _entry: &Entry, _ledger: &Ledger) -> Judgement {
        Ok(())
    }

    fn settled(&self, ledger: &Ledger) -> Judgement {
        for (id, incident) in &ledger.incidents {
            let case = ledger.books.cases.get(id);
            let step = case.and_then(|case| case.step);
            let is_owed = incident.told_alarm.is_some() && incident.service != "siren";
            // Nobody works on what was refused whole.
            let excused = incident.forgiven || (incident.refused && incident.taken.is_empty());
            holds(!is_owed || excused || step.is_some(), || format!("{id} is not on the center's books"))?;
            let Some(case) = case else { continue };
            holds(step.is_none() || case.has_ended(), || format!("{id} still stands at {step:?} at the center"))?;
            let at_the_center = match step {
                Some(StepRecordState::Cancelled) => "cancelled_by_contact",
                Some(_) => "closed",
                None => continue,
            };
            // A crash can come between the commit of the end and what people are told.
            let is_cut_off = ledger.crashes > 0 && !incident.told_end;
            let agrees = incident.stage == at_the_center || is_cut_off || excused || case.forgiven;
            holds(agrees, || format!("{id} is {} at the hub, and {at_the_center} at the center", incident.stage))?;
        }
        holds(ledger.shown.is_empty(), || format!("the incidents {:?} never end at the hub", ledger.shown))
    }
}
