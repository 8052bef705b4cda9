//! What operators and telephony providers order or report.

use super::Desk;
use super::effect::Effect;
use super::incident::{Ground, Incident};
use super::input::Placed;
use super::records::StepRecordState;
use super::turn::Turn;
use super::wording;
use super::words::{CallOutcome, Order, OrderRefusal, PasswordCheck};
use crate::controller::moment::{Id, Wall};

const NOTE: usize = 500;

/// An order as it came in.
pub(super) struct Ordered {
    pub ticket: u64,
    pub operator: String,
    pub incident: Id,
    pub step: u32,
    pub order: Order,
}

impl Desk {
    pub(super) fn order(&mut self, ordered: Ordered, turn: &mut Turn) {
        let Ordered { ticket, operator, incident: id, step, order } = ordered;
        let mut what = wording::ordered(&order);
        let account = self.cases.get(id).map(|incident| incident.record.account.clone());
        turn.operator = Some(operator.clone());
        let worked = self.work(id, turn, |incident, ground, turn| incident.order(&operator, step, order, ground, turn));
        turn.operator = None;
        let outcome = worked.unwrap_or(Err(OrderRefusal::UnknownIncident));
        if let Err(refusal) = outcome {
            what.push_str(wording::order_refused(refusal));
        }
        turn.audit(format!("operator {operator}"), what, account, Some(id));
        turn.somebody_waits();
        turn.soon.push(Effect::Answer { ticket, outcome });
    }

    /// A telephony provider's word on what came of a call: the first word on it counts.
    pub(super) fn call_reported(&mut self, call: Id, outcome: CallOutcome, turn: &mut Turn) {
        let Some(id) = self.cases.of_call(call) else {
            let what = wording::call_not_under_way(call);
            turn.audit("telephony provider".to_owned(), what, None, None);
            return;
        };
        self.work(id, turn, |incident, ground, turn| {
            let outcome = judge_password(outcome, ground);
            turn.audit(
                "telephony provider".to_owned(),
                wording::call_reported(outcome),
                Some(incident.record.account.clone()),
                Some(id),
            );
            incident.call_reported(outcome, ground, turn);
        });
    }

    pub(super) fn call_placed(&mut self, call: Id, outcome: Placed, turn: &mut Turn) {
        if let Some(id) = self.cases.of_call(call) {
            self.work(id, turn, |incident, ground, turn| incident.call_placed(outcome, ground, turn));
        }
    }

    pub(super) fn dispatch_asked(&mut self, incident: Id, received: Wall, outcome: Placed, turn: &mut Turn) {
        self.work(incident, turn, |incident, ground, turn| incident.dispatch_asked(received, outcome, ground, turn));
    }
}

/// No password that was never agreed is right.
fn judge_password(outcome: CallOutcome, ground: &Ground) -> CallOutcome {
    match outcome {
        CallOutcome::Cancelled(_) if !ground.account.has_password => CallOutcome::Cancelled(PasswordCheck::Wrong),
        outcome => outcome,
    }
}

impl Incident {
    fn order(
        &mut self,
        operator: &str,
        step: u32,
        order: Order,
        ground: &Ground,
        turn: &mut Turn,
    ) -> Result<(), OrderRefusal> {
        if let Order::Note(text) = order {
            self.tell(wording::note(&text.chars().take(NOTE).collect::<String>()), turn);
            return Ok(());
        }
        if step != self.record.step_number {
            return Err(OrderRefusal::MovedOn);
        }
        if !self.allows(&order, ground) {
            return Err(OrderRefusal::NotNow);
        }
        self.attended(operator);
        match order {
            Order::CallFirstContact => self.place_call(1, ground, turn),
            Order::CallNextContact => {
                if let StepRecordState::Dispatched { called, .. } = self.record.step {
                    self.place_call(called + 1, ground, turn);
                }
            }
            Order::Outcome(outcome) => {
                self.call_ended(judge_password(outcome, ground), ground, turn);
                if self.record.step.is_answered()
                    && let Some(line) = self.line.as_mut()
                {
                    line.is_an_operators();
                }
            }
            Order::Dispatch => self.dispatched(ground, turn),
            Order::Close => self.close(turn),
            Order::Note(_) => {}
        }
        Ok(())
    }

    /// Whether the procedure has this at its step.
    fn allows(&self, order: &Order, ground: &Ground) -> bool {
        match (self.record.step, order) {
            (StepRecordState::Waiting, Order::CallFirstContact) => !ground.account.contacts.is_empty(),
            (StepRecordState::CallingFirst { answered, .. }, Order::Outcome(outcome)) => {
                !(answered && *outcome == CallOutcome::Answered)
            }
            (StepRecordState::DispatchDue { .. }, Order::Dispatch) => true,
            (StepRecordState::Dispatched { call: Some(_), .. }, Order::Outcome(outcome)) => {
                !matches!(outcome, CallOutcome::Cancelled(_))
            }
            (StepRecordState::Dispatched { called, .. }, Order::CallNextContact) => called < ground.contacts(),
            (StepRecordState::Dispatched { .. }, Order::Close) => true,
            _ => false,
        }
    }
}
