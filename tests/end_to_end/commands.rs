//! The commands of `sos-hub`, by their exit codes and what they print.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use crate::center::Answers;
use crate::hub_process::sos_hub;
use crate::installation::{Installation, Setup};
use crate::support::proxy::Proxy;
use crate::support::wait_until;

const WELL: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 64;
const CONFIGURATION: i32 = 78;

#[test]
fn the_commands_do_what_an_app_does() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let state = json(&home, &["status", "--json"], WELL);
    assert_eq!((&state["hub"], &state["phase"]), (&json!("home"), &json!("idle")), "{state}");
    assert!(run(&home, &["status"], WELL).contains("protect_plus"));
    assert!(run(&home, &["history"], WELL).contains("No incidents"));
    assert_eq!(json(&home, &["history", "--json"], WELL), json!([]));

    let police = json(&home, &["request", "police", "--json"], WELL);
    assert!(police["outcome"] == "accepted" && police["durable"].is_boolean(), "{police}");
    let incident = police["incident"].as_str().expect("an incident");
    assert_eq!(home.app.stage(incident, "countdown")["source"], "cli");
    run(&home, &["request", "fire"], WELL);
    run(&home, &["request", "siren"], WELL);
    assert_eq!(json(&home, &["cancel", incident, "--json"], WELL)["incident"], json!(incident));
    home.app.stage(incident, "aborted");
    let again = json(&home, &["cancel", incident, "--json"], FAILED);
    assert_eq!((&again["outcome"], &again["reason"]), (&json!("refused"), &json!("no_countdown")), "{again}");
    assert_eq!(json(&home, &["test", "siren", "--json"], FAILED)["reason"], "busy");
    run(&home, &["cancel"], WELL);
    run(&home, &["silence"], WELL);
    assert!(run(&home, &["test", "center"], WELL).contains("has confirmed the test"));
    home.center.signal(0, "test", 0);
    let refused = output(&home, &["cancel"]);
    assert_eq!(refused.status.code(), Some(FAILED));
    assert!(is_a_sentence(&refused.stderr), "{refused:?}");

    let history = json(&home, &["history", "--json"], WELL);
    let services: Vec<&Value> = history.as_array().expect("a list").iter().map(|one| &one["service"]).collect();
    assert_eq!(services, ["siren", "fire", "police"], "the newest first");
    assert!(history.as_array().is_some_and(|all| all.iter().all(|one| one["stage"] == "aborted")), "{history}");
    assert!(run(&home, &["history"], WELL).contains(incident));
}

#[test]
fn a_test_of_the_center_ends_with_the_centers_word_or_with_what_to_look_at() {
    let home = Installation::running(Setup::default());
    home.center.answer(Answers::RefusesTests("no_monitoring"));
    let refused = output(&home, &["test", "center"]);
    assert_eq!(refused.status.code(), Some(FAILED), "{refused:?}");
    assert!(is_a_sentence(&refused.stderr), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("has refused the test signal"), "{refused:?}");

    home.center.answer(Answers::Nothing);
    let patience = ["test", "center", "--patience=1"];
    let open = output(&home, &patience);
    assert_eq!(open.status.code(), Some(FAILED), "{open:?}");
    let said = String::from_utf8_lossy(&open.stderr).into_owned();
    assert!(said.contains("has not confirmed the test yet") && said.contains("journalctl -u sos-hub"), "{said}");

    // That test is owed still, and refused when it is sent again.
    home.center.answer(Answers::RefusesAll("unknown_account"));
    home.app.fault("center_refused");
    let refused = json(&home, &["test", "center", "--json", "--patience=1"], FAILED);
    assert_eq!((&refused["outcome"], &refused["center"]), (&json!("accepted"), &json!("refused")), "{refused}");
    assert!(refused["message"].as_str().is_some_and(|said| said.contains("does not know this account")), "{refused}");

    // The hub's own refusal is the reply's, as ever.
    // Where those three took longer than ten seconds, another one may be taken.
    let mut limited = Value::Null;
    wait_until("too many tests", || {
        limited = json(&home, &["test", "center", "--json", "--patience=1"], FAILED);
        limited["reason"] == "rate_limited"
    });
    assert_eq!(limited.get("center"), None, "{limited}");
}

