//! What `center.toml` may say, and how a person is told what is wrong with it.

#[path = "support/home.rs"]
mod home;
#[path = "support/problems.rs"]
mod problems;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use home::Home;
use problems::{changes, summary};
use sos_hub::center::desk::settings::{CallMode, DispatchMode, SimulatedAnswer};
use sos_hub::config::Problems;
use sos_hub::config::center::CenterConfig;

/// The least that a center needs, and its empty tables.
const LEAST: &str = r#"[center]
state_dir = "state"
[broker]
host = "127.0.0.1"
port = 1883
[console]
[call]
[dispatch]
[alert]
[plans]
protect_plus = { professional_monitoring = true }
"#;

fn load(home: &Home, text: &str) -> Result<(CenterConfig, Problems), Problems> {
    CenterConfig::load(&home.write("center.toml", text))
}

/// What is said of a text, a line each: `error 4:8 ^^ sentence`. The directory's name is cut out.
fn said(home: &Home, text: &str) -> Vec<String> {
    let problems = load(home, text).map_or_else(|problems| problems, |(_, warnings)| warnings);
    summary(home.path(), &problems)
}

#[test]
fn a_broker_is_enough_and_all_else_has_its_default() {
    let home = Home::new();
    let (config, warnings) = load(&home, "[broker]\nhost = \"127.0.0.1\"\nport = 1883\n").unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    assert_eq!(config.id, "center");
    assert_eq!(config.state_dir.to_str(), Some("/var/lib/sos-center"));
    assert_eq!(config.key_file.to_str(), Some("/var/lib/sos-center/center.key"));
    assert!(config.broker.login.is_none() && config.broker.tls.is_none());
    assert_eq!((config.hubs.host.as_str(), config.hubs.port, &config.hubs.ca_file), ("127.0.0.1", 1883, &None));
    assert_eq!(config.console.listen.to_string(), "127.0.0.1:8090");
    assert!(config.console.hosts.is_empty() && config.alert_url.is_none());
    assert!(config.call.url.is_none() && config.call.callback_url.is_none() && config.dispatch.url.is_none());
    let settings = config.settings();
    assert_eq!((settings.calls, settings.ring), (CallMode::Operator, Duration::from_secs(30)));
    assert_eq!(settings.dispatch, DispatchMode::Operator);
    let plans: Vec<(&str, bool)> = settings.plans.iter().map(|(name, monitored)| (name.as_str(), *monitored)).collect();
    assert_eq!(plans, [("none", false), ("protect_basic", false), ("protect_plus", true)]);
}

#[test]
fn every_key_is_taken() {
    let home = Home::new();
    let text = r#"
center = { id = "c-1", state_dir = "state", key_file = "hub.key" }
dispatch = { mode = "webhook", url = "http://localhost/x" }
alert.url = "http://[::1]:9/x?y=z"
plans = { gold = { professional_monitoring = true }, "b_1" = { professional_monitoring = false } }
[broker]
host = "broker.local"
port = 8883
username = "sos-center"
password_file = "center.password"
ca_file = "center-ca.pem"
client_cert_file = "center-client.pem"
client_key_file = "center-client.key"
hub_host = "center.example.org"
hub_port = 443
hub_ca_file = "home-ca.pem"
[console]
listen = "[::1]:0"
hosts = ["center.example.org", "192.168.1.5"]
[call]
mode = "webhook"
ring_seconds = 600
url = "https://calls.example.org/sos"
callback_url = "https://center.example.org/base/"
answers = ["confirmed", "cancelled", "cancelled_wrong_password", "no_answer"]
"#;
    let (config, warnings) = load(&home, text).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    let within = |name: &str| home.path().join(name);
    assert_eq!(
        (config.id.as_str(), &config.state_dir, &config.key_file),
        ("c-1", &within("state"), &within("hub.key"))
    );
    let tls = config.broker.tls.as_ref().unwrap();
    assert_eq!(
        (&tls.ca_file, &tls.client.as_ref().unwrap().key_file),
        (&within("center-ca.pem"), &within("center-client.key"))
    );
    assert_eq!(config.broker.login.as_ref().unwrap().password_file, Some(within("center.password")));
    assert_eq!((config.hubs.host.as_str(), config.hubs.port), ("center.example.org", 443));
    assert_eq!(config.hubs.ca_file, Some(within("home-ca.pem")));
    assert_eq!(config.console.listen.to_string(), "[::1]:0");
    assert_eq!(config.console.hosts, ["center.example.org", "192.168.1.5"]);
    assert_eq!(config.call.mode, CallMode::Webhook);
    assert_eq!(config.call.callback_url.as_deref(), Some("https://center.example.org/base"));
    assert_eq!(config.dispatch.mode, DispatchMode::Webhook);
    assert_eq!(config.alert_url.as_deref(), Some("http://[::1]:9/x?y=z"));
    assert_eq!(config.plans.iter().collect::<Vec<_>>().len(), 3);
    assert_eq!((config.plans["gold"], config.plans["b_1"], config.plans["none"]), (true, false, false));

    let (config, _) = load(&home, &text.replace("\"webhook\"\nring", "\"simulated\"\nring")).unwrap();
    let answers = [
        SimulatedAnswer::Confirmed,
        SimulatedAnswer::Cancelled,
        SimulatedAnswer::CancelledWrongPassword,
        SimulatedAnswer::NoAnswer,
    ];
    assert_eq!(config.settings().calls, CallMode::Simulated { answers: answers.to_vec() });
}

#[test]
fn hubs_reach_the_broker_as_the_center_does_unless_told_otherwise() {
    let home = Home::new();
    let text = "[broker]\nhost = \"b.example.org\"\nport = 8883\nca_file = \"center-ca.pem\"\n";
    let (config, _) = load(&home, text).unwrap();
    assert_eq!((config.hubs.host.as_str(), config.hubs.port), ("b.example.org", 8883));
    assert_eq!(config.hubs.ca_file, Some(home.path().join("center-ca.pem")));
}

#[test]
fn a_wrong_value_is_pointed_at_with_what_to_do() {
    let home = Home::new();
    for case in changes(LEAST, include_str!("data/center_wrong_values.txt")) {
        assert_eq!(said(&home, &case.text), [case.expected], "with {}", case.text);
        assert!(load(&home, &case.text).is_err(), "with {}", case.text);
    }
}

#[test]
fn what_is_doubtful_is_a_warning_and_no_refusal() {
    let home = Home::new();
    let key = home.write("open.key", fs::read(home.path().join("hub.key")).unwrap());
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
    for case in changes(LEAST, include_str!("data/center_doubtful_values.txt")) {
        assert_eq!(said(&home, &case.text), [case.expected], "with {}", case.text);
        assert!(load(&home, &case.text).is_ok(), "with {}", case.text);
    }
}

#[test]
fn all_problems_are_shown_at_once() {
    let home = Home::new();
    let text = "[center]\nid = 3\n[brokr]\nhost = \"x\"\n[call]\nmode = \"webhok\"\n[plans]\ngold = 1\n";
    assert_eq!(
        said(&home, text),
        [
            "error  broker.host is missing: add host = \"mqtt.example.org\" under [broker]",
            "error  broker.port is missing: add port = 8883 under [broker]",
            "error 2:6 ^ center.id must be text in quotes, not a number",
            "error 3:2 ^^^^^ brokr is not a known table: did you mean broker?",
            "error 6:8 ^^^^^^^^ call.mode must be one of \"operator\", \"webhook\", \"simulated\": did you mean \"webhook\"?",
            "error 8:8 ^ plans.gold must be a table: write gold = { professional_monitoring = true }",
        ]
    );
}
