//! What hub and center say to each other is understood on the other side, and nothing else is.

#[path = "wire/keys.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod keys;

use std::collections::BTreeSet;
use std::time::Duration;

use keys::Keys;
use proptest::prelude::*;
use serde_json::{Value, json};
use sos_hub::center::desk::effect::{AlertRequest, CallRequest, DispatchRequest, Update};
use sos_hub::center::desk::words::{AccountId, Ack, Contact, PlanToken, Signal, SignalKind, Verdict};
use sos_hub::center::wire::outcomes::{self, Outcome};
use sos_hub::center::wire::{requests, said, signals};
use sos_hub::controller::effect::{Signal as HubSignal, SignalKind as HubKind};
use sos_hub::controller::input::{self as hub, AckResult, CenterMessage};
use sos_hub::controller::moment::{BootId, Boottime, ClockStanding, Id, Wall};
use sos_hub::controller::words::{CallStage, Service};
use sos_hub::wire::center::center_message;
use sos_hub::wire::topics::CenterTopic;
use sos_hub::wire::{signals as hub_signals, tokens};

const JTI: Id = Id(0x019a_aaaa_bbbb_7ccc_8ddd_eeee_eeee_ffff);
const INCIDENT: Id = Id(7);
const AT: Wall = Wall(1_795_341_600_000);

fn account() -> AccountId {
    AccountId::new("a-17")
}

fn of_hub(kind: HubKind) -> HubSignal {
    HubSignal {
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
        raised_wall: AT,
        clock: ClockStanding::Synced,
        age_base_ms: 0,
        age_ms: 1_500,
        sent_wall: Wall(AT.0 + 1_500),
    }
}

fn alarm_of_hub(service: Service) -> HubSignal {
    HubSignal {
        incident: Some(INCIDENT),
        service: Some(service),
        source: Some("button:hallway".into()),
        user: Some("Ann".into()),
        resumed: true,
        repeat: true,
        plan: Some("protect_plus".into()),
        ..of_hub(HubKind::Alarm)
    }
}

/// What the center makes of a signal as the hub writes it.
fn heard(signal: &HubSignal) -> Signal {
    let keys = Keys::fresh();
    let token = keys.signer().sign(&hub_signals::signal(signal, "a-17", "home")).unwrap();
    signals::signal(&account(), token.as_bytes(), &keys.verifier()).unwrap()
}

/// What the center makes of these claims, truly signed by the hub.
fn read(claims: &Value) -> Result<Signal, String> {
    let keys = Keys::fresh();
    signals::signal(&account(), keys.token(claims).as_bytes(), &keys.verifier())
}

fn alarm() -> Value {
    json!({"jti": JTI.to_string(), "account": "a-17", "kind": "alarm", "incident": INCIDENT.to_string(),
        "service": "fire", "seq": 3})
}

fn heartbeat() -> Value {
    json!({"jti": JTI.to_string(), "account": "a-17", "kind": "heartbeat", "interval_seconds": 60,
        "open": {INCIDENT.to_string(): 4}, "seq": 3})
}

fn with(mut claims: Value, key: &str, value: Value) -> Value {
    claims[key] = value;
    claims
}

fn without(mut claims: Value, key: &str) -> Value {
    claims.as_object_mut().unwrap().remove(key).unwrap();
    claims
}

#[test]
fn an_alarm_of_a_hub_is_understood() {
    for service in [Service::Police, Service::Fire] {
        let signal = heard(&alarm_of_hub(service));
        let kind = SignalKind::Alarm { incident: INCIDENT, service, resumed: true, repeat: true };
        assert_eq!(signal.kind, kind);
        assert_eq!((signal.jti, signal.account.as_str(), signal.seq), (JTI, "a-17", 9));
        assert_eq!((signal.source.as_deref(), signal.user.as_deref()), (Some("button:hallway"), Some("Ann")));
        assert_eq!((signal.raised_wall, signal.sent_wall), (Some(AT), Some(Wall(AT.0 + 1_500))));
        assert_eq!((signal.age, signal.clock), (Duration::from_millis(1_500), ClockStanding::Synced));
        assert_eq!(serde_json::from_str::<Value>(&signal.claims).unwrap()["event_code"].as_str().unwrap().len(), 3);
    }
    let plain = heard(&HubSignal { resumed: false, repeat: false, ..alarm_of_hub(Service::Fire) });
    let kind = SignalKind::Alarm { incident: INCIDENT, service: Service::Fire, resumed: false, repeat: false };
    assert_eq!(plain.kind, kind);
}

