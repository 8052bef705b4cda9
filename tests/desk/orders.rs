//! What operators may do, and that it is written down who did what.

use sos_hub::center::desk::words::{CallOutcome, Order, OrderRefusal};
use sos_hub::controller::moment::Id;

use crate::center::{Mood, millis, seconds};
use crate::people::{CONFIRMED, RIGHT, alarmed};

fn every_order() -> Vec<Order> {
    vec![
        Order::CallFirstContact,
        Order::Outcome(CallOutcome::Answered),
        Order::Outcome(CONFIRMED),
        Order::Outcome(RIGHT),
        Order::Outcome(CallOutcome::NoAnswer),
        Order::Dispatch,
        Order::CallNextContact,
        Order::Close,
    ]
}

/// Which of all orders are refused at the step that these orders lead to.
fn refused_after(orders: &[Order]) -> Vec<Order> {
    let refused = |order: &Order| {
        let (mut center, incident) = alarmed();
        center.works(incident, orders);
        center.orders(incident, order.clone()) == Err(OrderRefusal::NotNow)
    };
    every_order().into_iter().filter(refused).collect()
}

fn allowed_after(orders: &[Order]) -> Vec<Order> {
    let refused = refused_after(orders);
    every_order().into_iter().filter(|order| !refused.contains(order)).collect()
}

#[test]
fn at_each_step_only_what_the_procedure_has_is_carried_out() {
    let outcomes = [CallOutcome::Answered, CONFIRMED, RIGHT, CallOutcome::NoAnswer].map(Order::Outcome);
    assert_eq!(allowed_after(&[]), [Order::CallFirstContact]);
    let first = [Order::CallFirstContact];
    assert_eq!(allowed_after(&first), outcomes);
    let answered = [Order::CallFirstContact, Order::Outcome(CallOutcome::Answered)];
    assert_eq!(allowed_after(&answered), outcomes[1..]);
    let confirmed = [Order::CallFirstContact, Order::Outcome(CONFIRMED)];
    assert_eq!(allowed_after(&confirmed), [Order::Dispatch]);
    let dispatched = [Order::CallFirstContact, Order::Outcome(CONFIRMED), Order::Dispatch];
    assert_eq!(allowed_after(&dispatched), [Order::CallNextContact, Order::Close]);
    let mut calling = dispatched.to_vec();
    calling.push(Order::CallNextContact);
    let [answered, confirmed, _, no_answer] = outcomes;
    assert_eq!(allowed_after(&calling), [answered, confirmed, no_answer, Order::CallNextContact, Order::Close]);
    calling.extend([Order::CallNextContact, Order::Outcome(CallOutcome::NoAnswer)]);
    assert_eq!(allowed_after(&calling), [Order::Close]);
    calling.push(Order::Close);
    assert_eq!(allowed_after(&calling), []);
}

#[test]
fn nothing_is_dispatched_without_a_call_that_gave_reason() {
    let (mut center, incident) = alarmed();
    assert_eq!(center.orders(incident, Order::Dispatch), Err(OrderRefusal::NotNow));
    center.works(incident, &[Order::CallFirstContact]);
    assert_eq!(center.orders(incident, Order::Dispatch), Err(OrderRefusal::NotNow));
    assert_eq!(center.told(incident), ["calling_first_contact 1"]);
}

#[test]
fn a_button_of_a_page_that_is_out_of_date_does_nothing() {
    let (mut center, incident) = alarmed();
    let step = center.view(incident).step;
    center.works(incident, &[Order::CallFirstContact]);
    assert_eq!(center.orders_at(incident, step, Order::CallFirstContact), Err(OrderRefusal::MovedOn));
    let ringing = center.view(incident).step;
    center.after(seconds(30));
    let late = Order::Outcome(RIGHT);
    assert_eq!(center.orders_at(incident, ringing, late), Err(OrderRefusal::MovedOn), "it rang too long");
    assert_eq!(center.told(incident), ["calling_first_contact 1", "no_answer 1"]);
}

#[test]
fn a_cry_that_the_operator_has_not_seen_stops_the_button_that_would_end_it() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    let step = center.view(incident).step;
    center.hears(center.alarm_signal("A1", 11, 1, sos_hub::controller::words::Service::Police));
    assert_eq!(center.orders_at(incident, step, Order::Close), Err(OrderRefusal::MovedOn));
}

#[test]
fn a_note_is_always_taken_and_moves_nothing() {
    let (mut center, incident) = alarmed();
    let step = center.view(incident).step;
    assert_eq!(center.orders_at(incident, 4_711, Order::Note("x".repeat(600))), Ok(()));
    assert_eq!(center.view(incident).step, step);
    assert!(center.history(incident).ends_with(&format!("Note: {}", "x".repeat(500))));
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT), Order::Note("all well".into())]);
    assert!(center.history(incident).ends_with("Note: all well"));
    let last = center.view(incident).history.pop().expect("there is a line");
    assert_eq!(last.operator.as_deref(), Some("eve"));
}

#[test]
fn an_incident_that_nobody_knows_is_said_to_be_unknown() {
    let (mut center, _) = alarmed();
    assert_eq!(center.orders(Id(99), Order::Close), Err(OrderRefusal::UnknownIncident));
}

#[test]
fn every_order_is_in_the_audit_trail_also_a_refused_one() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    let _ = center.orders(incident, Order::Close);
    let audit: Vec<_> = center.paper.audit.iter().map(|row| (row.who.as_str(), row.what.as_str())).collect();
    assert_eq!(
        audit,
        [("operator eve", "Called the first contact"), ("operator eve", "Closed (refused: not at this step)")]
    );
    assert!(center.paper.audit.iter().all(|row| row.incident == Some(incident)));
    assert_eq!(center.view(incident).line.operator.as_deref(), Some("eve"));
}

#[test]
fn an_answer_waits_for_the_disk_but_not_for_long() {
    let (mut center, incident) = alarmed();
    center.store_is(Mood::Slow);
    let step = center.view(incident).step;
    let first = center.gives_order(incident, step, Order::CallFirstContact);
    center.after(millis(999));
    assert_eq!((center.answer(first), center.told(incident).len()), (None, 0));
    center.after(millis(1));
    assert_eq!((center.answer(first), center.told(incident).len()), (Some(Ok(())), 1));
    let step = center.view(incident).step;
    let second = center.gives_order(incident, step, Order::Outcome(CONFIRMED));
    assert_eq!(center.answer(second), None);
    center.store_answers();
    assert_eq!(center.answer(second), Some(Ok(())));
}

#[test]
fn a_log_in_is_in_the_audit_trail() {
    let (mut center, _) = alarmed();
    let (who, what) = ("operator eve".to_owned(), "Logged in.".to_owned());
    center.input(sos_hub::center::desk::input::Input::Audit { who, what });
    assert_eq!(center.paper.audit.last().map(|row| row.what.as_str()), Some("Logged in."));
}
