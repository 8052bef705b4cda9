//! Commands and presses: accepted or refused at once, and never in silence.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Controller;
use super::effect::SignalKind;
use super::faults::FaultCode;
use super::input::{CancelTarget, Content, Malformed, Received};
use super::moment::{Boottime, ClockStanding, Id, Wall};
use super::replies::{Asked, Known};
use super::report::{EventKind, Reply};
use super::settings::Press;
use super::turn::Turn;
use super::wording;
use super::words::{CommandName, PlanStanding, Reason, Service, TestKind};

/// What became of a command.
enum Outcome {
    Accepted { incident: Option<Id>, message: String },
    Refused { reason: Reason, incident: Option<Id>, message: String },
}

impl Outcome {
    fn accepted(incident: Option<Id>, message: String) -> Outcome {
        Outcome::Accepted { incident, message }
    }

    fn refused(reason: Reason) -> Outcome {
        Outcome::refused_about(reason, None)
    }

    fn refused_about(reason: Reason, incident: Option<Id>) -> Outcome {
        Outcome::Refused { reason, incident, message: wording::refused(reason) }
    }
}

impl Controller {
    pub(super) fn command(&mut self, received: Received, turn: &mut Turn) {
        let Received { arrived, command, retained, duplicate, reply_to, content } = received;
        let content = match content {
            Ok(content) => content,
            Err(malformed) => {
                if let Some(reply) = self.malformed(command, malformed, retained, turn) {
                    turn.reply(reply, reply_to);
                }
                return;
            }
        };
        let (id, asked) = asked(&content);
        let mut repeat = None;
        let outcome = if retained {
            Outcome::refused(Reason::Retained)
        } else {
            match id.as_deref().map_or(Known::New, |id| self.replies.look_up(id, &asked)) {
                Known::New if duplicate && id.is_none() => Outcome::refused(Reason::Stale),
                Known::New => self.obey(content, arrived, turn),
                Known::Repeat(record) => {
                    repeat = Some(record.durable);
                    Outcome::accepted(record.incident, record.message.clone())
                }
                Known::Reused => {
                    self.faults.raise(FaultCode::IdReused, wording::id_reused(), turn);
                    Outcome::refused(Reason::IdReused)
                }
            }
        };
        let reply = match outcome {
            Outcome::Accepted { incident, message } => {
                if let (Some(id), None) = (&id, repeat) {
                    self.replies.remember(id, &asked, incident, &message, turn);
                }
                Reply { id, command, refused: None, incident, durable: Some(repeat.unwrap_or(true)), message }
            }
            Outcome::Refused { reason, incident, message } => {
                self.tell_refusal(command, reason, incident, asked.service, &message, turn);
                Reply { id, command, refused: Some(reason), incident, durable: None, message }
            }
        };
        turn.reply(reply, reply_to);
    }

    /// A button was held for its time. It goes the way of every request, only that nobody waits for a reply.
    pub(super) fn pressed(&mut self, name: &str, press: Press, turn: &mut Turn) {
        let (command, service, outcome) = match press {
            Press::Request(service) => {
                let source = format!("button:{name}");
                (CommandName::Request, Some(service), self.request(service, source, None, turn.at.now, turn))
            }
            Press::Cancel => (CommandName::Cancel, None, self.cancel_every(turn)),
        };
        if let Outcome::Refused { reason, incident, message } = outcome {
            self.refusal_event(command, reason, incident, service, &message, turn);
        }
    }

    fn obey(&mut self, content: Content, arrived: Boottime, turn: &mut Turn) -> Outcome {
        match content {
            Content::Request { service, source, user, sent_at, .. } => {
                if self.is_stale(sent_at, turn) {
                    return Outcome::refused(Reason::Stale);
                }
                let source = source.unwrap_or_else(|| "app".into());
                self.request(service, source, user, arrived, turn)
            }
            Content::Cancel { incident: CancelTarget::Every, .. } => self.cancel_every(turn),
            Content::Cancel { incident: CancelTarget::One(id), .. } => self.cancel_one(id, turn),
            Content::Cancel { incident: CancelTarget::Unknown(_), .. } => Outcome::refused(Reason::UnknownIncident),
            Content::Silence { .. } => self.silence(turn),
            Content::Test(kind) => self.test(kind, turn),
        }
    }

