//! Runs one plan to its end, and a seed twice.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sos_hub::controller::Controller;
use sos_hub::daemon::turns;

use crate::checkers::{Checkers, Failure, Watch};
use crate::ledger::Sums;
use crate::plan::Plan;
use crate::signatures::Keys;
use crate::time::At;
use crate::world::{World, settings};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub failure: Option<Failure>,
    /// Sums up all that happened.
    pub trace: u64,
    pub incidents: u64,
    pub sums: Sums,
    pub turns: u64,
    pub virtual_time: At,
    /// A process died after as many effects as the plan says.
    pub was_cut: bool,
}

pub fn run(plan: &Plan, keys: &Arc<Keys>) -> Outcome {
    run_watched(plan, keys, Watch::Checkers)
}

pub fn run_watched(plan: &Plan, keys: &Arc<Keys>, watch: Watch) -> Outcome {
    // A hub that panics has failed, and the seed is to be named.
    catch_unwind(AssertUnwindSafe(|| run_to_end(plan, keys, watch))).unwrap_or_else(|_| {
        let problem = "the panic is printed above".to_owned();
        let failure = Some(Failure { checker: "nothing panics", problem });
        Outcome { failure, trace: 0, incidents: 0, sums: Sums::default(), turns: 0, virtual_time: 0, was_cut: false }
    })
}

fn run_to_end(plan: &Plan, keys: &Arc<Keys>, watch: Watch) -> Outcome {
    let mut world = World::new(plan.clone(), keys, Checkers::new(watch));
    while let Some(born) = world.next_life() {
        let mut controller = Controller::new(settings(plan), world.clock.boot, born);
        turns::turn(&mut controller, &mut world);
    }
    world.checkers.settled();
    let ledger = &world.checkers.ledger;
    Outcome {
        incidents: ledger.incidents.len() as u64,
        sums: ledger.sums(),
        failure: world.checkers.failure.take(),
        trace: world.trace.sum(),
        turns: world.trace.inputs,
        virtual_time: world.now,
        was_cut: world.was_cut || world.center.was_cut,
    }
}

/// Runs a plan twice, the second time unwatched: the same must come of it.
pub fn run_twice(plan: &Plan, keys: &Arc<Keys>) -> Outcome {
    let mut watched = run(plan, keys);
    if watched.failure.is_none() {
        let unwatched = run_watched(plan, keys, Watch::Nobody);
        if watched.trace != unwatched.trace {
            let problem = "two runs of the plan differ: something draws on the real world".to_owned();
            watched.failure = Some(Failure { checker: "the same plan has the same trace", problem });
        }
    }
    watched
}
