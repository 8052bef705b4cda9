//! The countdown is its length on the boot clock: its end is never early, and late only where nobody turned the loop. A
//! restart keeps it; a reboot gives a fresh one, once.

use super::{Checker, Verdict, holds};
use crate::history::Entry;
use crate::incident::Incident;
use crate::ledger::Ledger;
use crate::time::{At, MS, show};

/// How long what people are told may wait for the disk.
const PATIENCE: u64 = 250 * MS;

/// It was over at once, and a crash came between the commit and what people are told.
fn cut_off(ledger: &Ledger, incident: &Incident) -> bool {
    ledger.crashes > 0 && incident.may_be_silent
}

pub struct TheCountdownIsItsLength;

impl Checker for TheCountdownIsItsLength {
    fn name(&self) -> &'static str {
        "3, 8: the countdown is its length"
    }

    fn see(&mut self, now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        let early = |id: &Option<String>| {
            let Some((id, incident)) = id.as_ref().and_then(|id| ledger.incidents.get_key_value(id)) else {
                return Ok(());
            };
            let due = incident.due.filter(|_| !incident.forgiven);
            holds(due.is_none_or(|due| due.from <= now), || {
                format!(
                    "the countdown of {id} ends at {}, and it is an alarm already",
                    show(due.map_or(0, |due| due.from))
                )
            })
        };
        match entry {
            Entry::Sent(sent) if sent.kind == "alarm" => early(&sent.incident),
            Entry::Event(event) if matches!(event.kind.as_str(), "requested" | "sounding") => early(&event.incident),
            Entry::Turned => ledger.incidents.iter().try_for_each(|(id, incident)| {
                let Some(due) = incident.due else { return Ok(()) };
                let had_to_tell = incident.certainly_due(now)
                    && now > due.to + PATIENCE
                    && ledger.turns_since(PATIENCE + 1, now)
                    && incident.undecided()
                    && !cut_off(ledger, incident);
                holds(!had_to_tell, || format!("the countdown of {id} ended at {}, and nothing follows", show(due.to)))
            }),
            _ => Ok(()),
        }
    }
}
