//! Records to store: plain ones, and any at all.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sos_hub::controller::effect::*;
use sos_hub::controller::moment::{BootId, Boottime, ClockStanding, Id, Wall};
use sos_hub::controller::words::{CommandName, Pattern, Service, Stage};

/// An open incident.
pub fn incident(number: u128) -> IncidentRecord {
    IncidentRecord {
        id: Id(number),
        service: Service::Police,
        source: "button:hallway".to_owned(),
        user: Some("Ann".to_owned()),
        stage: Stage::Requested,
        alarm: Id(number + 1_000_000),
        boot: BootId(7),
        accepted: Boottime(1_000_000_000),
        deadline: Boottime(6_000_000_000),
        accepted_wall: Wall(1_795_341_600_000),
        clock: ClockStanding::Synced,
        resumed: false,
        update_seq: 0,
        taken: false,
        ended_wall: None,
    }
}

pub fn ended(number: u128) -> IncidentRecord {
    IncidentRecord { stage: Stage::Closed, ended_wall: Some(Wall(1_795_341_700_123)), ..incident(number) }
}

pub fn step(number: u128, seq: u64, stage: Stage) -> StepRecord {
    let (wall, clock) = (Wall(1_795_341_600_000 + seq as i64), ClockStanding::Unsynced);
    StepRecord { incident: Id(number), seq, stage, wall, clock, message: format!("This is {}.", stage.as_str()) }
}

/// The alarm of [`incident`], not settled.
pub fn alarm(number: u128) -> SignalRecord {
    let signal = Signal {
        jti: Id(number + 1_000_000),
        kind: SignalKind::Alarm,
        incident: Some(Id(number)),
        service: Some(Service::Police),
        source: Some("button:hallway".to_owned()),
        user: None,
        resumed: false,
        repeat: false,
        plan: Some("protect_plus".to_owned()),
        seq: 1,
        boot: BootId(7),
        raised: Boottime(6_000_000_000),
        raised_wall: Wall(1_795_341_605_000),
        clock: ClockStanding::Synced,
        age_base_ms: 0,
        age_ms: 0,
        sent_wall: Wall(1_795_341_605_000),
    };
    SignalRecord { signal, settled: false }
}

pub fn plan(serial: u64, token: &str) -> Record {
    Record::Plan { serial, token: token.to_owned() }
}

pub fn event_seq(event_seq: u64) -> Record {
    Record::Counters(CountersRecord { event_seq, ..CountersRecord::default() })
}

fn few_ids() -> impl Strategy<Value = Id> {
    (0..6u128).prop_map(|number| Id(number << 100 | number))
}

/// What a column can hold: 2^63 nanoseconds are 292 years.
fn number() -> impl Strategy<Value = u64> {
    0..=i64::MAX as u64
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), Just(String::new()), Just("a\0b'\"; DROP TABLE incident".to_owned())]
}

fn wall() -> impl Strategy<Value = Wall> {
    any::<i64>().prop_map(Wall)
}

fn clock() -> impl Strategy<Value = ClockStanding> {
    select(vec![ClockStanding::Synced, ClockStanding::Unsynced])
}

fn boottime() -> impl Strategy<Value = Boottime> {
    number().prop_map(Boottime)
}

prop_compose! {
    fn any_incident()(
        (id, service, source, user) in (few_ids(), select(&Service::ALL), text(), option::of(text())),
        (stage, alarm, boot) in (select(&Stage::ALL), any::<u128>(), any::<u128>()),
        (accepted, deadline, accepted_wall, clock) in (boottime(), boottime(), wall(), clock()),
        (resumed, update_seq, taken, ended_wall) in (any::<bool>(), number(), any::<bool>(), option::of(wall())),
    ) -> IncidentRecord {
        let (alarm, boot) = (Id(alarm), BootId(boot));
        IncidentRecord { id, service, source, user, stage, alarm, boot, accepted, deadline, accepted_wall, clock,
            resumed, update_seq, taken, ended_wall }
    }
}

