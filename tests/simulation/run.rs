//! Runs one plan to its end, and a seed twice.

use std::sync::Arc;

use sos_hub::controller::Controller;
use sos_hub::daemon::turns;

use crate::checkers::Failure;
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
    pub turns: u64,
    pub virtual_time: At,
}

pub fn run(plan: &Plan, keys: &Arc<Keys>) -> Outcome {
    let mut world = World::new(plan.clone(), keys);
    while let Some(born) = world.next_life() {
        let mut controller = Controller::new(settings(plan), world.clock.boot, born);
        turns::turn(&mut controller, &mut world);
    }
    world.checkers.settled();
    Outcome {
        failure: world.checkers.failure.take(),
        trace: world.trace.sum(),
        incidents: world.checkers.ledger.incidents.len() as u64,
        turns: world.trace.inputs,
        virtual_time: world.now,
    }
}

/// Runs a plan twice: the same must come of it.
pub fn run_twice(plan: &Plan, keys: &Arc<Keys>) -> Outcome {
    let (mut first, second) = (run(plan, keys), run(plan, keys));
    if first.failure.is_none() && first.trace != second.trace {
        let problem = "two runs of the plan differ: something draws on the real world".to_owned();
        first.failure = Some(Failure { checker: "the same plan has the same trace", problem });
    }
    first
}
