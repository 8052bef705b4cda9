use proptest::prelude::*;
use serde_json::{Value, json};
use sos_hub::controller::input::{Ack, AckResult, CenterMessage, Contact, PlanToken, Update};
use sos_hub::controller::moment::{Id, Wall};
use sos_hub::controller::words::{CallStage, Stage};
use sos_hub::wire::center::{center_message, plan_token};
use sos_hub::wire::topics::CenterTopic;

use crate::keys::Keys;

const ID: Id = Id(0x019a_aaaa_bbbb_7ccc_8ddd_eeee_eeee_ffff);
const ACCOUNT: &str = "a-17";

fn ack() -> Value {
    json!({"account": ACCOUNT, "signal": ID.to_string(), "result": "accepted", "seq": 3,
        "received_at": "2026-11-22T10:00:00Z"})
}

fn update() -> Value {
    json!({"account": ACCOUNT, "incident": ID.to_string(), "seq": 1, "stage": "calling_first_contact",
        "contact": {"position": 1, "name": "Ann"}, "note": "again", "at": "2026-11-22T10:00:00Z"})
}

fn plan() -> Value {
    json!({"account": ACCOUNT, "plan": "protect_plus", "professional_monitoring": true, "missing": ["contact"],
        "serial": 5, "iat": 1795341600, "exp": 1795428000})
}

fn claims_of(topic: CenterTopic) -> Value {
    match topic {
        CenterTopic::Ack => ack(),
        CenterTopic::Update => update(),
        CenterTopic::Plan => plan(),
    }
}

/// What the hub makes of these claims, truly signed by the center.
fn heard(topic: CenterTopic, claims: &Value) -> CenterMessage {
    let keys = Keys::fresh();
    center_message(topic, ACCOUNT, keys.token(claims).as_bytes(), &keys.verifier())
}

fn changed(mut claims: Value, key: &str, value: Value) -> Value {
    claims[key] = value;
    claims
}

fn without(mut claims: Value, key: &str) -> Value {
    claims.as_object_mut().unwrap().remove(key).unwrap();
    claims
}

fn problem(message: CenterMessage) -> String {
    match message {
        CenterMessage::Rejected { problem } => problem,
        taken => panic!("{taken:?}"),
    }
}

#[test]
fn an_ack_settles_a_signal() {
    let result = |result, claims: Value| {
        let ack = Ack { signal: ID, result, seq: 3, reopened_after: None };
        assert_eq!(heard(CenterTopic::Ack, &claims), CenterMessage::Ack(ack));
    };
    let refused = |reason: Value| changed(changed(ack(), "result", json!("refused")), "reason", reason);
    result(AckResult::Accepted, ack());
    result(AckResult::Accepted, changed(ack(), "surprise", json!([1])));
    result(AckResult::NoMonitoring, refused(json!("no_monitoring")));
    result(AckResult::UnknownAccount, refused(json!("unknown_account")));
    result(AckResult::OtherRefusal, refused(json!("strike")));
    result(AckResult::OtherRefusal, refused(json!(null)));
    let reopening = heard(CenterTopic::Ack, &changed(ack(), "reopened_after", json!(7)));
    let ack = Ack { signal: ID, result: AckResult::Accepted, seq: 3, reopened_after: Some(7) };
    assert_eq!(reopening, CenterMessage::Ack(ack));
}

#[test]
fn an_update_moves_an_incident() {
    let full = Update {
        incident: ID,
        seq: 1,
        stage: CallStage::CallingFirstContact,
        contact: Some(Contact { position: 1, name: "Ann".into() }),
        note: Some("again".into()),
    };
    assert_eq!(heard(CenterTopic::Update, &update()), CenterMessage::Update(full.clone()));
    let bare = without(without(without(update(), "contact"), "note"), "at");
    let expected = CenterMessage::Update(Update { contact: None, note: None, ..full });
    assert_eq!(heard(CenterTopic::Update, &bare), expected);
    let nulls = changed(changed(update(), "contact", json!(null)), "note", json!(null));
    assert_eq!(heard(CenterTopic::Update, &nulls), expected);
    let empty = changed(changed(update(), "contact", json!(null)), "note", json!(" "));
    assert_eq!(heard(CenterTopic::Update, &empty), expected);
}