fn any_kind() -> impl Strategy<Value = SignalKind> {
    let fault = || (text(), any::<u16>(), text());
    prop_oneof![
        Just(SignalKind::Alarm),
        Just(SignalKind::CancelRequest),
        any::<bool>().prop_map(|periodic| SignalKind::Test { periodic }),
        fault().prop_map(|(code, event_code, message)| SignalKind::Fault { code, event_code, message }),
        fault().prop_map(|(code, event_code, message)| SignalKind::Restore { code, event_code, message }),
    ]
}

prop_compose! {
    fn any_signal()(
        (jti, kind, incident, service) in
            (few_ids(), any_kind(), option::of(few_ids()), option::of(select(&Service::ALL))),
        (source, user, plan) in (option::of(text()), option::of(text()), option::of(text())),
        (resumed, repeat, settled, seq) in (any::<bool>(), any::<bool>(), any::<bool>(), number()),
        (boot, raised, raised_wall, clock) in (any::<u128>(), boottime(), wall(), clock()),
        (age_base_ms, age_ms, sent_wall) in (number(), number(), wall()),
    ) -> SignalRecord {
        let signal = Signal { jti, kind, incident, service, source, user, resumed, repeat, plan, seq,
            boot: BootId(boot), raised, raised_wall, clock, age_base_ms, age_ms, sent_wall };
        SignalRecord { signal, settled }
    }
}

prop_compose! {
    fn any_reply()(
        (id, serial, command) in ("[a-d]", 0..20u64, select(&CommandName::ALL)),
        (service, named_incident, incident) in
            (option::of(select(&Service::ALL)), option::of(few_ids()), option::of(few_ids())),
        (durable, message, boot) in (any::<bool>(), text(), any::<u128>()),
        (accepted, accepted_wall, clock) in (boottime(), wall(), clock()),
    ) -> ReplyRecord {
        ReplyRecord { id, serial, command, service, named_incident, incident, durable, message,
            boot: BootId(boot), accepted, accepted_wall, clock }
    }
}

prop_compose! {
    fn any_step()(
        (incident, seq, stage) in (few_ids(), 0..8u64, select(&Stage::ALL)),
        (wall, clock, message) in (wall(), clock(), text()),
    ) -> StepRecord {
        StepRecord { incident, seq, stage, wall, clock, message }
    }
}

prop_compose! {
    fn any_sounding()(
        (incident, pattern) in (few_ids(), select(vec![Pattern::Steady, Pattern::Temporal3])),
        (boot, until, left_ms) in (any::<u128>(), boottime(), number()),
    ) -> SoundingRecord {
        SoundingRecord { incident, pattern, boot: BootId(boot), until, left_ms }
    }
}

prop_compose! {
    fn any_counters()(
        (event_seq, signal_seq, ack_seq, periodic_test) in (number(), number(), number(), option::of(wall())),
    ) -> CountersRecord {
        CountersRecord { event_seq, signal_seq, ack_seq, periodic_test }
    }
}

fn any_record() -> impl Strategy<Value = Record> {
    prop_oneof![
        4 => any_incident().prop_map(Record::Incident),
        4 => any_step().prop_map(Record::Step),
        4 => any_signal().prop_map(Record::Signal),
        4 => any_reply().prop_map(Record::Reply),
        1 => (0..20u64).prop_map(|serial| Record::ForgetRepliesBefore { serial }),
        2 => any_sounding().prop_map(Record::Sounding),
        2 => few_ids().prop_map(|incident| Record::Silenced { incident }),
        1 => any_counters().prop_map(Record::Counters),
        1 => (number(), text()).prop_map(|(serial, token)| Record::Plan { serial, token }),
    ]
}

/// Sittings of the daemon, each of some batches of some records. The serial numbers of replies grow, as they do in life.
pub fn any_life() -> impl Strategy<Value = Vec<Vec<Vec<Record>>>> {
    vec(vec(vec(any_record(), 0..8), 0..6), 1..4).prop_map(|mut life| {
        let mut last_serial = 0;
        for record in life.iter_mut().flatten().flatten() {
            match record {
                Record::Reply(reply) => {
                    last_serial += 1;
                    reply.serial = last_serial;
                }
                Record::ForgetRepliesBefore { serial } => *serial = last_serial.saturating_sub(*serial / 4),
                _ => {}
            }
        }
        life
    })
}
