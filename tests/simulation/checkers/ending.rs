//! An accepted request ends in exactly one of abort and alarm; of what was aborted the center never hears.

use super::{Checker, Verdict, holds};
use crate::history::Entry;
use crate::ledger::Ledger;
use crate::time::At;

pub struct ExactlyOneEnding;

impl Checker for ExactlyOneEnding {
    fn name(&self) -> &'static str {
        "1: exactly one of aborted and alarm"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        let Entry::Event(event) = entry else { return Ok(()) };
        let Some(incident) = event.incident.as_ref().and_then(|id| ledger.incidents.get(id)) else { return Ok(()) };
        let both = incident.told_aborted.is_some() && incident.told_alarm.is_some();
        holds(!both || incident.forgiven, || format!("{:?} was aborted and was an alarm", event.incident))
    }

    fn settled(&self, ledger: &Ledger) -> Verdict {
        for (ask, state) in &ledger.asks {
            let Some(id) = &state.incident else { continue };
            let incident = &ledger.incidents[id];
            // A crash can come between the commit of an end and its event.
            let wanted = incident.cancel_asked.is_some() || incident.may_be_silent;
            let cut_off = ledger.crashes > 0 && wanted && incident.taken.is_empty();
            holds(!incident.undecided() || cut_off || incident.forgiven, || {
                format!("request {} was accepted as {id}, which was neither aborted nor an alarm", ask.number)
            })?;
        }
        Ok(())
    }
}

pub struct TheCenterNeverHearsOfWhatWasAborted;

impl Checker for TheCenterNeverHearsOfWhatWasAborted {
    fn name(&self) -> &'static str {
        "2: aborted means that the center never hears of it"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        let id = match entry {
            Entry::Took(taking) => &taking.claims.incident,
            Entry::Sent(sent) => &sent.incident,
            Entry::Event(event) if event.kind == "aborted" => &event.incident,
            _ => return Ok(()),
        };
        let Some(incident) = id.as_ref().and_then(|id| ledger.incidents.get(id)) else { return Ok(()) };
        let heard = !incident.taken.is_empty() || matches!(entry, Entry::Sent(_));
        let aborted = incident.told_aborted.is_some();
        holds(!(heard && aborted) || incident.forgiven, || {
            format!("{id:?} was aborted, and the center is told of it")
        })?;
        let is_siren = incident.service == "siren";
        holds(!(heard && is_siren), || format!("{id:?} is about the siren alone, and the center is told of it"))
    }
}
