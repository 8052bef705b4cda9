//! Every fault has its restore, at home and at the center, and once everything is well the hub is ready.

use std::collections::BTreeMap;

use super::{Checker, Verdict, holds};
use crate::history::{Entry, State};
use crate::ledger::Ledger;
use crate::time::At;

#[derive(Default)]
pub struct EveryFaultHasItsRestore {
    state: Option<State>,
    /// What the center last heard of each fault, and the number of the signal.
    at_the_center: BTreeMap<String, (u64, bool)>,
}

impl Checker for EveryFaultHasItsRestore {
    fn name(&self) -> &'static str {
        "10: every fault has its restore"
    }

    fn see(&mut self, _now: At, entry: &Entry, _ledger: &Ledger) -> Verdict {
        match entry {
            Entry::State(state) => self.state = Some(state.clone()),
            Entry::Took(taking) => {
                if let Some(code) = &taking.claims.code {
                    let known = self.at_the_center.get(code).map_or(0, |&(seq, _)| seq);
                    if taking.claims.seq > known {
                        let stands = taking.claims.kind == "fault";
                        self.at_the_center.insert(code.clone(), (taking.claims.seq, stands));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn settled(&self, ledger: &Ledger) -> Verdict {
        let Some(state) = &self.state else { return Err("the hub has never told its state".to_owned()) };
        let faults: Vec<&String> = state.faults.iter().map(|fault| &fault.code).collect();
        holds(faults.is_empty(), || format!("these faults stand: {faults:?}"))?;
        holds(state.ready && state.phase == "idle", || format!("the hub is not ready: {}", state.message))?;
        holds(!state.siren.sounding, || "the hub says that the siren sounds".to_owned())?;
        holds(state.plan.standing == "active", || format!("the plan is {}", state.plan.standing))?;
        let at_the_center: Vec<&String> =
            self.at_the_center.iter().filter(|(_, (_, stands))| *stands).map(|(code, _)| code).collect();
        holds(at_the_center.is_empty() || ledger.amnesia, || format!("at the center stand {at_the_center:?}"))
    }
}
