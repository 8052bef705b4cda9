//! Asking a dispatch service for help, where the configuration names one.

use core::time::Duration;

use super::effect::{DispatchRequest, Effect};
use super::incident::{Ground, Incident};
use super::input::Placed;
use super::records::{DispatchReason, StepRecordState};
use super::turn::Turn;
use super::wording;
use crate::controller::effect::Severity;
use crate::controller::moment::{Boottime, Wall};

/// How long after an answer of "not taken" it is asked again; the last one for all that follow.
const AGAIN_AFTER: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20), Duration::from_secs(30)];

/// How far a dispatch service was asked. Not kept: after a restart it is asked once more, as the answer may have been
/// lost with the process and an emergency with it. The request names the incident, by which the service knows a second
/// one.
#[derive(Default)]
pub(super) struct Asking {
    refusals: usize,
    pub retry: Option<Boottime>,
    /// Why it is an operator's turn, as a sentence.
    pub problem: Option<String>,
}

impl Incident {
    pub(super) fn ask_dispatch(&mut self, reason: DispatchReason, ground: &Ground, turn: &mut Turn) {
        self.asking.retry = None;
        turn.soon.push(Effect::AskDispatch(Box::new(DispatchRequest {
            account: self.record.account.clone(),
            name: ground.account.name.clone(),
            address: ground.account.address.clone(),
            incident: self.id(),
            service: self.record.service,
            raised_wall: self.record.raised_wall,
            received_wall: self.record.received_wall,
            reason: reason.as_str(),
        })));
    }

    /// `received`: as in the request. An answer that comes when the user has cried again after the end is no help for
    /// that cry.
    pub(super) fn dispatch_asked(&mut self, received: Wall, outcome: Placed, ground: &Ground, turn: &mut Turn) {
        if received != self.record.received_wall {
            if outcome == Placed::Taken {
                self.tell(wording::dispatch_taken_for_before(), turn);
            }
            return;
        }
        let is_due = matches!(self.record.step, StepRecordState::DispatchDue { .. });
        match outcome {
            Placed::Taken if is_due => {
                self.tell(wording::dispatch_taken(), turn);
                self.dispatched(ground, turn);
            }
            Placed::Taken => self.tell(wording::dispatch_taken_as_well(), turn),
            _ if !is_due => {}
            Placed::NotTaken { problem } => {
                let pause = AGAIN_AFTER[self.asking.refusals.min(AGAIN_AFTER.len() - 1)];
                if self.asking.refusals == 0 {
                    self.tell(wording::dispatch_not_taken(&problem), turn);
                    turn.log(Severity::Warning, Some(self.id()), "dispatch", wording::log_dispatch_not_taken());
                    self.cry_for_help(turn);
                }
                self.asking.refusals += 1;
                self.asking.retry = Some(turn.at.now + pause);
                self.asking.problem = Some(wording::dispatch_not_taken(&problem));
                self.is_to_be_shown();
            }
            Placed::Unclear { problem } => {
                self.tell(wording::dispatch_unclear(&problem), turn);
                turn.log(Severity::Warning, Some(self.id()), "dispatch", wording::log_dispatch_unclear());
                self.cry_for_help(turn);
                self.asking.retry = None;
                self.asking.problem = Some(wording::dispatch_unclear(&problem));
            }
        }
    }

    pub(super) fn elapse_dispatch(&mut self, ground: &Ground, turn: &mut Turn) {
        if let StepRecordState::DispatchDue { reason } = self.record.step
            && self.asking.retry.is_some_and(|retry| turn.at.now >= retry)
        {
            self.ask_dispatch(reason, ground, turn);
        }
    }
}