    /// Opens an incident, joins the countdown that runs, or cries again for the one that is open: that was monitored when
    /// it began, and the center refuses no cry of it.
    fn request(
        &mut self,
        service: Service,
        source: String,
        user: Option<String>,
        arrived: Boottime,
        turn: &mut Turn,
    ) -> Outcome {
        match self.open_incident(service).map(|incident| (incident.id(), incident.is_counting())) {
            None => {
                match self.plan.standing(turn.at) {
                    PlanStanding::Active | PlanStanding::Unconfirmed => {}
                    PlanStanding::Denied => return Outcome::refused(Reason::PlanRequired),
                    PlanStanding::Unknown => return Outcome::refused(Reason::NotProvisioned),
                }
                let id = self.open(service, source, user, arrived, turn);
                Outcome::accepted(Some(id), wording::accepted(service))
            }
            Some((id, true)) => Outcome::accepted(Some(id), wording::joined(service)),
            Some((id, false)) => {
                self.cry_again(id, source, user, turn);
                Outcome::accepted(Some(id), wording::repeated(service, self.center_link.is_up()))
            }
        }
    }

    fn cancel_every(&mut self, turn: &mut Turn) -> Outcome {
        let counting: Vec<(Id, Service)> = self.about_those(|incident| incident.is_counting());
        let alarms: Vec<(Id, Service)> = self.about_those(|incident| incident.is_alarm());
        for &(id, _) in &counting {
            self.abort(id, turn);
        }
        for &(id, _) in &alarms {
            self.request_cancel(id, turn);
        }
        let services = |about: &[(Id, Service)]| about.iter().map(|&(_, service)| service).collect::<Vec<_>>();
        match (counting.as_slice(), alarms.as_slice()) {
            ([], []) => Outcome::refused(Reason::NoCountdown),
            ([], [(id, _), ..]) => self.too_late(*id, &alarms),
            ([(id, _), ..], _) => {
                Outcome::accepted(Some(*id), wording::aborted(&services(&counting), &services(&alarms)))
            }
        }
    }

    fn cancel_one(&mut self, id: Id, turn: &mut Turn) -> Outcome {
        let Some(incident) = self.incident(id) else {
            let ended = self.ended.iter().any(|&(ended, _)| ended == id);
            return Outcome::refused(if ended { Reason::NoCountdown } else { Reason::UnknownIncident });
        };
        let service = incident.service();
        if incident.is_counting() {
            self.abort(id, turn);
            Outcome::accepted(Some(id), wording::aborted(&[service], &[]))
        } else if incident.is_alarm() {
            self.request_cancel(id, turn);
            self.too_late(id, &[(id, service)])
        } else {
            Outcome::refused_about(Reason::NoCountdown, Some(id))
        }
    }

    fn too_late(&self, id: Id, alarms: &[(Id, Service)]) -> Outcome {
        let called = |&(id, _): &(Id, Service)| self.incident(id).is_some_and(|incident| incident.first_call_is_over());
        let mut monitored = alarms.iter().filter(|(_, service)| service.is_monitored()).peekable();
        let message = match monitored.peek() {
            None => wording::too_late_siren(),
            Some(_) => wording::too_late(monitored.all(called)),
        };
        Outcome::Refused { reason: Reason::TooLate, incident: Some(id), message }
    }

    fn silence(&mut self, turn: &mut Turn) -> Outcome {
        let was_sounding = self.siren.is_sounding();
        for id in self.siren.silence(turn) {
            self.siren_fell_silent(id, turn);
        }
        let help_open = self.incidents.iter().any(|incident| incident.is_with_center());
        let counting = self.incidents.iter().any(|incident| incident.is_counting());
        Outcome::accepted(None, wording::silenced(was_sounding, help_open, counting))
    }

