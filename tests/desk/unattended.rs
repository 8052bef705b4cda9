//! An alarm that no operator takes sounds again, and so does one that needs people once more.

use sos_hub::center::desk::effect::Changed;
use sos_hub::center::desk::input::{Input, Placed};
use sos_hub::center::desk::settings::{CallMode, DispatchMode};
use sos_hub::center::desk::words::{CallOutcome, Order};
use sos_hub::controller::moment::Id;
use sos_hub::controller::words::Service;

use crate::center::{Center, millis, seconds, settings, webhook};
use crate::paper::Paper;
use crate::people::{CONFIRMED, RIGHT, account, alarmed};

impl Center {
    /// How far the console's number has grown, and whether the incident is among those that sound.
    fn sound(&self, incident: Id) -> (u64, bool) {
        (self.desk.queue().alarm_number, self.view(incident).line.cries)
    }
}

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

#[test]
fn each_order_gives_the_operator_another_minute() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(CallOutcome::Answered)]);
    for order in [Order::Outcome(CallOutcome::Confirmed), Order::Dispatch] {
        center.after(seconds(50));
        center.works(incident, &[order]);
    }
    center.after(millis(59_999));
    assert_eq!(center.seen.alerts.len(), 0);
    center.after(millis(1));
    assert_eq!(center.seen.alerts.len(), 1);
}

#[test]
fn an_incident_cries_until_an_operator_acts_on_it_and_a_note_is_no_act() {
    let (mut center, incident) = alarmed();
    assert!(center.view(incident).line.cries);
    center.works(incident, &[Order::Note("reading".into())]);
    assert!(center.view(incident).line.cries);
    center.works(incident, &[Order::CallFirstContact]);
    assert!(!center.view(incident).line.cries);
    center.works(incident, &[Order::Outcome(CallOutcome::Answered)]);
    assert!(!center.view(incident).line.cries, "the operator is at it");
}

#[test]
fn another_cry_sounds_whoever_has_acted_before_and_until_somebody_acts_again() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    let (number, _) = center.sound(incident);
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    assert_eq!(center.sound(incident), (number + 1, true), "while the telephone rings");
    center.works(incident, &[Order::Outcome(CONFIRMED)]);
    assert_eq!(center.sound(incident), (number + 1, false));
    center.hears(center.alarm_signal("A1", 12, 1, Service::Police));
    assert_eq!(center.sound(incident), (number + 2, true), "while help is to be sent");
}

#[test]
fn a_cry_after_the_end_sounds_like_a_new_alarm_and_nobody_has_acted_on_it() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    assert!(!center.view(incident).line.cries);
    let (number, _) = center.sound(incident);
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    assert_eq!(center.sound(incident), (number + 1, true));
    assert_eq!(center.view(incident).line.operator, None);
    center.works(incident, &[Order::CallFirstContact]);
    assert_eq!(center.sound(incident), (number + 1, false));
}

#[test]
fn help_that_could_not_be_asked_for_sounds_whoever_has_acted_before() {
    let problem = || "dispatch.example:443 said 500".to_owned();
    for failure in [Placed::NotTaken { problem: problem() }, Placed::Unclear { problem: problem() }] {
        let settings = settings(CallMode::Operator, DispatchMode::Webhook);
        let mut center = Center::open(settings, Paper::with(vec![account("A1")]));
        let incident = center.alarm("A1", 1);
        center.works(incident, &[Order::CallFirstContact, Order::Outcome(CONFIRMED)]);
        let (number, cries) = center.sound(incident);
        assert!(!cries, "the service is being asked");
        center.dispatch_answer(incident, failure.clone());
        assert_eq!(center.sound(incident), (number + 1, true), "{failure:?}");
        center.works(incident, &[Order::Dispatch]);
        assert_eq!(center.sound(incident), (number + 1, false), "{failure:?}");
    }
}

#[test]
fn what_may_have_cried_before_a_restart_cries_after_it() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    let mut center = center.restarted(seconds(2));
    assert!(center.view(incident).line.cries);
    center.works(incident, &[Order::Outcome(RIGHT)]);
    assert!(!center.restarted(seconds(2)).view(incident).line.cries, "what is over is quiet");
}

#[test]
fn where_services_do_the_work_an_alarm_is_quiet_until_people_are_needed() {
    let mut center = Center::open(webhook(), Paper::with(vec![account("A1")]));
    let incident = center.alarm("A1", 1);
    assert!(!center.view(incident).line.cries);
    let call = center.seen.calls[0].1.call;
    center.input(Input::Call { call, outcome: CONFIRMED });
    assert!(!center.view(incident).line.cries);
    let problem = "dispatch.example:443 said 500".to_owned();
    center.dispatch_answer(incident, Placed::Unclear { problem });
    assert!(center.view(incident).line.cries);
}
