//! Help is asked for, and comes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::center::{Answers, PRIVATE};
use crate::installation::{Installation, Setup};
use crate::lines::{Edge, SIREN, monotonic};
use crate::support::wait_until;

#[test]
fn a_request_becomes_an_alarm_that_the_center_takes_and_closes() {
    let home = Installation::running(Setup { countdown_seconds: 8, ..Setup::default() });
    let (app, center, lines) = (&home.app, &home.center, &home.lines);
    center.answer(Answers::AllButAlarms);
    let (since, at_center) = (app.mark(), center.mark());

    let request = json!({"service": "police", "id": "r-1", "source": "dashboard", "user": PRIVATE, "colour": "red"});
    let reply = app.ask("request", &request.to_string());
    assert_eq!((&reply["id"], &reply["command"]), (&json!("r-1"), &json!("request")), "{reply}");
    assert_eq!((&reply["outcome"], &reply["reason"]), (&json!("accepted"), &Value::Null), "{reply}");
    // It is false where the disk was busy for longer than a quarter of a second.
    assert!(reply["durable"].is_boolean(), "{reply}");
    let incident = reply["incident"].as_str().expect("an incident");

    // The countdown.
    let started = app.event(since, "countdown_started");
    assert_eq!((&started["incident"], &started["service"]), (&json!(incident), &json!("police")), "{started}");
    app.event_that(since, "countdown", |event| event["remaining"].as_u64().is_some_and(|left| left < 8));
    let counting = app.stage(incident, "countdown");
    assert_eq!(counting["source"], "dashboard", "{counting}");
    assert!(counting["remaining_ms"].as_u64().is_some_and(|left| (1..8_000).contains(&left)), "{counting}");
    assert!(lines.siren_levels().is_empty(), "the siren waits for the countdown");
    assert!(center.calls(at_center).is_empty(), "so does the center");

    // The alarm.
    app.event(since, "siren_on");
    lines.siren_is(1);
    let alarm = center.alarm(at_center);
    assert_eq!((&alarm["incident"], &alarm["service"]), (&json!(incident), &json!("police")), "{alarm}");
    assert_eq!((&alarm["event_code"], &alarm["plan"]), (&json!("120"), &json!("protect_plus")), "{alarm}");
    assert_eq!((&alarm["source"], &alarm["user"]), (&json!("dashboard"), &json!(PRIVATE)), "{alarm}");
    assert_ne!(alarm["repeat"], true, "{alarm}");
    assert_ne!(alarm["resumed"], true, "{alarm}");
    let requested = app.stage(incident, "requested");
    assert!(starts(&requested, "Requesting help"), "nobody has confirmed anything yet: {requested}");
    let state = app.state("an alarm that is owed", |state| state["center"]["owed"] == 1);
    assert_eq!((&state["phase"], &state["siren"]["sounding"]), (&json!("alarm"), &json!(true)), "{state}");
    assert!(starts(&state, "Requesting help"), "{state}");

    // The center's word.
    center.ack(alarm["jti"].as_str().expect("a jti"));
    assert!(starts(&app.stage(incident, "acknowledged"), "Help has been requested"));
    app.state("nothing owed", |state| state["center"]["owed"] == 0);
    center.update(incident, "calling_first_contact", json!({"contact": {"position": 1, "name": PRIVATE}}));
    let calling = app.event(since, "calling_first_contact");
    assert_eq!(calling["contact"], json!({"position": 1, "name": PRIVATE}), "{calling}");
    center.update(incident, "no_answer", json!({}));
    center.update(incident, "dispatched", json!({}));
    center.update(incident, "calling_other_contacts", json!({"contact": {"position": 2, "name": PRIVATE}}));
    center.update(incident, "calling_other_contacts", json!({"note": format!("{PRIVATE} was told")}));
    assert!(starts(&app.stage(incident, "calling_other_contacts"), "Help has been requested"));
    lines.siren_is(1);
    center.update(incident, "closed", json!({}));
    app.stage(incident, "closed");
    lines.siren_is(0);
    app.state("idle again", |state| state["phase"] == "idle" && state["siren"]["sounding"] == false);

    // What was told, in order, and nothing twice.
    app.event(since, "siren_off");
    let expected = [
        "countdown_started",
        "countdown",
        "requested",
        "siren_on",
        "acknowledged",
        "calling_first_contact",
        "no_answer",
        "dispatched",
        "calling_other_contacts",
        "calling_other_contacts",
        "closed",
        "siren_off",
    ];
    let kinds = app.kinds(since);
    let steps: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let orderly = |mut steps: Vec<&str>| {
        // The countdown may also be told at its first moment; siren and signal are of the same moment.
        steps.dedup_by(|one, other| *one == "countdown" && *other == "countdown");
        steps.iter_mut().for_each(|step| {
            if ["requested", "siren_on"].contains(step) {
                *step = "alarm";
            }
        });
        steps.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(orderly(steps), orderly(expected.to_vec()));
    let numbers: Vec<u64> = app.events(since).iter().map(|event| event["seq"].as_u64().expect("a seq")).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert_eq!(lines.siren_levels(), [1, 0]);
    assert_eq!(center.calls(at_center).len(), 1, "one alarm is one signal");
}

#[test]
fn the_countdown_lasts_its_five_seconds_from_the_arrival_on() {
    let home = Installation::running(Setup { countdown_seconds: 5, ..Setup::default() });
    let sent = monotonic();
    home.app.send("request", "police");
    let siren = home.lines.siren_edge(0);
    assert_eq!(siren.level, 1);
    let waited = siren.at - sent;
    // A machine that does other things as well may be late.
    assert!((Duration::from_secs(5)..Duration::from_secs(15)).contains(&waited), "{waited:?}");
    home.center.alarm(0);
}

#[test]
fn fire_sounds_the_evacuation_signal_and_wins_over_another_pattern() {
    let home = Installation::running(Setup::default());
    let since = home.app.mark();
    home.app.accepted("request", "fire");
    let alarm = home.center.alarm(0);
    assert_eq!((&alarm["service"], &alarm["event_code"]), (&json!("fire"), &json!("110")), "{alarm}");
    let both = home.app.accepted("request", "police");
    home.app.stage(&both, "acknowledged");

    // Three pulses of half a second, then a second and a half of silence: police, which came in it, changes nothing.
    // A machine that stands still for a moment spoils the period that it is in, and no other.
    let is_planned = |period: &[Edge]| {
        let planned = [0, 500, 1_000, 1_500, 2_000, 2_500, 4_000].into_iter();
        let off = |(edge, planned): (&Edge, u128)| (edge.at - period[0].at).as_millis().abs_diff(planned);
        period.iter().zip(planned).all(|each| off(each) < 400)
    };
    wait_until("three pulses and a silence", || {
        let edges = home.lines.edges(SIREN);
        assert!(edges.iter().zip([1, 0].into_iter().cycle()).all(|(edge, level)| edge.level == level), "{edges:?}");
        edges.windows(7).step_by(6).any(is_planned)
    });
    assert_eq!(home.app.state("the siren", |state| state["phase"] == "alarm")["siren"]["pattern"], "temporal3");
    assert_eq!(home.app.event(since, "siren_on")["pattern"], "temporal3");
    let services: Vec<Value> = home.center.calls(0).iter().map(|signal| signal["service"].clone()).collect();
    assert_eq!(services, ["fire", "police"]);

    home.app.accepted("silence", "");
    home.app.event(since, "siren_off");
    home.lines.siren_is(0);
}

#[test]
fn a_second_cry_is_never_swallowed() {
    let home = Installation::running(Setup { countdown_seconds: 5, ..Setup::default() });
    let since = home.app.mark();
    let incident = home.app.accepted("request", "police");
    assert_eq!(home.app.accepted("request", "police"), incident, "a request in the countdown joins it");
    let first = home.center.alarm(0);
    home.app.stage(&incident, "acknowledged");
    home.app.accepted("silence", "");
    home.lines.siren_is(0);

    assert_eq!(home.app.accepted("request", r#"{"service": "police", "source": "kitchen"}"#), incident);
    home.lines.siren_is(1);
    let second = home.center.signal(0, "alarm", 1);
    assert_eq!((&second["incident"], &second["repeat"]), (&json!(incident), &json!(true)), "{second}");
    assert_eq!((&second["source"], &second["service"]), (&json!("kitchen"), &json!("police")), "{second}");
    assert_ne!(second["jti"], first["jti"]);
    home.app.state("nothing owed", |state| state["center"]["owed"] == 0);
    assert_eq!(home.app.count(since, "countdown_started"), 1);
}

#[test]
fn a_refusal_of_the_center_is_told_and_the_siren_goes_on() {
    let home = Installation::running(Setup::default());
    home.center.answer(Answers::RefusesAlarms("unknown_account"));
    let incident = home.app.accepted("request", "police");
    home.app.fault("center_refused");
    home.app.stage(&incident, "requested");
    home.app.state("still owed", |state| state["center"]["owed"] == 1);
    let other = home.app.accepted("request", "fire");
    home.center.answer(Answers::RefusesAlarms("no_monitoring"));
    let refused = home.app.stage(&other, "refused_by_center");
    let message = refused["message"].as_str().unwrap_or_default();
    assert!(message.contains("refused") && message.contains("emergency number"), "{refused}");
    let state = home.app.state("the siren", |state| state["siren"]["sounding"] == true);
    assert_eq!(state["siren"]["pattern"], "temporal3", "{state}");
}

#[test]
fn what_the_center_has_not_confirmed_is_said_after_ten_seconds() {
    let home = Installation::running(Setup::default());
    home.center.answer(Answers::AllButAlarms);
    let incident = home.app.accepted("request", "police");
    let late = home.app.state("a late confirmation", |state| {
        state["message"].as_str().is_some_and(|message| message.contains("not confirmed yet"))
    });
    assert!(late["message"].as_str().is_some_and(|message| message.contains("emergency number")), "{late}");

    // Meanwhile it was sent again, first after five seconds: the broker had it both times, and the center not once.
    let first = home.center.alarm(0);
    let again = home.center.signal(0, "alarm", 1);
    assert_eq!(again["jti"], first["jti"]);
    let age = |signal: &Value| signal["age_ms"].as_u64().expect("an age");
    assert!(age(&again) >= age(&first) + 5_000, "{first} {again}");
    assert_eq!(home.app.state("owed", |state| state["center"]["owed"] == 1)["center"]["link"], "up");
    home.center.ack(first["jti"].as_str().expect("a jti"));
    home.app.stage(&incident, "acknowledged");
    home.app.state("nothing owed", |state| state["center"]["owed"] == 0);
}

fn starts(said: &Value, with: &str) -> bool {
    said["message"].as_str().is_some_and(|message| message.starts_with(with))
}
