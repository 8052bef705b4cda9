//! Everything that can happen to the desk.

use super::records::{PastSignal, Restored, StoredIncident};
use super::words::{Account, AccountId, CallOutcome, Order, Signal};
use crate::controller::input::LinkChange;
use crate::controller::moment::{Id, Wall};

#[derive(Clone, Debug)]
pub enum Input {
    /// What the store holds; the first input of all.
    Restored(Box<Restored>),
    /// A deadline is over, or nothing: the desk looks itself.
    Elapsed,
    /// A signal that its hub has signed.
    Signal(Box<Signal>),
    /// The answer to [`super::effect::Effect::LookUp`].
    LookedUp {
        signal: Box<Signal>,
        past: Past,
    },
    /// A message on a hub's topic that is not what it has to be. Nobody is answered.
    Rejected {
        /// Of the topic, if there is such an account.
        account: Option<AccountId>,
        /// What is wrong, naming no person: "is not signed by the account's hub". After "A message on the topic signal".
        problem: String,
    },
    /// The word on a hub's topic `link`.
    Hint {
        account: AccountId,
        online: bool,
    },
    /// Our own link to the broker.
    Broker(LinkChange),
    /// An operator has pressed a button.
    Order {
        /// For the answer.
        ticket: u64,
        operator: String,
        incident: Id,
        /// [`super::view::IncidentView::step`] of the page that the button was on.
        step: u32,
        order: Order,
    },
    /// Something that somebody did outside the procedure, for the audit trail: a log-in, a refused one.
    Audit {
        who: String,
        what: String,
    },
    /// A telephony provider's word on a call of ours.
    Call {
        call: Id,
        outcome: CallOutcome,
    },
    /// What came of trying to have a call placed.
    Placed {
        call: Id,
        outcome: Placed,
    },
    /// What came of asking a dispatch service, for [`super::effect::Effect::AskDispatch`].
    DispatchAsked {
        incident: Id,
        /// Of the request: which alarm of the incident the answer is about.
        received_wall: Wall,
        outcome: Placed,
    },
    /// Accounts that are new or have changed.
    Accounts(Vec<Account>),
    Store(StoreReport),
}

/// What the store knows of a signal and of the incidents it is about.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The signal came before, and this was the answer.
    pub signal: Option<PastSignal>,
    /// Those of the incidents asked for that there are.
    pub incidents: Vec<StoredIncident>,
}

/// Whether an outside service took what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    Taken,
    /// It certainly did nothing: it was not reached or said so. It may be asked again.
    NotTaken {
        problem: String,
    },
    /// It was asked and did not answer in time: it may have acted, and is not asked again.
    Unclear {
        problem: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreReport {
    /// The records of these tickets are on disk.
    Committed { tickets: Vec<u64> },
    /// The store does not work. What it was given is kept, tried again, and reported once it is on disk.
    Failing { problem: String },
    /// It works again.
    Working,
}
