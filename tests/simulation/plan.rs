//! What is to happen in one run: plain data, so that it prints, and can be shrunk by leaving events out. Drawing it is
//! one thing ([`crate::draw`]), carrying it out another ([`crate::world`]).

use std::fmt;

use sos_hub::controller::input::LinkProblemKind;
use sos_hub::controller::words::{Service, TestKind};

/// One run: from the same plan always follows the same trace.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Also draws what the plan leaves open: delays, losses, random bits.
    pub seed: u64,
    pub families: Vec<Family>,
    pub led: bool,
    pub heartbeat_s: u64,
    pub center: CenterPlan,
    /// In the order of time.
    pub events: Vec<Event>,
    /// From here on everything works, and nothing new happens.
    pub heals_at_ms: u64,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub at_ms: u64,
    pub what: What,
}

/// How the monitoring center works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CenterPlan {
    pub calls: Calls,
    /// Help is asked of a service; else operators see to it.
    pub dispatch_service: bool,
    /// How many people the account names.
    pub contacts: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    Operators,
    Service,
    Simulated { answers: usize },
}

/// Faults that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Crashes,
    PowerCuts,
    HomeBroker,
    CenterBroker,
    Center,
    CenterCrashes,
    CenterDisk,
    CenterUplink,
    Disk,
    Clocks,
    Lines,
    Strangers,
    Load,
}

impl Family {
    pub const ALL: [Family; 13] = [
        Family::Crashes,
        Family::PowerCuts,
        Family::HomeBroker,
        Family::CenterBroker,
        Family::Center,
        Family::CenterCrashes,
        Family::CenterDisk,
        Family::CenterUplink,
        Family::Disk,
        Family::Clocks,
        Family::Lines,
        Family::Strangers,
        Family::Load,
    ];
}

/// One thing that people, strangers or the world do.
#[derive(Clone, Debug)]
pub enum What {
    Request {
        service: Service,
        id: Option<u32>,
        sent: Sent,
        how: How,
    },
    Cancel {
        target: Target,
        id: Option<u32>,
    },
    Silence {
        id: Option<u32>,
    },
    Test(TestKind),
    /// One of [`JUNK`] on a command topic.
    Junk {
        which: usize,
        how: How,
    },
    /// A finger holds a button; its contacts bounce this often at either end.
    Hold {
        button: usize,
        ms: u64,
        bounces: u64,
    },
    /// Spikes on a line, each a millisecond long.
    Glitches {
        button: usize,
        spikes: u64,
    },
    Home(Weather),
    CenterLink(Weather),
    /// The center's own connection to its broker.
    CenterUplink(Weather),
    CenterDisk(DiskMood),
    /// As `Crash`, of the center's process.
    CenterCrash {
        after_effects: u64,
        how: Crash,
        commit_kept: bool,
        gap_ms: u64,
    },
    CenterHang {
        ms: u64,
    },
    /// Nobody looks at the console.
    OperatorsAway(bool),
    /// The account's plan is changed.
    Plan {
        monitoring: bool,
    },
    /// The account is ended, or comes back.
    AccountClosed(bool),
    Forge(Forgery),
    ForgeSignal(SignalForgery),
    Disk(DiskMood),
    /// The process dies when it has carried out this many more effects, ten seconds later at the latest.
    Crash {
        after_effects: u64,
        how: Crash,
        commit_kept: bool,
        gap_ms: u64,
    },
    StepClock {
        by_ms: i64,
    },
    ClockSynced(bool),
    /// The loop does not turn for so long.
    Hang {
        ms: u64,
    },
}

/// What a request says of its own age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Unsaid,
    /// Milliseconds ago by the true wall clock.
    Ago(i64),
}

/// How a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Live,
    Retained,
    Duplicate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Every,
    /// The incident that was last told of.
    Last,
    Unknown,
}

/// What a broker, and the way to it, are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    pub sky: Sky,
    /// The longest delay of a message on either way.
    pub delay_ms: u64,
    /// Of a hundred messages to the hub's peer, how many the broker acknowledges (PUBACK) and loses.
    pub loses_up: u64,
    /// Of a hundred messages to the hub, how many are lost.
    pub loses_down: u64,
    /// Of a hundred messages either way, how many come twice.
    pub repeats: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sky {
    Clear,
    /// Every connection breaks, and none is made.
    Cut,
    /// Nothing moves any more, and nobody says so.
    HalfOpen,
    /// Connections break once, sessions and queues are gone, and the broker is there again.
    Restarted,
    /// Connects, but never grants a subscription.
    Deaf,
    Refuses(LinkProblemKind),
}

impl Weather {
    pub const FAIR: Weather = Weather { sky: Sky::Clear, delay_ms: 0, loses_up: 0, loses_down: 0, repeats: 0 };
}

/// What somebody who can write to the center's topics tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// An ack of the last alarm, signed with another key.
    Ack,
    /// The last incident is closed, says another key.
    Closed,
    /// The center's true words, for another account.
    OtherAccount,
    /// An old true token once more.
    Replay {
        back: usize,
    },
    /// A true token on a topic that it was not made for.
    WrongTopic,
    /// A plan that is older than the one the hub has.
    OldPlan,
    Noise,
}

/// What somebody who can write to the hub's topic tries on the center.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalForgery {
    /// An alarm for the hub's account, signed with another key.
    Alarm,
    /// A signal with the `jti` of the last alarm and another signature, to draw a signed answer.
    KnownJti,
    /// The neighbour's hub names an incident of this one.
    Neighbour,
    /// What the neighbour's hub says truly, on this one's topic.
    WrongTopic,
    /// A recording of the hub, as a live message or out of the broker's store.
    Replay {
        back: usize,
        retained: bool,
    },
    Noise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskMood {
    Well,
    /// Each commit takes up to this long.
    Slow {
        ms: u64,
    },
    /// Each commit fails; some of the rows are on the disk all the same.
    Fails,
    /// Nothing is answered.
    Stalls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    Kill,
    Power,
    /// The service manager asks it to end.
    Stop,
}

/// Payloads of the topic `request` that must start nothing.
pub const JUNK: [&[u8]; 10] = [
    b"",
    b"polizei",
    b"POLICE",
    b"{\"service\": \"police\"",
    b"{\"service\": \"police\", \"service\": \"fire\"}",
    b"{\"service\": [\"police\"]}",
    b"{\"service\": \"police\", \"id\": 7}",
    b"{\"service\": \"police\", \"sent_at\": \"yesterday\"}",
    b"[\"police\"]",
    b"\xff\xfe\x00police",
];

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { seed, families, led, heartbeat_s, center, events, heals_at_ms } = self;
        writeln!(f, "plan of seed {seed}: {families:?}, heartbeat {heartbeat_s} s, led {led}\n{center:?}")?;
        for Event { at_ms, what } in events {
            writeln!(f, "{:>5}.{:03} s  {what:?}", at_ms / 1_000, at_ms % 1_000)?;
        }
        writeln!(f, "{:>5}.{:03} s  everything is healed", heals_at_ms / 1_000, heals_at_ms % 1_000)
    }
}
