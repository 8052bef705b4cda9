use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sos_hub::controller::input::{Content, Malformed};
use sos_hub::controller::words::{CommandName, Service, Stage};
use sos_hub::wire::commands;
use sos_hub::wire::home_assistant::Announcement;
use sos_hub::wire::topics::AppTopics;

fn announcement(id: &str, name: &str) -> Announcement {
    Announcement {
        prefix: "homeassistant".into(),
        topics: AppTopics { prefix: "sos".into(), hub: id.into() },
        name: name.into(),
        version: "1.22.333",
        countdown_seconds: 7,
        panel: Some("https://192.168.100.100:18080".into()),
    }
}

fn payload(announcement: &Announcement) -> Value {
    serde_json::from_slice(&announcement.payload(true)).expect("JSON")
}

/// What Home Assistant 2024.11 and later know, by their short names; it drops a device that has any other key.
const OF_THE_DEVICE: [&str; 6] = ["configuration_url", "identifiers", "manufacturer", "model", "name", "sw_version"];
const OF_ALL: [&str; 8] = ["p", "name", "uniq_id", "def_ent_id", "qos", "ic", "ent_cat", "dev_cla"];
const OF_A_PLATFORM: [(&str, &[&str]); 5] = [
    ("siren", &["cmd_t", "retain", "support_duration", "support_volume_set", "stat_val_tpl"]),
    ("button", &["cmd_t", "cmd_tpl", "pl_prs", "retain"]),
    ("sensor", &["stat_t", "val_tpl", "unit_of_meas", "options", "json_attr_t", "json_attr_tpl"]),
    ("binary_sensor", &["val_tpl", "json_attr_t", "json_attr_tpl"]),
    ("event", &["stat_t", "val_tpl", "evt_typ"]),
];

#[test]
fn a_siren_that_the_hub_cannot_hear_is_taken_back_and_nothing_else() {
    let announcement = announcement("home", "Our home");
    let mut with = payload(&announcement);
    let without: Value = serde_json::from_slice(&announcement.payload(false)).expect("JSON");
    // With its platform alone Home Assistant removes a component.
    assert_eq!(without["components"]["siren"], serde_json::json!({ "p": "siren" }));
    with["components"]["siren"] = without["components"]["siren"].clone();
    assert_eq!(with, without);
}

#[test]
fn home_assistant_is_told_no_key_that_it_does_not_know() {
    let payload = payload(&announcement("home", "Our home"));
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(keys(&payload), named(&["availability_topic", "components", "device", "origin", "state_topic"]));
    assert_eq!(keys(&payload["device"]), named(&OF_THE_DEVICE));
    assert_eq!(keys(&payload["origin"]), named(&["name", "sw_version"]));
    let platforms = BTreeMap::from(OF_A_PLATFORM);
    let mut ids = BTreeSet::new();
    for (name, component) in payload["components"].as_object().expect("components") {
        let platform = component["p"].as_str().expect("a platform");
        let known = named(&[&OF_ALL[..], platforms[platform]].concat());
        let unknown: Vec<_> = keys(component).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
        assert!(ids.insert(component["uniq_id"].to_string()), "{name}");
        assert!(ids.insert(component["def_ent_id"].to_string()), "{name}");
        assert!(component["def_ent_id"].as_str().expect("an id").starts_with(&format!("{platform}.sos_home_")));
        // What nobody can tell to be old must not be sent again.
        let is_sent_once = ["siren", "cancel", "silence"].contains(&name.as_str());
        assert_eq!(component["qos"], u8::from(!is_sent_once), "{name}");
        assert_ne!(component["retain"], true, "{name}: a stored press would be refused");
    }
    assert_eq!(ids.len(), 2 * 16);
}

#[test]
fn the_longest_id_and_name_still_pass_the_broker() {
    let longest = announcement(&"i".repeat(64), &"𝄞".repeat(64)).payload(true);
    assert!(longest.len() <= 8192, "{}", longest.len());
}

#[test]
fn a_hub_has_a_topic_and_identifiers_of_its_own() {
    let (home, cabin) = (announcement("home", "Our home"), announcement("Cabin-2", "Cabin"));
    assert_eq!(home.topic(), "homeassistant/device/sos-hub-home/config");
    assert_eq!(home.status_topic(), "homeassistant/status");
    let (home, cabin) = (payload(&home), payload(&cabin));
    assert_ne!(home["device"]["identifiers"], cabin["device"]["identifiers"]);
    // As Home Assistant writes ids of entities.
    assert_eq!(cabin["components"]["police"]["def_ent_id"], "button.sos_cabin_2_police");
    assert_eq!(cabin["components"]["police"]["cmd_t"], "sos/Cabin-2/request");
}

