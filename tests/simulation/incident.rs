//! What an observer knows of one incident.

use crate::ledger::SIREN_MAX;
use crate::time::At;

/// The first and the last moment that something can be at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: At,
    pub to: At,
}

#[derive(Clone, Debug, Default)]
pub struct Incident {
    pub service: String,
    pub first_seen: At,
    /// A reply has named it: the first one that does is of the request that opened it.
    pub has_opener: bool,
    /// When its countdown ends, where its beginning is known.
    pub due: Option<Span>,
    pub told_aborted: Option<At>,
    /// When people were told that the countdown is over.
    pub told_alarm: Option<At>,
    pub told_end: bool,
    pub told_resumed: bool,
    pub reboots: u32,
    /// Requests that came after its countdown.
    pub last_cry: At,
    /// Somebody has cried again, and the center has not got that far: its `jti`, once it was sent.
    pub open_cry: Option<Option<String>>,
    /// The alarms that were sent.
    pub sent: Vec<String>,
    /// The center's word that it is over has come.
    pub end_given: bool,
    /// The last time that somebody wanted its countdown aborted.
    pub cancel_asked: Option<At>,
    /// How long the siren must sound for it, and how long it may.
    pub must_sound_until: At,
    /// Somebody wanted silence, or the center has ended it: from then on the siren need not sound for it.
    pub may_be_silent: bool,
    pub may_sound_until: At,
    /// The alarms that the center has: `jti`, and whether it is a repeat.
    pub taken: Vec<(String, bool)>,
    pub refused: bool,
    /// The hub has got the center's word of having it.
    pub confirmed: bool,
    /// Where it stands, as people were told last.
    pub stage: String,
    /// The disk lost what was said of it.
    pub forgiven: bool,
}

/// The stages of an incident, from the first to the last.
const STAGES: [&str; 13] = [
    "countdown",
    "aborted",
    "requested",
    "sounding",
    "acknowledged",
    "calling_first_contact",
    "confirmed",
    "cancelled_by_contact",
    "no_answer",
    "dispatched",
    "calling_other_contacts",
    "closed",
    "refused_by_center",
];

impl Incident {
    /// What people are told of its stage; other words say nothing of that.
    pub fn see_stage(&mut self, word: &str) {
        if STAGES.contains(&word) {
            word.clone_into(&mut self.stage);
        }
    }

    /// Neither aborted nor past its countdown, as far as people were told.
    pub fn undecided(&self) -> bool {
        self.told_aborted.is_none() && self.told_alarm.is_none() && !self.told_end
    }

    /// Nobody was told that it is over.
    pub fn may_be_open(&self) -> bool {
        self.told_aborted.is_none() && !self.told_end
    }

    /// The countdown has ended by then, without any doubt.
    pub fn certainly_due(&self, now: At) -> bool {
        let due = self.due.filter(|due| due.to <= now);
        let in_time = |due: &Span| self.cancel_asked.is_none_or(|asked| asked > due.to);
        !self.forgiven && self.told_aborted.is_none() && due.as_ref().is_some_and(in_time)
    }

    /// A request for its service is a further cry, and nothing else.
    pub fn cries_again(&self, now: At) -> bool {
        self.certainly_due(now)
            && self.told_alarm.is_some()
            && !self.told_end
            && !self.end_given
            && self.service != "siren"
    }

    pub fn set_due(&mut self, due: Span) {
        self.due = Some(due);
        self.must_sound_until = due.to + SIREN_MAX;
        self.may_sound_until = self.may_sound_until.max(due.to + SIREN_MAX);
    }
}
