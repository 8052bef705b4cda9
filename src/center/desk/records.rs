//! What the store is given to keep, and what it gives back at a start. Times are wall times; a deadline begins anew
//! after a restart.

use core::time::Duration;

use super::effect::Update;
use super::words::{Account, AccountId, PlanToken, Verdict};
use crate::controller::moment::{Id, Wall};
use crate::controller::words::Service;

/// One row to keep. Those with a key replace the row of that key, the others are only ever added.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// Added. A signal with its answer. Heartbeats and refusals of closed accounts are not kept.
    Signal(SignalRecord),
    /// Key: the id.
    Incident(IncidentRecord),
    /// Added. What a hub was told.
    Update(Update),
    /// Added. A line of an incident's history.
    Step(StepRecord),
    /// Key: the id.
    Call(CallRecord),
    /// Key: the account. Changes with each heartbeat.
    Hub(HubRecord),
    /// Key: account and code.
    HubFault { account: AccountId, code: String, message: String, since_wall: Wall },
    /// Removes the fault.
    HubRestored { account: AccountId, code: String },
    /// Key: the account. The token issued last.
    Token(PlanToken),
    /// Added. Who did what when; never changed, never removed.
    Audit(AuditRecord),
    /// Key: the number. The store keeps the newest 10,000.
    Security(SecurityRecord),
}

#[derive(Clone, Debug, PartialEq)]
pub struct SignalRecord {
    pub jti: Id,
    pub account: AccountId,
    /// As in the claim.
    pub kind: &'static str,
    pub incident: Option<Id>,
    pub received_wall: Wall,
    pub verdict: Verdict,
    /// The `seq` of its ack.
    pub ack_seq: u64,
    /// See [`PastSignal::reopened_after`].
    pub reopened_after: Option<u64>,
    /// The verified claims: the text of a JSON object.
    pub claims: String,
}

/// What was answered to a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastSignal {
    pub jti: Id,
    pub verdict: Verdict,
    pub ack_seq: u64,
    pub received_wall: Wall,
    /// It opened its incident again: the `seq` of the last update before that, which had said that all was over. A broker
    /// that delivers that update after this ack would else have the hub end what goes on.
    pub reopened_after: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IncidentRecord {
    pub id: Id,
    pub account: AccountId,
    pub service: Service,
    pub source: Option<String>,
    pub user: Option<String>,
    /// By the hub's clock.
    pub raised_wall: Option<Wall>,
    pub received_wall: Wall,
    pub resumed: bool,
    /// When the first call of the present round was placed.
    pub first_call_wall: Option<Wall>,
    pub step: StepRecordState,
    /// Grows with everything that happens to it.
    pub step_number: u32,
    /// The `seq` of the last update.
    pub update_seq: u64,
    /// The operator who acted last.
    pub operator: Option<String>,
    pub ended_wall: Option<Wall>,
}

/// Where the procedure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepRecordState {
    /// Nobody has been called.
    Waiting,
    /// The first contact is being called.
    CallingFirst {
        call: Id,
        answered: bool,
    },
    /// Help is to be sent.
    DispatchDue {
        reason: DispatchReason,
    },
    /// Help was sent. `called` contacts have been called, the first included.
    Dispatched {
        called: u32,
        call: Option<Id>,
    },
    Cancelled,
    Closed,
}

impl StepRecordState {
    /// The first contact is on the line.
    pub fn is_answered(self) -> bool {
        matches!(self, StepRecordState::CallingFirst { answered: true, .. })
    }
}

/// Why help is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DispatchReason {
    Confirmed,
    NoAnswer,
    WrongPassword,
    /// The account has nobody to call.
    NoContact,
}

impl DispatchReason {
    pub fn as_str(self) -> &'static str {
        match self {
            DispatchReason::Confirmed => "confirmed",
            DispatchReason::NoAnswer => "no_answer",
            DispatchReason::WrongPassword => "wrong_password",
            DispatchReason::NoContact => "no_contact",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    pub incident: Id,
    /// 1, 2, … an incident.
    pub number: u32,
    pub wall: Wall,
    /// An operator's name, or nobody: the center itself.
    pub operator: Option<String>,
    /// A sentence for people.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    pub id: Id,
    pub incident: Id,
    /// The contact's, from 1.
    pub position: u32,
    pub contact: String,
    pub placed_wall: Wall,
    /// `confirmed`, `cancelled`, `wrong_password`, `no_answer`, `answered`; `None` while it goes on or if nobody
    /// recorded it.
    pub outcome: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct HubRecord {
    pub account: AccountId,
    /// The last heartbeat, by our clock.
    pub heartbeat_wall: Option<Wall>,
    pub interval: Duration,
    pub offline: bool,
    /// Of the last new ack.
    pub ack_seq: u64,
    /// The highest `seq`, and the latest `sent_at` that was not ahead of our clock, of its heartbeats: against those that
    /// are replayed.
    pub signal_seq: u64,
    pub sent_wall: Option<Wall>,
    /// The earliest and the latest `sent_at` that were ahead of our clock, until it has passed them: a recording would be
    /// believed when their time has come.
    pub ahead: Option<(Wall, Wall)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    pub wall: Wall,
    /// `operator ann`, `command line (root)`, `center`.
    pub who: String,
    /// A sentence.
    pub what: String,
    pub account: Option<AccountId>,
    pub incident: Option<Id>,
}

/// Something that was rejected. What comes again soon is counted, not added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityRecord {
    pub number: u64,
    pub first_wall: Wall,
    pub last_wall: Wall,
    pub count: u64,
    /// The topic's, if there is such an account.
    pub account: Option<AccountId>,
    pub problem: String,
}

/// An incident with all that is needed to go on with it and to show it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredIncident {
    pub incident: IncidentRecord,
    pub updates: Vec<Update>,
    pub steps: Vec<StepRecord>,
    pub calls: Vec<CallRecord>,
}

/// What the store holds at a start.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    pub accounts: Vec<Account>,
    pub hubs: Vec<HubRecord>,
    /// Account, code, message, since.
    pub faults: Vec<(AccountId, String, String, Wall)>,
    pub tokens: Vec<PlanToken>,
    /// All that are open, and the 200 that ended last.
    pub incidents: Vec<StoredIncident>,
    /// The newest 10,000, oldest first.
    pub signals: Vec<PastSignal>,
    /// The newest 200, oldest first.
    pub security: Vec<SecurityRecord>,
}
