//! Every command has its answer, each id is one command, and what was not sent now counts for nothing.

use serde_json::{Value, json};

use crate::app::topic;
use crate::client::Heard;
use crate::installation::{Installation, Setup};

#[test]
fn an_mqtt_5_requester_is_answered_on_its_own_topic_and_everybody_on_reply() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let since = home.app.mark();
    home.app.ask_with_response_topic(
        "request",
        r#"{"service": "fire", "id": "five"}"#,
        "phone/answers",
        b"\x00\xffno-7",
    );
    let on_its_topic = |heard: &[Heard]| heard.iter().find(|one| one.topic == "phone/answers").cloned();
    let answer = home.app.client.wait("an answer on the Response Topic", since, on_its_topic);
    assert_eq!(answer.correlation.as_deref(), Some(&b"\x00\xffno-7"[..]));
    assert!(!answer.retained);
    let reply = home.app.reply(since);
    assert_eq!(answer.json(), reply);
    assert_eq!((&reply["id"], &reply["outcome"]), (&json!("five"), &json!("accepted")), "{reply}");

    // A Response Topic of the hub's own would make its word anybody's, or a command.
    let since = home.app.mark();
    home.app.ask_with_response_topic("cancel", "", &topic("state"), b"");
    assert_eq!(home.app.reply(since)["outcome"], "accepted");
    home.app.ask_with_response_topic("cancel", "", &topic("request"), b"");
    home.app.ask_with_response_topic("silence", "", "no/+/topic", b"");
    home.app.accepted("silence", r#"{"id": "last"}"#);
    let mine = home.app.client.heard(since);
    assert!(mine.iter().filter(|one| one.topic == topic("state")).all(|one| one.json()["hub"].is_string()));
    assert_eq!(mine.iter().filter(|one| one.topic == topic("request")).count(), 0);
}

