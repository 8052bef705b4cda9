//! Everything that the desk can do.

use super::records::Record;
use super::words::{AccountId, Ack, Contact, OrderRefusal, PlanToken, Signal};
use crate::controller::effect::LogLine;
use crate::controller::moment::{Id, Wall};
use crate::controller::words::{CallStage, Service};

/// One thing to do. The loop carries effects out in their order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Commit these records together and in order, batches in the order of their tickets, then answer with the ticket.
    Persist(Batch),
    /// Look for what is not in the desk's memory, then answer with [`super::input::Input::LookedUp`]. The signal is to be
    /// found by its account and `jti` together.
    LookUp { signal: Box<Signal>, incidents: Vec<Id> },
    /// Sign and publish.
    Say(Said),
    /// Have a telephony provider call somebody. Never asked twice with one id.
    PlaceCall(Box<CallRequest>),
    /// Ask a dispatch service for help. Asked again after an answer of "not taken", and after a restart without an
    /// answer: the service is to know a second request for one incident by its id.
    AskDispatch(Box<DispatchRequest>),
    /// Tell whoever is to be told when no operator looks.
    Alert(Box<AlertRequest>),
    /// The answer to an order.
    Answer { ticket: u64, outcome: Result<(), OrderRefusal> },
    /// What the console shows has changed.
    Changed(Changed),
    /// One line for the log.
    Log(LogLine),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Grows by one with each batch of a process.
    pub ticket: u64,
    pub urgency: Urgency,
    pub records: Vec<Record>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody's alarm waits for it.
    Now,
    /// Heartbeats: may be put together with others for up to 50 ms.
    Soon,
}

/// What a hub is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Ack(Ack),
    Update(Update),
    /// Retained.
    Plan(PlanToken),
}

/// A step of the procedure, for the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    pub account: AccountId,
    pub incident: Id,
    /// 1, 2, … an incident.
    pub seq: u64,
    pub stage: CallStage,
    /// The position from 1, and the name.
    pub contact: Option<(u32, String)>,
    pub note: Option<String>,
    pub at_wall: Wall,
}

/// What a telephony provider is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    /// Names the call for ever: the provider's key against ringing twice.
    pub call: Id,
    pub account: AccountId,
    pub name: String,
    pub address: String,
    pub incident: Id,
    pub service: Service,
    /// From 1.
    pub position: u32,
    pub contact: Contact,
}

/// What a dispatch service is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchRequest {
    pub account: AccountId,
    pub name: String,
    pub address: String,
    pub incident: Id,
    pub service: Service,
    pub raised_wall: Option<Wall>,
    /// `confirmed`, `no_answer`, `wrong_password`, `no_contact`.
    pub reason: &'static str,
}

/// An alarm that no operator takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRequest {
    pub account: AccountId,
    pub incident: Id,
    pub service: Service,
    pub received_wall: Wall,
}

/// Which of the console's pages are out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// This incident, and with it the queue.
    Incident(Id),
    /// Some hub's standing or fault.
    Hubs,
    /// The list of what was rejected.
    Security,
    /// The state of our own link or store.
    Health,
}
