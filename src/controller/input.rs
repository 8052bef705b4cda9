//! Everything that can happen to the hub.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::moment::{Boottime, Id, Wall};
use super::words::{CallStage, CommandName, Service, TestKind};

/// One thing that happened. Handed to [`super::Controller::step`] together with its [`super::moment::Moment`].
#[derive(Clone, Debug)]
pub enum Input {
    /// Nothing but time: a deadline that [`super::Controller::deadline`] named has come.
    Elapsed,
    /// A message on one of the hub's command topics.
    Command(Received),
    /// The level of a button's line, and since when its driver has seen it.
    Button { index: usize, asserted: bool, at: Boottime },
    /// A button's line cannot be read any more. What it shows when it can be again is as at a start.
    ButtonLost { index: usize },
    /// The link to the home's own broker came up or went down.
    AppLink(LinkChange),
    /// An app that was away listens again, and wants to know what is the case.
    StateWanted,
    /// The link to the monitoring center's broker came up or went down.
    CenterLink(LinkChange),
    /// A message on one of the center's topics, its signature already judged.
    Center(CenterMessage),
    /// What the store found when it was opened: the first input of a process, or a later one if the disk came late.
    Restored(Box<super::effect::Restored>),
    /// The store has answered.
    Store(StoreReport),
    /// A hand or ear of the hub failed or works again.
    Hardware(HardwareReport),
}

/// A message on a command topic, as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// When the driver had it in hand: the countdown runs from here.
    pub arrived: Boottime,
    pub command: CommandName,
    /// The MQTT retain flag.
    pub retained: bool,
    /// The MQTT duplicate flag.
    pub duplicate: bool,
    /// Where the requester wants its reply besides the `reply` topic.
    pub reply_to: Option<ReplyTo>,
    pub content: Result<Content, Malformed>,
}

/// Who waits for a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyTo {
    /// MQTT 5 Response Topic and Correlation Data.
    Topic { topic: String, correlation: Option<Vec<u8>> },
    /// A page of the web panel, under the number that it was given.
    Page(u64),
}

/// What a well-formed command says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Request {
        service: Service,
        /// The app's own id of the command, at most 64 characters.
        id: Option<String>,
        source: Option<String>,
        user: Option<String>,
        sent_at: Option<Wall>,
    },
    Cancel {
        incident: CancelTarget,
        id: Option<String>,
    },
    Silence {
        id: Option<String>,
    },
    Test(TestKind),
}

/// What a cancel is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelTarget {
    /// No incident named: every running countdown.
    Every,
    One(Id),
    /// Text that is no id of ours; kept so that the refusal can name it.
    Unknown(String),
}

/// A command that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The command's id, if at least that could be read.
    pub id: Option<String>,
    /// What is wrong, as the end of a sentence: "the service must be police, fire or siren".
    pub problem: String,
}

/// A link came up or went down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// Connected, and every subscription granted.
    Up,
    Down(LinkProblem),
}

/// Why a link is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkProblem {
    pub kind: LinkProblemKind,
    /// For a person: names the address and what the broker or the system said, as a sentence without its full stop.
    pub detail: String,
}

impl LinkProblem {
    /// The detail as a whole sentence, to be followed by another.
    pub fn sentence(&self) -> String {
        super::wording::sentence(&self.detail)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkProblemKind {
    /// No route, refused, no name, timed out, closed: the ordinary outage.
    Unreachable,
    /// The broker refused user name or password.
    Credentials,
    /// Certificate or handshake.
    Tls,
    /// A subscription was refused.
    Subscription,
    /// Another client connected under our client id.
    TakenOver,
    /// The connection stood, but nothing moved on it.
    Stalled,
    /// The peer broke the protocol, or spoke another one.
    Protocol,
    /// A file that the configuration names cannot be used.
    Configuration,
}

/// A message from the monitoring center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CenterMessage {
    Ack(Ack),
    Update(Update),
    Plan(PlanToken),
    /// Not from our center, not for us, or not understood: changes nothing. The problem ends a sentence.
    Rejected {
        problem: String,
    },
}

/// The center's word that a signal is on its disk, or that it will not take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    pub signal: Id,
    pub result: AckResult,
    /// Grows with each new ack of the account; a repeat carries its first one.
    pub seq: u64,
    /// The alarm opened its incident again, and updates up to this one are of before that.
    pub reopened_after: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckResult {
    Accepted,
    NoMonitoring,
    UnknownAccount,
    /// A refusal with a reason that this version does not know.
    OtherRefusal,
}

/// A step of the call procedure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    pub incident: Id,
    pub seq: u64,
    pub stage: CallStage,
    pub contact: Option<Contact>,
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// 1 for the first emergency contact.
    pub position: u32,
    pub name: String,
}

/// The center's signed word on the account's plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanToken {
    pub plan: String,
    pub professional_monitoring: bool,
    /// What the account still lacks: `contact`, `address`, `password`.
    pub missing: Vec<String>,
    pub serial: u64,
    pub issued_at: Wall,
    pub expires_at: Wall,
    /// The compact JWS itself, kept so that it can be verified again at the next start.
    pub token: String,
}

/// What the store says of the batches it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreReport {
    /// Everything up to and with this ticket is on disk, also what had failed before.
    Committed { ticket: u64 },
    /// This ticket is not on disk. The store keeps it and goes on trying.
    Failed { ticket: u64, problem: String },
    /// The store found a file that it could not read and put it aside.
    PutAside { path: String, problem: String },
    /// Part of what the store held cannot be read; the file stays in use.
    PartlyLost { path: String, problem: String },
    /// The store cannot be opened at all; it goes on trying.
    Unavailable { problem: String },
}

/// The state of a hand or ear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HardwareReport {
    SirenFailed { problem: String },
    SirenWorks,
    LedFailed { problem: String },
    LedWorks,
    ButtonsFailed { problem: String },
    ButtonsWork,
    PanelFailed { problem: String },
    PanelWorks,
}
