//! Nothing but a good request or press starts an incident, and each starts one at most.

use std::collections::BTreeMap;

use super::{Checker, Verdict};
use crate::history::{Entry, Worth};
use crate::ledger::{Ledger, service_of};
use crate::time::At;

#[derive(Default)]
pub struct NothingElseStartsAnIncident {
    /// The place of the ask that each incident is put down to.
    known: BTreeMap<String, usize>,
}

impl Checker for NothingElseStartsAnIncident {
    fn name(&self) -> &'static str {
        "1, 7: nothing else starts an incident"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        if !matches!(entry, Entry::Reply { .. } | Entry::Event(_) | Entry::State(_) | Entry::Took(_) | Entry::Turned) {
            return Ok(());
        }
        if ledger.incidents.len() == self.known.len() {
            return Ok(());
        }
        let named = |id: &String| ledger.asks.iter().position(|(_, state)| state.incident.as_ref() == Some(id));
        // A reply that came since has said which one it was: what was only guessed is free for another incident.
        for (id, place) in &mut self.known {
            *place = named(id).unwrap_or(*place);
        }
        for (id, incident) in &ledger.incidents {
            if self.known.contains_key(id) {
                continue;
            }
            // The one that says so, or else the latest that can be meant.
            let meant = ledger.asks.iter().enumerate().rev().find(|(place, (ask, state))| {
                let can_start = !matches!(ask.worth, Worth::Never(_)) && service_of(ask) == incident.service;
                can_start && state.incident.is_none() && !self.known.values().any(|spent| spent == place)
            });
            let Some(ask) = named(id).or(meant.map(|(place, _)| place)) else {
                return Err(format!("nobody asked for the incident {id} of {}", incident.service));
            };
            self.known.insert(id.clone(), ask);
        }
        Ok(())
    }
}
