use serde_json::{Value, json};
use sos_hub::controller::input::Contact;
use sos_hub::controller::moment::{Boottime, ClockStanding, Id, Wall};
use sos_hub::controller::report::*;
use sos_hub::controller::words::{CommandName, Pattern, PlanStanding, Reason, Service, Stage};
use sos_hub::wire::reports::{event, reply, state};

const INCIDENT: Id = Id(0x019a_aaaa_bbbb_7ccc_8ddd_eeee_eeee_ffff);
const INCIDENT_TEXT: &str = "019aaaaa-bbbb-7ccc-8ddd-eeeeeeeeffff";
const TEN: Wall = Wall(1_795_341_600_000);
const TEN_TEXT: &str = "2026-11-22T10:00:00.000Z";

fn quiet() -> State {
    State {
        at: TEN,
        turned: Boottime(1_000_000_000),
        clock: ClockStanding::Unsynced,
        phase: Phase::Idle,
        message: "Ready.".into(),
        incidents: vec![],
        siren: SirenState { sounding: false, pattern: Pattern::Steady, stops_at: None },
        plan: PlanState { standing: PlanStanding::Unknown, name: None, professional_monitoring: false },
        center: CenterState { link_up: false, last_heard_at: None, owed: 0 },
        ready: false,
        faults: vec![],
    }
}

/// Byte by byte, so that the order of the keys is seen too.
#[test]
fn the_state_of_a_quiet_hub() {
    let expected = r#"{"hub":"home","version":"0.1.0","at":"2026-11-22T10:00:00.000Z","clock":"unsynced","phase":"idle","message":"Ready.","incidents":[],"siren":{"sounding":false,"pattern":"steady","stops_at":null},"plan":{"standing":"unknown","name":null,"professional_monitoring":false},"center":{"link":"down","last_heard_at":null,"owed":0},"ready":false,"faults":[]}"#;
    assert_eq!(String::from_utf8(state(&quiet(), "home", "0.1.0")).unwrap(), expected);
}

#[test]
fn the_state_in_a_countdown() {
    let busy = State {
        clock: ClockStanding::Synced,
        phase: Phase::Alarm,
        incidents: vec![IncidentState {
            id: INCIDENT,
            service: Service::Police,
            source: "button:hallway".into(),
            stage: Stage::Countdown,
            countdown_ends_at: Wall(TEN.0 + 4_990),
            remaining_ms: 4_990,
            resumed: true,
            message: "5 \"more\" seconds".into(),
        }],
        siren: SirenState { sounding: true, pattern: Pattern::Temporal3, stops_at: Some(TEN) },
        plan: PlanState {
            standing: PlanStanding::Active,
            name: Some("protect_plus".into()),
            professional_monitoring: true,
        },
        center: CenterState { link_up: true, last_heard_at: Some(TEN), owed: 2 },
        ready: true,
        faults: vec![FaultState { code: "button_stuck", since: TEN, message: "Stuck.".into() }],
        ..quiet()
    };
    let said: Value = serde_json::from_slice(&state(&busy, "home", "0.1.0")).unwrap();
    assert_eq!(
        said,
        json!({"hub": "home", "version": "0.1.0", "at": TEN_TEXT, "clock": "synced", "phase": "alarm", "message": "Ready.",
            "incidents": [{"id": INCIDENT_TEXT, "service": "police", "source": "button:hallway", "stage": "countdown",
                "countdown_ends_at": "2026-11-22T10:00:04.990Z", "remaining_ms": 4990, "resumed": true,
                "message": "5 \"more\" seconds"}],
            "siren": {"sounding": true, "pattern": "temporal3", "stops_at": TEN_TEXT},
            "plan": {"standing": "active", "name": "protect_plus", "professional_monitoring": true},
            "center": {"link": "up", "last_heard_at": TEN_TEXT, "owed": 2},
            "ready": true,
            "faults": [{"code": "button_stuck", "since": TEN_TEXT, "message": "Stuck."}]})
    );
}

#[test]
fn a_time_beyond_the_calendar_does_not_stop_the_state() {
    for at in [Wall(i64::MIN), Wall(i64::MAX)] {
        assert!(!state(&State { at, ..quiet() }, "home", "0.1.0").is_empty());
    }
}

