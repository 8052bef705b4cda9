//! The procedure of an alarm, as an operator works it.

use sos_hub::center::desk::words::{CallOutcome, Order, OrderRefusal};
use sos_hub::controller::moment::Id;
use sos_hub::controller::words::{Service, Stage};

use crate::center::{Center, millis, operator, seconds};
use crate::paper::Paper;
use crate::people::{CONFIRMED, RIGHT, WRONG, account, alarmed, center, with_contacts};

#[test]
fn nobody_is_called_and_nothing_is_said_before_an_operator_acts() {
    let (mut center, incident) = alarmed();
    center.after(seconds(3_600));
    assert_eq!(center.told(incident), Vec::<String>::new());
    assert_eq!(center.view(incident).line.stage, Stage::Acknowledged);
}

#[test]
fn no_answer_means_dispatch_then_the_other_contacts_then_the_end() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    assert_eq!(center.view(incident).line.stage, Stage::CallingFirstContact);
    center.works(incident, &[Order::Outcome(CallOutcome::NoAnswer), Order::Dispatch, Order::CallNextContact]);
    center.works(incident, &[Order::Outcome(CallOutcome::Answered), Order::CallNextContact]);
    center.works(incident, &[Order::Outcome(CallOutcome::NoAnswer), Order::Close]);
    assert_eq!(
        center.told(incident),
        [
            "calling_first_contact 1",
            "no_answer 1",
            "dispatched",
            "calling_other_contacts 2",
            "calling_other_contacts 2 answered",
            "calling_other_contacts 3",
            "calling_other_contacts 3 no_answer",
            "closed",
        ]
    );
    let seqs: Vec<u64> = center.seen.updates.iter().map(|(_, update)| update.seq).collect();
    assert_eq!(seqs, (1..=8).collect::<Vec<_>>());
    assert!(center.desk.queue().open.is_empty());
    assert_eq!(center.desk.queue().ended[0].id, incident);
}

#[test]
fn a_contact_who_confirms_means_dispatch() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    assert_eq!(center.told(incident), ["calling_first_contact 1", "confirmed 1", "dispatched"]);
}

#[test]
fn the_right_password_ends_it_and_nobody_is_sent() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    assert_eq!(center.told(incident), ["calling_first_contact 1", "cancelled_by_contact 1"]);
    assert_eq!(center.orders(incident, Order::Dispatch), Err(OrderRefusal::NotNow));
    assert!(center.desk.queue().open.is_empty());
    assert_eq!(center.view(incident).line.stage, Stage::CancelledByContact);
}

#[test]
fn a_wrong_password_counts_as_not_cancelled_and_leads_straight_to_dispatch() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(WRONG)]);
    assert_eq!(center.told(incident), ["calling_first_contact 1"], "no word of its own");
    assert!(center.view(incident).line.dispatch_is_due, "only the hub is not told");
    center.works(incident, &[Order::Dispatch]);
    assert_eq!(center.told(incident)[1..], ["dispatched wrong_password"]);
}

#[test]
fn no_password_is_right_where_none_was_agreed() {
    let household = sos_hub::center::desk::words::Account { has_password: false, ..account("A1") };
    let mut center = Center::open(operator(), Paper::with(vec![household]));
    let incident = center.alarm("A1", 1);
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT), Order::Dispatch]);
    assert_eq!(center.told(incident)[1..], ["dispatched wrong_password"]);
}

#[test]
fn a_telephone_that_rings_too_long_counts_as_no_answer() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    center.after(millis(29_999));
    assert_eq!(center.told(incident).len(), 1);
    center.after(millis(1));
    assert_eq!(center.told(incident)[1..], ["no_answer 1"]);
    assert_eq!(center.paper.calls[0].outcome, Some("no_answer"));
}

#[test]
fn the_ringing_is_over_once_somebody_has_answered() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    assert_eq!(center.view(incident).call.and_then(|call| call.rings_for), Some(seconds(30)));
    center.after(seconds(29));
    assert_eq!(center.view(incident).call.and_then(|call| call.rings_for), Some(seconds(1)));
    center.works(incident, &[Order::Outcome(CallOutcome::Answered)]);
    center.after(seconds(300));
    assert_eq!(center.told(incident).len(), 1, "what is said on the telephone takes its time");
    assert_eq!(center.view(incident).call.and_then(|call| call.rings_for), None);
    center.works(incident, &[Order::Outcome(CONFIRMED)]);
}

#[test]
fn an_account_without_contacts_goes_straight_to_dispatch() {
    let mut center = Center::open(operator(), Paper::with(vec![with_contacts("A1", 0)]));
    let incident = center.alarm("A1", 1);
    center.works(incident, &[Order::Dispatch, Order::Close]);
    assert_eq!(center.told(incident), ["dispatched no_contact", "closed"]);
}

#[test]
fn the_other_contacts_are_timed_too() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::CallNextContact]);
    center.after(seconds(30));
    assert_eq!(center.told(incident)[3..], ["calling_other_contacts 2", "calling_other_contacts 2 no_answer"]);
}