#[test]
fn texts_of_the_center_are_fit_to_be_shown() {
    let long = format!("\u{1b}{}\n", "ü".repeat(500));
    let claims = changed(changed(update(), "contact", json!({"position": 2, "name": long})), "note", json!(long));
    let CenterMessage::Update(update) = heard(CenterTopic::Update, &claims) else { panic!("an update") };
    assert_eq!(update.contact, Some(Contact { position: 2, name: "ü".repeat(64) }));
    assert_eq!(update.note, Some("ü".repeat(256)));
    let claims = changed(changed(plan(), "plan", json!(long)), "missing", json!([long]));
    let CenterMessage::Plan(plan) = heard(CenterTopic::Plan, &claims) else { panic!("a plan") };
    assert_eq!((plan.plan, plan.missing), ("ü".repeat(64), vec!["ü".repeat(64)]));
}

#[test]
fn an_update_brings_only_the_stages_of_the_call() {
    for stage in Stage::ALL {
        let taken = matches!(
            heard(CenterTopic::Update, &changed(update(), "stage", json!(stage.as_str()))),
            CenterMessage::Update(update) if update.stage.stage() == stage
        );
        assert_eq!(taken, CallStage::parse(stage.as_str()).is_some(), "{stage:?}");
    }
    assert!(problem(heard(CenterTopic::Update, &changed(update(), "stage", json!("nap")))).contains("stage"));
}

#[test]
fn a_plan_is_kept_with_its_token() {
    let keys = Keys::fresh();
    let token = keys.token(&plan());
    let expected = PlanToken {
        plan: "protect_plus".into(),
        professional_monitoring: true,
        missing: vec!["contact".into()],
        serial: 5,
        issued_at: Wall(1_795_341_600_000),
        expires_at: Wall(1_795_428_000_000),
        token: token.clone(),
    };
    let heard = center_message(CenterTopic::Plan, ACCOUNT, token.as_bytes(), &keys.verifier());
    assert_eq!(heard, CenterMessage::Plan(expected.clone()));
    assert_eq!(plan_token(&format!("{token}\n"), ACCOUNT, &keys.verifier()), Ok(expected));
}

#[test]
fn a_stored_plan_is_judged_like_one_that_arrives() {
    let (keys, stranger) = (Keys::fresh(), Keys::fresh());
    assert!(plan_token(&stranger.token(&plan()), ACCOUNT, &keys.verifier()).is_err());
    assert!(plan_token(&keys.token(&plan()), "b-18", &keys.verifier()).unwrap_err().contains("another account"));
    assert!(plan_token(&keys.token(&ack()), ACCOUNT, &keys.verifier()).is_err());
    assert!(plan_token("", ACCOUNT, &keys.verifier()).is_err());
}

#[test]
fn a_plan_past_its_end_is_still_a_plan() {
    let past = changed(changed(plan(), "iat", json!(0)), "exp", json!(1));
    assert!(matches!(heard(CenterTopic::Plan, &past), CenterMessage::Plan(plan) if plan.expires_at == Wall(1000)));
}

#[test]
fn the_times_of_a_plan_are_seconds() {
    let expiry = |exp| match heard(CenterTopic::Plan, &changed(plan(), "exp", exp)) {
        CenterMessage::Plan(plan) => Some(plan.expires_at.0),
        _ => None,
    };
    assert_eq!(expiry(json!(1795428000.25)), Some(1_795_428_000_250));
    assert_eq!(expiry(json!(253402300799u64)), Some(253_402_300_799_000));
    for wrong in [json!(-1), json!(1e300), json!(u64::MAX), json!(1795428000000u64), json!("1795428000"), json!(null)] {
        assert_eq!(expiry(wrong.clone()), None, "{wrong}");
    }
}

#[test]
fn what_a_plan_does_not_lack_may_be_absent() {
    for claims in [without(plan(), "missing"), changed(plan(), "missing", json!(null))] {
        assert!(matches!(heard(CenterTopic::Plan, &claims), CenterMessage::Plan(plan) if plan.missing.is_empty()));
    }
}

