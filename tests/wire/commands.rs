use proptest::prelude::*;
use serde_json::json;
use sos_hub::controller::input::{CancelTarget, Content, Malformed};
use sos_hub::controller::moment::{Id, Wall};
use sos_hub::controller::words::{CommandName, Service, TestKind};
use sos_hub::wire::commands::command;

const INCIDENT: Id = Id(0x019a_aaaa_bbbb_7ccc_8ddd_eeee_eeee_ffff);

fn request(payload: impl AsRef<[u8]>) -> Result<Content, Malformed> {
    command(CommandName::Request, payload.as_ref())
}

fn cancel(payload: impl AsRef<[u8]>) -> Result<Content, Malformed> {
    command(CommandName::Cancel, payload.as_ref())
}

fn bare(service: Service) -> Result<Content, Malformed> {
    Ok(Content::Request { service, id: None, source: None, user: None, sent_at: None })
}

fn every() -> Result<Content, Malformed> {
    Ok(Content::Cancel { incident: CancelTarget::Every, id: None })
}

fn problem(answer: Result<Content, Malformed>) -> String {
    answer.unwrap_err().problem
}

#[test]
fn a_request_is_a_plain_word() {
    assert_eq!(request("police"), bare(Service::Police));
    assert_eq!(request("fire"), bare(Service::Fire));
    assert_eq!(request("siren"), bare(Service::Siren));
    assert_eq!(request(" police\r\n"), bare(Service::Police));
}

