//! Brokers that are missing, restarted, silent, or refuse us.

use std::time::Duration;

use crate::app::{find, topic};
use crate::client::{Client, options};
use crate::installation::{Installation, Setup};
use crate::lines::POLICE_BUTTON;
use crate::support::mosquitto::Mosquitto;
use crate::support::proxy::NOBODY;
use crate::support::wait_until;

/// What a loaded machine may take on top of a promised time.
const SLACK: Duration = Duration::from_secs(20);

#[test]
fn a_half_open_link_is_noticed_and_the_alarm_goes_out_on_a_new_one() {
    let home = Installation::running(Setup::default());
    let connections = || home.center_broker.log().matches(&format!(" as {} ", center_client_id(&home))).count();
    assert_eq!(connections(), 1);
    let mark = home.app.mark();
    home.center_broker.pause();
    let incident = home.app.accepted("request", "police");
    home.app.stage(&incident, "requested");
    home.lines.siren_is(1);
    let down = |state: &serde_json::Value| state["center"]["link"] == "down";
    let state = home.app.state_within(Duration::from_secs(20) + SLACK, mark, "the link is down", down);
    assert_eq!(state["center"]["owed"], 1, "{state}");
    assert_eq!(find(&state, &incident).expect("the incident")["stage"], "requested", "{state}");
    home.app.fault("center_link");
    home.center_broker.resume();
    home.app.stage(&incident, "acknowledged");
    home.app.no_fault("center_link");
    wait_until("a second connection", || connections() > 1);
    let jtis: Vec<_> = home.center.calls(0).iter().map(|signal| signal["jti"].clone()).collect();
    assert!(!jtis.is_empty() && jtis.iter().all(|jti| *jti == jtis[0]), "{jtis:?}");
}

#[test]
fn whoever_comes_anew_has_availability_and_state_at_once() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let incident = home.app.accepted("request", "fire");
    home.app.stage(&incident, "countdown");
    let newcomer = Client::connect(options("newcomer", home.home.port()), "sos/#");
    let first = |last_level: &str| {
        newcomer.wait(last_level, 0, |heard| heard.iter().find(|one| one.topic == topic(last_level)).cloned())
    };
    let (availability, state) = (first("availability"), first("state"));
    assert_eq!((availability.text().as_str(), availability.retained), ("online", true));
    assert!(state.retained && find(&state.json(), &incident).is_some(), "{}", state.text());
}

#[test]
fn without_the_homes_broker_the_hub_is_ready_and_the_button_works() {
    let mut home = Installation::new(Setup::default());
    home.home.stop();
    home.start_without_waiting().ready_within(Duration::from_secs(3) + SLACK);
    home.center.link("online");
    home.center.has_all();
    home.lines.press(POLICE_BUTTON);
    home.lines.siren_is(1);
    home.center.alarm(0);
    home.lines.release(POLICE_BUTTON);
    home.home.restart();
    home.app.client.connected(2);
    home.in_use();
    home.app.state("the alarm", |state| state["phase"] == "alarm");
    home.app.accepted("silence", "");
    home.lines.siren_is(0);
}

#[test]
fn without_either_broker_the_siren_sounds_and_the_alarm_is_owed_until_the_center_is_there() {
    let mut home = Installation::running(Setup::default());
    home.kill();
    home.home.stop();
    home.center_broker.stop();
    home.start();
    home.lines.press(POLICE_BUTTON);
    home.lines.siren_is(1);
    home.lines.release(POLICE_BUTTON);
    home.center_broker.restart();
    home.center.alarm(0);
    home.home.restart();
    home.app.state("confirmed", |state| state["incidents"][0]["stage"] == "acknowledged");
}

#[test]
fn the_seconds_of_a_countdown_are_not_told_once_it_is_over() {
    let mut home = Installation::new(Setup { countdown_seconds: 2, ..Setup::default() });
    let proxy = home.through_a_proxy();
    home.start();
    home.in_use();
    let since = home.app.mark();
    proxy.lead_to(NOBODY);
    proxy.cut();
    home.app.availability(since, "offline");
    home.lines.press(POLICE_BUTTON);
    home.lines.siren_is(1);
    home.lines.release(POLICE_BUTTON);
    proxy.lead_to(home.home.port());
    home.app.event(since, "siren_on");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    assert_eq!(home.app.count(since, "countdown"), 0);
}

