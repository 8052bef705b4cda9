//! What can be seen of a hub from outside, entry by entry. The checkers judge nothing else.

use serde::Deserialize;
use sos_hub::controller::words::{Service, TestKind};

use crate::center::words::{Booked, CenterLost, Meaning, Taking};
use crate::disk::Lost;
use crate::plan::Crash;
use crate::time::At;

#[derive(Clone, Debug)]
pub enum Entry {
    /// A process starts; the siren's line is at rest.
    Started {
        reboot: bool,
    },
    /// Its loop turns.
    Ready,
    /// It has what the disk holds: at once, or later if the disk was late.
    Remembers,
    Ended {
        how: Crash,
        lost: Lost,
    },
    /// The loop stands still until then.
    Hung {
        until: At,
    },
    /// The hub has been asked for something: a message reached it, or a button was held for its time.
    Asked(Ask),
    /// Each time that the loop has carried out a turn's effects.
    Turned,
    Siren {
        asserted: bool,
    },
    Reply {
        ask: Option<usize>,
        reply: Reply,
        on_disk: bool,
    },
    Event(Event),
    State(State),
    /// Handed to the link to the center's broker.
    Sent(Sent),
    CenterLink {
        up: bool,
    },
    /// The center has it on its disk.
    Took(Taking),
    /// A row of the center's books is on its disk.
    Booked(Booked),
    /// The center says something, whatever becomes of it on its way.
    Said(Meaning),
    /// A true token of the center reached the hub.
    Given(Meaning),
    /// The center's loop turns.
    CenterStarted {
        calls_are_simulated: bool,
    },
    CenterEnded(CenterLost),
    /// An alarm of the hub, with its true signature, reached the center's process.
    AlarmHeard {
        jti: String,
        incident: String,
        repeat: bool,
    },
    /// The center's disk does not say in time whether this alarm came before.
    NotLookedUp {
        jti: String,
        incident: String,
    },
    /// The first contact cancels with the right password, and somebody records it.
    ContactCancels {
        incident: String,
    },
    /// The operator was told that it counts.
    CancelRecorded {
        incident: String,
    },
    /// The dispatch service is asked.
    HelpAsked {
        incident: String,
        service: &'static str,
    },
    /// Police or fire department leaves.
    HelpSent {
        incident: String,
        service: &'static str,
    },
    Healed,
}

#[derive(Clone, Debug)]
pub struct Ask {
    pub number: usize,
    /// For a message, when the driver had it.
    pub at: At,
    pub what: Asked,
    pub worth: Worth,
    pub press: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Request(Service),
    /// The incident that it names; `None`: every one.
    Cancel(Option<String>),
    Silence,
    Test(TestKind),
}

/// What may come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It counts.
    Good,
    /// It depends on what only the hub can know.
    Perhaps,
    /// It must start nothing; refused for one of these reasons, as far as it is answered.
    Never(&'static [&'static str]),
}

#[derive(Clone, Debug)]
pub struct Sent {
    pub jti: String,
    pub kind: &'static str,
    pub incident: Option<String>,
    /// A further cry, by its own claim.
    pub repeat: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Reply {
    pub command: String,
    pub outcome: String,
    pub reason: Option<String>,
    pub incident: Option<String>,
    pub durable: Option<bool>,
    pub message: String,
    pub id: Option<String>,
}

impl Reply {
    pub fn accepted(&self) -> bool {
        self.outcome == "accepted"
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    pub seq: u64,
    #[serde(rename = "type")]
    pub kind: String,
    pub incident: Option<String>,
    pub service: Option<String>,
    pub message: String,
    pub resumed: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct State {
    pub phase: String,
    pub message: String,
    pub incidents: Vec<IncidentState>,
    pub siren: SirenState,
    pub plan: PlanState,
    pub center: CenterState,
    pub ready: bool,
    pub faults: Vec<FaultState>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct IncidentState {
    pub id: String,
    pub service: String,
    pub source: String,
    pub stage: String,
    pub message: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SirenState {
    pub sounding: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PlanState {
    pub standing: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CenterState {
    pub owed: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct FaultState {
    pub code: String,
}
