//! The hub dies or is stopped in the middle, and goes on.

use std::time::Duration;

use serde_json::Value;

use crate::center::Answers;
use crate::installation::{Installation, Setup};
use crate::lines::{SIREN, monotonic};
use crate::support::wait_until;

/// How late an alarm may be after a restart in its countdown, on a machine that does other things as well.
const LATE: Duration = Duration::from_secs(10);

#[test]
fn a_countdown_keeps_its_deadline_over_kill_9() {
    let mut home = Installation::running(Setup { countdown_seconds: 15, ..Setup::default() });
    let since = home.app.mark();
    let before = monotonic();
    let incident = home.app.accepted("request", "police");
    let after = monotonic();
    home.app.event_that(since, "countdown", |event| event["remaining"].as_u64().is_some_and(|left| left < 15));
    let mark = home.app.mark();
    home.kill();
    home.app.availability(mark, "offline");
    home.start();
    home.in_use_again(mark);
    let going_on = home.app.stage(&incident, "countdown");
    assert_eq!(going_on["resumed"], false, "it is the same boot: {going_on}");
    assert!(going_on["remaining_ms"].as_u64().is_some_and(|left| left <= 14_000), "it begins anew: {going_on}");
    let siren = home.lines.siren_edge(0);
    assert_eq!(siren.level, 1);
    let countdown = Duration::from_secs(15);
    assert!(siren.at >= before + countdown && siren.at < after + countdown + LATE, "{:?}", siren.at - before);
    let alarm = home.center.alarm(0);
    assert_eq!(alarm["incident"], Value::from(incident.as_str()), "{alarm}");
    home.app.stage(&incident, "acknowledged");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    assert_eq!(home.app.count(since, "requested"), 1);
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 1);
}

#[test]
fn a_countdown_that_ended_while_the_hub_was_dead_is_an_alarm_at_once() {
    let mut home = Installation::running(Setup { countdown_seconds: 5, ..Setup::default() });
    let incident = home.app.accepted("request", "fire");
    let deadline = monotonic() + Duration::from_secs(5);
    home.kill();
    wait_until("the end of the countdown", || monotonic() > deadline);
    assert!(home.lines.siren_levels().is_empty());
    home.start();
    home.lines.siren_edge(0);
    let alarm = home.center.alarm(0);
    assert_eq!(alarm["incident"], Value::from(incident.as_str()), "{alarm}");
    assert!(alarm["resumed"] != true && alarm["service"] == "fire", "{alarm}");
}

#[test]
fn a_shutdown_in_the_countdown_goes_on_at_the_next_start() {
    let mut home = Installation::running(Setup { countdown_seconds: 8, ..Setup::default() });
    let before = monotonic();
    let incident = home.app.accepted("request", "police");
    let after = monotonic();
    let mark = home.app.mark();
    home.stop();
    home.app.availability(mark, "offline");
    assert!(home.lines.siren_levels().is_empty());
    home.start();
    let siren = home.lines.siren_edge(0);
    let countdown = Duration::from_secs(8);
    assert!(siren.at >= before + countdown && siren.at < after + countdown + LATE, "{:?}", siren.at - before);
    home.app.stage(&incident, "acknowledged");
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 1);
}

#[test]
fn a_cancel_after_a_crash_in_the_countdown_still_counts() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let incident = home.app.accepted("request", "police");
    let mark = home.app.mark();
    home.kill();
    home.start();
    home.in_use_again(mark);
    assert_eq!(home.app.accepted("cancel", ""), incident);
    home.app.stage(&incident, "aborted");
    let mark = home.app.mark();
    home.kill();
    home.start();
    home.in_use_again(mark);
    home.center.has_all();
    assert!(home.center.calls(0).is_empty() && home.lines.siren_levels().is_empty());
    assert_eq!(home.app.refused("cancel", ""), "no_countdown");
}

#[test]
fn an_alarm_goes_on_over_kill_9_with_the_same_signal() {
    let mut home = Installation::running(Setup::default());
    home.center.answer(Answers::AllButAlarms);
    let incident = home.app.accepted("request", "police");
    home.lines.siren_is(1);
    let first = home.center.alarm(0);
    let seen = home.app.event(0, "requested")["seq"].as_u64().expect("a seq");
    home.app.state("sounding", |state| state["siren"]["sounding"] == true);

    // A killed hub cannot turn the siren off; its successor makes the line what the incident says.
    home.kill();
    let at_center = home.center.mark();
    let mark = home.app.mark();
    assert_eq!(home.lines.output(SIREN), Some(1));
    home.start();
    let started = monotonic();
    home.lines.siren_is(1);
    assert!(monotonic() < started + LATE);
    home.in_use_again(mark);
    home.app.stage(&incident, "requested");
    let again = home.center.alarm(at_center);
    assert_eq!(again["jti"], first["jti"]);
    let age = |signal: &Value| signal["age_ms"].as_u64().expect("an age");
    assert!(age(&again) > age(&first), "{first} {again}");
    home.center.ack(first["jti"].as_str().expect("a jti"));
    home.app.stage(&incident, "acknowledged");
    let event = home.app.event(mark, "acknowledged");
    assert!(event["seq"].as_u64().is_some_and(|seq| seq > seen), "{event}");
    home.center.has_all();
    let jtis: Vec<Value> = home.center.calls(0).iter().map(|signal| signal["jti"].clone()).collect();
    assert!(jtis.iter().all(|jti| *jti == first["jti"]), "{jtis:?}");

    // Silenced is silent, also when the dead hub left the line on.
    home.app.accepted("silence", r#"{"id": "s"}"#);
    home.lines.siren_is(0);
    let mark = home.app.mark();
    home.kill();
    home.lines.leave_output(SIREN, 1);
    home.start();
    home.lines.siren_is(0);
    home.in_use_again(mark);
    home.app.stage(&incident, "acknowledged");
    home.app.state("silent", |state| state["siren"]["sounding"] == false);
}

#[test]
fn availability_tells_of_a_crash_and_of_a_shutdown() {
    let mut home = Installation::running(Setup::default());
    home.center.link("online");
    let mark = home.app.mark();
    home.kill();
    home.app.availability(mark, "offline");
    home.center.link("offline");
    home.start();
    home.in_use_again(mark);
    home.center.link("online");
    let mark = home.app.mark();
    home.stop();
    home.app.availability(mark, "offline");
    home.center.link("offline");
    // Who comes later is told the same.
    let late = crate::app::App::connect(home.home.port(), None);
    late.availability(0, "offline");
}