#[test]
fn without_hub_or_broker_the_commands_say_so_and_history_still_works() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    home.app.accepted("request", "police");
    home.app.accepted("cancel", "");
    home.stop();
    for arguments in [&["status"][..], &["request", "police"]] {
        let output = output(&home, arguments);
        assert_eq!(output.status.code(), Some(FAILED), "{output:?}");
        assert!(is_a_sentence(&output.stderr), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("not running"), "{output:?}");
    }
    home.home.stop();
    for arguments in [&["status"][..], &["request", "police", "--json"], &["cancel"], &["silence"], &["test", "siren"]]
    {
        let output = output(&home, arguments);
        assert_eq!(output.status.code(), Some(FAILED), "{output:?}");
        assert!(is_a_sentence(&output.stderr), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(&home.home.port().to_string()), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
    let history = json(&home, &["history", "--json"], WELL);
    assert_eq!(history[0]["service"], "police", "{history}");
}

/// The connection of the next command ends when it asks for something, and the hub hears that all the same.
fn cut_off(home: &Installation, comes_back: bool) -> Proxy {
    let proxy = home.through_a_proxy();
    proxy.cut_after(br#""source":"cli""#, comes_back);
    proxy
}

#[test]
fn what_was_asked_for_over_a_connection_that_broke_is_asked_for_again_and_done_once() {
    let home = Installation::running(Setup { countdown_seconds: 60, ..Setup::default() });
    let proxy = cut_off(&home, true);
    let since = home.app.mark();
    let police = json(&home, &["request", "police", "--json"], WELL);
    assert_eq!(police["incident"], home.app.event(since, "countdown_started")["incident"], "{police}");
    assert_eq!(proxy.connections(), 2);
    home.app.accepted("cancel", "");
    home.app.event(since, "aborted");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
}

#[test]
fn what_the_hub_may_have_heard_is_not_said_to_be_not_requested() {
    let home = Installation::running(Setup { countdown_seconds: 60, ..Setup::default() });
    let _proxy = cut_off(&home, false);
    let since = home.app.mark();
    let request = output(&home, &["request", "fire"]);
    home.app.event(since, "countdown_started");
    let said = String::from_utf8_lossy(&request.stderr);
    assert_eq!(request.status.code(), Some(FAILED), "{request:?}");
    assert!(said.contains("may have heard") && !said.contains("Nothing was requested"), "{said}");
    assert!(is_a_sentence(&request.stderr), "{request:?}");
}

#[test]
fn a_bad_configuration_is_shown_with_its_line_and_starts_nothing() {
    let home = Installation::new(Setup::default());
    let check = output(&home, &["check"]);
    assert_eq!(check.status.code(), Some(WELL), "{check:?}");

    let good = fs::read_to_string(home.config()).expect("hub.toml");
    let bad = good.replace("[siren]\nline = 17", "[siren]\nlin = 17").replace("seconds = 1\n", "seconds = \"one\"\n");
    fs::write(home.config(), &bad).expect("hub.toml");
    for command in ["check", "run", "status", "history"] {
        let output = output(&home, &[command]);
        assert_eq!(output.status.code(), Some(CONFIGURATION), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = |start: &str| bad.lines().position(|line| line.starts_with(start)).expect("the line") + 1;
        assert!(text.contains("lin") && text.contains(&format!(":{}", line("lin = "))), "{text}");
        assert!(text.contains(&format!(":{}", line("seconds = \"one\""))) && text.contains('^'), "{text}");
    }
    assert!(!home.dir().join("gpio").exists() && !home.state_dir().exists(), "nothing was started");
    assert!(!home.home.log().contains("sos-hub"), "nor connected");

    let unreadable = sos_hub(&["run", "--config", "/nonexistent/hub.toml"]).output().expect("sos-hub");
    assert_eq!(unreadable.status.code(), Some(CONFIGURATION), "{unreadable:?}");
    assert!(String::from_utf8_lossy(&unreadable.stderr).contains("/nonexistent/hub.toml"), "{unreadable:?}");
}

#[test]
fn what_is_no_command_is_usage() {
    for arguments in [&[][..], &["dance"], &["request"], &["request", "ambulance"], &["run", "--nothing"], &["test"]] {
        let output = sos_hub(arguments).output().expect("sos-hub");
        assert_eq!(output.status.code(), Some(USAGE), "{arguments:?}: {output:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
    for arguments in [&["--version"][..], &["--help"], &["request", "--help"]] {
        let output = sos_hub(arguments).output().expect("sos-hub");
        assert_eq!(output.status.code(), Some(WELL), "{arguments:?}: {output:?}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
}

fn output(home: &Installation, arguments: &[&str]) -> Output {
    sos_hub(arguments).arg("--config").arg(home.config()).output().expect("sos-hub")
}

/// What a command prints to standard output, if it ends with this code.
fn run(home: &Installation, arguments: &[&str], code: i32) -> String {
    let output = output(home, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn json(home: &Installation, arguments: &[&str], code: i32) -> Value {
    let text = run(home, arguments, code);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?} ({error}): {text}"))
}

/// One line for a person, which ends in what to do.
fn is_a_sentence(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.lines().count() == 1 && text.starts_with(char::is_uppercase) && text.len() > 20
}
