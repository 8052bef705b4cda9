//! An incident's life, from what was asked for to its end.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Controller;
use super::effect::{Effect, IncidentRecord, Record, Signal, SignalKind, StepRecord};
use super::incident::Incident;
use super::moment::{Boottime, Id};
use super::report::EventKind;
use super::turn::Turn;
use super::wording;
use super::words::{Service, Stage};

impl Controller {
    /// Opens an incident whose countdown runs from `arrived`.
    pub(super) fn open(
        &mut self,
        service: Service,
        source: String,
        user: Option<String>,
        arrived: Boottime,
        turn: &mut Turn,
    ) -> Id {
        self.siren.end_test();
        let arrived = arrived.min(turn.at.now);
        let record = IncidentRecord {
            id: turn.fresh_id(),
            service,
            source,
            user,
            stage: Stage::Countdown,
            alarm: turn.fresh_id(),
            boot: turn.boot,
            accepted: arrived,
            deadline: arrived + self.settings.countdown,
            accepted_wall: turn.at.wall,
            clock: turn.at.clock,
            resumed: false,
            update_seq: 0,
            taken: false,
            ended_wall: None,
        };
        let incident = Incident::new(record, turn.at);
        let id = incident.id();
        tell_countdown(&incident, turn);
        self.incidents.push(incident);
        id
    }

    /// The countdown ends before its end: nothing was sent, nothing sounded.
    pub(super) fn abort(&mut self, id: Id, turn: &mut Turn) {
        self.advance(id, Stage::Aborted, turn);
    }

    /// Starts the alarm of every countdown that is over, and tells the seconds of the others.
    pub(super) fn end_countdowns(&mut self, turn: &mut Turn) {
        let now = turn.at.now;
        let mut due: Vec<(Boottime, Id)> = self
            .incidents
            .iter()
            .filter(|incident| incident.is_due(now))
            .map(|incident| (incident.record.deadline, incident.id()))
            .collect();
        due.sort();
        for (_, id) in due {
            self.alarm(id, turn);
        }
        for incident in &mut self.incidents {
            if let Some(remaining) = incident.tick(now) {
                turn.event(EventKind::Countdown { remaining }, incident.about(), wording::countdown(remaining));
                turn.tell_state = true;
            }
            turn.changed |= incident.becomes_late(now);
        }
    }

    /// The siren, and for police and fire the signal to the center.
    pub(super) fn alarm(&mut self, id: Id, turn: &mut Turn) {
        let Some(incident) = self.incident(id) else { return };
        let (service, raised) = (incident.service(), incident.record.deadline);
        self.siren.sound(id, service, turn);
        if service.is_monitored() {
            let signal = self.alarm_signal(id, raised.min(turn.at.now), turn);
            self.advance(id, Stage::Requested, turn);
            if let Some(signal) = signal {
                self.outbox.add(signal, turn);
            }
        } else {
            self.advance(id, Stage::Sounding, turn);
        }
    }

    /// A further cry for a service whose alarm is open: the siren again, and a signal of its own.
    pub(super) fn cry_again(&mut self, id: Id, source: String, user: Option<String>, turn: &mut Turn) {
        let Some(incident) = self.incident(id) else { return };
        let service = incident.service();
        self.siren.sound(id, service, turn);
        if service.is_monitored() && self.outbox.takes_repeat(id) {
            let kind = SignalKind::Alarm;
            let mut signal = self.signal(turn.fresh_id(), kind, turn);
            signal.incident = Some(id);
            signal.service = Some(service);
            signal.source = Some(source);
            signal.user = user;
            signal.repeat = true;
            self.outbox.add(signal, turn);
        }
    }

    /// Moves an incident to a stage, writes it down and tells of it.
    pub(super) fn advance(&mut self, id: Id, stage: Stage, turn: &mut Turn) {
        self.advance_with(id, stage, None, None, turn);
    }

    pub(super) fn advance_with(
        &mut self,
        id: Id,
        stage: Stage,
        contact: Option<super::input::Contact>,
        note: Option<String>,
        turn: &mut Turn,
    ) {
        let Some(incident) = self.incidents.iter_mut().find(|incident| incident.id() == id) else { return };
        incident.enter(stage, turn.at.now, turn.at.wall);
        let (about, message) = (incident.about(), incident.step_message());
        let record = incident.record.clone();
        let kind = EventKind::Stage { stage, contact, note };
        let seq = turn.event(kind, about, message.clone());
        turn.record(Record::Incident(record));
        turn.record(step(id, seq, stage, message, turn));
        if matches!(stage, Stage::CancelledByContact | Stage::Closed) {
            self.siren.end(id, turn);
        }
    }

    /// The siren has reached its maximum for this incident: a siren-only one is over with it.
    pub(super) fn siren_fell_silent(&mut self, id: Id, turn: &mut Turn) {
        if self.incident(id).is_some_and(|incident| incident.stage() == Stage::Sounding) {
            self.advance(id, Stage::Closed, turn);
        }
    }