#[test]
fn every_other_signal_of_a_hub_is_understood() {
    let cancel = HubSignal { incident: Some(INCIDENT), ..of_hub(HubKind::CancelRequest) };
    assert_eq!(heard(&cancel).kind, SignalKind::CancelRequest { incident: INCIDENT });
    for periodic in [true, false] {
        assert_eq!(heard(&of_hub(HubKind::Test { periodic })).kind, SignalKind::Test { periodic });
    }
    let beat = HubKind::Heartbeat { interval_seconds: 60, open: [(INCIDENT, 4)].into_iter().collect() };
    let kind = SignalKind::Heartbeat { interval: Duration::from_secs(60), open: vec![(INCIDENT, 4)] };
    assert_eq!(heard(&of_hub(beat)).kind, kind);
    let (code, message) = ("siren_failed".to_owned(), "The siren cannot be driven.".to_owned());
    let fault =
        heard(&of_hub(HubKind::Fault { code: "siren_failed".into(), event_code: 321, message: message.clone() }));
    assert_eq!(fault.kind, SignalKind::Fault { code: code.clone(), message: message.clone() });
    let restore =
        heard(&of_hub(HubKind::Restore { code: "siren_failed".into(), event_code: 321, message: message.clone() }));
    assert_eq!(restore.kind, SignalKind::Restore { code, message });
}

#[test]
fn a_clock_that_is_not_synchronised_is_said() {
    let unsynced = HubSignal { clock: ClockStanding::Unsynced, ..alarm_of_hub(Service::Fire) };
    assert_eq!(heard(&unsynced).clock, ClockStanding::Unsynced);
}

#[test]
fn what_only_helps_people_costs_no_alarm() {
    let odd = json!(["odd"]);
    for key in ["source", "user", "raised_at", "sent_at", "age_ms", "clock", "resumed", "repeat", "seq", "hub", "plan"]
    {
        let signal = read(&with(alarm(), key, odd.clone())).unwrap();
        assert!(matches!(signal.kind, SignalKind::Alarm { resumed: false, repeat: false, .. }), "{key}");
    }
    let bare = read(&without(alarm(), "seq")).unwrap();
    assert_eq!((bare.seq, bare.raised_wall, bare.clock), (0, None, ClockStanding::Unsynced));
    let said = with(with(alarm(), "user", json!(" A\u{7}nn\n")), "source", json!("x".repeat(1_000)));
    let said = read(&said).unwrap();
    assert_eq!((said.user.as_deref(), said.source.unwrap().len()), (Some("Ann"), 64));
}

#[test]
fn what_decides_about_help_is_read_strictly() {
    let cases = [
        (with(alarm(), "service", json!("siren")), "is an alarm whose service is neither police nor fire"),
        (with(alarm(), "service", json!("Police")), "is an alarm whose service is neither police nor fire"),
        (without(alarm(), "service"), "is an alarm whose service is neither police nor fire"),
        (without(alarm(), "incident"), "is an alarm whose incident is no UUID"),
        (with(alarm(), "incident", json!("7")), "is an alarm whose incident is no UUID"),
        (with(alarm(), "jti", json!("7")), "has a jti that is no UUID"),
        (without(alarm(), "jti"), "is signed by the account's hub, but its claims are those of no signal"),
        (with(alarm(), "account", json!("a-18")), "is signed by the account's hub, but is for another account"),
        (with(alarm(), "account", json!("A-17")), "is signed by the account's hub, but is for another account"),
        (
            without(with(alarm(), "kind", json!("cancel_request")), "incident"),
            "is a cancel_request whose incident is no UUID",
        ),
        (
            with(alarm(), "kind", json!("alarms")),
            "is signed by the account's hub, but of a kind that this version of the center does not know",
        ),
        (with(alarm(), "kind", json!("fault")), "is a fault without a code"),
        (with(heartbeat(), "interval_seconds", json!(0)), "is a heartbeat whose interval_seconds is not 1 to 3600"),
        (with(heartbeat(), "interval_seconds", json!(3_601)), "is a heartbeat whose interval_seconds is not 1 to 3600"),
        (without(heartbeat(), "interval_seconds"), "is a heartbeat whose interval_seconds is not 1 to 3600"),
        (
            with(heartbeat(), "open", json!({"x": 1})),
            "is a heartbeat whose open does not name incidents with the seq of an update",
        ),
        (
            with(heartbeat(), "open", json!({INCIDENT.to_string(): -1})),
            "is a heartbeat whose open does not name incidents with the seq of an update",
        ),
    ];
    for (claims, problem) in cases {
        assert_eq!(read(&claims).unwrap_err(), problem, "{claims}");
    }
    assert!(read(&alarm()).is_ok() && read(&heartbeat()).is_ok());
}

