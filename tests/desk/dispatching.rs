//! Help that a dispatch service is asked for.

use sos_hub::center::desk::input::{Input, Placed};
use sos_hub::center::desk::settings::{CallMode, DispatchMode};
use sos_hub::center::desk::view::Button;
use sos_hub::center::desk::words::{CallOutcome, Order};
use sos_hub::controller::moment::Id;
use sos_hub::controller::words::Service;

use crate::center::{Center, Mood, millis, seconds, settings};
use crate::paper::Paper;
use crate::people::{CONFIRMED, account};

/// An incident whose contact has confirmed; people call, a service dispatches.
fn due() -> (Center, Id) {
    let settings = settings(CallMode::Operator, DispatchMode::Webhook);
    let mut center = Center::open(settings, Paper::with(vec![account("A1")]));
    let incident = Id(1);
    center.hears(center.alarm_signal("A1", 10, 1, Service::Fire));
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(CONFIRMED)]);
    (center, incident)
}

fn not_taken() -> Placed {
    Placed::NotTaken { problem: "dispatch.example:443 refused the connection".into() }
}

fn unclear() -> Placed {
    Placed::Unclear { problem: "dispatch.example:443 did not answer in time".into() }
}

#[test]
fn the_service_asked_for_is_asked_for() {
    let (mut center, incident) = due();
    let (_, request) = &center.seen.dispatches[0];
    assert_eq!((request.service, request.reason), (Service::Fire, "confirmed"));
    assert_eq!((request.incident, request.address.as_str()), (incident, "1 Elm Street"));
    assert!(!center.view(incident).line.waits_for_operator);
    center.dispatch_answer(incident, Placed::Taken);
    assert_eq!(center.told(incident)[2..], ["dispatched"]);
    assert_eq!(center.seen.dispatches.len(), 1);
}

#[test]
fn it_is_asked_once_what_led_to_it_is_on_disk_or_a_second_later() {
    let settings = settings(CallMode::Operator, DispatchMode::Webhook);
    let mut center = Center::open(settings, Paper::with(vec![account("A1")]));
    let incident = center.alarm("A1", 1);
    center.works(incident, &[Order::CallFirstContact]);
    center.store_is(Mood::Slow);
    let step = center.view(incident).step;
    center.gives_order(incident, step, Order::Outcome(CallOutcome::NoAnswer));
    center.after(millis(999));
    assert_eq!(center.seen.dispatches, []);
    center.after(millis(1));
    assert_eq!(center.seen.dispatches.len(), 1);
}

#[test]
fn a_service_that_certainly_did_not_take_it_is_asked_again_and_an_operator_is_told() {
    let (mut center, incident) = due();
    let alarm_number = center.desk.queue().alarm_number;
    for _ in 0..5 {
        let asked = center.seen.dispatches.len();
        center.dispatch_answer(incident, not_taken());
        while center.seen.dispatches.len() == asked {
            center.after(seconds(1));
        }
    }
    let first = center.seen.dispatches[0].0;
    let when: Vec<u64> = center.seen.dispatches.iter().map(|(at, _)| at.since(first).as_secs()).collect();
    assert_eq!(when, [0, 5, 15, 35, 65, 95]);
    let view = center.view(incident);
    assert!(view.advice.contains("refused the connection"), "{}", view.advice);
    assert_eq!(view.next, Some(Button::Dispatch));
    assert!(center.desk.queue().alarm_number > alarm_number);
    center.dispatch_answer(incident, Placed::Taken);
    assert_eq!(center.told(incident)[2..], ["dispatched"]);
}

#[test]
fn a_service_that_may_have_taken_it_is_not_asked_again() {
    let (mut center, incident) = due();
    let alarm_number = center.desk.queue().alarm_number;
    center.dispatch_answer(incident, unclear());
    assert_eq!(center.desk.queue().alarm_number, alarm_number + 1);
    assert!(center.view(incident).line.waits_for_operator);
    assert!(center.view(incident).advice.contains("not known"));
    center.after(seconds(600));
    assert_eq!(center.seen.dispatches.len(), 1);
    assert!(!center.seen.alerts.is_empty());
    center.works(incident, &[Order::Dispatch]);
    assert_eq!(center.told(incident)[2..], ["dispatched"]);
}