#[test]
fn a_response_topic_that_brokers_end_connections_over_is_left_out_and_the_hub_stays() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let since = home.app.mark();
    // mosquitto throws off whoever publishes to a topic of more than 200 levels.
    let topics = ["/".repeat(250), "a/".repeat(32), "x".repeat(257)];
    for (number, response_topic) in topics.iter().enumerate() {
        home.app.ask_with_response_topic("silence", &format!(r#"{{"id": "{number}"}}"#), response_topic, b"");
    }
    let as_deep_as_may_be = "a/".repeat(31);
    home.app.ask_with_response_topic("silence", r#"{"id": "last"}"#, &as_deep_as_may_be, b"");
    // The answer on reply comes after the one on the Response Topic.
    let all = home.app.client.wait("an answer to each on reply", since, |heard| {
        let replies = heard.iter().filter(|one| one.topic == topic("reply")).count();
        (replies > topics.len()).then(|| heard.to_vec())
    });
    let on = |is_it: &dyn Fn(&str) -> bool| all.iter().filter(|one| is_it(&one.topic)).count();
    assert_eq!(on(&|one| one == as_deep_as_may_be), 1, "answers on a topic that every broker takes");
    assert_eq!(on(&|one| topics.iter().any(|strange| strange == one)), 0, "answers on the others");
    assert_eq!(on(&|one| one == topic("availability")), 0, "a hub that was thrown off leaves its will");
}

#[test]
fn an_id_is_one_command_also_over_a_crash() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let since = home.app.mark();
    let request = |id: &str, more: &str| format!(r#"{{"service": "police", "id": "{id}"{more}}}"#);
    let first = home.app.ask("request", &request("one", ""));
    assert_eq!(first["outcome"], "accepted", "{first}");
    assert_eq!(home.app.ask("request", &request("one", r#", "source": "another", "user": "x""#)), first);
    assert_eq!(home.app.refused("request", r#"{"service": "fire", "id": "one"}"#), "id_reused");
    home.app.fault("id_reused");
    let cancelled = home.app.ask("cancel", r#"{"id": "two"}"#);
    assert_eq!(cancelled["incident"], first["incident"], "{cancelled}");
    let incident = first["incident"].as_str().expect("an incident");
    home.app.stage(incident, "aborted");

    // The repeat starts nothing, although nothing runs any more.
    assert_eq!(home.app.ask("request", &request("one", "")), first);
    let mark = home.app.mark();
    home.kill();
    home.start();
    home.in_use_again(mark);
    assert_eq!(home.app.ask("request", &request("one", "")), first);
    assert_eq!(home.app.ask("cancel", r#"{"id": "two"}"#), cancelled);
    assert_eq!(home.app.refused("request", r#"{"service": "siren", "id": "one"}"#), "id_reused");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    home.app.state("idle", |state| state["phase"] == "idle");

    // A refusal is not remembered: the same id may try again.
    assert_eq!(home.app.refused("cancel", r#"{"id": "three"}"#), "no_countdown");
    let next = home.app.accepted("request", &request("four", ""));
    assert_ne!(next, incident);
    assert_eq!(home.app.accepted("cancel", r#"{"id": "three"}"#), next);
}

#[test]
fn what_was_said_while_the_hub_was_away_starts_nothing_and_a_live_retained_request_counts() {
    let mut home = Installation::running(Setup::default());
    home.stop();
    let since = home.app.mark();
    home.app.send_retained("request", "police");
    home.app.send_retained("request", r#"{"service": "fire", "id": "kept"}"#);
    home.app.send("request", "siren");
    home.app.send_retained("cancel", "");
    home.start();
    home.in_use_again(since);
    // Whatever the broker had kept would be here before the answer to this.
    home.app.accepted("silence", r#"{"id": "fence"}"#);
    let replies = home.app.replies(since);
    assert!(replies.len() == 1 && replies[0]["id"] == "fence", "{replies:?}");
    assert_eq!(home.app.count(since, "countdown_started"), 0);
    let state = home.app.state("idle", |state| state["phase"] == "idle");
    assert_eq!(state["incidents"], Value::Array(Vec::new()), "{state}");

    let since = home.app.mark();
    home.app.send_retained("request", "police");
    assert_eq!(home.app.reply(since)["outcome"], "accepted");
    home.app.event(since, "countdown_started");
    let alarm = home.center.alarm(0);
    assert_eq!(alarm["service"], "police", "{alarm}");

    // It is retained from now on, and no connection brings it again.
    let mark = home.app.mark();
    home.home.restart();
    home.in_use_again(mark);
    home.app.accepted("silence", r#"{"id": "another fence"}"#);
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 1, "{:?}", home.center.calls(0));
}

#[test]
fn a_request_of_yesterday_is_stale_by_a_trusted_clock_and_the_reply_says_what_to_do() {
    let home = Installation::running(Setup { clock: "trusted", ..Setup::default() });
    assert_eq!(home.app.state("any", |_| true)["clock"], "synced");
    let reply = home.app.ask("request", r#"{"service": "police", "id": "x", "sent_at": "2020-01-01T00:00:00+02:00"}"#);
    assert_eq!((&reply["outcome"], &reply["reason"]), (&json!("refused"), &json!("stale")), "{reply}");
    assert!(reply["message"].as_str().is_some_and(|message| message.contains("without sent_at")), "{reply}");
    assert_eq!(home.app.ask("request", r#"{"service": "police", "id": "x"}"#)["outcome"], "accepted");
}

#[test]
fn a_clock_that_nobody_vouches_for_makes_no_request_stale() {
    let home = Installation::running(Setup { may_ask_the_clock: false, ..Setup::default() });
    assert_eq!(home.app.state("any", |_| true)["clock"], "unsynced");
    home.app.accepted("request", r#"{"service": "police", "sent_at": "2020-01-01T00:00:00Z"}"#);
    let alarm = home.center.alarm(0);
    assert_eq!(alarm["clock"], "unsynced", "{alarm}");
}
