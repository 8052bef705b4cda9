//! Calls: placing one, its ringing, and what came of it.

use core::time::Duration;

use super::effect::{CallRequest, Effect};
use super::incident::{Ground, Incident};
use super::input::Placed;
use super::records::{CallRecord, DispatchReason, Record, StepRecordState};
use super::settings::{CallMode, Settings, SimulatedAnswer};
use super::turn::Turn;
use super::wording;
use super::words::{CallOutcome, PasswordCheck};
use crate::controller::effect::Severity;
use crate::controller::moment::{Boottime, Id};
use crate::controller::words::CallStage;

/// How long a telephony provider has, once the contact has answered, to say what he wants.
const TALKING: Duration = Duration::from_secs(60);
/// How long after "not placed" a provider is asked again; the last one for all that follow.
const AGAIN_AFTER: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];
/// A simulated contact thinks for this long.
const SIMULATED: Duration = Duration::from_secs(1);

/// The telephone of a call that is under way.
pub(super) struct Line {
    placed: Boottime,
    /// When nobody has answered; `None`: an operator has somebody on the line, and says what came of it.
    ends: Option<Boottime>,
    retry: Option<Boottime>,
    refusals: usize,
    /// Why a provider cannot place it, as a sentence.
    pub problem: Option<String>,
}

impl Line {
    /// `nth`: which call of its incident it is, from 0.
    fn new(settings: &Settings, nth: usize, now: Boottime) -> Line {
        let lasts = match &settings.calls {
            CallMode::Operator | CallMode::Webhook => settings.ring,
            CallMode::Simulated { answers } => match simulated(answers, nth) {
                SimulatedAnswer::NoAnswer => settings.ring,
                _ => settings.ring.min(SIMULATED),
            },
        };
        Line { placed: now, ends: Some(now + lasts), retry: None, refusals: 0, problem: None }
    }

    /// The contact has answered a provider's call: it does not ring any more, and he is given time to speak.
    fn is_talking(&mut self, now: Boottime) {
        if self.ends.is_some() {
            self.ends = Some(now + TALKING);
        }
    }

    /// An operator has somebody on it, for as long as it takes.
    pub fn is_an_operators(&mut self) {
        self.ends = None;
        self.retry = None;
    }

    pub fn has_an_operator(&self) -> bool {
        self.ends.is_none()
    }

    pub fn deadline(&self) -> Option<Boottime> {
        self.ends.into_iter().chain(self.retry).min()
    }

    /// How much longer the telephone rings.
    pub fn rings_for(&self, ring: Duration, now: Boottime) -> Option<Duration> {
        self.ends.map(|ends| ends.min(self.placed + ring).since(now))
    }
}

fn simulated(answers: &[SimulatedAnswer], nth: usize) -> SimulatedAnswer {
    answers.get(nth).or(answers.last()).copied().unwrap_or(SimulatedAnswer::NoAnswer)
}

impl Incident {
    /// Calls the contact at this position, from 1.
    pub(super) fn place_call(&mut self, position: u32, ground: &Ground, turn: &mut Turn) {
        let index = usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(contact) = ground.account.contacts.get(index) else { return };
        self.leave_call(turn);
        let call = CallRecord {
            id: turn.fresh_id(),
            incident: self.id(),
            position,
            contact: contact.name.clone(),
            placed_wall: turn.at.wall,
            outcome: None,
        };
        self.tell(wording::calling(&call), turn);
        let stage = if self.record.step == StepRecordState::Waiting {
            self.record.step = StepRecordState::CallingFirst { call: call.id, answered: false };
            CallStage::CallingFirstContact
        } else {
            self.record.step = StepRecordState::Dispatched { called: position, call: Some(call.id) };
            CallStage::CallingOtherContacts
        };
        self.record.first_call_wall.get_or_insert(turn.at.wall);
        self.line = Some(Line::new(ground.settings, self.calls.len(), turn.at.now));
        self.moved();
        turn.record(Record::Call(call.clone()));
        self.say(stage, Some((position, call.contact.clone())), None, turn);
        self.calls.push(call);
        self.request_call(ground, turn);
    }