#[test]
fn a_request_is_json() {
    let all = json!({"service": "fire", "id": "a1", "source": "dashboard", "user": "Ann",
        "sent_at": "2026-11-22T11:00:00.250+01:00", "colour": {"red": [1]}});
    let expected = Content::Request {
        service: Service::Fire,
        id: Some("a1".into()),
        source: Some("dashboard".into()),
        user: Some("Ann".into()),
        sent_at: Some(Wall(1_795_341_600_250)),
    };
    assert_eq!(request(all.to_string()), Ok(expected));
    assert_eq!(request(r#" {"service":"police"} "#), bare(Service::Police));
    assert_eq!(request(r#"{"service":"police","id":null,"sent_at":null,"user":null}"#), bare(Service::Police));
}

#[test]
fn a_word_that_is_not_exactly_a_service_is_refused() {
    for wrong in ["", "Police", "policee", "police fire", "polic\u{435}", "\"police\"", "ambulance", "\u{a0}police"] {
        assert_eq!(problem(request(wrong)), "the service must be police, fire or siren", "{wrong:?}");
    }
    for wrong in [r#"{}"#, r#"{"service":null}"#, r#"{"service":["police"]}"#, r#"{"Service":"police"}"#] {
        assert_eq!(problem(request(wrong)), "the service must be police, fire or siren", "{wrong}");
    }
    assert!(request(r#"["police"]"#).is_err());
}

#[test]
fn a_known_key_must_not_stand_there_twice() {
    let twice = request(r#"{"service":"police","id":"a","service":"police"}"#).unwrap_err();
    assert_eq!(twice, Malformed { id: Some("a".into()), problem: "the key service must not appear twice".into() });
    let doubtful = request(r#"{"id":"a","service":"police","id":"b","service":"fire"}"#).unwrap_err();
    assert_eq!(doubtful, Malformed { id: None, problem: "the key id must not appear twice".into() });
    assert_eq!(
        problem(request(r#"{"service":"police","\u0073ervice":"fire"}"#)),
        "the key service must not appear twice"
    );
    assert_eq!(problem(cancel(r#"{"incident":"a","incident":"b"}"#)), "the key incident must not appear twice");
    assert_eq!(request(r#"{"service":"police","x":1,"x":2}"#), bare(Service::Police));
}

#[test]
fn an_id_has_1_to_64_characters() {
    let with_id = |id: &str| request(json!({"service": "police", "id": id}).to_string());
    let longest = "ü".repeat(64);
    assert!(matches!(with_id(&longest), Ok(Content::Request { id: Some(id), .. }) if id == longest));
    for wrong in ["".to_owned(), "ü".repeat(65)] {
        assert_eq!(problem(with_id(&wrong)), "the id must be a text of 1 to 64 characters");
    }
    assert_eq!(problem(request(r#"{"service":"police","id":7}"#)), "the id must be a text of 1 to 64 characters");
}

#[test]
fn the_id_is_kept_when_the_rest_is_wrong() {
    for wrong in [r#"{"id":"a1","service":"ambulance"}"#, r#"{"service":"police","sent_at":"soon","id":"a1"}"#] {
        assert_eq!(request(wrong).unwrap_err().id.as_deref(), Some("a1"), "{wrong}");
    }
    assert_eq!(cancel(r#"{"id":"a1","incident":5}"#).unwrap_err().id.as_deref(), Some("a1"));
}

#[test]
fn sent_at_is_rfc_3339_or_left_out() {
    for wrong in [json!("2026-11-22"), json!("2026-11-22T10:00:00"), json!("1795341600"), json!(1795341600), json!("")]
    {
        let answer = request(json!({"service": "police", "sent_at": wrong}).to_string());
        assert!(problem(answer).ends_with("it may be left out"), "{wrong}");
    }
}

#[test]
fn source_and_user_never_cost_a_request() {
    let labels = |source: serde_json::Value| match request(json!({"service": "fire", "source": source}).to_string()) {
        Ok(Content::Request { source, .. }) => source,
        other => panic!("{other:?}"),
    };
    assert_eq!(labels(json!(5)), None);
    assert_eq!(labels(json!({"a": 1})), None);
    assert_eq!(labels(json!("")), None);
    assert_eq!(labels(json!(" \n ")), None);
    assert_eq!(labels(json!("hall\u{1b}[31m\nway\u{85}")), Some("hall[31mway".into()));
    assert_eq!(labels(json!("ü".repeat(100))), Some("ü".repeat(64)));
}

#[test]
fn a_cancel_without_an_incident_is_for_every_countdown() {
    for every_one in ["", "  \r\n", "{}", r#"{"incident":null}"#, r#"{"reason":"burnt toast"}"#] {
        assert_eq!(cancel(every_one), every(), "{every_one:?}");
    }
    let with_id = Content::Cancel { incident: CancelTarget::Every, id: Some("c1".into()) };
    assert_eq!(cancel(r#"{"id":"c1"}"#), Ok(with_id));
}

#[test]
fn a_cancel_names_an_incident() {
    let one = |id| Ok(Content::Cancel { incident: CancelTarget::One(INCIDENT), id });
    assert_eq!(cancel(INCIDENT.to_string()), one(None));
    assert_eq!(cancel(format!(" {}\n", INCIDENT.to_string().to_uppercase())), one(None));
    assert_eq!(cancel(json!({"incident": INCIDENT.to_string(), "id": "c1"}).to_string()), one(Some("c1".into())));
}

#[test]
fn text_that_is_no_id_of_ours_cancels_nothing() {
    let unknown = |text: &str| Ok(Content::Cancel { incident: CancelTarget::Unknown(text.into()), id: None });
    assert_eq!(cancel("all"), unknown("all"));
    assert_eq!(cancel(r#"{"incident":"all"}"#), unknown("all"));
    assert_eq!(cancel("ü".repeat(100)), unknown(&"ü".repeat(64)));
    let without_hyphens = INCIDENT.to_string().replace('-', "");
    assert_eq!(cancel(&without_hyphens), unknown(&without_hyphens));
    for wrong in [r#"{"incident":""}"#, r#"{"incident":[]}"#, r#"{"incident":0}"#, r#"{"incident":false}"#, "{"] {
        assert!(cancel(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_silence_is_empty_or_json() {
    let silence = |payload: &str| command(CommandName::Silence, payload.as_bytes());
    assert_eq!(silence(" "), Ok(Content::Silence { id: None }));
    assert_eq!(silence(r#"{"id":"s1","x":1}"#), Ok(Content::Silence { id: Some("s1".into()) }));
    for wrong in ["now", "[]", "null", r#"{"id":""}"#, "{} {}"] {
        assert!(silence(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_test_is_a_plain_word() {
    let test = |payload: &str| command(CommandName::Test, payload.as_bytes());
    assert_eq!(test("siren\n"), Ok(Content::Test(TestKind::Siren)));
    assert_eq!(test("center"), Ok(Content::Test(TestKind::Center)));
    for wrong in ["", "Siren", r#"{"test":"siren"}"#] {
        assert_eq!(problem(test(wrong)), "the test must be the word siren or center");
    }
}

#[test]
fn what_is_too_large_is_not_even_parsed() {
    let padded = |length: usize| format!("{:length$}", "police");
    assert_eq!(request(padded(4096)), bare(Service::Police));
    assert_eq!(problem(request(padded(4097))), "the message must not be larger than 4096 bytes");
    assert!(cancel(" ".repeat(4097)).is_err());
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for name in CommandName::ALL {
        assert_eq!(problem(command(name, b"\xff\xfe")), "the message must be UTF-8 text");
    }
    assert!(request(r#"{"service":"police","id":"\ud800"}"#).is_err());
}

#[test]
fn deep_nesting_is_refused_or_skipped_on_a_small_stack() {
    let deep = "[".repeat(4000);
    let attempt = move || {
        for key in ["service", "id", "user", "unknown"] {
            assert!(request(format!(r#"{{"{key}":{deep}"#)).is_err());
        }
        let closed = format!(r#"{{"x":{}{},"service":"police"}}"#, "[".repeat(1900), "]".repeat(1900));
        assert_eq!(request(closed), bare(Service::Police));
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(attempt).unwrap().join().unwrap();
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        for name in CommandName::ALL {
            let _ = command(name, &payload);
        }
    }

    #[test]
    fn only_the_three_words_are_services(text in "\\PC{0,12}") {
        prop_assume!(Service::parse(text.trim_ascii()).is_none());
        prop_assert!(request(&text).is_err());
        let said = json!({"service": text}).to_string();
        prop_assert!(request(said).is_err());
    }

    #[test]
    fn a_request_says_what_was_put_in(
        service in prop::sample::select(&Service::ALL[..]),
        id in prop::option::of("\\PC{1,64}"),
        user in prop::option::of("[a-zäöü]{1,64}"),
        milliseconds in prop::option::of(0i64..4_102_444_800_000),
    ) {
        let mut said = json!({"service": service.as_str()});
        if let Some(id) = &id { said["id"] = json!(id); }
        if let Some(user) = &user { said["user"] = json!(user); }
        let sent_at = milliseconds.map(Wall);
        if let Some(wall) = sent_at { said["sent_at"] = json!(sos_hub::wire::text::timestamp(wall)); }
        prop_assert_eq!(request(said.to_string()), Ok(Content::Request { service, id, source: None, user, sent_at }));
    }

    #[test]
    fn a_cancel_says_what_was_put_in(bits in any::<u128>(), id in prop::option::of("\\PC{1,64}"), upper in any::<bool>()) {
        let text = Id(bits).to_string();
        let text = if upper { text.to_uppercase() } else { text };
        let incident = CancelTarget::One(Id(bits));
        prop_assert_eq!(cancel(&text), Ok(Content::Cancel { incident: incident.clone(), id: None }));
        let said = json!({"incident": text, "id": id});
        prop_assert_eq!(cancel(said.to_string()), Ok(Content::Cancel { incident, id }));
    }
}
