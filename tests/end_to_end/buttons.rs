//! A finger on the button, and what only looks like one.

use serde_json::json;

use crate::app::fault;
use crate::installation::{Installation, Setup};
use crate::lines::{CANCEL_BUTTON, POLICE_BUTTON};
use crate::support::wait_until;

#[test]
fn a_button_that_is_held_for_its_time_is_one_request() {
    let home = Installation::running(Setup { countdown_seconds: 5, ..Setup::default() });
    let since = home.app.mark();
    home.lines.press(POLICE_BUTTON);
    let started = home.app.event(since, "countdown_started");
    let incident = started["incident"].as_str().expect("an incident");
    let counting = home.app.stage(incident, "countdown");
    assert_eq!((&counting["source"], &counting["service"]), (&json!("button:hallway"), &json!("police")), "{counting}");
    // Held on, over the end of the countdown: still one request. Pressed again: a request, and no abort.
    let alarm = home.center.alarm(0);
    assert_eq!(alarm["source"], "button:hallway", "{alarm}");
    home.app.stage(incident, "acknowledged");
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 1);
    home.lines.release(POLICE_BUTTON);
    wait_until("the release", || home.lines.edges(POLICE_BUTTON).len() == 2);
    home.lines.press(POLICE_BUTTON);
    let repeat = home.center.signal(0, "alarm", 1);
    assert_eq!((&repeat["repeat"], &repeat["incident"]), (&json!(true), &json!(incident)), "{repeat}");
    home.lines.press(CANCEL_BUTTON);
    home.center.signal(0, "cancel_request", 0);
    home.lines.siren_is(1);
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    assert_eq!(home.app.count(since, "aborted"), 0);
}

#[test]
fn a_cancel_button_aborts_and_a_second_press_of_the_sos_button_does_not() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let since = home.app.mark();
    for presses in 1..=2 {
        home.lines.press(POLICE_BUTTON);
        wait_until("the press", || home.lines.edges(POLICE_BUTTON).len() == 2 * presses - 1);
        home.app.event(since, "countdown_started");
        home.app.event_that(since, "countdown", |event| {
            event["remaining"].as_u64().is_some_and(|left| left <= 30 - presses as u64)
        });
        home.lines.release(POLICE_BUTTON);
        wait_until("the release", || home.lines.edges(POLICE_BUTTON).len() == 2 * presses);
    }
    assert_eq!((home.app.count(since, "countdown_started"), home.app.count(since, "aborted")), (1, 0));
    home.lines.press(CANCEL_BUTTON);
    home.app.event(since, "aborted");
    home.center.has_all();
    assert!(home.center.calls(0).is_empty() && home.lines.siren_levels().is_empty());
}

#[test]
fn a_touch_and_a_bouncing_contact_are_no_press_and_a_real_one_is_still_seen() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let since = home.app.mark();
    // Never closed for the whole of the hold time, however long it goes on.
    for _ in 0..40 {
        home.lines.press(POLICE_BUTTON);
        home.lines.release(POLICE_BUTTON);
    }
    home.center.has_all();
    assert_eq!(home.app.count(since, "countdown_started"), 0);
    home.lines.press(POLICE_BUTTON);
    home.app.event(since, "countdown_started");
    home.lines.release(POLICE_BUTTON);
    home.app.accepted("cancel", "");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
}

#[test]
fn a_button_that_is_held_at_the_start_is_stuck_until_it_is_released() {
    let mut home = Installation::new(Setup { countdown_seconds: 30, ..Setup::default() });
    home.lines.press(POLICE_BUTTON);
    home.start();
    home.in_use();
    assert!(home.app.fault("button_stuck").contains("hallway"));
    let state = home.app.state("not ready", |state| state["ready"] == false);
    assert_eq!(state["incidents"], json!([]), "{state}");
    home.center.has_all();
    let told = home.center.signal(0, "fault", 0);
    assert_eq!(told["event_code"], "380", "{told}");

    home.lines.release(POLICE_BUTTON);
    home.app.no_fault("button_stuck");
    let told = home.center.signal(0, "restore", 0);
    assert_eq!(told["event_code"], "380", "{told}");
    assert_eq!(home.app.count(0, "countdown_started"), 0);
    home.app.state("ready", |state| state["ready"] == true && fault(state, "button_stuck").is_none());
    let since = home.app.mark();
    home.lines.press(POLICE_BUTTON);
    home.app.event(since, "countdown_started");
}