#[test]
fn an_operator_may_dispatch_by_hand_while_the_service_is_asked() {
    let (mut center, incident) = due();
    center.works(incident, &[Order::Dispatch]);
    center.dispatch_answer(incident, Placed::Taken);
    assert_eq!(center.told(incident)[2..], ["dispatched"]);
    assert!(center.history(incident).contains("help may come twice"));
    center.after(seconds(120));
    assert_eq!(center.seen.dispatches.len(), 1);
}

#[test]
fn another_cry_or_a_changed_account_does_not_ask_the_service_twice() {
    let (mut center, _) = due();
    center.hears(center.alarm_signal("A1", 11, 1, Service::Fire));
    center.input(Input::Accounts(vec![account("A1")]));
    center.after(seconds(30));
    assert_eq!(center.seen.dispatches.len(), 1);
}

#[test]
fn after_a_restart_it_is_asked_once_more_under_the_same_incident() {
    let (center, incident) = due();
    let mut center = center.restarted(seconds(3));
    assert_eq!(center.seen.dispatches.iter().map(|(_, asked)| asked.incident).collect::<Vec<_>>(), [incident]);
    center.dispatch_answer(incident, Placed::Taken);
    assert_eq!(center.told(incident), ["dispatched"]);
}

#[test]
fn a_second_request_is_told_from_help_that_is_asked_for_again_after_the_end() {
    let (center, incident) = due();
    let first = center.seen.dispatches[0].1.received_wall;
    let mut center = center.restarted(seconds(5));
    assert_eq!(center.seen.dispatches[0].1.received_wall, first, "the same request once more");
    center.dispatch_answer(incident, Placed::Taken);
    center.works(incident, &[Order::Close]);
    center.hears(center.alarm_signal("A1", 11, 1, Service::Fire));
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(CONFIRMED)]);
    let again = &center.seen.dispatches[1].1;
    assert!(again.incident == incident && again.received_wall > first);
}

#[test]
fn the_console_cries_once_when_the_service_does_not_take_it() {
    let (mut center, incident) = due();
    let before = center.desk.queue().alarm_number;
    for _ in 0..2 {
        center.dispatch_answer(incident, not_taken());
        assert_eq!(center.desk.queue().alarm_number, before + 1);
    }
}

#[test]
fn a_service_that_fails_after_somebody_has_dispatched_is_not_asked_again() {
    let (mut center, incident) = due();
    center.works(incident, &[Order::Dispatch]);
    let (asked, history) = (center.seen.dispatches.len(), center.history(incident));
    for outcome in [not_taken(), unclear()] {
        center.dispatch_answer(incident, outcome);
    }
    center.after(seconds(60));
    assert_eq!((center.seen.dispatches.len(), center.history(incident)), (asked, history));
}

#[test]
fn a_late_answer_for_the_alarm_before_is_no_help_for_the_one_after_it() {
    let (mut center, incident) = due();
    let received_wall = center.seen.dispatches[0].1.received_wall;
    center.works(incident, &[Order::Dispatch, Order::Close]);
    center.after(seconds(5));
    center.hears(center.alarm_signal("A1", 11, 1, Service::Fire));
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(CONFIRMED)]);
    let told = center.told(incident);
    for outcome in [not_taken(), unclear(), Placed::Taken] {
        center.input(Input::DispatchAsked { incident, received_wall, outcome });
    }
    assert_eq!(center.told(incident), told);
    assert!(!center.view(incident).line.waits_for_operator, "the service is still being asked");
    assert!(center.history(incident).ends_with("took the request of the alarm before."));
    center.dispatch_answer(incident, Placed::Taken);
    assert_eq!(center.told(incident)[told.len()..], ["dispatched"]);
}
