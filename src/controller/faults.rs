//! The faults that stand, each with its restore; and whether the hub is ready in spite of them.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::moment::{Boottime, Wall};
use super::report::{EventKind, FaultState};
use super::turn::{Turn, earliest};
use super::wording;

/// A fault that nothing restores by itself goes when it has not come again for this long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
/// A loss of memory is to be seen by whoever looks in once a day.
const LOSS_FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// A fault from before a restart that has not shown again by then is over.
const SHOWS_AGAIN_WITHIN: Duration = Duration::from_secs(10);
/// The subject of a fault from before a restart, until it shows again.
const BEFORE_RESTART: usize = usize::MAX;

/// The longest message of a fault, in bytes. Causes come from libraries and from other machines, and may list whatever
/// there is; but a state with all faults in it must fit into what a broker takes.
const LONGEST_MESSAGE: usize = 300;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FaultCode {
    Storage,
    StoragePutAside,
    Siren,
    Led,
    ButtonLines,
    ButtonStuck,
    ButtonNoisy,
    AppLink,
    Panel,
    CenterLink,
    CenterSilent,
    CenterRefused,
    AlarmUnconfirmed,
    CenterMessage,
    IdentityClash,
    IdReused,
    NotProvisioned,
    PlanDenied,
    PlanUnconfirmed,
    PlanIncomplete,
    PlanRejected,
}

/// None may be left out: the list is in the order of the declaration, and as long.
const _: () = assert!(FaultCode::ALL.len() == FaultCode::PlanRejected as usize + 1);

/// What is the same for every fault of a code.
struct Traits {
    name: &'static str,
    /// Contact ID (SIA DC-05); `None`: the center is not told, because it sees it itself or because it is about the
    /// home alone.
    event_code: Option<u16>,
    /// The hub is not ready while it stands.
    blocks_ready: bool,
    /// It is a single occurrence, not a condition: it goes by itself after this time.
    passes_after: Option<Duration>,
}

impl FaultCode {
    #[rustfmt::skip]
    pub const ALL: [FaultCode; 21] = [
        FaultCode::Storage, FaultCode::StoragePutAside, FaultCode::Siren, FaultCode::Led,
        FaultCode::ButtonLines, FaultCode::ButtonStuck, FaultCode::ButtonNoisy, FaultCode::AppLink, FaultCode::Panel,
        FaultCode::CenterLink, FaultCode::CenterSilent, FaultCode::CenterRefused, FaultCode::AlarmUnconfirmed,
        FaultCode::CenterMessage, FaultCode::IdentityClash, FaultCode::IdReused, FaultCode::NotProvisioned,
        FaultCode::PlanDenied, FaultCode::PlanUnconfirmed, FaultCode::PlanIncomplete, FaultCode::PlanRejected,
    ];

    #[rustfmt::skip]
    fn traits(self) -> Traits {
        let (name, event_code, blocks_ready, passes_after) = match self {
            FaultCode::Storage         => ("storage",           Some(300), true,  None),
            FaultCode::StoragePutAside => ("storage_put_aside", Some(300), false, Some(LOSS_FORGOTTEN_AFTER)),
            FaultCode::Siren           => ("siren",             Some(321), true,  None),
            FaultCode::Led             => ("led",               Some(330), false, None),
            FaultCode::ButtonLines     => ("button_lines",      Some(330), true,  None),
            FaultCode::ButtonStuck     => ("button_stuck",      Some(380), true,  None),
            FaultCode::ButtonNoisy     => ("button_noisy",      Some(380), true,  None),
            FaultCode::AppLink         => ("app_link",          None,      true,  None),
            FaultCode::Panel           => ("panel",             None,      false, None),
            FaultCode::CenterLink      => ("center_link",       None,      true,  None),
            FaultCode::CenterSilent    => ("center_silent",     None,      true,  None),
            FaultCode::CenterRefused   => ("center_refused",    None,      true,  None),
            FaultCode::AlarmUnconfirmed => ("alarm_unconfirmed", None,     true,  None),
            FaultCode::CenterMessage   => ("center_message",    Some(355), false, Some(FORGOTTEN_AFTER)),
            FaultCode::IdentityClash   => ("identity_clash",    None,      true,  None),
            FaultCode::IdReused        => ("id_reused",         None,      false, Some(FORGOTTEN_AFTER)),
            FaultCode::NotProvisioned  => ("not_provisioned",   None,      true,  None),
            FaultCode::PlanDenied      => ("plan_denied",       None,      true,  None),
            FaultCode::PlanUnconfirmed => ("plan_unconfirmed",  None,      false, None),
            FaultCode::PlanIncomplete  => ("plan_incomplete",   None,      true,  None),
            FaultCode::PlanRejected    => ("plan_rejected",     Some(355), false, Some(FORGOTTEN_AFTER)),
        };
        Traits { name, event_code, blocks_ready, passes_after }
    }

    pub fn as_str(self) -> &'static str {
        self.traits().name
    }
}

#[derive(Clone, Debug)]
struct Fault {
    code: FaultCode,
    /// Tells faults of one code apart: a button's number, a link.
    subject: usize,
    since: Wall,
    message: String,
    passes_at: Option<Boottime>,
}

impl Fault {
    /// It stood before a restart, and has not shown again.
    fn is_of_before(&self) -> bool {
        self.subject == BEFORE_RESTART
    }

    /// What people are told while it stands.
    fn said(&self) -> String {
        if self.is_of_before() { wording::before_restart(&self.message) } else { self.message.clone() }
    }
}

