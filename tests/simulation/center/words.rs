//! What can be seen of the monitoring center from outside: the words on its topics, and its books.

use serde::Deserialize;
use sos_hub::center::desk::records::StepRecordState;
use sos_hub::center::desk::words::Verdict;

/// The account of the hub, and one of somebody else.
pub const ACCOUNT: &str = "a-17";
pub const NEIGHBOUR: &str = "b-18";

/// A signal that the center has on its disk.
#[derive(Clone, Debug)]
pub struct Taking {
    pub claims: Claims,
    pub verdict: Verdict,
}

/// A signal's claims, as far as they matter here.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    pub jti: String,
    pub kind: String,
    pub incident: Option<String>,
    pub service: Option<String>,
    #[serde(default)]
    pub repeat: bool,
    pub seq: u64,
    pub code: Option<String>,
}

/// What a true token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Ack { jti: String, kind: String, incident: Option<String>, verdict: Verdict, seq: u64 },
    Update { incident: String, seq: u64, stage: &'static str },
    Plan { serial: u64, monitoring: bool },
}

/// A row of the center's books that is on its disk.
#[derive(Clone, Debug)]
pub enum Booked {
    Incident { id: String, account: String, service: &'static str, step: StepRecordState },
    Update { incident: String, seq: u64, stage: &'static str },
}

/// What a crash of the center took away although it was not waited for any longer: of that nothing can be demanded.
#[derive(Clone, Debug, Default)]
pub struct CenterLost {
    pub incidents: Vec<String>,
}
