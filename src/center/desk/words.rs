//! The words that the desk, its store, its calls and its console share.

use core::borrow::Borrow;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use crate::controller::moment::{ClockStanding, Id, Wall};
use crate::controller::words::Service;

/// The name of an account: one level of a topic. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Arc<str>);

impl AccountId {
    pub fn new(text: &str) -> AccountId {
        AccountId(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// So that a map of accounts can be asked with the text of a topic.
impl Borrow<str> for AccountId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    /// As given: for a person or a telephony provider to dial.
    pub phone: String,
}

/// What a family has agreed with the center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    /// Who lives there; empty if not known.
    pub name: String,
    /// Where help is sent; empty if not known.
    pub address: String,
    /// One of the configuration's plans, or `none`.
    pub plan: String,
    /// In the order in which they are called.
    pub contacts: Vec<Contact>,
    /// Whether a verbal password was agreed. The desk never knows it, nor its hash.
    pub has_password: bool,
    /// The account was ended. Its key is kept, so that its hub is told so.
    pub closed: bool,
}

/// A signal of a hub, its signature verified with the account's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub jti: Id,
    pub account: AccountId,
    pub kind: SignalKind,
    /// `button:hallway`, `dashboard`, …; as the hub says.
    pub source: Option<String>,
    pub user: Option<String>,
    pub raised_wall: Option<Wall>,
    pub sent_wall: Option<Wall>,
    /// How old it is by the hub's boot clock: a lower bound while its clock is not synchronised.
    pub age: Duration,
    pub clock: ClockStanding,
    /// Grows with each signal that a hub makes; starts again if the hub lost its memory.
    pub seq: u64,
    /// The verified claims as they came: the text of a JSON object.
    pub claims: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalKind {
    Alarm {
        incident: Id,
        /// Police or fire, never the siren alone.
        service: Service,
        /// The countdown was started afresh after a reboot.
        resumed: bool,
        /// A further cry for an incident that the center may have already.
        repeat: bool,
    },
    /// The user tried to cancel after the countdown.
    CancelRequest {
        incident: Id,
    },
    Test {
        periodic: bool,
    },
    Heartbeat {
        /// When the next one is due at the latest.
        interval: Duration,
        /// The hub's open incidents with the `seq` of the last update that it took; at most 64.
        open: Vec<(Id, u64)>,
    },
    Fault {
        code: String,
        message: String,
    },
    Restore {
        code: String,
        message: String,
    },
}

impl SignalKind {
    /// As in the claim `kind`.
    pub fn as_str(&self) -> &'static str {
        match self {
            SignalKind::Alarm { .. } => "alarm",
            SignalKind::CancelRequest { .. } => "cancel_request",
            SignalKind::Test { .. } => "test",
            SignalKind::Heartbeat { .. } => "heartbeat",
            SignalKind::Fault { .. } => "fault",
            SignalKind::Restore { .. } => "restore",
        }
    }
}

/// The answer to a signal. For a repeat it is said again as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    pub account: AccountId,
    /// The signal's `jti`.
    pub signal: Id,
    pub verdict: Verdict,
    /// Grows with each new ack of the account.
    pub seq: u64,
    pub received_wall: Wall,
    /// See [`PastSignal::reopened_after`](super::records::PastSignal::reopened_after).
    pub reopened_after: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// Refused: the account's plan has no professional monitoring. Ends the incident at the hub.
    NoMonitoring,
    /// Refused: the account was closed. The hub goes on owing the signal.
    UnknownAccount,
}

/// How a call ended, or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// Somebody is on the line. Of the first contact: ringing is over and what he says is awaited. Of the others: the
    /// outcome.
    Answered,
    /// First contact: help is needed.
    Confirmed,
    /// First contact: no help is needed, and how the verbal password was.
    Cancelled(PasswordCheck),
    NoAnswer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    Right,
    /// Wrong, not given, or none was ever agreed.
    Wrong,
}

/// What an operator may order for an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    CallFirstContact,
    /// What came of the call that is under way.
    Outcome(CallOutcome),
    /// Police or fire has been sent, by the operator's own call.
    Dispatch,
    CallNextContact,
    Close,
    /// For the history alone.
    Note(String),
}

/// Why an order was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefusal {
    UnknownIncident,
    /// The incident has moved on since the operator's page was made: somebody else was faster, or a time ran out.
    MovedOn,
    /// The procedure does not allow it at this step.
    NotNow,
}

/// A plan token's claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanToken {
    pub account: AccountId,
    pub plan: String,
    pub professional_monitoring: bool,
    /// What the account lacks: `contact`, `address`, `password`.
    pub missing: Vec<&'static str>,
    /// Higher with every new token of the account.
    pub serial: u64,
    /// Whole seconds.
    pub issued_wall: Wall,
    /// Whole seconds.
    pub expires_wall: Wall,
}
