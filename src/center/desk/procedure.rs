//! What an incident goes through: first contact → dispatch → the other contacts → closed. Here are the steps; calls and
//! the dispatch service have files of their own.

use super::calls::Line;
use super::incident::{Ground, Incident};
use super::records::{DispatchReason, StepRecordState};
use super::turn::Turn;
use super::wording;
use crate::controller::effect::Severity;
use crate::controller::words::CallStage;

impl Incident {
    /// Goes on as far as nobody has to be waited for. To be called at every new step.
    pub fn advance(&mut self, ground: &Ground, turn: &mut Turn) {
        // What follows by itself is nobody's act.
        let operator = turn.operator.take();
        match self.record.step {
            StepRecordState::Waiting if ground.account.contacts.is_empty() => {
                self.dispatch_is_due(DispatchReason::NoContact, ground, turn);
            }
            StepRecordState::Waiting if ground.calls_by_itself() => self.place_call(1, ground, turn),
            StepRecordState::DispatchDue { .. } if ground.is_simulated() => self.dispatched(ground, turn),
            StepRecordState::DispatchDue { reason } if ground.dispatches_by_itself() => {
                self.ask_dispatch(reason, ground, turn);
            }
            StepRecordState::Dispatched { called, call: None } if ground.calls_by_itself() => {
                if called < ground.contacts() {
                    self.place_call(called + 1, ground, turn);
                } else if ground.dispatches_by_itself() {
                    self.close(turn);
                }
            }
            _ => {}
        }
        turn.operator = operator;
    }

    /// There may be more contacts to call, or nobody any more. A dispatch service that is being asked already is not
    /// asked once more.
    pub fn account_changed(&mut self, ground: &Ground, turn: &mut Turn) {
        if !matches!(self.record.step, StepRecordState::DispatchDue { .. }) {
            self.advance(ground, turn);
        }
    }

    pub fn dispatch_is_due(&mut self, reason: DispatchReason, ground: &Ground, turn: &mut Turn) {
        self.record.step = StepRecordState::DispatchDue { reason };
        self.asking = Default::default();
        self.moved();
        self.tell(wording::dispatch_is_due(reason, self.record.service), turn);
        self.advance(ground, turn);
    }

    /// Help is on its way.
    pub fn dispatched(&mut self, ground: &Ground, turn: &mut Turn) {
        let StepRecordState::DispatchDue { reason } = self.record.step else { return };
        let (called, note) = match reason {
            DispatchReason::NoContact => (0, Some(reason.as_str())),
            DispatchReason::WrongPassword => (1, Some(reason.as_str())),
            DispatchReason::Confirmed | DispatchReason::NoAnswer => (1, None),
        };
        self.record.step = StepRecordState::Dispatched { called, call: None };
        self.asking = Default::default();
        self.moved();
        self.tell(wording::dispatched(self.record.service), turn);
        self.say(CallStage::Dispatched, None, note, turn);
        turn.log(Severity::Info, Some(self.id()), "dispatched", wording::log_dispatched(self.record.service, reason));
        self.advance(ground, turn);
    }

    pub fn close(&mut self, turn: &mut Turn) {
        self.leave_call(turn);
        self.record.step = StepRecordState::Closed;
        self.tell(wording::closed(), turn);
        self.say(CallStage::Closed, None, None, turn);
        self.end(wording::log_closed(), turn);
    }

    /// By the first contact, with the right password.
    pub fn cancel(&mut self, contact: Option<(u32, String)>, turn: &mut Turn) {
        self.record.step = StepRecordState::Cancelled;
        self.tell(wording::cancelled(), turn);
        self.say(CallStage::CancelledByContact, contact, None, turn);
        self.end(wording::log_cancelled(), turn);
    }

    fn end(&mut self, line: &str, turn: &mut Turn) {
        self.record.ended_wall = Some(turn.at.wall);
        self.moved();
        turn.log(Severity::Info, Some(self.id()), "ended", line);
    }

    /// Whether the next step is an operator's. A step that has a time of its own goes on without one.
    pub fn waits_for_operator(&self, ground: &Ground) -> bool {
        match self.record.step {
            StepRecordState::Waiting | StepRecordState::Dispatched { call: None, .. } => true,
            StepRecordState::CallingFirst { .. } | StepRecordState::Dispatched { .. } => {
                self.line.as_ref().is_none_or(Line::has_an_operator)
            }
            StepRecordState::DispatchDue { .. } => !ground.dispatches_by_itself() || self.asking.problem.is_some(),
            StepRecordState::Cancelled | StepRecordState::Closed => false,
        }
    }
}
