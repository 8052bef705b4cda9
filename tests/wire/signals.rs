use serde_json::{Value, json};
use sos_hub::controller::effect::{Signal, SignalKind};
use sos_hub::controller::moment::{BootId, Boottime, ClockStanding, Id, Wall};
use sos_hub::controller::words::Service;
use sos_hub::wire::signals;

const JTI: Id = Id(0x019a_aaaa_bbbb_7ccc_8ddd_eeee_eeee_ffff);
const INCIDENT: Id = Id(7);
const INCIDENT_TEXT: &str = "00000000-0000-0000-0000-000000000007";

fn bare(kind: SignalKind) -> Signal {
    Signal {
        jti: JTI,
        kind,
        incident: None,
        service: None,
        source: None,
        user: None,
        resumed: false,
        repeat: false,
        plan: None,
        seq: 9,
        boot: BootId(1),
        raised: Boottime(0),
        raised_wall: Wall(1_795_341_600_000),
        clock: ClockStanding::Unsynced,
        age_base_ms: 0,
        age_ms: 1_500,
        sent_wall: Wall(1_795_341_601_500),
    }
}

fn claims(signal: &Signal) -> Value {
    serde_json::from_slice(&signals::signal(signal, "a-17", "home")).unwrap()
}

/// What every signal says, and `own`.
fn with(own: Value) -> Value {
    let mut all = json!({"jti": "019aaaaa-bbbb-7ccc-8ddd-eeeeeeeeffff", "account": "a-17", "hub": "home",
        "raised_at": "2026-11-22T10:00:00.000Z", "sent_at": "2026-11-22T10:00:01.500Z", "age_ms": 1500,
        "clock": "unsynced", "seq": 9});
    all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    all
}

#[test]
fn an_alarm_says_who_needs_what() {
    let alarm = Signal {
        incident: Some(INCIDENT),
        service: Some(Service::Police),
        source: Some("panel".into()),
        user: Some("Ann".into()),
        resumed: true,
        repeat: true,
        plan: Some("protect_plus".into()),
        clock: ClockStanding::Synced,
        ..bare(SignalKind::Alarm)
    };
    let own = json!({"kind": "alarm", "incident": INCIDENT_TEXT, "service": "police", "source": "panel", "user": "Ann",
        "resumed": true, "repeat": true, "plan": "protect_plus", "event_code": "120", "clock": "synced"});
    assert_eq!(claims(&alarm), with(own));
    let fire = Signal { service: Some(Service::Fire), ..alarm };
    assert_eq!(claims(&fire)["event_code"], "110");
    assert_eq!(claims(&fire)["service"], "fire");
}

#[test]
fn an_ordinary_alarm_says_that_it_is_no_repeat() {
    let own = json!({"kind": "alarm", "resumed": false, "repeat": false});
    assert_eq!(claims(&bare(SignalKind::Alarm)), with(own));
}

#[test]
fn a_cancel_request_names_its_incident() {
    let tried = Signal { incident: Some(INCIDENT), service: Some(Service::Fire), ..bare(SignalKind::CancelRequest) };
    let own = json!({"kind": "cancel_request", "incident": INCIDENT_TEXT, "service": "fire", "event_code": "406"});
    assert_eq!(claims(&tried), with(own));
}

#[test]
fn a_test_is_manual_or_periodic() {
    let test = |periodic| claims(&bare(SignalKind::Test { periodic }));
    assert_eq!(test(false), with(json!({"kind": "test", "event_code": "601"})));
    assert_eq!(test(true), with(json!({"kind": "test", "event_code": "602"})));
}

#[test]
fn a_heartbeat_says_what_is_open() {
    let kind = SignalKind::Heartbeat { interval_seconds: 60, open: vec![(INCIDENT, 4)] };
    let own = json!({"kind": "heartbeat", "interval_seconds": 60, "open": {INCIDENT_TEXT: 4}});
    assert_eq!(claims(&bare(kind)), with(own));
    let quiet = bare(SignalKind::Heartbeat { interval_seconds: 60, open: vec![] });
    assert_eq!(claims(&quiet)["open"], json!({}));
}

#[test]
fn a_fault_and_its_restore_say_which() {
    let (code, message) = (String::from("siren"), String::from("No siren."));
    let own = |kind| json!({"kind": kind, "event_code": "321", "code": "siren", "message": "No siren."});
    let fault = SignalKind::Fault { code: code.clone(), event_code: 321, message: message.clone() };
    assert_eq!(claims(&bare(fault)), with(own("fault")));
    let restore = SignalKind::Restore { code, event_code: 321, message };
    assert_eq!(claims(&bare(restore)), with(own("restore")));
}

#[test]
fn a_code_has_three_digits() {
    let fault = SignalKind::Fault { code: "x".into(), event_code: 7, message: "x".into() };
    assert_eq!(claims(&bare(fault))["event_code"], "007");
}