#[test]
fn a_broker_that_was_restarted_has_every_subscription_again() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let incident = home.app.accepted("request", "police");
    let (mark, times) = (home.app.mark(), home.app.client.connections());
    home.home.restart();
    home.app.client.connected(times + 1);
    let up = Duration::from_secs(5) + SLACK;
    home.app.client.wait_within(up, "the hub at the broker", mark, |heard| {
        heard.iter().find(|one| one.topic.ends_with("/availability") && one.payload == b"online").map(|_| ())
    });
    home.app.state_within(up, mark, "the state again", |state| find(state, &incident).is_some());
    assert_eq!(home.app.accepted("request", "police"), incident);
    home.app.accepted("silence", "");
    assert_eq!(home.app.refused("test", "siren"), "busy");
    assert_eq!(home.app.accepted("cancel", ""), incident);

    let at_center = home.center.connections();
    home.center_broker.restart();
    home.center.connected(at_center + 1);
    home.app.state("the center's link", |state| state["center"]["link"] == "up");
    // A plan only comes to those who have subscribed to it again.
    home.center.plan("protect_plus", 7);
    home.center.has_all();
    let other = home.app.accepted("request", "fire");
    home.app.accepted("cancel", &other);
    home.app.stage(&other, "aborted");
}

#[test]
fn a_wrong_password_is_told_and_the_right_one_needs_no_restart() {
    const USERS: [(&str, &str); 2] = [("everybody", "open"), ("hub", "right")];
    let broker = || Mosquitto::start_with(|dir| Mosquitto::password_lines(dir, &USERS));
    let files = tempfile::tempdir().expect("a directory");
    let (at_home, at_center) = (files.path().join("home"), files.path().join("center"));
    std::fs::write(&at_home, "right\n").expect("a password");
    std::fs::write(&at_center, "wrong\n").expect("a password");
    let keys = |file: &std::path::Path| format!("username = \"hub\"\npassword_file = \"{}\"", file.display());
    let mut home = Installation::new(Setup {
        home: broker(),
        center_broker: broker(),
        login: Some(USERS[0]),
        app_keys: keys(&at_home),
        center_keys: keys(&at_center),
        ..Setup::default()
    });
    home.start();
    let message = home.app.fault("center_link");
    assert!(message.contains("password"), "{message}");
    let state = home.app.state("not ready", |state| state["ready"] == false);
    assert_eq!(state["center"]["link"], "down", "{state}");
    std::fs::write(&at_center, "right\n").expect("a password");
    home.in_use();
    home.app.no_fault("center_link");
    home.app.accepted("request", "police");
    home.center.alarm(0);
    assert!(!home.log().contains("wrong"), "no password in the log");
}

#[test]
fn another_client_with_our_identity_is_told_and_the_button_works_on() {
    let home = Installation::running(Setup::default());
    let client_id = center_client_id(&home);
    let impostor = Client::connect(options(&client_id, home.center_broker.port()), "nothing");
    let message = home.app.fault("identity_clash");
    assert!(message.contains("client id"), "{message}");
    home.lines.press(POLICE_BUTTON);
    home.lines.siren_is(1);
    drop(impostor);
    home.center.alarm(0);
    home.lines.release(POLICE_BUTTON);
    home.app.state("acknowledged", |state| state["incidents"][0]["stage"] == "acknowledged");
}

/// What the hub calls itself at the center's broker, by the broker's log.
fn center_client_id(home: &Installation) -> String {
    let log = home.center_broker.log();
    let ids = log.lines().filter_map(|line| line.split_once(" as ")?.1.split(' ').next());
    ids.filter(|id| *id != "center").map(str::to_owned).next().expect("the hub at the center's broker")
}
