//! One incident: what is known of it, what has happened to it, and what its hub has been told. What it goes through is
//! in [`super::procedure`].

use core::time::Duration;

use super::calls::Line;
use super::dispatch::Asking;
use super::effect::{AlertRequest, Changed, Effect, Said, Update};
use super::records::{CallRecord, DispatchReason, IncidentRecord, Record, StepRecord, StepRecordState, StoredIncident};
use super::residents::LAST_SEQ;
use super::settings::{CallMode, DispatchMode, Settings};
use super::turn::Turn;
use super::wording;
use super::words::{Account, Signal};
use crate::controller::effect::Severity;
use crate::controller::moment::{Boottime, Id, Wall};
use crate::controller::words::{CallStage, Service, Stage};

/// After this without an operator's act, an incident that waits for one cries again.
const UNATTENDED: Duration = Duration::from_secs(60);
/// How many lines of its history are in memory; the store has all.
const HISTORY: usize = 500;

/// What an incident is worked on with.
pub(super) struct Ground<'a> {
    pub settings: &'a Settings,
    pub account: &'a Account,
}

impl Ground<'_> {
    pub fn is_simulated(&self) -> bool {
        matches!(self.settings.calls, CallMode::Simulated { .. })
    }

    /// Nobody has to press a button for a call to be placed.
    pub fn calls_by_itself(&self) -> bool {
        self.settings.calls != CallMode::Operator
    }

    pub fn dispatches_by_itself(&self) -> bool {
        self.is_simulated() || self.settings.dispatch == DispatchMode::Webhook
    }

    pub fn contacts(&self) -> u32 {
        u32::try_from(self.account.contacts.len()).unwrap_or(u32::MAX)
    }
}

pub(super) struct Incident {
    pub record: IncidentRecord,
    updates: Vec<Update>,
    pub steps: Vec<StepRecord>,
    pub calls: Vec<CallRecord>,
    pub cancel_requested: Option<Wall>,
    /// The telephone, while a call is under way.
    pub line: Option<Line>,
    /// How far the dispatch service was asked.
    pub asking: Asking,
    /// Since when it has waited for an operator, or since it last cried.
    waits_since: Option<Boottime>,
    pub overdue: bool,
    /// Something has happened that an operator has to hear of, and none has acted since. Not kept: after a restart it is
    /// not known, and rather a sound too many.
    crying: bool,
    /// The ticket of the last batch with something of it.
    pub ticket: u64,
    /// The record, or at least what is shown, differs from what was last written and shown.
    unwritten: bool,
    unshown: bool,
}

impl Incident {
    /// Opens the incident of an alarm.
    pub fn open(
        id: Id,
        service: Service,
        resumed: bool,
        signal: &Signal,
        ground: &Ground,
        turn: &mut Turn,
    ) -> Incident {
        let record = IncidentRecord {
            id,
            account: signal.account.clone(),
            service,
            source: signal.source.clone(),
            user: signal.user.clone(),
            raised_wall: signal.raised_wall,
            received_wall: turn.at.wall,
            resumed,
            first_call_wall: None,
            step: StepRecordState::Waiting,
            step_number: 0,
            update_seq: 0,
            operator: None,
            ended_wall: None,
        };
        let mut incident = Incident::new(record);
        incident.moved();
        incident.tell(wording::alarm_received(&incident.record), turn);
        incident.cry(turn);
        turn.log(Severity::Info, Some(id), "alarm", wording::log_alarm(&incident.record));
        incident.advance(ground, turn);
        incident
    }

    /// Takes it from the store. What it was waiting for begins anew.
    pub fn restore(stored: StoredIncident, ground: &Ground, turn: &mut Turn) -> Incident {
        let mut incident = Incident::new(stored.incident);
        incident.updates = stored.updates;
        incident.steps = stored.steps;
        incident.calls = stored.calls;
        let tried = incident.steps.iter().rev().find(|step| step.text == wording::CANCEL_REQUESTED);
        incident.cancel_requested = tried.map(|step| step.wall);
        if incident.is_open() {
            incident.crying = true;
            incident.resume_call(ground, turn);
            incident.advance(ground, turn);
            incident.settle(ground, turn);
        }
        incident
    }

