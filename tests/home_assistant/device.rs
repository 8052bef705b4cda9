//! The device comes, stays over restarts of either side, and goes when it is to go.

use std::fs;

use sos_hub::config::Config;
use sos_hub::wiring;

use crate::client::{Client, options};
use crate::installation::Installation;
use crate::support::{DEADLINE, wait_until};
use crate::world::{CONFIG, home, is_gone, running, said};

#[test]
fn the_device_is_there_for_a_home_assistant_that_comes_later() {
    let home = running("");
    said(&home, 0, CONFIG);
    // Who subscribes now gets it from the broker.
    let mut options = options("late", home.home.port());
    options.set_credentials("homeassistant", "ha-word");
    let late = Client::connect(options, CONFIG);
    let stored = late.wait("the stored announcement", 0, |heard| heard.first().cloned());
    assert!(stored.retained && !stored.payload.is_empty());
}

#[test]
fn a_home_assistant_that_has_started_is_told_of_device_and_state_again() {
    let home = running("");
    said(&home, 0, CONFIG);
    for round in 0..2 {
        let since = home.app.mark();
        home.app.client.publish("homeassistant/status", "online", false);
        said(&home, since, CONFIG);
        let state = home.app.state_within(DEADLINE, since, "told again", |_| true);
        assert_eq!(state["phase"], "idle", "round {round}");
        assert!(home.app.events(since).is_empty(), "a start of Home Assistant is nothing that happened in the hub");
    }
}

#[test]
fn nothing_but_a_start_of_home_assistant_is_taken_for_one() {
    let home = running("");
    said(&home, 0, CONFIG);
    let since = home.app.mark();
    for word in ["offline", "", "ONLINE", "online "] {
        home.app.client.publish("homeassistant/status", word, false);
    }
    // A command goes the same way, so that what they might have brought came before its reply.
    home.app.send("cancel", "");
    home.app.reply(since);
    let heard = home.app.client.heard(since);
    assert!(!heard.iter().any(|one| one.topic == CONFIG), "{heard:?}");
}

#[test]
fn a_broker_that_forgot_everything_is_told_again() {
    let mut home = running("");
    said(&home, 0, CONFIG);
    // From before the end of the broker: it says no more, and the next one nothing of its own.
    let since = home.app.mark();
    home.home.restart();
    assert!(!said(&home, since, CONFIG).is_empty());
}

#[test]
fn a_device_that_is_not_wanted_any_more_is_taken_back() {
    let mut home = running("");
    said(&home, 0, CONFIG);
    home.stop();
    set(&home, "", "discovery = false");
    let since = home.app.mark();
    home.start();
    is_gone(&home, since, CONFIG);
    // And what is not announced is not asked to come again.
    let since = home.app.mark();
    home.app.client.publish("homeassistant/status", "online", false);
    home.app.client.publish("sos/home/siren", "ON", false);
    home.app.accepted("request", "siren");
    let heard = home.app.client.heard(since);
    assert!(!heard.iter().any(|one| one.topic == CONFIG), "{heard:?}");
    assert_eq!(home.app.replies(since).len(), 1, "the switch is not listened to");
}

#[test]
fn a_device_that_never_was_is_not_taken_back() {
    let home = running("discovery = false");
    home.app.accepted("request", "siren");
    let heard = home.app.client.heard(0);
    assert!(!heard.iter().any(|one| one.topic.starts_with("homeassistant/device/")), "{heard:?}");
}

#[test]
fn a_hub_with_another_name_takes_its_old_device_back_however_often_it_is_renamed() {
    let mut home = running("");
    said(&home, 0, CONFIG);
    home.stop();
    // With the broker away nothing can be taken back; it is then.
    home.home.kill();
    set(&home, "id = \"home\"", "id = \"cabin\"");
    home.start();
    home.stop();
    home.home.restart();
    home.app.client.publish(CONFIG, "{}", true);
    set(&home, "id = \"cabin\"", "id = \"attic\"");
    let since = home.app.mark();
    home.start();
    let device = |id: &str| format!("homeassistant/device/sos-hub-{id}/config");
    is_gone(&home, since, CONFIG);
    is_gone(&home, since, &device("cabin"));
    assert!(!said(&home, since, &device("attic")).is_empty());
}

#[test]
fn what_the_broker_has_taken_back_once_is_left_to_whoever_is_announced_there_later() {
    let mut home = running("");
    said(&home, 0, CONFIG);
    home.stop();
    // As on a copy of the card, in a hub of its own.
    set(&home, "id = \"home\"", "id = \"cabin\"");
    let since = home.app.mark();
    home.start();
    is_gone(&home, since, CONFIG);
    let list = home.state_dir().join("home-assistant.topics");
    let cabin = "homeassistant/device/sos-hub-cabin/config";
    wait_until("the old topic is forgotten", || fs::read_to_string(&list).is_ok_and(|text| text.trim_end() == cabin));
    home.stop();
    home.app.client.publish(CONFIG, "{}", true);
    let since = home.app.mark();
    home.start();
    assert!(!said(&home, since, cabin).is_empty());
    // The stop waits for what is still on its way to the broker.
    home.stop();
    let heard = home.app.client.heard(since);
    assert!(!heard.iter().any(|one| one.topic == CONFIG && one.payload.is_empty()), "{heard:?}");
}

#[test]
fn a_switch_that_the_broker_keeps_from_the_hub_is_not_announced() {
    let home = home("");
    let (config, _) = Config::load(&home.config()).unwrap_or_else(|problems| panic!("{problems}"));
    let link = wiring::app_link(&config);
    let announce = link.announcement.expect("an announcement");
    let siren = |unheard: &[&str]| -> serde_json::Value {
        let text = String::from_utf8(announce(unheard).payload).expect("text");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["components"]["siren"].clone()
    };
    assert!(siren(&["homeassistant/status"])["cmd_t"].is_string());
    let topics: Vec<&str> = link.optional.iter().map(|subscription| subscription.topic.as_str()).collect();
    assert!(siren(&topics)["cmd_t"].is_null());
}

#[test]
fn without_its_list_a_hub_is_announced_all_the_same() {
    let mut home = home("");
    fs::create_dir_all(home.state_dir().join("home-assistant.topics")).expect("a directory in its place");
    home.start();
    home.in_use();
    assert!(!said(&home, 0, CONFIG).is_empty());
    home.app.accepted("request", "siren");
}

/// Replaces a line of the hub's configuration; an empty one is the end of it.
fn set(home: &Installation, line: &str, by: &str) {
    let text = fs::read_to_string(home.config()).expect("hub.toml");
    let changed = if line.is_empty() { format!("{text}\n{by}\n") } else { text.replacen(line, by, 1) };
    assert_ne!(changed, text);
    fs::write(home.config(), changed).expect("hub.toml");
}
