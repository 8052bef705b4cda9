//! Any memory, as a damaged disk may hold it, and then anything that can happen: nothing panics, no deadline makes the
//! loop spin, and in the end every countdown is over and the siren is silent.

use std::time::Duration;

use sos_hub::controller::Controller;
use sos_hub::controller::effect::{
    Batch, CountersRecord, Effect, IncidentRecord, ReplyRecord, Report, Restored, Signal, SignalKind, SignalRecord,
    SoundingRecord,
};
use sos_hub::controller::input::{
    Ack, AckResult, CancelTarget, CenterMessage, Contact, Content, HardwareReport, Input, LinkChange, LinkProblem,
    LinkProblemKind, Malformed, PlanToken, Received, StoreReport, Update,
};
use sos_hub::controller::moment::{BootId, Boottime, ClockStanding, Id, Moment, Wall};
use sos_hub::controller::report::State;
use sos_hub::controller::settings::{ButtonSettings, Press, Settings};
use sos_hub::controller::words::{CallStage, CommandName, Pattern, Service, Stage, TestKind};

use super::bytes::Bytes;

const COUNTDOWN: Duration = Duration::from_secs(2);
const SIREN_MAX: Duration = Duration::from_secs(5);
const BOOT: BootId = BootId(1);
/// So many things happen at most: a longer story shows nothing new.
const STEPS: usize = 64;

pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mut hub = Hub::new();
    let memory = restored(&mut bytes);
    hub.step(Input::Restored(Box::new(memory)));
    for _ in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        hub.after(Duration::from_millis(bytes.pick(&[0, 0, 1, 500, 2_000, 11_000])));
        let input = input(&mut bytes, hub.at.now);
        hub.step(input);
    }
    hub.quiet();
}

/// A hub whose disk and links do what they are told to.
pub struct Hub {
    controller: Controller,
    pub at: Moment,
    siren: bool,
    link_up: bool,
    /// Commands that may still get a reply.
    unanswered: usize,
    state: Option<State>,
}

impl Hub {
    pub fn new() -> Hub {
        let at = Moment {
            now: Boottime(60_000_000_000),
            wall: Wall(1_795_000_000_000),
            clock: ClockStanding::Synced,
            random: 1,
        };
        let button = |name: &str, press| ButtonSettings { name: name.into(), press, hold: Duration::from_secs(1) };
        let settings = Settings {
            countdown: COUNTDOWN,
            max_age: Duration::from_secs(60),
            siren_max: SIREN_MAX,
            heartbeat: Duration::from_secs(60),
            buttons: vec![button("hall", Press::Request(Service::Police)), button("stop", Press::Cancel)],
            led: true,
        };
        Hub {
            controller: Controller::new(settings, BOOT, at),
            at,
            siren: false,
            link_up: false,
            unanswered: 0,
            state: None,
        }
    }

    /// Takes one input; gives the batches that it wants kept, which count as committed.
    pub fn step(&mut self, input: Input) -> Vec<Batch> {
        match &input {
            Input::CenterLink(change) => self.link_up = *change == LinkChange::Up,
            Input::Command(_) => self.unanswered += 1,
            _ => {}
        }
        self.at.random = self.at.random.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).wrapping_add(1);
        let mut batches = Vec::new();
        for effect in self.controller.step(self.at, input) {
            match effect {
                Effect::Siren { asserted } => self.siren = asserted,
                Effect::Transmit(signal) => {
                    assert!(self.link_up, "nothing is sent on a link that is down");
                    assert_ne!((signal.kind, signal.service), (SignalKind::Alarm, None), "an alarm says for whom");
                }
                Effect::Tell(Report::State(state)) => self.state = Some(state),
                Effect::Tell(Report::Reply { .. }) => {
                    self.unanswered = self.unanswered.checked_sub(1).expect("a command gets one reply");
                }
                Effect::Persist(batch) => batches.push(batch),
                Effect::Tell(Report::Event(_)) | Effect::Led { .. } | Effect::Log(_) => {}
            }
        }
        if let Some(ticket) = batches.last().map(|batch| batch.ticket) {
            batches.extend(self.step(Input::Store(StoreReport::Committed { ticket })));
        }
        batches
    }

    pub fn after(&mut self, span: Duration) {
        let end = self.at.now + span;
        let mut turns = 0;
        while let Some(deadline) = self.controller.deadline().filter(|deadline| deadline.at <= end) {
            self.move_to(deadline.at.max(self.at.now));
            self.step(Input::Elapsed);
            turns += 1;
            assert!(turns < 1_000, "the {} deadline makes the loop spin", deadline.reason);
        }
        self.move_to(end);
    }

    /// Nothing happens any more: all that was asked for comes to its end.
    pub fn quiet(&mut self) {
        // A button that is held, the countdown that it starts, the siren's maximum; and some.
        self.after(Duration::from_secs(1) + COUNTDOWN + SIREN_MAX + Duration::from_secs(1));
        assert!(!self.siren, "the siren stops by itself");
        let counting = |state: &State| state.incidents.iter().any(|incident| incident.stage == Stage::Countdown);
        assert!(!self.state.as_ref().is_some_and(counting), "every countdown ends: {:?}", self.state);
    }

    fn move_to(&mut self, now: Boottime) {
        let passed = now.since(self.at.now);
        self.at.wall.0 += i64::try_from(passed.as_millis()).expect("stories are short");
        self.at.now = now;
    }
}

