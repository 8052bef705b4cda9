//! What a person presses in Home Assistant does in the hub what it says.

use serde_json::Value;

use crate::installation::Installation;
use crate::world::{components, running};

#[expect(clippy::disallowed_methods, reason = "the hub judges it by the wall clock of this machine")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// As Home Assistant presses a button: the announced payload on the announced topic.
fn press(home: &Installation, button: &str) {
    let (topic, payload) = pressed(home, button, now());
    home.app.client.publish(&topic, payload, false);
}

/// What Home Assistant says, and where, when a button is pressed at this time.
fn pressed(home: &Installation, button: &str, at: jiff::Timestamp) -> (String, String) {
    let button = &components(home)[button];
    assert_eq!(button["p"], "button");
    let text = |key: &str| button[key].as_str().map(str::to_owned);
    let topic = text("cmd_t").expect("a topic");
    let Some(template) = text("cmd_tpl") else { return (topic, text("pl_prs").expect("a payload")) };
    // As Python writes it. Whether Home Assistant renders it like this, `real/run` shows.
    let at = format!("{at:.6}").replace('Z', "+00:00");
    let payload = template.replace("{{utcnow().isoformat()}}", &at).replace("{{range(99999)|random}}", "4711");
    assert!(!payload.contains("{{"), "{payload}");
    (topic, payload)
}

/// As it switches the siren.
fn switch(home: &Installation, state: &str) {
    let topic = components(home)["siren"]["cmd_t"].as_str().expect("a topic").to_owned();
    home.app.client.publish(&topic, format!("{{\"state\":\"{state}\"}}"), false);
}

fn newest(state: &Value) -> &Value {
    state["incidents"].as_array().and_then(|all| all.last()).unwrap_or(&Value::Null)
}

#[test]
fn each_button_asks_for_what_it_says() {
    let home = running("");
    for (button, service) in [("police", "police"), ("fire", "fire"), ("siren_only", "siren")] {
        let since = home.app.mark();
        press(&home, button);
        let started = home.app.event(since, "countdown_started");
        assert_eq!(started["service"], service);
        let state = home.app.state("the countdown", |state| newest(state)["id"] == started["incident"]);
        assert_eq!(newest(&state)["source"], "home_assistant");
        press(&home, "cancel");
        home.app.stage(started["incident"].as_str().expect("an incident"), "aborted");
    }
    assert!(home.lines.siren_levels().iter().all(|level| *level == 0));
}

#[test]
fn a_press_that_comes_twice_or_late_starts_nothing_of_its_own() {
    let home = running("");
    let since = home.app.mark();
    let (topic, payload) = pressed(&home, "police", now());
    home.app.client.publish(&topic, payload.clone(), false);
    let first = home.app.reply(since);
    assert_eq!(first["outcome"], "accepted");
    press(&home, "cancel");
    home.app.stage(first["incident"].as_str().expect("an incident"), "aborted");
    let again = home.app.mark();
    home.app.client.publish(&topic, payload, false);
    assert_eq!(home.app.reply(again)["incident"], first["incident"], "the same press, sent again");
    home.app.state("the clock", |state| state["clock"] == "synced");
    let late = home.app.mark();
    let (_, old) = pressed(&home, "police", now() - jiff::SignedDuration::from_secs(61));
    home.app.client.publish(&topic, old, false);
    assert_eq!(home.app.reply(late)["reason"], "stale");
    let started = home.app.kinds(since).into_iter().filter(|kind| kind == "countdown_started").count();
    assert_eq!(started, 1);
}

#[test]
fn the_siren_switch_asks_as_anybody_does_and_silences() {
    let home = running("");
    let since = home.app.mark();
    switch(&home, "ON");
    let started = home.app.event(since, "countdown_started");
    assert_eq!(started["service"], "siren");
    home.app.state("the siren", |state| state["siren"]["sounding"] == true);
    home.lines.siren_is(1);
    switch(&home, "OFF");
    home.app.state("silence", |state| state["siren"]["sounding"] == false);
    home.lines.siren_is(0);
    let replies = home.app.replies(since);
    let commands: Vec<_> = replies.iter().map(|reply| (reply["command"].as_str(), reply["outcome"].as_str())).collect();
    assert_eq!(commands, [(Some("request"), Some("accepted")), (Some("silence"), Some("accepted"))]);
}

#[test]
fn silencing_by_the_button_leaves_the_alarm_on_its_way() {
    let home = running("");
    let since = home.app.mark();
    press(&home, "fire");
    let incident = home.app.event(since, "countdown_started")["incident"].as_str().expect("an incident").to_owned();
    home.app.stage(&incident, "acknowledged");
    home.lines.siren_is(1);
    press(&home, "silence");
    home.lines.siren_is(0);
    home.app.stage(&incident, "acknowledged");
}

#[test]
fn a_switch_that_says_neither_is_refused_and_a_stored_one_is_not_obeyed() {
    let mut home = running("");
    let since = home.app.mark();
    home.app.client.publish("sos/home/siren", "maybe", false);
    assert_eq!(home.app.reply(since)["reason"], "malformed");
    home.stop();
    home.app.client.publish("sos/home/siren", "ON", true);
    let since = home.app.mark();
    home.start();
    home.in_use_again(since);
    home.app.accepted("silence", "");
    assert!(home.app.kinds(since).iter().all(|kind| kind != "countdown_started"));
}
