//! What people see: the state, an event, a reply. Sentences are drawn in [`super::wording`].

use alloc::string::String;
use alloc::vec::Vec;

use super::moment::{Boottime, ClockStanding, Id, Wall};
use super::words::{CommandName, Pattern, PlanStanding, Reason, Service, Stage};

/// The whole state, as published on `state`.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub at: Wall,
    /// The same on the boot clock: what of `remaining_ms` has passed since is not left any more.
    pub turned: Boottime,
    pub clock: ClockStanding,
    pub phase: Phase,
    pub message: String,
    /// The open ones, oldest first, and each for ten seconds after its end.
    pub incidents: Vec<IncidentState>,
    pub siren: SirenState,
    pub plan: PlanState,
    pub center: CenterState,
    pub ready: bool,
    pub faults: Vec<FaultState>,
}

impl State {
    /// Lets the time go on until it is told: what was true when the controller drew it may have waited for the disk.
    pub fn bring_to(&mut self, now: Boottime) {
        let passed = u64::try_from(now.since(self.turned).as_millis()).unwrap_or(u64::MAX);
        self.turned = self.turned.max(now);
        self.at = Wall(self.at.0.saturating_add_unsigned(passed));
        for incident in &mut self.incidents {
            incident.remaining_ms = incident.remaining_ms.saturating_sub(passed);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Idle,
    Countdown,
    Alarm,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::Countdown => "countdown",
            Phase::Alarm => "alarm",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct IncidentState {
    pub id: Id,
    pub service: Service,
    pub source: String,
    pub stage: Stage,
    pub countdown_ends_at: Wall,
    /// Zero once the countdown is over.
    pub remaining_ms: u64,
    pub resumed: bool,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SirenState {
    pub sounding: bool,
    /// The pattern that sounds, or the one of the last sound.
    pub pattern: Pattern,
    pub stops_at: Option<Wall>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlanState {
    pub standing: PlanStanding,
    pub name: Option<String>,
    pub professional_monitoring: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CenterState {
    pub link_up: bool,
    pub last_heard_at: Option<Wall>,
    /// Signals that the center has not acked, heartbeats aside.
    pub owed: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FaultState {
    pub code: &'static str,
    pub since: Wall,
    pub message: String,
}

/// One change, as published on `event`.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub seq: u64,
    pub kind: EventKind,
    pub at: Wall,
    pub incident: Option<Id>,
    pub service: Option<Service>,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    CountdownStarted {
        resumed: bool,
    },
    /// Each second; `remaining` in whole seconds.
    Countdown {
        remaining: u64,
    },
    /// The incident has come to this stage (all but `countdown`).
    Stage {
        stage: Stage,
        contact: Option<super::input::Contact>,
        note: Option<String>,
    },
    SirenOn {
        pattern: Pattern,
    },
    SirenOff,
    Refused {
        command: CommandName,
        reason: Reason,
    },
    Fault {
        code: &'static str,
    },
    Restore {
        code: &'static str,
    },
    /// Of the siren, or of the way to the center.
    Test {
        subject: &'static str,
        /// What the center has said of the test signal; `None` of everything else.
        confirmed: Option<bool>,
    },
}

impl EventKind {
    /// The event's `type`.
    pub fn as_str(&self) -> &'static str {
        match self {
            EventKind::CountdownStarted { .. } => "countdown_started",
            EventKind::Countdown { .. } => "countdown",
            EventKind::Stage { stage, .. } => stage.as_str(),
            EventKind::SirenOn { .. } => "siren_on",
            EventKind::SirenOff => "siren_off",
            EventKind::Refused { .. } => "refused",
            EventKind::Fault { .. } => "fault",
            EventKind::Restore { .. } => "restore",
            EventKind::Test { .. } => "test",
        }
    }
}

/// The answer to one command, as published on `reply`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub id: Option<String>,
    pub command: CommandName,
    /// `None`: accepted.
    pub refused: Option<Reason>,
    pub incident: Option<Id>,
    /// Whether what was accepted is on disk; `None` for a refusal.
    pub durable: Option<bool>,
    pub message: String,
}