#[test]
fn every_claim_that_counts_is_required() {
    let required = [
        (CenterTopic::Ack, &["account", "signal", "result", "seq"][..]),
        (CenterTopic::Update, &["account", "incident", "seq", "stage"]),
        (CenterTopic::Plan, &["account", "plan", "professional_monitoring", "serial", "iat", "exp"]),
    ];
    for (topic, names) in required {
        for name in names {
            problem(heard(topic, &without(claims_of(topic), name)));
            problem(heard(topic, &changed(claims_of(topic), name, json!(null))));
            problem(heard(topic, &changed(claims_of(topic), name, json!(["x"]))));
        }
    }
}

#[test]
fn claims_are_not_bent_into_shape() {
    for (topic, name, wrong) in [
        (CenterTopic::Ack, "signal", json!("17")),
        (CenterTopic::Ack, "result", json!("Accepted")),
        (CenterTopic::Ack, "result", json!("")),
        (CenterTopic::Ack, "seq", json!(-1)),
        (CenterTopic::Ack, "seq", json!(1.5)),
        (CenterTopic::Ack, "seq", json!("3")),
        (CenterTopic::Update, "incident", json!("")),
        (CenterTopic::Update, "stage", json!("Closed")),
        (CenterTopic::Update, "contact", json!({"position": 0, "name": "Ann"})),
        (CenterTopic::Update, "contact", json!("Ann")),
        (CenterTopic::Plan, "plan", json!("")),
        (CenterTopic::Plan, "professional_monitoring", json!("yes")),
        (CenterTopic::Plan, "professional_monitoring", json!(1)),
        (CenterTopic::Plan, "serial", json!(-5)),
    ] {
        let said = problem(heard(topic, &changed(claims_of(topic), name, wrong.clone())));
        assert!(!said.contains("Ann"), "{said}");
    }
}

#[test]
fn a_claim_that_stands_there_twice_is_refused() {
    let keys = Keys::fresh();
    let doubled = ack().to_string().replacen('{', r#"{"result":"refused","#, 1);
    let token = keys.signed(r#"{"alg":"EdDSA","typ":"JWT"}"#, &doubled);
    problem(center_message(CenterTopic::Ack, ACCOUNT, token.as_bytes(), &keys.verifier()));
}

#[test]
fn a_message_for_another_account_changes_nothing() {
    for topic in CenterTopic::ALL {
        for other in ["b-18", "", "A-17", "a-17 "] {
            let said = problem(heard(topic, &changed(claims_of(topic), "account", json!(other))));
            assert!(said.contains("another account"), "{said}");
        }
    }
}

#[test]
fn a_true_message_is_worth_nothing_on_another_topic() {
    for made_for in CenterTopic::ALL {
        for topic in CenterTopic::ALL.into_iter().filter(|topic| *topic != made_for) {
            problem(heard(topic, &claims_of(made_for)));
        }
    }
}

#[test]
fn only_the_centers_key_counts() {
    let (center, stranger) = (Keys::fresh(), Keys::fresh());
    for topic in CenterTopic::ALL {
        let forged = stranger.token(&claims_of(topic));
        let said = problem(center_message(topic, ACCOUNT, forged.as_bytes(), &center.verifier()));
        let name = topic.as_str();
        assert_eq!(said, format!("the token on the topic {name} does not carry the signature of the expected key"));
    }
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(payload in prop::collection::vec(any::<u8>(), 0..300), text in "[A-Za-z0-9_.=-]{0,200}") {
        let verifier = Keys::fresh().verifier();
        for topic in CenterTopic::ALL {
            problem(center_message(topic, ACCOUNT, &payload, &verifier));
            problem(center_message(topic, ACCOUNT, text.as_bytes(), &verifier));
        }
    }

    #[test]
    fn no_signed_claims_cause_a_panic(
        topic in prop::sample::select(&CenterTopic::ALL[..]),
        name in prop::sample::select(&["account", "signal", "incident", "seq", "stage", "contact", "exp", "missing"][..]),
        value in prop_oneof![
            any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from), any::<String>().prop_map(Value::from),
        ],
    ) {
        heard(topic, &changed(claims_of(topic), name, value));
    }
}
