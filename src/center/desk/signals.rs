//! A signal of a hub: once only, on disk, then its ack.

use super::Desk;
use super::effect::{Effect, Said};
use super::incident::Incident;
use super::input::Past;
use super::records::{PastSignal, Record, SignalRecord};
use super::turn::Turn;
use super::wording;
use super::words::{AccountId, Ack, Signal, SignalKind, Verdict};
use crate::controller::effect::Severity;
use crate::controller::moment::Id;

impl Desk {
    /// Takes a signal; `past` is what the store knows of it, if it was asked.
    pub(super) fn signal(&mut self, signal: Box<Signal>, past: Option<Past>, turn: &mut Turn) {
        let Some(resident) = self.residents.get(&signal.account) else {
            return self.security.reject(None, wording::no_such_account(), turn);
        };
        if resident.account.closed {
            return self.refuse_closed(&signal, turn);
        }
        if let SignalKind::Heartbeat { .. } = signal.kind {
            return self.heartbeat(signal, past, turn);
        }
        if let Some((known, ticket)) = self.memory.find(&signal.account, signal.jti) {
            if !self.held.is_pending(ticket) {
                turn.at_once.push(ack_again(&signal.account, known));
            }
            return;
        }
        let is_urgent = matches!(signal.kind, SignalKind::Alarm { .. } | SignalKind::CancelRequest { .. });
        if self.held.is_full() && !is_urgent {
            // It comes again.
            return;
        }
        let incident = incident_of(&signal.kind);
        let Some(past) = past else {
            let incidents = incident.into_iter().filter(|id| self.cases.get(*id).is_none()).collect();
            if matches!(signal.kind, SignalKind::Alarm { .. }) {
                self.look_ups.asked(signal.clone(), turn.at.now);
            }
            turn.at_once.push(Effect::LookUp { signal, incidents });
            return;
        };
        if let Some(known) = past.signal {
            turn.at_once.push(ack_again(&signal.account, known));
            self.memory.put(&signal.account, known, 0);
            return;
        }
        self.take_up_stored(past.incidents, turn);
        if incident.is_some_and(|id| self.is_of_another(id, &signal.account)) {
            return self.reject(&signal.account, wording::incident_of_another(), turn);
        }
        self.new_signal(*signal, turn);
    }

    fn new_signal(&mut self, signal: Signal, turn: &mut Turn) {
        let verdict = match signal.kind {
            SignalKind::Alarm { incident, repeat, .. } => self.verdict_on_alarm(incident, repeat, &signal.account),
            _ => Verdict::Accepted,
        };
        self.acknowledge(&signal, verdict, turn);
        match signal.kind {
            SignalKind::Alarm { .. } if verdict == Verdict::Accepted => self.alarm(&signal, turn),
            SignalKind::Alarm { incident, .. } => {
                turn.log(Severity::Warning, Some(incident), "refused", wording::log_no_monitoring(&signal.account));
                let what = wording::refused_no_monitoring().to_owned();
                turn.audit("center".to_owned(), what, Some(signal.account), Some(incident));
            }
            SignalKind::CancelRequest { incident } => {
                let known = self.work(incident, turn, |incident, _, turn| incident.user_tried_to_cancel(turn));
                // It has overtaken its alarm, and does not come again.
                if known.is_none()
                    && let Some(resident) = self.residents.get_mut(&signal.account)
                {
                    resident.keep_early_cancel(incident);
                }
            }
            SignalKind::Fault { code, message } => self.hub_fault(signal.account, code, message, turn),
            SignalKind::Restore { code, .. } => self.hub_restored(signal.account, code, turn),
            SignalKind::Test { .. } | SignalKind::Heartbeat { .. } => {}
        }
    }

    /// An incident that is being worked on was monitored when it began: another cry of it is never refused. Neither is its
    /// first alarm when all is over: a later one was faster, and what was done was done for the first one too.
    fn verdict_on_alarm(&self, incident: Id, repeat: bool, account: &AccountId) -> Verdict {
        let was_taken = self.cases.get(incident).is_some_and(|incident| incident.is_open() || !repeat);
        let monitored = self.residents.get(account).is_some_and(|resident| self.is_monitored(&resident.account));
        if was_taken || monitored { Verdict::Accepted } else { Verdict::NoMonitoring }
    }

