//! The words that the hub, the apps and the center share.

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    Police,
    Fire,
    /// The siren alone: nobody outside is told.
    Siren,
}

impl Service {
    pub const ALL: [Service; 3] = [Service::Police, Service::Fire, Service::Siren];

    pub fn as_str(self) -> &'static str {
        match self {
            Service::Police => "police",
            Service::Fire => "fire",
            Service::Siren => "siren",
        }
    }

    pub fn parse(text: &str) -> Option<Service> {
        Service::ALL.into_iter().find(|service| service.as_str() == text)
    }

    /// Whether the monitoring center has a part in it.
    pub fn is_monitored(self) -> bool {
        self != Service::Siren
    }
}

/// The command topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandName {
    Request,
    Cancel,
    Silence,
    Test,
}

impl CommandName {
    pub const ALL: [CommandName; 4] =
        [CommandName::Request, CommandName::Cancel, CommandName::Silence, CommandName::Test];

    pub fn as_str(self) -> &'static str {
        match self {
            CommandName::Request => "request",
            CommandName::Cancel => "cancel",
            CommandName::Silence => "silence",
            CommandName::Test => "test",
        }
    }
}

/// What a test exercises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestKind {
    Siren,
    Center,
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Countdown,
    Aborted,
    Sounding,
    Requested,
    Acknowledged,
    CallingFirstContact,
    Confirmed,
    CancelledByContact,
    NoAnswer,
    Dispatched,
    CallingOtherContacts,
    RefusedByCenter,
    Closed,
}

impl Stage {
    pub const ALL: [Stage; 13] = [
        Stage::Countdown,
        Stage::Aborted,
        Stage::Sounding,
        Stage::Requested,
        Stage::Acknowledged,
        Stage::CallingFirstContact,
        Stage::Confirmed,
        Stage::CancelledByContact,
        Stage::NoAnswer,
        Stage::Dispatched,
        Stage::CallingOtherContacts,
        Stage::RefusedByCenter,
        Stage::Closed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Countdown => "countdown",
            Stage::Aborted => "aborted",
            Stage::Sounding => "sounding",
            Stage::Requested => "requested",
            Stage::Acknowledged => "acknowledged",
            Stage::CallingFirstContact => "calling_first_contact",
            Stage::Confirmed => "confirmed",
            Stage::CancelledByContact => "cancelled_by_contact",
            Stage::NoAnswer => "no_answer",
            Stage::Dispatched => "dispatched",
            Stage::CallingOtherContacts => "calling_other_contacts",
            Stage::RefusedByCenter => "refused_by_center",
            Stage::Closed => "closed",
        }
    }

    /// Nothing follows.
    pub fn is_end(self) -> bool {
        matches!(self, Stage::Aborted | Stage::CancelledByContact | Stage::RefusedByCenter | Stage::Closed)
    }
}

/// The stages that only the center's updates bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStage {
    CallingFirstContact,
    Confirmed,
    CancelledByContact,
    NoAnswer,
    Dispatched,
    CallingOtherContacts,
    Closed,
}

impl CallStage {
    pub fn stage(self) -> Stage {
        match self {
            CallStage::CallingFirstContact => Stage::CallingFirstContact,
            CallStage::Confirmed => Stage::Confirmed,
            CallStage::CancelledByContact => Stage::CancelledByContact,
            CallStage::NoAnswer => Stage::NoAnswer,
            CallStage::Dispatched => Stage::Dispatched,
            CallStage::CallingOtherContacts => Stage::CallingOtherContacts,
            CallStage::Closed => Stage::Closed,
        }
    }

    pub fn parse(text: &str) -> Option<CallStage> {
        [
            CallStage::CallingFirstContact,
            CallStage::Confirmed,
            CallStage::CancelledByContact,
            CallStage::NoAnswer,
            CallStage::Dispatched,
            CallStage::CallingOtherContacts,
            CallStage::Closed,
        ]
        .into_iter()
        .find(|stage| stage.stage().as_str() == text)
    }
}

/// How a siren sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    Steady,
    /// The evacuation signal of ISO 8201: three half-second pulses, then a pause.
    Temporal3,
}

impl Pattern {
    pub fn as_str(self) -> &'static str {
        match self {
            Pattern::Steady => "steady",
            Pattern::Temporal3 => "temporal3",
        }
    }
}

/// Why a command was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    PlanRequired,
    NotProvisioned,
    Retained,
    Stale,
    Malformed,
    IdReused,
    TooLate,
    NoCountdown,
    UnknownIncident,
    Busy,
    RateLimited,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::PlanRequired => "plan_required",
            Reason::NotProvisioned => "not_provisioned",
            Reason::Retained => "retained",
            Reason::Stale => "stale",
            Reason::Malformed => "malformed",
            Reason::IdReused => "id_reused",
            Reason::TooLate => "too_late",
            Reason::NoCountdown => "no_countdown",
            Reason::UnknownIncident => "unknown_incident",
            Reason::Busy => "busy",
            Reason::RateLimited => "rate_limited",
        }
    }
}

/// What the hub knows of the account's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanStanding {
    /// A valid token with professional monitoring.
    Active,
    /// A token with professional monitoring that is past its end: an SOS works, the center decides.
    Unconfirmed,
    /// A valid token without professional monitoring: an SOS is refused.
    Denied,
    /// Never had a token: an SOS is refused.
    Unknown,
}

impl PlanStanding {
    pub fn as_str(self) -> &'static str {
        match self {
            PlanStanding::Active => "active",
            PlanStanding::Unconfirmed => "unconfirmed",
            PlanStanding::Denied => "denied",
            PlanStanding::Unknown => "unknown",
        }
    }
}