#[test]
fn a_call_may_be_left_for_the_next_or_for_the_end() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::CallNextContact, Order::CallNextContact, Order::Close]);
    assert_eq!(center.told(incident)[3..], ["calling_other_contacts 2", "calling_other_contacts 3", "closed"]);
    assert_eq!(center.history(incident).matches("was not recorded").count(), 2);
    center.after(seconds(60));
    assert_eq!(center.told(incident).len(), 6, "a telephone that was left rings for nobody");
}

#[test]
fn it_may_be_closed_with_contacts_left() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::Close]);
    assert_eq!(center.told(incident)[3..], ["closed"]);
    assert!(center.paper.incidents[&incident].ended_wall.is_some());
}

#[test]
fn two_incidents_of_one_account_run_side_by_side() {
    let mut center = center();
    let police = center.alarm("A1", 1);
    center.hears(center.alarm_signal("A1", 20, 2, Service::Fire));
    let fire = sos_hub::controller::moment::Id(2);
    center.works(police, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    center.works_until_dispatched(fire);
    assert_eq!(center.told(police), ["calling_first_contact 1", "cancelled_by_contact 1"]);
    assert_eq!(center.told(fire), ["calling_first_contact 1", "confirmed 1", "dispatched"]);
    assert_eq!(center.view(fire).line.service, Service::Fire);
    assert_eq!(center.acks_of(10)[0].seq + 1, center.acks_of(20)[0].seq);
}

#[test]
fn the_users_wish_to_cancel_is_a_line_of_the_history_and_nothing_else() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    let before = center.view(incident);
    center.cancel_request("A1", 11, incident);
    let after = center.view(incident);
    assert_eq!(center.acks_of(11).len(), 1);
    assert_eq!(after.cancel_requested_wall, Some(center.at.wall));
    assert_eq!((after.step, after.next, after.others), (before.step, before.next, before.others));
    assert!(center.history(incident).contains("The user tried to cancel"));
    center.after(seconds(30));
    assert_eq!(center.told(incident)[1..], ["no_answer 1"]);
}

#[test]
fn a_wish_to_cancel_what_is_over_or_unknown_is_acked_all_the_same() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    center.cancel_request("A1", 11, incident);
    center.cancel_request("A1", 12, Id(777));
    assert_eq!((center.acks_of(11).len(), center.acks_of(12).len()), (1, 1));
    assert!(center.desk.queue().open.is_empty());
}

#[test]
fn a_wish_to_cancel_that_overtakes_its_alarm_is_told_when_that_comes() {
    let mut center = center();
    center.cancel_request("A1", 11, Id(1));
    center.cancel_request("B2", 21, Id(2));
    center.after(seconds(8));
    let (incident, other) = (center.alarm("A1", 1), center.alarm("A1", 2));
    assert!(center.history(incident).contains("The user tried to cancel"), "{}", center.history(incident));
    assert_eq!(center.view(incident).cancel_requested_wall, Some(center.at.wall));
    assert_eq!(center.view(other).cancel_requested_wall, None, "that was another account's wish");
    let center = center.restarted(seconds(1));
    assert!(center.view(incident).cancel_requested_wall.is_some());
}

#[test]
fn a_thousand_wishes_to_cancel_what_never_comes_are_not_kept() {
    let mut center = center();
    for number in 1..=1_000 {
        center.cancel_request("A1", number, Id(number));
    }
    let tried = |center: &Center, number| center.view(Id(number)).cancel_requested_wall.is_some();
    for number in 992..=1_000 {
        center.alarm("A1", number);
    }
    assert!(!tried(&center, 992), "only the last of them");
    assert!((993..=1_000).all(|number| tried(&center, number)));
}

#[test]
fn another_cry_of_an_open_incident_sounds_again_and_goes_on_where_it_is() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    let alarm_number = center.desk.queue().alarm_number;
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    assert_eq!(center.acks_of(11).len(), 1);
    assert_eq!(center.desk.queue().alarm_number, alarm_number + 1);
    assert_eq!(center.desk.queue().open.len(), 1);
    assert_eq!(center.view(incident).line.stage, Stage::CallingFirstContact);
    assert!(center.history(incident).contains("asked for help again"));
}

#[test]
fn a_cry_after_the_end_starts_the_procedure_from_the_first_call() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::Close]);
    let step = center.view(incident).step;
    center.after(seconds(5));
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    let view = center.view(incident);
    assert_eq!((view.line.stage, view.line.ended_wall), (Stage::Acknowledged, None));
    assert_eq!(view.line.first_call_wall, None);
    assert!(view.step > step);
    assert_eq!(center.desk.queue().ended, []);
    center.works_until_dispatched(incident);
    let seqs: Vec<u64> = center.seen.updates.iter().map(|(_, update)| update.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_cry_after_an_end_that_only_the_store_remembers_opens_it_again() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::Close]);
    for other in 100..305 {
        let other = center.alarm("B2", other);
        center.works(other, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    }
    assert_eq!(center.desk.incident(incident, center.at.now), None);
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    center.works(incident, &[Order::CallFirstContact]);
    assert_eq!(center.told(incident)[3..], ["closed", "calling_first_contact 1"]);
    assert_eq!(center.seen.updates.last().map(|(_, update)| update.seq), Some(5));
}