    /// Asks the provider for the call that is under way, if it is a provider's.
    fn request_call(&mut self, ground: &Ground, turn: &mut Turn) {
        let Some(record) = self.calls.last().filter(|_| ground.settings.calls == CallMode::Webhook) else { return };
        let index = usize::try_from(record.position).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(contact) = ground.account.contacts.get(index) else { return };
        turn.soon.push(Effect::PlaceCall(Box::new(CallRequest {
            call: record.id,
            account: self.record.account.clone(),
            name: ground.account.name.clone(),
            address: ground.account.address.clone(),
            incident: self.record.id,
            service: self.record.service,
            position: record.position,
            contact: contact.clone(),
        })));
    }

    /// After a restart: the ringing begins anew. A provider is not asked once more, as it may have rung.
    pub(super) fn resume_call(&mut self, ground: &Ground, turn: &mut Turn) {
        let Some(call) = self.call() else { return };
        let nth = self.calls.iter().position(|record| record.id == call).unwrap_or(self.calls.len());
        let mut line = Line::new(ground.settings, nth, turn.at.now);
        if self.record.step.is_answered() {
            let noted = self.steps.iter().rev().find(|step| step.text == wording::ANSWERED);
            let by_operator = noted.is_some_and(|step| step.operator.is_some());
            match ground.settings.calls {
                CallMode::Operator => line.is_an_operators(),
                CallMode::Webhook if by_operator => line.is_an_operators(),
                CallMode::Webhook => line.is_talking(turn.at.now),
                CallMode::Simulated { .. } => {}
            }
        }
        self.line = Some(line);
    }

    /// What the provider says of being asked.
    pub(super) fn call_placed(&mut self, outcome: Placed, ground: &Ground, turn: &mut Turn) {
        let now = turn.at.now;
        // Where an operator has the contact on the line, a late answer is no reason to ring him, or to call by hand.
        let Some(line) = self.line.as_mut().filter(|line| !line.has_an_operator()) else { return };
        let problem = match outcome {
            Placed::Taken => {
                line.problem = None;
                None
            }
            Placed::NotTaken { problem } => {
                let pause = AGAIN_AFTER[line.refusals.min(AGAIN_AFTER.len() - 1)];
                let stops = line.placed + ground.settings.ring;
                line.refusals += 1;
                if now + pause < stops {
                    line.retry = Some(now + pause);
                } else {
                    // Nothing rings, and nothing will.
                    line.ends = Some(now.max(stops));
                }
                Some(wording::call_not_placed(&problem))
            }
            Placed::Unclear { problem } => Some(wording::call_unclear(&problem)),
        };
        if let Some(problem) = problem
            && line.problem.replace(problem.clone()).is_none()
        {
            self.tell(problem, turn);
            turn.log(Severity::Warning, Some(self.id()), "call", wording::log_call_not_placed());
        }
        self.is_to_be_shown();
    }

    pub(super) fn elapse_call(&mut self, ground: &Ground, turn: &mut Turn) {
        let Some(line) = self.line.as_mut() else { return };
        if line.ends.is_some_and(|ends| turn.at.now >= ends) {
            let nth = self.calls.iter().position(|call| Some(call.id) == self.call()).unwrap_or(0);
            let outcome = match &ground.settings.calls {
                CallMode::Simulated { answers } => match simulated(answers, nth) {
                    SimulatedAnswer::Confirmed => CallOutcome::Confirmed,
                    SimulatedAnswer::Cancelled => CallOutcome::Cancelled(PasswordCheck::Right),
                    SimulatedAnswer::CancelledWrongPassword => CallOutcome::Cancelled(PasswordCheck::Wrong),
                    SimulatedAnswer::NoAnswer => CallOutcome::NoAnswer,
                },
                CallMode::Operator | CallMode::Webhook => CallOutcome::NoAnswer,
            };
            self.call_ended(outcome, ground, turn);
        } else if line.retry.is_some_and(|retry| turn.at.now >= retry) {
            line.retry = None;
            self.request_call(ground, turn);
        }
    }