    fn test(&mut self, kind: TestKind, turn: &mut Turn) -> Outcome {
        let open = self.incidents.iter().any(|incident| incident.is_open());
        if open || (kind == TestKind::Siren && self.siren.sounds_for_alarm()) {
            return Outcome::refused(Reason::Busy);
        }
        let link_up = self.center_link.is_up();
        // One that the center has not acked says it all: in a long outage they must not pile up.
        let is_owed = self.outbox.owes(|signal| signal.kind == SignalKind::Test { periodic: false });
        let (bucket, subject, message) = match kind {
            TestKind::Siren => {
                let fault = self.faults.message(FaultCode::Siren);
                (&mut self.siren_test_bucket, "siren", wording::siren_test_started(fault))
            }
            TestKind::Center => (&mut self.center_test_bucket, "center", wording::center_test_sent(link_up, is_owed)),
        };
        if !bucket.take(turn.at.now) {
            return Outcome::refused(Reason::RateLimited);
        }
        match kind {
            TestKind::Siren => self.siren.test(turn.at.now),
            TestKind::Center if is_owed => {}
            TestKind::Center => self.send_test(false, turn),
        }
        turn.event(EventKind::Test { subject, confirmed: None }, None, message.clone());
        Outcome::accepted(None, message)
    }

    fn is_stale(&self, sent_at: Option<Wall>, turn: &Turn) -> bool {
        let max_age_ms = i64::try_from(self.settings.max_age.as_millis()).unwrap_or(i64::MAX);
        let age_ms = sent_at.map(|sent_at| turn.at.wall.0.saturating_sub(sent_at.0));
        turn.at.clock == ClockStanding::Synced && age_ms.is_some_and(|age_ms| age_ms > max_age_ms)
    }

    /// The reply to what could not be understood. Only so many a second: a flood of junk gets one reply that says so.
    fn malformed(
        &mut self,
        command: CommandName,
        malformed: Malformed,
        retained: bool,
        turn: &mut Turn,
    ) -> Option<Reply> {
        let (reason, message) = if self.malformed_bucket.take(turn.at.now) {
            self.malformed_limited = false;
            if retained {
                (Reason::Retained, wording::refused(Reason::Retained))
            } else {
                (Reason::Malformed, wording::malformed(&malformed.problem))
            }
        } else if core::mem::replace(&mut self.malformed_limited, true) {
            return None;
        } else {
            (Reason::RateLimited, wording::refused(Reason::RateLimited))
        };
        self.tell_refusal(command, reason, None, None, &message, turn);
        Some(Reply { id: malformed.id, command, refused: Some(reason), incident: None, durable: None, message })
    }

    /// Refusals of messages are events too, but no flood of them: each costs a write.
    fn tell_refusal(
        &mut self,
        command: CommandName,
        reason: Reason,
        incident: Option<Id>,
        service: Option<Service>,
        message: &str,
        turn: &mut Turn,
    ) {
        if self.refused_bucket.take(turn.at.now) {
            self.refusal_event(command, reason, incident, service, message, turn);
        }
    }

    fn refusal_event(
        &self,
        command: CommandName,
        reason: Reason,
        incident: Option<Id>,
        service: Option<Service>,
        message: &str,
        turn: &mut Turn,
    ) {
        let service = incident.and_then(|id| self.incident(id)).map(|incident| incident.service()).or(service);
        turn.refusal(EventKind::Refused { command, reason }, incident, service, message.into());
    }

    fn about_those(&self, predicate: impl Fn(&super::incident::Incident) -> bool) -> Vec<(Id, Service)> {
        let those = self.incidents.iter().filter(|incident| predicate(incident));
        those.map(|incident| (incident.id(), incident.service())).collect()
    }
}

/// A command's id, and what it asks for.
fn asked(content: &Content) -> (Option<String>, Asked) {
    let asked = |command, service| Asked { command, service, target: CancelTarget::Every };
    match content {
        Content::Request { service, id, .. } => (id.clone(), asked(CommandName::Request, Some(*service))),
        Content::Cancel { incident, id } => {
            (id.clone(), Asked { target: incident.clone(), ..asked(CommandName::Cancel, None) })
        }
        Content::Silence { id } => (id.clone(), asked(CommandName::Silence, None)),
        Content::Test(_) => (None, asked(CommandName::Test, None)),
    }
}