#[test]
fn a_service_that_is_said_twice_is_none() {
    let keys = Keys::fresh();
    let claims = alarm().to_string().replacen('{', r#"{"service":"police","#, 1);
    let token = keys.signed(r#"{"alg":"EdDSA","typ":"JWT"}"#, &claims);
    assert!(signals::signal(&account(), token.as_bytes(), &keys.verifier()).is_err());
}

#[test]
fn a_heartbeat_names_at_most_64_open_incidents_the_latest() {
    let open: serde_json::Map<String, Value> = (0..100).map(|n| (Id(n).to_string(), json!(1))).collect();
    let signal = read(&with(heartbeat(), "open", Value::Object(open))).unwrap();
    let SignalKind::Heartbeat { open, .. } = signal.kind else { panic!("{:?}", signal.kind) };
    assert_eq!(open.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), (36..100).collect::<Vec<_>>());
}

#[test]
fn what_another_key_has_signed_is_not_the_hubs() {
    let (hub, other) = (Keys::fresh(), Keys::fresh());
    let read = |token: &str| signals::signal(&account(), token.as_bytes(), &hub.verifier()).unwrap_err();
    let token = other.token(&alarm());
    assert_eq!(read(&token), "is not signed by the account's hub");
    let mine = hub.token(&alarm());
    let (header, rest) = mine.split_once('.').unwrap();
    let signature = rest.split_once('.').unwrap().1;
    let altered =
        format!("{header}.{}.{signature}", keys::encode(with(alarm(), "service", json!("police")).to_string()));
    assert_eq!(read(&altered), "is not signed by the account's hub");
    assert_eq!(read("police"), "is not a compact JWS whose header and claims are JSON objects");
    assert_eq!(read(&"x".repeat(tokens::MAX_BYTES + 1)), "is larger than 8192 bytes");
    let unsigned = format!("{}.{}.", keys::encode(r#"{"alg":"none","typ":"JWT"}"#), keys::encode(alarm().to_string()));
    assert!(read(&unsigned).starts_with("is not "), "{}", read(&unsigned));
}

/// What the hub makes of claims that the center has signed.
fn at_the_hub(topic: CenterTopic, claims: &[u8]) -> CenterMessage {
    let keys = Keys::fresh();
    let token = keys.signer().sign(claims).unwrap();
    center_message(topic, "a-17", token.as_bytes(), &keys.verifier())
}

#[test]
fn every_ack_is_understood_by_the_hub() {
    let verdicts = [
        (Verdict::Accepted, AckResult::Accepted, None, None),
        (Verdict::Accepted, AckResult::Accepted, None, Some(7)),
        (Verdict::NoMonitoring, AckResult::NoMonitoring, Some("no_monitoring"), None),
        (Verdict::UnknownAccount, AckResult::UnknownAccount, Some("unknown_account"), None),
    ];
    for (verdict, result, reason, reopened_after) in verdicts {
        let (account, received_wall) = (account(), AT);
        let claims = said::ack(&Ack { account, signal: JTI, verdict, seq: 5, received_wall, reopened_after });
        let mut expected = json!({"account": "a-17", "signal": JTI.to_string(),
            "result": if reason.is_some() { "refused" } else { "accepted" }, "seq": 5,
            "received_at": "2026-11-22T10:00:00.000Z"});
        if let Some(reason) = reason {
            expected["reason"] = json!(reason);
        }
        if let Some(seq) = reopened_after {
            expected["reopened_after"] = json!(seq);
        }
        assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap(), expected);
        let ack = hub::Ack { signal: JTI, result, seq: 5, reopened_after };
        assert_eq!(at_the_hub(CenterTopic::Ack, &claims), CenterMessage::Ack(ack));
    }
}

#[test]
fn every_update_is_understood_by_the_hub() {
    let full = Update {
        account: account(),
        incident: INCIDENT,
        seq: 2,
        stage: CallStage::CallingFirstContact,
        contact: Some((1, "Ann".into())),
        note: Some("again".into()),
        at_wall: AT,
    };
    let expected = json!({"account": "a-17", "incident": INCIDENT.to_string(), "seq": 2,
        "stage": "calling_first_contact", "contact": {"position": 1, "name": "Ann"}, "note": "again",
        "at": "2026-11-22T10:00:00.000Z"});
    assert_eq!(serde_json::from_slice::<Value>(&said::update(&full)).unwrap(), expected);
    let contact = Some(hub::Contact { position: 1, name: "Ann".into() });
    let note = Some("again".to_owned());
    let heard = hub::Update { incident: INCIDENT, seq: 2, stage: CallStage::CallingFirstContact, contact, note };
    assert_eq!(at_the_hub(CenterTopic::Update, &said::update(&full)), CenterMessage::Update(heard));

    for stage in [CallStage::Dispatched, CallStage::CallingOtherContacts, CallStage::Closed, CallStage::Confirmed] {
        let bare = Update { stage, contact: None, note: None, ..full.clone() };
        let CenterMessage::Update(heard) = at_the_hub(CenterTopic::Update, &said::update(&bare)) else { panic!() };
        assert_eq!((heard.stage, heard.contact, heard.note), (stage, None, None));
        assert!(serde_json::from_slice::<Value>(&said::update(&bare)).unwrap().get("note").is_none());
    }
}

#[test]
fn a_plan_token_is_understood_by_the_hub_and_has_whole_seconds() {
    let plan = PlanToken {
        account: account(),
        plan: "protect_plus".into(),
        professional_monitoring: true,
        missing: vec!["contact", "password"],
        serial: 4,
        issued_wall: Wall(AT.0 + 999),
        expires_wall: Wall(AT.0 + 86_400_999),
    };
    let claims = said::plan(&plan);
    let expected = json!({"account": "a-17", "plan": "protect_plus", "professional_monitoring": true,
        "missing": ["contact", "password"], "serial": 4, "iat": 1_795_341_600, "exp": 1_795_428_000});
    assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap(), expected);
    let CenterMessage::Plan(heard) = at_the_hub(CenterTopic::Plan, &claims) else { panic!() };
    assert_eq!((heard.serial, heard.issued_at, heard.expires_at), (4, AT, Wall(AT.0 + 86_400_000)));
    assert_eq!(heard.missing, ["contact", "password"]);
}

#[test]
fn a_call_is_asked_for_with_all_that_a_provider_needs() {
    let request = CallRequest {
        call: JTI,
        account: account(),
        name: "Family Ann".into(),
        address: "1 Elm Street".into(),
        incident: INCIDENT,
        service: Service::Fire,
        position: 1,
        contact: Contact { name: "Ann".into(), phone: "+44 1".into() },
    };
    let url = format!("https://center.example/calls/{JTI}");
    let callback = requests::Callback { url: url.clone(), token: "secret".into() };
    let expected = json!({"kind": "call", "call": JTI.to_string(), "account": "a-17", "name": "Family Ann",
        "address": "1 Elm Street", "incident": INCIDENT.to_string(), "service": "fire",
        "contact": {"position": 1, "name": "Ann", "phone": "+44 1"}, "callback": {"url": url, "token": "secret"},
        "iat": 1_795_341_600});
    assert_eq!(serde_json::from_slice::<Value>(&requests::call(&request, &callback, AT)).unwrap(), expected);

    let request = DispatchRequest {
        account: account(),
        name: "Family Ann".into(),
        address: "1 Elm Street".into(),
        incident: INCIDENT,
        service: Service::Police,
        raised_wall: Some(AT),
        received_wall: AT,
        reason: "no_answer",
    };
    let expected = json!({"kind": "dispatch", "account": "a-17", "name": "Family Ann", "address": "1 Elm Street",
        "incident": INCIDENT.to_string(), "service": "police", "raised_at": "2026-11-22T10:00:00.000Z",
        "reason": "no_answer", "iat": 1_795_341_600});
    assert_eq!(serde_json::from_slice::<Value>(&requests::dispatch(&request, AT)).unwrap(), expected);
}

/// Any JSON, of the claims' own names as well.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(json!(JTI.to_string())),
        Just(json!("9999-12-31T23:59:60Z")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn no_claims_bring_the_center_down(
        base in prop_oneof![Just(alarm()), Just(heartbeat())],
        kind in prop_oneof![Just("alarm"), Just("cancel_request"), Just("test"), Just("heartbeat"), Just("fault")],
        key in prop_oneof![Just("jti"), Just("account"), Just("incident"), Just("service"), Just("raised_at"),
            Just("age_ms"), Just("seq"), Just("open"), Just("interval_seconds"), Just("code"), Just("event_code")],
        value in any_json(),
    ) {
        // It is taken or refused; a refusal says why.
        if let Err(problem) = read(&with(with(base, "kind", json!(kind)), key, value)) {
            prop_assert!(!problem.is_empty());
        }
    }

    #[test]
    fn no_bytes_are_a_signal(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(signals::signal(&account(), &bytes, &Keys::fresh().verifier()).is_err());
    }

    #[test]
    fn a_token_with_one_byte_changed_is_not_the_hubs(index in 0usize..1_000, byte in any::<u8>()) {
        let keys = Keys::fresh();
        let token = keys.token(&alarm()).into_bytes();
        let mut changed = token.clone();
        let index = index % token.len();
        changed[index] = byte;
        prop_assume!(changed != token);
        prop_assert!(signals::signal(&account(), &changed, &keys.verifier()).is_err());
    }
}

#[test]
fn a_heartbeat_that_names_nothing_open_is_heard() {
    for open in [json!({}), Value::Null] {
        let kind = read(&with(heartbeat(), "open", open)).unwrap().kind;
        assert_eq!(kind, SignalKind::Heartbeat { interval: Duration::from_secs(60), open: Vec::new() });
    }
    assert!(read(&without(heartbeat(), "open")).is_ok());
}

#[test]
fn a_provider_bears_its_token_and_says_one_of_four_words() {
    assert_eq!(outcomes::bearer("Bearer abc"), Some("abc"));
    assert_eq!(outcomes::bearer("bearer  abc "), Some("abc"));
    assert_eq!(outcomes::bearer("Basic abc"), None);
    assert_eq!(outcomes::bearer("abc"), None);
    let word = |outcome: &str| outcomes::word(format!(r#"{{"outcome": "{outcome}"}}"#).as_bytes());
    let known = ["answered", "confirmed", "cancelled", "no_answer"].map(|outcome| word(outcome).unwrap().outcome);
    assert_eq!(known, [Outcome::Answered, Outcome::Confirmed, Outcome::Cancelled, Outcome::NoAnswer]);
    let cancelled = outcomes::word(br#"{"outcome": "cancelled", "password": "sunflower", "more": 1}"#).unwrap();
    assert_eq!(cancelled.password.as_deref(), Some("sunflower"));
    assert!(word("maybe").unwrap_err().starts_with("This is not understood: "));
    assert!(outcomes::word(b"{\"outcome\": \"confirmed\", \"more\": \"\xff\"}").is_err(), "JSON is UTF-8");
}

#[test]
fn an_alarm_that_nobody_takes_is_told_without_naming_anybody() {
    let request = AlertRequest { account: account(), incident: INCIDENT, service: Service::Fire, received_wall: AT };
    let said: Value = serde_json::from_slice(&requests::unattended(&request, AT)).unwrap();
    let expected = json!({"kind": "unattended", "account": "a-17", "incident": INCIDENT.to_string(), "service": "fire",
        "received_at": "2026-11-22T10:00:00.000Z", "iat": 1_795_341_600});
    assert_eq!(said, expected);
}

#[test]
fn an_account_is_found_by_the_text_of_a_topic() {
    let known = BTreeSet::from([account()]);
    assert!(known.contains("a-17") && !known.contains("a-18"));
}
