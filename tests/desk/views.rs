//! What the console is shown.

use sos_hub::center::desk::input::Input;
use sos_hub::center::desk::settings::{CallMode, DispatchMode};
use sos_hub::center::desk::view::Button;
use sos_hub::center::desk::words::{CallOutcome, Order};
use sos_hub::controller::words::Stage;

use crate::center::{Center, operator, seconds, settings};
use crate::paper::Paper;
use crate::people::{CONFIRMED, RIGHT, account, alarmed, center};

/// The big button, and the others.
fn buttons(orders: &[Order]) -> (Option<Button>, Vec<Button>) {
    let (mut center, incident) = alarmed();
    center.works(incident, orders);
    let view = center.view(incident);
    assert!(!view.advice.is_empty() && view.advice.ends_with('.'), "{}", view.advice);
    (view.next, view.others)
}

fn order(button: Button) -> Order {
    match button {
        Button::CallFirstContact => Order::CallFirstContact,
        Button::Answered => Order::Outcome(CallOutcome::Answered),
        Button::Confirmed => Order::Outcome(CONFIRMED),
        Button::CancelledByContact => Order::Outcome(RIGHT),
        Button::NoAnswer => Order::Outcome(CallOutcome::NoAnswer),
        Button::Dispatch => Order::Dispatch,
        Button::CallNextContact => Order::CallNextContact,
        Button::Close => Order::Close,
    }
}

#[test]
fn the_big_button_is_the_next_step() {
    use Button::{
        Answered, CallFirstContact, CallNextContact, CancelledByContact, Close, Confirmed, Dispatch, NoAnswer,
    };
    let mut orders = Vec::new();
    assert_eq!(buttons(&orders), (Some(CallFirstContact), vec![]));
    orders.push(Order::CallFirstContact);
    assert_eq!(buttons(&orders), (None, vec![Answered, Confirmed, CancelledByContact, NoAnswer]));
    orders.push(Order::Outcome(CallOutcome::Answered));
    assert_eq!(buttons(&orders), (Some(Confirmed), vec![CancelledByContact, NoAnswer]));
    orders.push(Order::Outcome(CONFIRMED));
    assert_eq!(buttons(&orders), (Some(Dispatch), vec![]));
    orders.push(Order::Dispatch);
    assert_eq!(buttons(&orders), (Some(CallNextContact), vec![Close]));
    orders.push(Order::CallNextContact);
    assert_eq!(buttons(&orders), (None, vec![Answered, NoAnswer, CallNextContact, Close]));
    orders.extend([Order::Outcome(CallOutcome::NoAnswer), Order::CallNextContact]);
    assert_eq!(buttons(&orders), (None, vec![Answered, NoAnswer, Close]));
    orders.push(Order::Outcome(CallOutcome::Answered));
    assert_eq!(buttons(&orders), (Some(Close), vec![]));
    orders.push(Order::Close);
    assert_eq!(buttons(&orders), (None, vec![]));
}

#[test]
fn every_button_that_is_shown_does_something() {
    let paths: [&[Order]; 6] = [
        &[],
        &[Order::CallFirstContact],
        &[Order::CallFirstContact, Order::Outcome(CallOutcome::Answered)],
        &[Order::CallFirstContact, Order::Outcome(CONFIRMED)],
        &[Order::CallFirstContact, Order::Outcome(CONFIRMED), Order::Dispatch],
        &[Order::CallFirstContact, Order::Outcome(CONFIRMED), Order::Dispatch, Order::CallNextContact],
    ];
    for path in paths {
        let (next, others) = buttons(path);
        for button in next.into_iter().chain(others) {
            let (mut center, incident) = alarmed();
            center.works(incident, path);
            assert_eq!(center.orders(incident, order(button)), Ok(()), "{button:?} after {path:?}");
        }
    }
}

#[test]
fn what_waits_for_an_operator_is_above_what_does_not_and_older_is_above_newer() {
    let mut center = center();
    for incident in [3, 1, 2] {
        center.alarm("A1", incident);
        center.after(seconds(1));
    }
    let queue = |center: &Center| center.desk.queue().open.iter().map(|line| line.id.0).collect::<Vec<_>>();
    assert_eq!(queue(&center), [3, 1, 2]);
    center.works(sos_hub::controller::moment::Id(3), &[Order::CallFirstContact]);
    assert_eq!(queue(&center), [1, 2, 3], "its telephone rings: nothing is to be done");
    center.after(seconds(30));
    assert_eq!(queue(&center), [3, 1, 2]);
}

#[test]
fn an_incident_shows_whom_to_call_and_when_it_was_first_done() {
    let (mut center, incident) = alarmed();
    assert!(center.view(incident).advice.contains("Ann, +44 1"));
    center.after(seconds(12));
    center.works(incident, &[Order::CallFirstContact]);
    let view = center.view(incident);
    assert_eq!(view.line.first_call_wall, Some(center.at.wall));
    let call = view.call.expect("a call is under way");
    assert_eq!((call.position, call.name.as_str(), call.phone.as_str()), (1, "Ann", "+44 1"));
    center.works(incident, &[Order::Outcome(CONFIRMED)]);
    let view = center.view(incident);
    assert_eq!(view.call, None);
    assert_eq!(view.calls[0].outcome, Some("confirmed"));
}

#[test]
fn at_most_twenty_that_have_ended_are_listed() {
    let mut center = center();
    for incident in 1..=30 {
        let incident = center.alarm("A1", incident);
        center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    }
    let ended = center.desk.queue().ended;
    assert_eq!((ended.len(), ended[0].id.0), (20, 30));
}

#[test]
fn every_button_says_what_it_does() {
    let labels = Button::ALL.map(Button::label);
    let expected = [
        "Call first contact",
        "Answered",
        "Confirmed",
        "Cancelled by contact",
        "No answer",
        "Dispatch",
        "Call next contact",
        "Close",
    ];
    assert_eq!(labels, expected);
}

#[test]
fn while_services_do_the_work_no_step_is_the_operators() {
    let both = settings(CallMode::Webhook, DispatchMode::Webhook);
    let mut center = Center::open(both, Paper::with(vec![account("A1")]));
    let incident = center.alarm("A1", 1);
    let call = center.seen.calls[0].1.call;
    assert_eq!(center.desk.incident_of_call(call), Some(incident));
    assert_eq!(center.desk.incident_of_call(incident), None);
    center.input(Input::Call { call, outcome: CallOutcome::Answered });
    let view = center.view(incident);
    assert_eq!((view.next, view.others.len()), (None, 3));
    center.input(Input::Call { call, outcome: CONFIRMED });
    let view = center.view(incident);
    assert_eq!((view.next, view.others), (None, vec![Button::Dispatch]));
    assert!(!view.line.waits_for_operator);
}

#[test]
fn the_stage_shows_that_the_other_contacts_are_called() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    assert_eq!(center.view(incident).line.stage, Stage::Dispatched);
    center.works(incident, &[Order::CallNextContact]);
    assert_eq!(center.view(incident).line.stage, Stage::CallingOtherContacts);
}

#[test]
fn a_center_whose_link_is_not_up_yet_says_so() {
    let center = Center::started(operator(), Paper::with(vec![account("A1")]));
    let broker = center.desk.queue().health.broker;
    assert_eq!(broker.as_deref(), Some("The link to the broker is not up yet."));
}