fn id(bytes: &mut Bytes) -> Id {
    Id(u128::from(bytes.byte() & 7))
}

fn boot(bytes: &mut Bytes) -> BootId {
    BootId(u128::from(bytes.byte() & 1))
}

fn wall(bytes: &mut Bytes) -> Wall {
    Wall(bytes.number().cast_signed())
}

fn clock(bytes: &mut Bytes) -> ClockStanding {
    bytes.pick(&[ClockStanding::Synced, ClockStanding::Unsynced])
}

fn restored(bytes: &mut Bytes) -> Restored {
    let mut restored = Restored {
        incidents: (0..bytes.byte() & 3).map(|_| incident(bytes)).collect(),
        signals: (0..bytes.byte() & 3).map(|_| signal(bytes)).collect(),
        replies: (0..bytes.byte() & 3).map(|_| reply(bytes)).collect(),
        sounding: (0..bytes.byte() & 3).map(|_| sounding(bytes)).collect(),
        counters: CountersRecord {
            // No column holds more.
            event_seq: bytes.number() >> 1,
            signal_seq: bytes.number() >> 1,
            ack_seq: bytes.number() >> 1,
            periodic_test: bytes.maybe(wall),
        },
        plan: bytes.maybe(plan),
    };
    // What is a key in the database is there once.
    keep_first(&mut restored.incidents, |incident| incident.id);
    keep_first(&mut restored.signals, |record| record.signal.jti);
    keep_first(&mut restored.replies, |reply| reply.id.clone());
    keep_first(&mut restored.sounding, |record| record.incident);
    restored
}

fn keep_first<T, K: Ord>(rows: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut seen = std::collections::BTreeSet::new();
    rows.retain(|row| seen.insert(key(row)));
}

fn incident(bytes: &mut Bytes) -> IncidentRecord {
    IncidentRecord {
        id: id(bytes),
        service: bytes.pick(&Service::ALL),
        source: bytes.text(),
        user: bytes.maybe(Bytes::text),
        stage: bytes.pick(&Stage::ALL),
        alarm: id(bytes),
        boot: boot(bytes),
        accepted: Boottime(bytes.number()),
        deadline: Boottime(bytes.number()),
        accepted_wall: wall(bytes),
        clock: clock(bytes),
        resumed: bytes.flag(),
        update_seq: bytes.number(),
        taken: bytes.flag(),
        ended_wall: bytes.maybe(wall),
    }
}

fn signal(bytes: &mut Bytes) -> SignalRecord {
    let fault = |bytes: &mut Bytes| {
        let code = bytes.pick(&["storage", "button_stuck", "center_message", "unheard_of"]).to_owned();
        (code, u16::from(bytes.byte()), bytes.text())
    };
    let kind = match bytes.byte() % 5 {
        0 => SignalKind::Alarm,
        1 => SignalKind::CancelRequest,
        2 => SignalKind::Test { periodic: bytes.flag() },
        3 => {
            let (code, event_code, message) = fault(bytes);
            SignalKind::Fault { code, event_code, message }
        }
        _ => {
            let (code, event_code, message) = fault(bytes);
            SignalKind::Restore { code, event_code, message }
        }
    };
    // The columns of an alarm that was written by the hub are never empty.
    let is_alarm = kind == SignalKind::Alarm;
    let signal = Signal {
        jti: id(bytes),
        kind,
        incident: bytes.maybe(id),
        service: bytes.maybe(|bytes| bytes.pick(&Service::ALL)).or(is_alarm.then_some(Service::Police)),
        source: bytes.maybe(Bytes::text),
        user: bytes.maybe(Bytes::text),
        resumed: bytes.flag(),
        repeat: bytes.flag(),
        plan: bytes.maybe(Bytes::text),
        seq: bytes.number() >> 1,
        boot: boot(bytes),
        raised: Boottime(bytes.number()),
        raised_wall: wall(bytes),
        clock: clock(bytes),
        age_base_ms: bytes.number(),
        age_ms: bytes.number(),
        sent_wall: wall(bytes),
    };
    SignalRecord { signal, settled: bytes.flag() }
}