#[test]
fn a_siren_that_is_switched_on_is_a_request_and_off_a_silence() {
    let request = |id: Option<&str>| {
        let source = Some("home_assistant".to_owned());
        let id = id.map(str::to_owned);
        (CommandName::Request, Ok(Content::Request { service: Service::Siren, id, source, user: None, sent_at: None }))
    };
    let silence = (CommandName::Silence, Ok(Content::Silence { id: None }));
    for on in
        ["ON", " ON\n", r#"{"state":"ON"}"#, r#"{"state": "ON", "tone": "fire", "duration": 5, "volume_level": 0.5}"#]
    {
        assert_eq!(commands::siren(on.as_bytes()), request(None), "{on}");
    }
    assert_eq!(commands::siren(br#"{"state":"ON","id":"7"}"#), request(Some("7")));
    for off in ["OFF", r#"{"state":"OFF"}"#, r#"{"state":"OFF","id":null}"#] {
        assert_eq!(commands::siren(off.as_bytes()), silence, "{off}");
    }
}

#[test]
fn a_siren_that_is_neither_on_nor_off_is_refused() {
    for junk in ["", "on", "1", "{}", "null", r#"{"state":true}"#, r#"{"state":"ON","state":"OFF"}"#, r#"["ON"]"#, "{"]
    {
        let (name, said) = commands::siren(junk.as_bytes());
        assert_eq!(name, CommandName::Request, "{junk}");
        assert!(matches!(said, Err(Malformed { id: None, .. })), "{junk}: {said:?}");
    }
    assert!(commands::siren(b"\xff").1.is_err());
    assert!(commands::siren(&[b' '; 5000]).1.is_err());
}

/// As Python writes a time.
const PRESSED_AT: &str = "2026-11-22T10:00:00.123456+00:00";

#[test]
fn what_its_buttons_press_is_understood() {
    let hub = announcement("home", "Our home");
    let components = &payload(&hub)["components"];
    let pressed = |object: &str| {
        let button = &components[object];
        let name = hub.topics.parse(button["cmd_t"].as_str().expect("a topic")).expect("a topic of commands");
        let said = button["cmd_tpl"].as_str().or(button["pl_prs"].as_str()).expect("what it says");
        // As Home Assistant fills it in.
        let said = said.replace("{{utcnow().isoformat()}}", PRESSED_AT).replace("{{range(99999)|random}}", "4711");
        (name, commands::command(name, said.as_bytes()).expect(object))
    };
    for (object, service) in [("police", Service::Police), ("fire", Service::Fire), ("siren_only", Service::Siren)] {
        let source = Some("home_assistant".to_owned());
        let (name, said) = pressed(object);
        let Content::Request { sent_at: Some(_), .. } = said else { panic!("it does not say when: {said:?}") };
        let id = Some(format!("{PRESSED_AT}-4711"));
        let is_as_pressed = matches!(&said, Content::Request { service: asked, id: told, source: from, user: None, .. }
            if (*asked, told, from) == (service, &id, &source));
        assert!(name == CommandName::Request && is_as_pressed, "{said:?}");
    }
    assert_eq!(pressed("silence"), (CommandName::Silence, Content::Silence { id: None }));
    assert!(matches!(pressed("cancel"), (CommandName::Cancel, Content::Cancel { .. })));
    assert_eq!(components["siren"]["cmd_t"], "sos/home/siren");
}

#[test]
fn every_event_but_the_ticks_of_a_countdown_is_announced() {
    let payload = payload(&announcement("home", "Our home"));
    let types: Vec<&str> = payload["components"]["event"]["evt_typ"]
        .as_array()
        .expect("types")
        .iter()
        .map(|name| name.as_str().expect("a name"))
        .collect();
    let stages = Stage::ALL.map(Stage::as_str);
    assert!(stages.iter().all(|stage| types.contains(stage) == (*stage != "countdown")), "{types:?}");
    for other in ["countdown_started", "siren_on", "siren_off", "refused", "fault", "restore", "test"] {
        assert!(types.contains(&other), "{other}");
    }
}

#[test]
fn the_countdown_begins_with_its_whole_length() {
    let payload = payload(&announcement("home", "Our home"));
    let template = payload["components"]["countdown"]["val_tpl"].as_str().expect("a template");
    assert!(template.contains("{% if type == 'countdown_started' %}7{% elif"), "{template}");
}
