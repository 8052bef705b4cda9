//! Everything that the hub can do.

use alloc::string::String;
use alloc::vec::Vec;

use super::input::ReplyTo;
use super::moment::{BootId, Boottime, ClockStanding, Id, Wall};
use super::report::{Event, Reply, State};
use super::words::{CommandName, Pattern, Service, Stage};

/// One thing to do. The loop carries effects out in their order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Drive the siren's line: a level, not a pulse, so that doing it twice is harmless.
    Siren { asserted: bool },
    /// Drive the LED's line.
    Led { lit: bool },
    /// Commit these records together, then answer with the ticket.
    Persist(Batch),
    /// Tell people, over the home's broker.
    Tell(Report),
    /// Sign this signal and hand it to the center's broker.
    Transmit(Signal),
    /// One line for the log.
    Log(LogLine),
}

impl Effect {
    /// Less is sooner: the siren waits for nothing, and an alarm for nothing but the siren.
    pub(super) fn urgency(&self) -> u8 {
        match self {
            Effect::Siren { .. } => 0,
            Effect::Transmit(signal) if signal.kind == SignalKind::Alarm => 1,
            _ => 2,
        }
    }
}

/// What is published to the home's broker.
#[derive(Clone, Debug)]
pub enum Report {
    State(State),
    Event(Event),
    Reply { reply: Reply, reply_to: Option<ReplyTo> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub severity: Severity,
    pub incident: Option<Id>,
    /// The short fixed name of what happened, as in `event` or the fault's code.
    pub topic: &'static str,
    /// No names, numbers or places: those are for DEBUG only.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Debug,
    Info,
    Warning,
}

/// Records that belong together: all of them are on disk or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Grows by one with each batch of a process.
    pub ticket: u64,
    pub records: Vec<Record>,
}

/// One row to remember. A record replaces the earlier one with the same key, so that writing twice is harmless.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// Key: the id. Where an incident stands, whole.
    Incident(IncidentRecord),
    /// Key: incident and `seq`. A line of its history; rows are only added.
    Step(StepRecord),
    /// Key: the `jti`. What is owed to the center, or was.
    Signal(SignalRecord),
    /// Key: the command's id. The reply that a repeat gets again.
    Reply(ReplyRecord),
    /// Forget replies of this age: wall order is not to be trusted, so they go by their serial number.
    ForgetRepliesBefore { serial: u64 },
    /// Key: the incident that the siren sounds for. How much of its maximum is used up.
    Sounding(SoundingRecord),
    /// The siren does not sound for this incident any more.
    Silenced { incident: Id },
    /// The one row of counters.
    Counters(CountersRecord),
    /// The last valid plan token; the store also writes it to `plan.jwt` outside the database.
    Plan { serial: u64, token: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRecord {
    pub id: Id,
    pub service: Service,
    pub source: String,
    pub user: Option<String>,
    pub stage: Stage,
    /// The `jti` of its alarm, drawn when it was accepted.
    pub alarm: Id,
    /// The boot that `accepted` and `deadline` belong to.
    pub boot: BootId,
    pub accepted: Boottime,
    /// When the countdown ends or ended.
    pub deadline: Boottime,
    pub accepted_wall: Wall,
    pub clock: ClockStanding,
    /// Its countdown was started afresh after a reboot.
    pub resumed: bool,
    /// The `seq` of the last update of the center that was taken.
    pub update_seq: u64,
    /// The center has acknowledged an alarm of it: it is on the center's disk.
    pub taken: bool,
    /// Wall time of its end; `None` while it is open.
    pub ended_wall: Option<Wall>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    pub incident: Id,
    /// The `seq` of the event that told of it.
    pub seq: u64,
    pub stage: Stage,
    pub wall: Wall,
    pub clock: ClockStanding,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalRecord {
    pub signal: Signal,
    /// The center has acked it.
    pub settled: bool,
}

/// What the hub says to the center. All but `age` is fixed when it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub jti: Id,
    pub kind: SignalKind,
    pub incident: Option<Id>,
    pub service: Option<Service>,
    pub source: Option<String>,
    pub user: Option<String>,
    pub resumed: bool,
    pub repeat: bool,
    /// The plan's name as the hub knows it.
    pub plan: Option<String>,
    /// 1, 2, … in the order in which they were made; 0 in the record of one that was withdrawn before it was sent.
    pub seq: u64,
    /// The boot that `raised` belongs to.
    pub boot: BootId,
    pub raised: Boottime,
    pub raised_wall: Wall,
    pub clock: ClockStanding,
    /// How old it was already when `raised` was set anew after a reboot, at least, in milliseconds.
    pub age_base_ms: u64,
    /// Set at each transmission: how old it is now, in milliseconds; a lower bound while the clock is unsynced.
    pub age_ms: u64,
    /// Set at each transmission.
    pub sent_wall: Wall,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalKind {
    Alarm,
    CancelRequest,
    Test {
        periodic: bool,
    },
    /// `open`: the incidents that the hub holds to be open, and the last update seen of each.
    Heartbeat {
        interval_seconds: u32,
        open: Vec<(Id, u64)>,
    },
    /// `code` is the fault's code as in `state`, `event_code` its Contact ID code.
    Fault {
        code: String,
        event_code: u16,
        message: String,
    },
    Restore {
        code: String,
        event_code: u16,
        message: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyRecord {
    pub id: String,
    /// Grows by one with each reply remembered.
    pub serial: u64,
    pub command: CommandName,
    /// What the command asked for: a repeat with another is refused.
    pub service: Option<Service>,
    /// The incident that a cancel named.
    pub named_incident: Option<Id>,
    /// The incident of the reply.
    pub incident: Option<Id>,
    pub durable: bool,
    pub message: String,
    pub boot: BootId,
    pub accepted: Boottime,
    pub accepted_wall: Wall,
    pub clock: ClockStanding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundingRecord {
    pub incident: Id,
    pub pattern: Pattern,
    /// The boot that `until` belongs to.
    pub boot: BootId,
    pub until: Boottime,
    /// How much of the maximum was left when this was written, in milliseconds.
    pub left_ms: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountersRecord {
    /// The last event's `seq`.
    pub event_seq: u64,
    /// No signal has a `seq` above this one.
    pub signal_seq: u64,
    /// The highest `seq` of an ack seen.
    pub ack_seq: u64,
    /// When the last periodic test was drawn; before the first, when the hub first started.
    pub periodic_test: Option<Wall>,
}

/// What the store found at start, in the form in which it was written.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// All that are open, and the latest that ended (at least 200), oldest first.
    pub incidents: Vec<IncidentRecord>,
    /// All that are owed, and the latest that were settled (at least 200), oldest first.
    pub signals: Vec<SignalRecord>,
    pub replies: Vec<ReplyRecord>,
    pub sounding: Vec<SoundingRecord>,
    pub counters: CountersRecord,
    /// From the database and from `plan.jwt`, where there is one: verified, the higher serial counts.
    pub plan: Option<super::input::PlanToken>,
}