    fn new(record: IncidentRecord) -> Incident {
        Incident {
            record,
            updates: Vec::new(),
            steps: Vec::new(),
            calls: Vec::new(),
            cancel_requested: None,
            line: None,
            asking: Asking::default(),
            waits_since: None,
            overdue: false,
            crying: false,
            ticket: 0,
            unwritten: false,
            unshown: false,
        }
    }

    /// The user has cried again: an incident that was over starts from the first call.
    pub fn cry_again(&mut self, resumed: bool, signal: &Signal, ground: &Ground, turn: &mut Turn) {
        let is_open = self.is_open();
        self.crying = is_open;
        if is_open {
            self.tell(wording::alarm_repeated(signal), turn);
        } else {
            self.record.source.clone_from(&signal.source);
            self.record.user.clone_from(&signal.user);
            self.record.raised_wall = signal.raised_wall;
            self.record.received_wall = turn.at.wall;
            self.record.resumed = resumed;
            self.record.first_call_wall = None;
            self.record.ended_wall = None;
            self.record.operator = None;
            self.record.step = StepRecordState::Waiting;
            self.cancel_requested = None;
            self.tell(wording::alarm_reopened(signal), turn);
        }
        turn.log(Severity::Info, Some(self.record.id), "alarm", wording::log_alarm_again(&self.record));
        self.moved();
        self.cry(turn);
        if !is_open {
            self.advance(ground, turn);
        }
    }

    /// Changes nothing: what was done for a later one was done for it too.
    pub fn first_cry_came_late(&mut self, turn: &mut Turn) {
        self.tell(wording::FIRST_ALARM_LATE.to_owned(), turn);
    }

    /// Changes nothing: only the first contact may cancel.
    pub fn user_tried_to_cancel(&mut self, turn: &mut Turn) {
        self.cancel_requested = Some(turn.at.wall);
        self.tell(wording::CANCEL_REQUESTED.to_owned(), turn);
    }

    fn cry(&mut self, turn: &mut Turn) {
        turn.cries += 1;
        self.waits_since = None;
        self.overdue = false;
        self.unshown = true;
    }

    /// What was to go by itself has failed: the console sounds, whoever has acted before.
    pub fn cry_for_help(&mut self, turn: &mut Turn) {
        turn.cries += 1;
        self.crying = true;
    }

    /// Whether the console sounds for it.
    pub fn cries(&self, ground: &Ground) -> bool {
        let untouched = self.record.operator.is_none() && self.waits_for_operator(ground);
        self.is_open() && (self.crying || self.overdue || untouched)
    }

    /// An operator has taken care of it.
    pub fn attended(&mut self, operator: &str) {
        self.record.operator = Some(operator.to_owned());
        self.crying = false;
        self.waits_since = None;
        self.overdue = false;
    }

    pub fn id(&self) -> Id {
        self.record.id
    }

    pub fn is_open(&self) -> bool {
        !matches!(self.record.step, StepRecordState::Cancelled | StepRecordState::Closed)
    }

    /// The call that is under way.
    pub fn call(&self) -> Option<Id> {
        match self.record.step {
            StepRecordState::CallingFirst { call, .. } => Some(call),
            StepRecordState::Dispatched { call, .. } => call,
            _ => None,
        }
    }

    /// As the hub sees it.
    pub fn stage(&self) -> Stage {
        match self.record.step {
            StepRecordState::Waiting => Stage::Acknowledged,
            StepRecordState::CallingFirst { .. } => Stage::CallingFirstContact,
            StepRecordState::DispatchDue { reason } => match reason {
                DispatchReason::Confirmed => Stage::Confirmed,
                DispatchReason::NoAnswer => Stage::NoAnswer,
                DispatchReason::WrongPassword => Stage::CallingFirstContact,
                DispatchReason::NoContact => Stage::Acknowledged,
            },
            StepRecordState::Dispatched { .. } => match self.updates.last() {
                Some(update) if update.stage == CallStage::CallingOtherContacts => Stage::CallingOtherContacts,
                _ => Stage::Dispatched,
            },
            StepRecordState::Cancelled => Stage::CancelledByContact,
            StepRecordState::Closed => Stage::Closed,
        }
    }