/// A fault or restore that the center is to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub restored: bool,
    pub code: &'static str,
    pub event_code: u16,
    pub message: String,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    standing: Vec<Fault>,
    /// For the outbox to take at the end of the turn.
    pub notices: Vec<Notice>,
}

impl Faults {
    /// Raises a fault of which there is only one.
    pub fn raise(&mut self, code: FaultCode, message: String, turn: &mut Turn) {
        self.raise_for(code, 0, message, turn);
    }

    /// Raises a fault, or keeps it standing. A condition whose message has changed is told again; an occurrence that
    /// comes again is not, or a flood of them would flood the events.
    pub fn raise_for(&mut self, code: FaultCode, subject: usize, message: String, turn: &mut Turn) {
        let message = cut(message);
        let traits = code.traits();
        let passes_at = traits.passes_after.map(|span| turn.at.now + span);
        let before_restart = |fault: &&mut Fault| fault.code == code && fault.is_of_before();
        if let Some(fault) = self.standing.iter_mut().find(before_restart) {
            fault.subject = subject;
            // Nothing new, but no longer of before.
            turn.changed = true;
        }
        match self.standing.iter_mut().find(|fault| fault.code == code && fault.subject == subject) {
            Some(fault) => {
                fault.passes_at = passes_at;
                if traits.passes_after.is_some() || fault.message == message {
                    return;
                }
                fault.message.clone_from(&message);
            }
            None => {
                self.notice(code, false, &message);
                let since = turn.at.wall;
                self.standing.push(Fault { code, subject, since, message: message.clone(), passes_at });
            }
        }
        turn.event(EventKind::Fault { code: traits.name }, None, message);
    }

    /// Goes on with a fault that the center was told of before a restart, so that it is told of the restore, too.
    pub fn adopt(&mut self, name: &str, message: &str, since: Wall, now: Boottime) {
        let code = FaultCode::ALL.into_iter().find(|code| code.as_str() == name);
        let Some(code) = code.filter(|&code| !self.stands(code)) else { return };
        let passes_at = Some(now + SHOWS_AGAIN_WITHIN);
        self.standing.push(Fault { code, subject: BEFORE_RESTART, since, message: cut(message.into()), passes_at });
    }

    pub fn clear(&mut self, code: FaultCode, turn: &mut Turn) {
        self.clear_for(code, 0, turn);
    }

    pub fn clear_for(&mut self, code: FaultCode, subject: usize, turn: &mut Turn) {
        let found = self.standing.iter().position(|fault| fault.code == code && fault.subject == subject);
        if let Some(position) = found {
            let fault = self.standing.remove(position);
            let message = wording::restored(&fault.message);
            self.notice(code, true, &message);
            turn.event(EventKind::Restore { code: code.as_str() }, None, message);
        }
    }

    /// Raises or clears by a condition.
    pub fn set(&mut self, code: FaultCode, message: Option<String>, turn: &mut Turn) {
        match message {
            Some(message) => self.raise(code, message, turn),
            None => self.clear(code, turn),
        }
    }

    pub fn elapse(&mut self, turn: &mut Turn) {
        let now = turn.at.now;
        let over: Vec<(FaultCode, usize)> = self
            .standing
            .iter()
            .filter(|fault| fault.passes_at.is_some_and(|passes_at| now >= passes_at))
            .map(|fault| (fault.code, fault.subject))
            .collect();
        for (code, subject) in over {
            self.clear_for(code, subject, turn);
        }
    }

    pub fn deadline(&self) -> Option<Boottime> {
        self.standing.iter().fold(None, |soonest, fault| earliest(soonest, fault.passes_at))
    }

    pub fn any(&self) -> bool {
        !self.standing.is_empty()
    }

    /// The message of the first fault that keeps the hub from being ready; one that stands now goes before one of before
    /// a restart.
    pub fn obstacle(&self) -> Option<String> {
        let obstacles = || self.standing.iter().filter(|fault| fault.code.traits().blocks_ready);
        obstacles().find(|fault| !fault.is_of_before()).or_else(|| obstacles().next()).map(Fault::said)
    }

    /// What is said of the first fault of this code that stands. One of before a restart may be over.
    pub fn message(&self, code: FaultCode) -> Option<&str> {
        let found = self.standing.iter().find(|fault| fault.code == code && !fault.is_of_before());
        found.map(|fault| fault.message.as_str())
    }

    pub fn states(&self) -> Vec<FaultState> {
        let state = |fault: &Fault| FaultState { code: fault.code.as_str(), since: fault.since, message: fault.said() };
        self.standing.iter().map(state).collect()
    }

    fn stands(&self, code: FaultCode) -> bool {
        self.standing.iter().any(|fault| fault.code == code)
    }

    /// The center keeps one fault a code: it hears of the first that comes, and of the restore of the last that goes.
    fn notice(&mut self, code: FaultCode, restored: bool, message: &str) {
        let traits = code.traits();
        if self.stands(code) {
            return;
        }
        if let Some(event_code) = traits.event_code {
            self.notices.push(Notice { restored, code: traits.name, event_code, message: message.into() });
        }
    }
}

/// Not more than [`LONGEST_MESSAGE`], and to be seen where something is left out.
fn cut(mut message: String) -> String {
    const LEFT_OUT: &str = "…";
    if message.len() > LONGEST_MESSAGE {
        let end = (0..=LONGEST_MESSAGE - LEFT_OUT.len()).rev().find(|&end| message.is_char_boundary(end));
        message.truncate(end.unwrap_or(0));
        message.push_str(LEFT_OUT);
    }
    message
}
