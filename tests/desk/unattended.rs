//! An alarm that no operator takes sounds again.

use sos_hub::center::desk::effect::Changed;
use sos_hub::center::desk::words::{CallOutcome, Order};
use sos_hub::controller::words::Service;

use crate::center::{millis, seconds};
use crate::people::alarmed;

#[test]
fn after_a_minute_without_an_operator_an_alarm_cries_again_and_each_minute_after() {
    let (mut center, incident) = alarmed();
    let alarm_number = center.desk.queue().alarm_number;
    center.after(millis(59_999));
    assert_eq!((center.desk.queue().alarm_number, center.seen.alerts.len()), (alarm_number, 0));
    assert!(!center.view(incident).line.overdue);
    center.seen.changed.clear();
    center.after(millis(1));
    assert_eq!((center.desk.queue().alarm_number, center.seen.alerts.len()), (alarm_number + 1, 1));
    assert!(center.view(incident).line.overdue);
    assert!(center.seen.changed.contains(&Changed::Incident(incident)));
    center.after(seconds(120));
    assert_eq!((center.desk.queue().alarm_number, center.seen.alerts.len()), (alarm_number + 3, 3));
    assert_eq!(center.seen.alerts[0].1.incident, incident);
}

#[test]
fn an_order_starts_the_minute_again_and_a_note_does_not() {
    let (mut center, incident) = alarmed();
    center.after(seconds(50));
    center.works(incident, &[Order::Note("reading".into())]);
    center.after(seconds(10));
    assert_eq!(center.seen.alerts.len(), 1);
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(CallOutcome::NoAnswer)]);
    assert!(!center.view(incident).line.overdue);
    center.after(millis(59_999));
    assert_eq!(center.seen.alerts.len(), 1);
    center.after(millis(1));
    assert_eq!(center.seen.alerts.len(), 2);
}

#[test]
fn while_the_telephone_rings_nobody_is_late() {
    let (mut center, incident) = alarmed();
    center.after(seconds(59));
    center.works(incident, &[Order::CallFirstContact]);
    center.after(seconds(30));
    center.after(millis(59_999));
    assert_eq!(center.seen.alerts.len(), 0, "the minute counts from when the operator's turn came");
    center.after(millis(1));
    assert_eq!(center.seen.alerts.len(), 1);
}

#[test]
fn another_cry_starts_the_minute_again() {
    let (mut center, _) = alarmed();
    center.after(seconds(50));
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    center.after(seconds(59));
    assert_eq!(center.seen.alerts.len(), 0);
    center.after(seconds(1));
    assert_eq!(center.seen.alerts.len(), 1);
}

#[test]
fn what_is_over_is_quiet() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::Close]);
    center.after(seconds(3_600));
    assert_eq!(center.seen.alerts.len(), 0);
}

#[test]
fn after_a_restart_the_minute_counts_anew_and_the_page_sees_the_number_grow() {
    let (center, _) = alarmed();
    let alarm_number = center.desk.queue().alarm_number;
    let mut center = center.restarted(seconds(2));
    assert!(center.desk.queue().alarm_number > alarm_number);
    center.after(seconds(60));
    assert_eq!(center.seen.alerts.len(), 1);
}