    /// A line of its history.
    pub fn tell(&mut self, text: String, turn: &mut Turn) {
        let number = self.steps.last().map_or(1, |step| step.number.saturating_add(1));
        let step =
            StepRecord { incident: self.id(), number, wall: turn.at.wall, operator: turn.operator.clone(), text };
        turn.record(Record::Step(step.clone()));
        if self.steps.len() >= HISTORY {
            self.steps.remove(0);
        }
        self.steps.push(step);
        self.ticket = turn.ticket;
        self.unshown = true;
    }

    /// Whatever an operator saw of it is out of date.
    pub fn moved(&mut self) {
        self.record.step_number = self.record.step_number.saturating_add(1);
        self.unwritten = true;
    }

    /// Tells the hub.
    pub fn say(&mut self, stage: CallStage, contact: Option<(u32, String)>, note: Option<&str>, turn: &mut Turn) {
        self.record.update_seq += 1;
        let update = Update {
            account: self.record.account.clone(),
            incident: self.id(),
            seq: self.record.update_seq,
            stage,
            contact,
            note: note.map(str::to_owned),
            at_wall: turn.at.wall,
        };
        turn.record(Record::Update(update.clone()));
        turn.soon.push(Effect::Say(Said::Update(update.clone())));
        self.updates.push(update);
    }

    /// The hub has taken the updates up to this one: tells it the rest. If it has taken more than we know of, our memory
    /// is older than its: we go on above it, and say where we stand.
    pub fn say_again_after(&mut self, seq: u64, turn: &mut Turn) {
        // A hub that names it still took something else under the number of its end: what was lost with a disk.
        let took_another = seq == self.record.update_seq && !self.is_open();
        if seq > self.record.update_seq || took_another {
            if seq < LAST_SEQ {
                self.record.update_seq = seq;
                self.unwritten = true;
                if let Some(stage) = CallStage::parse(self.stage().as_str()) {
                    let contact = self.contact_of(stage);
                    self.say(stage, contact, None, turn);
                }
            }
            return;
        }
        // An end that another alarm has undone would end the incident at the hub for good.
        let end = if self.is_open() { None } else { self.updates.last().map(|update| update.seq) };
        let missed = self.updates.iter().filter(|update| update.seq > seq);
        let valid = missed.filter(|update| !update.stage.stage().is_end() || Some(update.seq) == end);
        turn.soon.extend(valid.map(|update| Effect::Say(Said::Update(update.clone()))));
    }

    /// Who is being called, or has ended it.
    fn contact_of(&self, stage: CallStage) -> Option<(u32, String)> {
        if stage.stage().is_end() {
            return self.updates.last().and_then(|update| update.contact.clone());
        }
        let call = self.calls.last().filter(|call| Some(call.id) == self.call());
        call.map(|call| (call.position, call.contact.clone()))
    }

    /// What it waits for by itself, and when it cries again.
    pub fn deadline(&self) -> Option<Boottime> {
        let line = self.line.as_ref().and_then(Line::deadline);
        let unattended = self.waits_since.map(|since| since + UNATTENDED);
        [line, self.asking.retry, unattended].into_iter().flatten().min()
    }

    /// What has come due.
    pub fn elapse(&mut self, ground: &Ground, turn: &mut Turn) {
        self.elapse_call(ground, turn);
        self.elapse_dispatch(ground, turn);
        if self.waits_since.is_some_and(|since| turn.at.now >= since + UNATTENDED) {
            self.cry(turn);
            self.overdue = true;
            turn.at_once.push(Effect::Alert(Box::new(AlertRequest {
                account: self.record.account.clone(),
                incident: self.id(),
                service: self.record.service,
                received_wall: self.record.received_wall,
            })));
            turn.log(Severity::Warning, Some(self.id()), "unattended", wording::log_unattended());
        }
    }

    /// The end of whatever has happened to it: its record goes to the store, its change to the console.
    pub fn settle(&mut self, ground: &Ground, turn: &mut Turn) {
        if !self.waits_for_operator(ground) {
            self.waits_since = None;
            self.overdue = false;
        } else if self.waits_since.is_none() {
            self.waits_since = Some(turn.at.now);
        }
        if core::mem::take(&mut self.unwritten) {
            self.ticket = turn.ticket;
            self.unshown = true;
            turn.record(Record::Incident(self.record.clone()));
        }
        if core::mem::take(&mut self.unshown) {
            turn.changed(Changed::Incident(self.id()));
        }
    }

    /// The page that shows it is out of date.
    pub fn is_to_be_shown(&mut self) {
        self.unshown = true;
    }
}