    /// What came of the call that is under way. Of a contact after the first, anything but no answer is an answer.
    pub(super) fn call_ended(&mut self, outcome: CallOutcome, ground: &Ground, turn: &mut Turn) {
        match self.record.step {
            StepRecordState::CallingFirst { call, .. } => self.first_call(call, outcome, ground, turn),
            StepRecordState::Dispatched { called, call: Some(call) } => {
                let note = if outcome == CallOutcome::NoAnswer { "no_answer" } else { "answered" };
                let contact = self.finish_call(call, note, turn);
                self.record.step = StepRecordState::Dispatched { called, call: None };
                self.moved();
                self.say(CallStage::CallingOtherContacts, contact, Some(note), turn);
                self.advance(ground, turn);
            }
            _ => {}
        }
    }

    /// A telephony provider's word on the call that is under way. One that reached nobody says nothing of the contact who
    /// speaks with an operator meanwhile.
    pub(super) fn call_reported(&mut self, outcome: CallOutcome, ground: &Ground, turn: &mut Turn) {
        if outcome == CallOutcome::NoAnswer && self.line.as_ref().is_some_and(Line::has_an_operator) {
            return self.tell(wording::provider_reached_nobody(), turn);
        }
        self.call_ended(outcome, ground, turn);
    }

    fn first_call(&mut self, call: Id, outcome: CallOutcome, ground: &Ground, turn: &mut Turn) {
        match outcome {
            CallOutcome::Answered if self.record.step.is_answered() => {}
            CallOutcome::Answered => {
                self.record.step = StepRecordState::CallingFirst { call, answered: true };
                if let Some(line) = self.line.as_mut().filter(|_| ground.settings.calls == CallMode::Webhook) {
                    line.is_talking(turn.at.now);
                }
                self.moved();
                self.tell(wording::ANSWERED.to_owned(), turn);
            }
            CallOutcome::Confirmed => {
                let contact = self.finish_call(call, "confirmed", turn);
                self.say(CallStage::Confirmed, contact, None, turn);
                self.dispatch_is_due(DispatchReason::Confirmed, ground, turn);
            }
            CallOutcome::Cancelled(PasswordCheck::Right) => {
                let contact = self.finish_call(call, "cancelled", turn);
                self.cancel(contact, turn);
            }
            CallOutcome::Cancelled(PasswordCheck::Wrong) => {
                self.finish_call(call, "wrong_password", turn);
                self.dispatch_is_due(DispatchReason::WrongPassword, ground, turn);
            }
            CallOutcome::NoAnswer => {
                let contact = self.finish_call(call, "no_answer", turn);
                self.say(CallStage::NoAnswer, contact, None, turn);
                self.dispatch_is_due(DispatchReason::NoAnswer, ground, turn);
            }
        }
    }

    /// Gives whom was called.
    fn finish_call(&mut self, call: Id, outcome: &'static str, turn: &mut Turn) -> Option<(u32, String)> {
        self.line = None;
        let record = self.calls.iter_mut().find(|record| record.id == call)?;
        record.outcome = Some(outcome);
        let record = record.clone();
        self.tell(wording::call_ended(&record), turn);
        let contact = (record.position, record.contact.clone());
        turn.record(Record::Call(record));
        Some(contact)
    }

    /// A call of which nobody will record what came of it.
    pub(super) fn leave_call(&mut self, turn: &mut Turn) {
        self.line = None;
        let call = self.call();
        if let Some(record) = self.calls.iter().find(|record| Some(record.id) == call && record.outcome.is_none()) {
            self.tell(wording::call_left(record), turn);
        }
    }
}
