//! At home: apps and Home Assistant ask, the hub alone says what is the case.

use std::process::Command;

use rumqttc::{Event, MqttOptions, Packet, QoS};
use sos_hub::drivers::mqtt::LinkSettings;

use crate::certificates::Authority;
use crate::support::link::publication;
use crate::support::mosquitto::program;
use crate::support::wait_until;
use crate::world::{Broker, Client, EYE, set};

const USERS: [&str; 3] = ["sos-hub", "sos-app", "homeassistant"];

/// All topics of a hub and of Home Assistant, and some that are nobody's.
const TOPICS: [&str; 22] = [
    "sos/home/request",
    "sos/home/cancel",
    "sos/home/silence",
    "sos/home/siren",
    "sos/home/test",
    "sos/home/availability",
    "sos/home/state",
    "sos/home/event",
    "sos/home/reply",
    "sos/home/reply/phone",
    "sos/home",
    "sos/home/request/more",
    "sos/home/else",
    "sos/request",
    "homeassistant/status",
    "homeassistant/device/sos-hub-home/config",
    "homeassistant/device/sos-hub-home",
    "homeassistant/sensor/other/config",
    "center/a-1/signal",
    "center/a-1/plan",
    "zigbee2mqtt/lock/set",
    "request",
];

const REPORTS: [&str; 5] =
    ["sos/home/availability", "sos/home/state", "sos/home/event", "sos/home/reply", "sos/home/reply/phone"];

/// Of each user: what it may say, and what it may hear.
fn rights(user: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    let asks = ["sos/home/request", "sos/home/cancel", "sos/home/silence"];
    match user {
        "sos-hub" => (
            [&asks[..], &REPORTS, &["sos/home/test", "homeassistant/device/sos-hub-home/config"]].concat(),
            [
                &asks[..],
                &["sos/home/siren", "sos/home/test", "homeassistant/status"],
                &["sos/home/availability", "sos/home/state", "sos/home/event", "sos/home/reply"],
            ]
            .concat(),
        ),
        "sos-app" => (asks.to_vec(), REPORTS.to_vec()),
        "homeassistant" => (
            [&asks[..], &["sos/home/siren", "homeassistant/status"]].concat(),
            TOPICS.into_iter().filter(|topic| topic.starts_with("homeassistant/") || REPORTS.contains(topic)).collect(),
        ),
        _ => unreachable!("{user}"),
    }
}

fn home() -> Broker {
    Broker::start(&["home", "home-tls"], "home", &USERS)
}

#[test]
fn apps_ask_and_the_hub_answers_and_neither_speaks_for_the_other() {
    let broker = home();
    for user in USERS {
        let (says, _) = rights(user);
        assert_eq!(broker.heard_of(&broker.client(user), &TOPICS, says[0]), set(&says), "{user}");
    }
}

#[test]
fn nobody_hears_what_is_not_for_them_stored_or_live() {
    let broker = home();
    for user in USERS {
        let (_, hears) = rights(user);
        assert_eq!(broker.read_by(|| broker.client(user), &TOPICS, hears[0]), set(&hears), "{user}");
    }
}

#[test]
fn an_older_client_is_told_nothing_of_what_is_dropped_and_it_is_dropped_all_the_same() {
    let broker = home();
    let eye = broker.client(EYE);
    let mut options = MqttOptions::new("phone", "127.0.0.1", broker.plain);
    options.set_credentials("sos-app", "sos-app");
    let (client, mut connection) = rumqttc::Client::new(options, 100);
    for topic in TOPICS {
        client.publish(topic, QoS::AtLeastOnce, false, "something").expect("a publication");
    }
    let mut acknowledged = 0;
    while acknowledged < TOPICS.len() {
        let event = connection.iter().next().expect("a connection").expect("a broker that goes on");
        acknowledged += usize::from(matches!(event, Event::Incoming(Packet::PubAck(_))));
    }
    for topic in ["sos/home/request", "sos/home/cancel", "sos/home/silence"] {
        assert_eq!(eye.next().0, topic);
    }
    eye.say("next", "");
    assert_eq!(eye.next().0, "next", "something was let through");
}

#[test]
fn an_app_leaves_no_will_in_the_hubs_name() {
    let broker = home();
    let eye = broker.client(EYE);
    for (topic, comes) in [("sos/home/availability", false), ("sos/home/cancel", true)] {
        let will = Some(publication(topic, "offline"));
        let app =
            Client::connect(LinkSettings { will, client_id: topic.into(), ..broker.login("sos-app", broker.plain) });
        drop(app);
        wait_until("the broker misses the app", || broker.log().contains(&format!("Client {topic} closed")));
        eye.say("next", "");
        assert_eq!(eye.next().0, if comes { topic } else { "next" });
    }
}

#[test]
fn junk_is_dropped_and_nobody_comes_in_without_a_password() {
    let broker = home();
    let (eye, app) = (broker.client(EYE), broker.client("sos-app"));
    app.say("sos/home/request", &"x".repeat(8193));
    app.say("sos/home/request", &"x".repeat(8192));
    assert_eq!(eye.next().1.len(), 8192);

    let port = broker.plain.to_string();
    let topic = ["-h", "127.0.0.1", "-p", &port, "-t", "sos/home/request", "-m", "police"];
    for login in [&[][..], &["-u", "sos-app"], &["-u", "sos-app", "-P", "wrong"], &["-u", "nobody", "-P", "nobody"]] {
        let output = Command::new(program("mosquitto_pub")).args(topic).args(login).output().expect("mosquitto_pub");
        assert!(!output.status.success(), "{login:?} comes in");
    }
    eye.say("next", "");
    assert_eq!(eye.next().0, "next");
}

#[test]
fn other_machines_come_by_tls_with_the_same_rights() {
    let broker = home();
    let (says, _) = rights("sos-app");
    let app = Client::connect(broker.within_tls(broker.login("sos-app", broker.tls), None));
    assert_eq!(broker.heard_of(&app, &TOPICS, says[0]), set(&says));

    let anonymous = broker.within_tls(LinkSettings { username: None, ..broker.login("sos-app", broker.tls) }, None);
    Client::refused(LinkSettings { password_file: None, ..anonymous });
    // Without TLS the port is of no use, and a hub or an app believes no other authority.
    Client::refused(broker.login("sos-app", broker.tls));
    let stranger = broker.within_tls(broker.login("sos-app", broker.tls), None);
    Authority::new().write(&broker.dir().join("ca.pem"));
    assert!(Client::refused(stranger).contains("ca_file"));
}
