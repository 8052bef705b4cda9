//! Leaves out of a plan whatever is not needed for its failure, so that a person can read what is left.

use std::sync::Arc;

use crate::plan::Plan;
use crate::run::run;
use crate::signatures::Keys;

/// How many runs this may cost.
const MOST_RUNS: usize = 600;

/// The smallest plan found that breaks the same promise.
pub fn shrink(plan: &Plan, checker: &str, keys: &Arc<Keys>) -> Plan {
    let mut smallest = plan.clone();
    let mut runs = 0;
    let mut chunk = plan.events.len().div_ceil(2).max(1);
    loop {
        let mut start = 0;
        let mut smaller = false;
        while start < smallest.events.len() && runs < MOST_RUNS {
            let end = (start + chunk).min(smallest.events.len());
            let mut candidate = smallest.clone();
            candidate.events.drain(start..end);
            runs += 1;
            if run(&candidate, keys).failure.is_some_and(|failure| failure.checker == checker) {
                smallest = candidate;
                smaller = true;
            } else {
                start = end;
            }
        }
        if runs >= MOST_RUNS || (chunk == 1 && !smaller) {
            return smallest;
        }
        chunk = (chunk / 2).max(1);
    }
}
