//! Nothing but a good request or press starts an incident, and each starts one at most.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checker, Verdict, holds};
use crate::history::{Entry, Worth};
use crate::ledger::{Ledger, service_of};
use crate::time::At;

#[derive(Default)]
pub struct NothingElseStartsAnIncident {
    known: BTreeSet<String>,
    /// The asks that incidents were put down to, by their place, as long as no reply names another one.
    guessed: BTreeMap<String, usize>,
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
        self.guessed.retain(|id, _| named(id).is_none());
        for (id, incident) in &ledger.incidents {
            if self.known.contains(id) {
                continue;
            }
            // The one that says so, or else the latest that can be meant.
            if named(id).is_none() {
                let meant = ledger.asks.iter().enumerate().rev().find(|(place, (ask, state))| {
                    let can_start = !matches!(ask.worth, Worth::Never(_)) && service_of(ask) == incident.service;
                    can_start && state.incident.is_none() && !self.guessed.values().any(|guessed| guessed == place)
                });
                holds(meant.is_some(), || format!("nobody asked for the incident {id} of {}", incident.service))?;
                self.guessed.extend(meant.map(|(place, _)| (id.clone(), place)));
            }
            self.known.insert(id.clone());
        }
        Ok(())
    }
}