#[test]
fn an_event_has_the_keys_of_every_event_and_those_of_its_type() {
    let stage = |stage, contact, note| EventKind::Stage { stage, contact, note };
    let ann = Contact { position: 1, name: "Ann".into() };
    let cases = [
        (EventKind::CountdownStarted { resumed: true }, json!({"type": "countdown_started", "resumed": true})),
        (EventKind::Countdown { remaining: 3 }, json!({"type": "countdown", "remaining": 3})),
        (stage(Stage::Aborted, None, None), json!({"type": "aborted"})),
        (
            stage(Stage::CallingFirstContact, Some(ann), Some("again".into())),
            json!({"type": "calling_first_contact", "contact": {"position": 1, "name": "Ann"}, "note": "again"}),
        ),
        (EventKind::SirenOn { pattern: Pattern::Temporal3 }, json!({"type": "siren_on", "pattern": "temporal3"})),
        (EventKind::SirenOff, json!({"type": "siren_off"})),
        (
            EventKind::Refused { command: CommandName::Cancel, reason: Reason::TooLate },
            json!({"type": "refused", "command": "cancel", "reason": "too_late"}),
        ),
        (EventKind::Fault { code: "storage" }, json!({"type": "fault", "code": "storage"})),
        (EventKind::Restore { code: "storage" }, json!({"type": "restore", "code": "storage"})),
        (EventKind::Test { subject: "siren", confirmed: None }, json!({"type": "test", "subject": "siren"})),
        (
            EventKind::Test { subject: "center", confirmed: Some(false) },
            json!({"type": "test", "subject": "center", "confirmed": false}),
        ),
    ];
    for (kind, own) in cases {
        let told = Event {
            seq: 12,
            kind,
            at: TEN,
            incident: Some(INCIDENT),
            service: Some(Service::Fire),
            message: "It burns.".into(),
        };
        let mut expected =
            json!({"seq": 12, "at": TEN_TEXT, "incident": INCIDENT_TEXT, "service": "fire", "message": "It burns."});
        expected.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        assert_eq!(serde_json::from_slice::<Value>(&event(&told)).unwrap(), expected);
    }
}

#[test]
fn an_event_without_an_incident_says_null() {
    let told =
        Event { seq: 1, kind: EventKind::SirenOff, at: TEN, incident: None, service: None, message: "Off.".into() };
    let expected = r#"{"seq":1,"at":"2026-11-22T10:00:00.000Z","type":"siren_off","incident":null,"service":null,"message":"Off."}"#;
    assert_eq!(String::from_utf8(event(&told)).unwrap(), expected);
}

#[test]
fn a_reply_accepts_or_refuses() {
    let accepted = Reply {
        id: Some("a1".into()),
        command: CommandName::Request,
        refused: None,
        incident: Some(INCIDENT),
        durable: Some(false),
        message: "Yes.".into(),
    };
    let expected = format!(
        r#"{{"id":"a1","command":"request","outcome":"accepted","reason":null,"incident":"{INCIDENT_TEXT}","durable":false,"message":"Yes."}}"#
    );
    assert_eq!(String::from_utf8(reply(&accepted)).unwrap(), expected);

    let refused = Reply {
        id: None,
        command: CommandName::Test,
        refused: Some(Reason::Busy),
        incident: None,
        durable: None,
        message: "No.".into(),
    };
    let expected = r#"{"id":null,"command":"test","outcome":"refused","reason":"busy","incident":null,"durable":null,"message":"No."}"#;
    assert_eq!(String::from_utf8(reply(&refused)).unwrap(), expected);
}

/// What the controller drew may have waited for the disk.
#[test]
fn a_state_that_is_told_late_says_what_is_left_at_that_moment() {
    let left = |remaining_ms| IncidentState {
        id: INCIDENT,
        service: Service::Police,
        source: "panel".into(),
        stage: Stage::Countdown,
        countdown_ends_at: Wall(TEN.0 + 5_000),
        remaining_ms,
        resumed: false,
        message: String::new(),
    };
    let mut late = State { incidents: vec![left(5_000), left(100)], ..quiet() };
    late.bring_to(Boottime(1_250_000_000));
    assert_eq!((late.at, late.turned), (Wall(TEN.0 + 250), Boottime(1_250_000_000)));
    assert_eq!(late.incidents, [left(4_750), left(0)]);
    let told = late.clone();
    late.bring_to(Boottime(1_000_000_000));
    assert_eq!(late, told, "time does not go back");
}