fn reply(bytes: &mut Bytes) -> ReplyRecord {
    ReplyRecord {
        id: bytes.text(),
        serial: bytes.number() >> 1,
        command: bytes.pick(&CommandName::ALL),
        service: bytes.maybe(|bytes| bytes.pick(&Service::ALL)),
        named_incident: bytes.maybe(id),
        incident: bytes.maybe(id),
        durable: bytes.flag(),
        message: bytes.text(),
        boot: boot(bytes),
        accepted: Boottime(bytes.number()),
        accepted_wall: wall(bytes),
        clock: clock(bytes),
    }
}

fn sounding(bytes: &mut Bytes) -> SoundingRecord {
    SoundingRecord {
        incident: id(bytes),
        pattern: bytes.pick(&[Pattern::Steady, Pattern::Temporal3]),
        boot: boot(bytes),
        until: Boottime(bytes.number()),
        left_ms: bytes.number(),
    }
}

fn plan(bytes: &mut Bytes) -> PlanToken {
    PlanToken {
        plan: bytes.text(),
        professional_monitoring: !bytes.flag(),
        missing: (0..bytes.byte() & 1).map(|_| bytes.text()).collect(),
        serial: bytes.number(),
        issued_at: wall(bytes),
        expires_at: wall(bytes),
        token: bytes.text(),
    }
}

fn input(bytes: &mut Bytes, now: Boottime) -> Input {
    match bytes.byte() % 12 {
        0..=2 => Input::Command(Received {
            arrived: Boottime(bytes.pick(&[now.0, 0, u64::MAX])),
            command: bytes.pick(&CommandName::ALL),
            retained: bytes.byte() == 1,
            duplicate: bytes.byte() == 1,
            reply_to: None,
            content: content(bytes),
        }),
        3 => Input::Button { index: usize::from(bytes.byte() & 3), asserted: bytes.flag(), at: now },
        4 => Input::ButtonLost { index: usize::from(bytes.byte() & 3) },
        5 => Input::AppLink(link(bytes)),
        6 => Input::CenterLink(link(bytes)),
        7 => Input::Center(CenterMessage::Ack(Ack {
            signal: id(bytes),
            result: bytes.pick(&[
                AckResult::Accepted,
                AckResult::NoMonitoring,
                AckResult::UnknownAccount,
                AckResult::OtherRefusal,
            ]),
            seq: bytes.number(),
            reopened_after: bytes.maybe(Bytes::number),
        })),
        8 => Input::Center(CenterMessage::Update(Update {
            incident: id(bytes),
            seq: bytes.number(),
            stage: bytes.pick(&CALL_STAGES),
            contact: bytes.maybe(|bytes| Contact { position: u32::from(bytes.byte()), name: bytes.text() }),
            note: bytes.maybe(Bytes::text),
        })),
        9 => Input::Center(CenterMessage::Plan(plan(bytes))),
        10 => bytes.pick(&[
            Input::Center(CenterMessage::Rejected { problem: "is odd".into() }),
            Input::Hardware(HardwareReport::SirenFailed { problem: "it is gone".into() }),
            Input::Hardware(HardwareReport::SirenWorks),
            Input::Store(StoreReport::PutAside { path: "hub.db".into(), problem: "it is damaged".into() }),
            Input::Store(StoreReport::Unavailable { problem: "it is read-only".into() }),
            Input::Store(StoreReport::Failed { ticket: 1, problem: "it is full".into() }),
        ]),
        _ => Input::Restored(Box::new(restored(bytes))),
    }
}

const CALL_STAGES: [CallStage; 7] = [
    CallStage::CallingFirstContact,
    CallStage::Confirmed,
    CallStage::CancelledByContact,
    CallStage::NoAnswer,
    CallStage::Dispatched,
    CallStage::CallingOtherContacts,
    CallStage::Closed,
];

fn link(bytes: &mut Bytes) -> LinkChange {
    let kinds = [LinkProblemKind::Unreachable, LinkProblemKind::TakenOver, LinkProblemKind::Credentials];
    match bytes.maybe(|bytes| bytes.pick(&kinds)) {
        None => LinkChange::Up,
        Some(kind) => LinkChange::Down(LinkProblem { kind, detail: bytes.text() }),
    }
}

fn content(bytes: &mut Bytes) -> Result<Content, Malformed> {
    let id_of_app = bytes.maybe(Bytes::text);
    Ok(match bytes.byte() % 6 {
        0 | 1 => Content::Request {
            service: bytes.pick(&Service::ALL),
            id: id_of_app,
            source: bytes.maybe(Bytes::text),
            user: bytes.maybe(Bytes::text),
            sent_at: bytes.maybe(wall),
        },
        2 => {
            let incident = match bytes.byte() % 3 {
                0 => CancelTarget::Every,
                1 => CancelTarget::One(id(bytes)),
                _ => CancelTarget::Unknown(bytes.text()),
            };
            Content::Cancel { incident, id: id_of_app }
        }
        3 => Content::Silence { id: id_of_app },
        4 => Content::Test(bytes.pick(&[TestKind::Siren, TestKind::Center])),
        _ => return Err(Malformed { id: id_of_app, problem: "it must be something else".into() }),
    })
}