    /// The last update before this alarm, if that opens its incident again.
    fn reopens_after(&self, signal: &Signal, verdict: Verdict) -> Option<u64> {
        let SignalKind::Alarm { incident, repeat: true, .. } = signal.kind else { return None };
        let over = self.cases.get(incident).filter(|incident| !incident.is_open() && verdict == Verdict::Accepted);
        over.map(|incident| incident.record.update_seq)
    }

    /// Writes the signal and its ack down together; the ack leaves after that.
    fn acknowledge(&mut self, signal: &Signal, verdict: Verdict, turn: &mut Turn) {
        let reopened_after = self.reopens_after(signal, verdict);
        let Some(resident) = self.residents.get_mut(&signal.account) else { return };
        resident.ack_seq += 1;
        let (jti, ack_seq, received_wall) = (signal.jti, resident.ack_seq, turn.at.wall);
        let past = PastSignal { jti, verdict, ack_seq, received_wall, reopened_after };
        turn.record(Record::Signal(SignalRecord {
            jti,
            account: signal.account.clone(),
            kind: signal.kind.as_str(),
            incident: incident_of(&signal.kind),
            received_wall,
            verdict,
            ack_seq,
            reopened_after,
            claims: signal.claims.clone(),
        }));
        turn.record(Record::Hub(resident.record()));
        turn.once_stored.push(ack_again(&signal.account, past));
        self.memory.put(&signal.account, past, turn.ticket);
    }

    fn alarm(&mut self, signal: &Signal, turn: &mut Turn) {
        let SignalKind::Alarm { incident: id, service, resumed, repeat } = signal.kind else { return };
        // Its first alarm is the oldest of an incident: if a later one was faster and all is over, nobody cries again.
        let is_over = self.cases.get(id).is_some_and(|incident| !incident.is_open());
        if is_over && !repeat {
            self.work(id, turn, |incident, _, turn| incident.first_cry_came_late(turn));
        } else if self.cases.get(id).is_some() {
            self.held.withdraw(|effect| {
                matches!(effect, Effect::Say(Said::Update(update))
                    if update.incident == id && update.stage.stage().is_end())
            });
            self.work(id, turn, |incident, ground, turn| incident.cry_again(resumed, signal, ground, turn));
        } else {
            self.take_up(&signal.account, turn, |ground, turn| {
                Incident::open(id, service, resumed, signal, ground, turn)
            });
            if self.residents.get_mut(&signal.account).is_some_and(|resident| resident.take_early_cancel(id)) {
                self.work(id, turn, |incident, _, turn| incident.user_tried_to_cancel(turn));
            }
        }
    }

    /// The account was ended and its hub is told so, each time. Nothing of it is remembered, as the account may come back
    /// and the alarm with it.
    fn refuse_closed(&mut self, signal: &Signal, turn: &mut Turn) {
        if self.held.is_full() {
            return;
        }
        if let SignalKind::Heartbeat { .. } = signal.kind {
            // The broker may have lost the plan by which the hub turns people away beforehand.
            self.plans.say_again(&signal.account);
        }
        let Some(resident) = self.residents.get_mut(&signal.account) else { return };
        resident.ack_seq += 1;
        let (verdict, ack_seq) = (Verdict::UnknownAccount, resident.ack_seq);
        let (jti, received_wall) = (signal.jti, turn.at.wall);
        let past = PastSignal { jti, verdict, ack_seq, received_wall, reopened_after: None };
        turn.record_soon(Record::Hub(resident.record()));
        turn.once_stored.push(ack_again(&signal.account, past));
        self.reject(&signal.account, wording::account_closed(signal.kind.as_str()), turn);
    }

    pub(super) fn is_of_another(&self, incident: Id, account: &AccountId) -> bool {
        self.cases.get(incident).is_some_and(|incident| incident.record.account != *account)
    }

    pub(super) fn reject(&mut self, account: &AccountId, problem: String, turn: &mut Turn) {
        self.security.reject(Some(account.clone()), problem, turn);
    }
}

fn incident_of(kind: &SignalKind) -> Option<Id> {
    match kind {
        SignalKind::Alarm { incident, .. } | SignalKind::CancelRequest { incident } => Some(*incident),
        _ => None,
    }
}

fn ack_again(account: &AccountId, past: PastSignal) -> Effect {
    Effect::Say(Said::Ack(Ack {
        account: account.clone(),
        signal: past.jti,
        verdict: past.verdict,
        seq: past.ack_seq,
        received_wall: past.received_wall,
        reopened_after: past.reopened_after,
    }))
}
