//! What the console shows: plain values, made by asking the desk. The console adds nothing but words and pixels.

use core::time::Duration;

use super::records::{CallRecord, SecurityRecord, StepRecord};
use super::words::{Account, AccountId};
use crate::controller::moment::{Id, Wall};
use crate::controller::words::{Service, Stage};

/// How the center itself is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthView {
    /// Why the link to the broker is down: no hub is heard. A sentence.
    pub broker: Option<String>,
    /// Why nothing can be written: no ack is given. A sentence.
    pub store: Option<String>,
    pub simulated: bool,
}

/// The open incidents, the most urgent first: those that wait for an operator before those that do not, fire and police
/// alike, older ones first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    pub health: HealthView,
    pub open: Vec<IncidentLine>,
    /// Those that ended last, newest first; at most 20.
    pub ended: Vec<IncidentLine>,
    /// Hubs that are offline or have faults.
    pub hubs_in_trouble: usize,
    /// Grows each time that an alarm comes in, cries again or has waited too long for an operator: the page sounds.
    pub alarm_number: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentLine {
    pub id: Id,
    pub account: AccountId,
    /// Of the account.
    pub name: String,
    pub address: String,
    pub service: Service,
    /// As the hub sees it.
    pub stage: Stage,
    /// Help is to be sent now. After a wrong password, or with nobody to call, the hub's stage does not say so.
    pub dispatch_is_due: bool,
    pub received_wall: Wall,
    /// When the first contact was first called.
    pub first_call_wall: Option<Wall>,
    pub ended_wall: Option<Wall>,
    /// The next step is an operator's.
    pub waits_for_operator: bool,
    /// Nobody has acted on it for 60 s although it waits.
    pub overdue: bool,
    /// The console sounds for it: it waits and nobody has ever acted on it, it is overdue, or since somebody acted it has
    /// cried again, help could not be asked for, or the center was restarted.
    pub cries: bool,
    /// Who acted last.
    pub operator: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentView {
    pub line: IncidentLine,
    /// To be sent back with an order.
    pub step: u32,
    pub source: Option<String>,
    pub user: Option<String>,
    pub raised_wall: Option<Wall>,
    pub resumed: bool,
    pub account: Account,
    pub plan_is_monitored: bool,
    /// The user tried to cancel: when. Changes nothing.
    pub cancel_requested_wall: Option<Wall>,
    /// What is to be done now, as a sentence.
    pub advice: String,
    /// The button for the next step; absent while the center waits for somebody else.
    pub next: Option<Button>,
    /// What else may be pressed.
    pub others: Vec<Button>,
    /// The call that is under way: whose it is, and how much longer the telephone rings (`None` once answered).
    pub call: Option<CallView>,
    pub calls: Vec<CallRecord>,
    /// Oldest first.
    pub history: Vec<StepRecord>,
    pub hub: HubStanding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallView {
    pub position: u32,
    pub name: String,
    pub phone: String,
    pub rings_for: Option<Duration>,
}

/// The buttons of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    CallFirstContact,
    Answered,
    Confirmed,
    /// Needs the verbal password.
    CancelledByContact,
    NoAnswer,
    Dispatch,
    CallNextContact,
    Close,
}

impl Button {
    pub const ALL: [Button; 8] = [
        Button::CallFirstContact,
        Button::Answered,
        Button::Confirmed,
        Button::CancelledByContact,
        Button::NoAnswer,
        Button::Dispatch,
        Button::CallNextContact,
        Button::Close,
    ];

    /// What stands on it.
    pub fn label(self) -> &'static str {
        match self {
            Button::CallFirstContact => "Call first contact",
            Button::Answered => "Answered",
            Button::Confirmed => "Confirmed",
            Button::CancelledByContact => "Cancelled by contact",
            Button::NoAnswer => "No answer",
            Button::Dispatch => "Dispatch",
            Button::CallNextContact => "Call next contact",
            Button::Close => "Close",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubLine {
    pub account: AccountId,
    pub name: String,
    pub standing: HubStanding,
    pub heartbeat_wall: Option<Wall>,
    /// What the broker says of its connection; a hint.
    pub linked: Option<bool>,
    pub plan: String,
    pub monitored: bool,
    pub missing: Vec<&'static str>,
    /// Code, message, since.
    pub faults: Vec<(String, String, Wall)>,
    pub closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubStanding {
    /// Never heard of.
    New,
    Online,
    /// A heartbeat is overdue.
    Offline,
    /// We have no link to the broker ourselves, or not for long enough to tell.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubsView {
    pub health: HealthView,
    /// Those in trouble, at most 200.
    pub in_trouble: Vec<HubLine>,
    pub in_trouble_total: usize,
    /// All of them by account, from the one asked for; at most 100.
    pub page: Vec<HubLine>,
    /// The account that the next page begins with.
    pub next: Option<AccountId>,
    pub total: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityView {
    /// Newest first; at most 200.
    pub rows: Vec<SecurityRecord>,
}
