//! The monitoring center's word: acks, steps of the call, plan tokens. Its signature was judged before; here it is
//! judged whether the message means anything now.

use super::Controller;
use super::effect::{Record, SignalKind};
use super::faults::FaultCode;
use super::incident::Incident;
use super::input::{Ack, AckResult, CenterMessage, Update};
use super::moment::Id;
use super::plan::Verdict;
use super::report::EventKind;
use super::turn::Turn;
use super::wording;
use super::words::{PlanStanding, Stage};

impl Controller {
    pub(super) fn center_message(&mut self, message: CenterMessage, turn: &mut Turn) {
        match message {
            CenterMessage::Rejected { problem } => self.ignore(&problem, turn),
            CenterMessage::Ack(ack) => self.acked(ack, turn),
            CenterMessage::Update(update) => self.updated(update, turn),
            CenterMessage::Plan(token) => match self.plan.offer(token, turn) {
                Verdict::Taken => {
                    turn.changed = true;
                    self.faults.clear(FaultCode::PlanRejected, turn);
                }
                Verdict::Repeat => self.faults.clear(FaultCode::PlanRejected, turn),
                Verdict::RolledBack => self.faults.raise(FaultCode::PlanRejected, wording::plan_rolled_back(), turn),
            },
        }
    }

    /// Settles one signal, and that one alone.
    fn acked(&mut self, ack: Ack, turn: &mut Turn) {
        let seen_before = ack.seq <= self.counters.ack_seq;
        if seen_before && !self.outbox.awaits(ack.signal) {
            // A repeat of an ack that was taken is no news; one for a signal that was never ours, and older than what
            // we have heard, is a recording. Neither says that the center is alive.
            if !self.outbox.knows(ack.signal) {
                self.ignore(&wording::replayed_ack(), turn);
            }
            return;
        }
        self.counters.ack_seq = self.counters.ack_seq.max(ack.seq);
        self.supervision.heard(&mut self.faults, turn);
        let refusal = match ack.result {
            AckResult::Accepted | AckResult::NoMonitoring => None,
            AckResult::UnknownAccount => Some(wording::center_knows_no_account()),
            AckResult::OtherRefusal => Some(wording::center_refused()),
        };
        let refused = refusal.is_some();
        self.faults.set(FaultCode::CenterRefused, refusal, turn);
        self.outbox.heartbeat_acked(ack.signal);
        let Some(signal) = self.outbox.find(ack.signal).filter(|_| !refused) else { return };
        let (kind, incident) = (signal.kind.clone(), signal.incident);
        self.outbox.settle(ack.signal, turn);
        let accepted = ack.result == AckResult::Accepted;
        match (kind, incident) {
            (SignalKind::Alarm, Some(id)) if accepted => self.alarm_taken(id, ack.reopened_after, turn),
            (SignalKind::Alarm, Some(id)) => self.alarm_refused(id, turn),
            (SignalKind::Test { .. }, _) => {
                let message = if accepted { wording::center_test_confirmed() } else { wording::center_test_refused() };
                turn.event(EventKind::Test { subject: "center", confirmed: Some(accepted) }, None, message);
            }
            _ => {}
        }
    }

    /// `reopened_after`: what the center said of the incident up to this update was before it heard of this alarm. The
    /// broker may deliver it only now.
    fn alarm_taken(&mut self, id: Id, reopened_after: Option<u64>, turn: &mut Turn) {
        let Some(incident) = self.incidents.iter_mut().find(|incident| incident.id() == id) else { return };
        if !incident.is_with_center() {
            return;
        }
        incident.record.taken = true;
        incident.record.update_seq = incident.record.update_seq.max(reopened_after.unwrap_or_default());
        if incident.stage() == Stage::Requested {
            self.advance(id, Stage::Acknowledged, turn);
        } else {
            turn.record(Record::Incident(incident.record.clone()));
        }
    }

    /// The center may have taken another alarm of the incident, or may still take one: only when it has refused all of
    /// them is there no help to be expected. That ends the incident at every stage, as a center whose disk failed may
    /// have called people and then forgotten it.
    fn alarm_refused(&mut self, id: Id, turn: &mut Turn) {
        let is_owed = self.outbox.owes(|signal| signal.is_alarm() && signal.incident == Some(id));
        let is_hopeless = |incident: &Incident| incident.is_with_center() && !incident.record.taken && !is_owed;
        if self.incident(id).is_some_and(is_hopeless) {
            self.advance(id, Stage::RefusedByCenter, turn);
        }
    }

    fn updated(&mut self, update: Update, turn: &mut Turn) {
        let Update { incident: id, seq, stage, contact, note } = update;
        let ended_with_center = self.ended.iter().any(|&(ended, stage)| ended == id && stage != Stage::Aborted);
        // The center said that before it heard of the cry that is still owed. Once it has that, what it says of the
        // incident comes again with the next heartbeat: an end must not swallow a cry.
        let cried_since = stage.stage().is_end() && self.outbox.repeats(id).next().is_some();
        match self.incidents.iter_mut().find(|incident| incident.id() == id) {
            Some(incident) if incident.is_with_center() => {
                if seq > incident.record.update_seq && cried_since {
                    self.supervision.heard(&mut self.faults, turn);
                } else if seq > incident.record.update_seq {
                    incident.record.update_seq = seq;
                    self.supervision.heard(&mut self.faults, turn);
                    self.advance_with(id, stage.stage(), contact, note, turn);
                }
            }
            // What comes after the end changes nothing.
            Some(incident) if !incident.is_open() && incident.stage() != Stage::Aborted => {}
            Some(_) => self.ignore(&wording::update_of_unknown_incident(), turn),
            None if ended_with_center => {}
            None => self.ignore(&wording::update_of_unknown_incident(), turn),
        }
    }

    fn ignore(&mut self, problem: &str, turn: &mut Turn) {
        self.faults.raise(FaultCode::CenterMessage, wording::center_message(problem), turn);
    }

    /// Whether people are still to count on the center for every cry, or to call the emergency number.
    pub(super) fn judge_confirmations(&mut self, turn: &mut Turn) {
        for incident in &mut self.incidents {
            let id = incident.id();
            turn.changed |= incident.cries_owed(self.outbox.repeats(id), turn.at.now);
        }
        let missing = if self.incidents.iter().any(Incident::is_unconfirmed) {
            Some(wording::alarm_unconfirmed())
        } else {
            self.incidents.iter().any(Incident::is_cry_unconfirmed).then(wording::further_alarm_unconfirmed)
        };
        self.faults.set(FaultCode::AlarmUnconfirmed, missing, turn);
    }

    /// What the plan's standing has to say to people beforehand.
    pub(super) fn judge_plan(&mut self, turn: &mut Turn) {
        let standing = self.plan.standing(turn.at);
        let missing = self.plan.token().map(|token| token.missing.as_slice()).unwrap_or_default();
        let incomplete = (!missing.is_empty()).then(|| wording::plan_incomplete(missing));
        let missed = self.plan.is_missed(turn.at.now).then(wording::not_provisioned);
        let when = |wanted: PlanStanding, message: fn() -> alloc::string::String| (standing == wanted).then(message);
        let findings = [
            (FaultCode::NotProvisioned, missed),
            (FaultCode::PlanDenied, when(PlanStanding::Denied, wording::plan_denied)),
            (FaultCode::PlanUnconfirmed, when(PlanStanding::Unconfirmed, wording::plan_unconfirmed)),
            (FaultCode::PlanIncomplete, incomplete),
        ];
        for (code, message) in findings {
            self.faults.set(code, message, turn);
        }
    }
}