    /// Tells the center that the user tried to cancel. That never stops anything; the first contact's answer does.
    pub(super) fn request_cancel(&mut self, id: Id, turn: &mut Turn) {
        let now = turn.at.now;
        // One that the center has not acked says it all: in a long outage they must not pile up.
        let is_owed =
            self.outbox.owes(|signal| signal.kind == SignalKind::CancelRequest && signal.incident == Some(id));
        let Some(incident) = self.incidents.iter_mut().find(|incident| incident.id() == id) else { return };
        if !incident.is_with_center() || is_owed || !incident.may_request_cancel(now) {
            return;
        }
        let service = incident.service();
        let mut signal = self.signal(turn.fresh_id(), SignalKind::CancelRequest, turn);
        signal.incident = Some(id);
        signal.service = Some(service);
        self.outbox.add(signal, turn);
    }

    pub(super) fn send_heartbeat(&mut self, turn: &mut Turn) {
        let open = self.incidents.iter().filter(|incident| incident.is_with_center());
        let open = open.map(|incident| (incident.id(), incident.record.update_seq)).collect();
        let interval_seconds = u32::try_from(self.supervision.interval().as_secs()).unwrap_or(u32::MAX);
        let jti = turn.fresh_id();
        let signal = self.signal(jti, SignalKind::Heartbeat { interval_seconds, open }, turn);
        self.outbox.heartbeat_sent(jti);
        turn.effects.push(Effect::Transmit(signal.stamped(turn.at)));
    }

    pub(super) fn send_test(&mut self, periodic: bool, turn: &mut Turn) {
        let signal = self.signal(turn.fresh_id(), SignalKind::Test { periodic }, turn);
        self.outbox.add(signal, turn);
        if periodic {
            turn.event(EventKind::Test { subject: "center", confirmed: None }, None, wording::periodic_test_sent());
        }
    }

    /// Tells the center of the faults and restores of this turn. Those that it never heard of cancel each other out.
    pub(super) fn send_notices(&mut self, turn: &mut Turn) {
        for notice in core::mem::take(&mut self.faults.notices) {
            let opposite = |signal: &Signal| match &signal.kind {
                SignalKind::Fault { code, .. } => notice.restored && code == notice.code,
                SignalKind::Restore { code, .. } => !notice.restored && code == notice.code,
                _ => false,
            };
            if self.outbox.withdraw_unsent(turn, opposite) {
                continue;
            }
            let (code, event_code, message) = (notice.code.to_string(), notice.event_code, notice.message);
            let kind = match notice.restored {
                true => SignalKind::Restore { code, event_code, message },
                false => SignalKind::Fault { code, event_code, message },
            };
            let signal = self.signal(turn.fresh_id(), kind, turn);
            self.outbox.add(signal, turn);
        }
    }

    pub(super) fn incident(&self, id: Id) -> Option<&Incident> {
        self.incidents.iter().find(|incident| incident.id() == id)
    }

    /// The open incident of a service. There is never more than one.
    pub(super) fn open_incident(&self, service: Service) -> Option<&Incident> {
        self.incidents.iter().find(|incident| incident.is_open() && incident.service() == service)
    }

    /// The first alarm of an incident, under the `jti` that was drawn when it was accepted.
    fn alarm_signal(&mut self, id: Id, raised: Boottime, turn: &Turn) -> Option<Signal> {
        let record = self.incident(id)?.record.clone();
        let mut signal = self.signal(record.alarm, SignalKind::Alarm, turn);
        let since_raised = turn.at.now.since(raised);
        signal.incident = Some(id);
        signal.service = Some(record.service);
        signal.source = Some(record.source);
        signal.user = record.user;
        signal.resumed = record.resumed;
        signal.raised = raised;
        signal.raised_wall.0 -= i64::try_from(since_raised.as_millis()).unwrap_or(i64::MAX);
        Some(signal)
    }

    fn signal(&mut self, jti: Id, kind: SignalKind, turn: &Turn) -> Signal {
        self.signal_seq += 1;
        if self.signal_seq > self.counters.signal_seq {
            self.counters.signal_seq += super::SIGNAL_SEQ_BLOCK;
        }
        Signal {
            jti,
            kind,
            incident: None,
            service: None,
            source: None,
            user: None,
            resumed: false,
            repeat: false,
            plan: self.plan.token().map(|token| token.plan.clone()),
            seq: self.signal_seq,
            boot: turn.boot,
            raised: turn.at.now,
            raised_wall: turn.at.wall,
            clock: turn.at.clock,
            age_base_ms: 0,
            age_ms: 0,
            sent_wall: turn.at.wall,
        }
    }
}

/// Tells that a countdown runs, and writes it down.
pub(super) fn tell_countdown(incident: &Incident, turn: &mut Turn) {
    let resumed = incident.record.resumed;
    let message = wording::countdown_started(incident.service(), resumed);
    let seq = turn.event(EventKind::CountdownStarted { resumed }, incident.about(), message.clone());
    turn.record(Record::Incident(incident.record.clone()));
    turn.record(step(incident.id(), seq, Stage::Countdown, message, turn));
}

fn step(incident: Id, seq: u64, stage: Stage, message: String, turn: &Turn) -> Record {
    Record::Step(StepRecord { incident, seq, stage, wall: turn.at.wall, clock: turn.at.clock, message })
}
