//! What a hub is told, and told again when it says that it missed something.

use sos_hub::center::desk::input::Input;
use sos_hub::center::desk::words::Order;
use sos_hub::controller::input::LinkChange;
use sos_hub::controller::moment::Id;
use sos_hub::controller::words::Service;

use crate::center::{Center, Mood, as_text, link_down, seconds};
use crate::people::{CONFIRMED, RIGHT, alarmed, center};

/// What has left since this many updates, with its seq.
fn since(center: &Center, updates: usize) -> Vec<(u64, String)> {
    center.seen.updates[updates..].iter().map(|(_, update)| (update.seq, as_text(update))).collect()
}

#[test]
fn a_hub_that_missed_updates_is_told_them_again_in_order() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    let updates = center.seen.updates.len();
    center.heartbeat("A1", &[(incident, 1)]);
    assert_eq!(since(&center, updates), [(2, "confirmed 1".to_owned()), (3, "dispatched".to_owned())]);
    let updates = center.seen.updates.len();
    center.heartbeat("A1", &[(incident, 3)]);
    assert_eq!(since(&center, updates), []);
}

#[test]
fn the_end_is_told_again_after_a_restart_of_the_center() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    let mut center = center.restarted(seconds(2));
    center.heartbeat("A1", &[(incident, 1)]);
    assert_eq!(since(&center, 0), [(2, "cancelled_by_contact 1".to_owned())]);
}

#[test]
fn the_end_of_an_incident_that_is_not_in_memory_any_more_comes_from_the_store() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    for other in 100..305 {
        let other = center.alarm("B2", other);
        center.works(other, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    }
    assert_eq!(center.desk.incident(incident, center.at.now), None);
    let updates = center.seen.updates.len();
    center.heartbeat("A1", &[(incident, 0)]);
    assert_eq!(since(&center, updates).len(), 2);
}

#[test]
fn a_hub_that_has_seen_more_than_we_know_of_is_told_where_we_stand_under_a_higher_seq() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    let updates = center.seen.updates.len();
    center.heartbeat("A1", &[(incident, 7)]);
    assert_eq!(since(&center, updates), [(8, "calling_first_contact 1".to_owned())]);
    center.works(incident, &[Order::Outcome(CONFIRMED)]);
    assert_eq!(since(&center, updates)[1..], [(9, "confirmed 1".to_owned())]);
}

#[test]
fn an_end_under_a_number_that_the_hub_took_for_something_else_is_said_again_under_a_higher_one() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    let updates = center.seen.updates.len();
    // A center before this one had said "confirmed" as its second update, and its disk lost that.
    center.heartbeat("A1", &[(incident, 2)]);
    assert_eq!(since(&center, updates), [(3, "cancelled_by_contact 1".to_owned())]);
    let updates = center.seen.updates.len();
    center.heartbeat("A1", &[(incident, 2)]);
    assert_eq!(since(&center, updates), [(3, "cancelled_by_contact 1".to_owned())]);
}

#[test]
fn where_nothing_was_said_yet_the_seq_goes_on_above_the_hubs() {
    let (mut center, incident) = alarmed();
    center.heartbeat("A1", &[(incident, 7)]);
    assert_eq!(since(&center, 0), []);
    center.works(incident, &[Order::CallFirstContact]);
    assert_eq!(since(&center, 0), [(8, "calling_first_contact 1".to_owned())]);
}

#[test]
fn a_nonsensical_seq_changes_nothing() {
    let (mut center, incident) = alarmed();
    center.heartbeat("A1", &[(incident, u64::MAX)]);
    center.works(incident, &[Order::CallFirstContact]);
    assert_eq!(since(&center, 0), [(1, "calling_first_contact 1".to_owned())]);
}

#[test]
fn an_end_that_another_cry_has_undone_is_not_said_again() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::Close]);
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    let updates = center.seen.updates.len();
    center.heartbeat("A1", &[(incident, 2)]);
    assert_eq!(since(&center, updates), [(3, "dispatched".to_owned())]);
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    let updates = center.seen.updates.len();
    center.heartbeat("A1", &[(incident, 4)]);
    assert_eq!(
        since(&center, updates),
        [(5, "calling_first_contact 1".to_owned()), (6, "cancelled_by_contact 1".to_owned())]
    );
}

#[test]
fn the_ack_of_a_cry_says_which_end_it_has_undone() {
    let (mut center, incident) = alarmed();
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::Close]);
    center.hears(center.alarm_signal("A1", 12, 1, Service::Police));
    center.hears(center.alarm_signal("A1", 13, 1, Service::Police));
    let undone = |center: &Center, jti| center.acks_of(jti).last().expect("acked").reopened_after;
    assert_eq!([10, 11, 12, 13].map(|jti| undone(&center, jti)), [None, None, Some(4), None]);
    let mut center = center.restarted(seconds(5));
    center.hears(center.alarm_signal("A1", 12, 1, Service::Police));
    assert_eq!(undone(&center, 12), Some(4), "the same again for a repeat");
}

#[test]
fn an_end_that_still_waits_for_the_disk_is_not_said_after_the_cry_that_undid_it() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.store_is(Mood::Slow);
    let step = center.view(incident).step;
    center.gives_order(incident, step, Order::Close);
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    center.after(seconds(2));
    center.store_answers();
    assert!(!center.told(incident).contains(&"closed".to_owned()));
    assert_eq!(center.acks_of(11).len(), 1);
}

#[test]
fn an_end_leaves_before_the_ack_of_a_later_alarm() {
    let mut center = center();
    let incident = center.alarm("A1", 1);
    center.works_until_dispatched(incident);
    center.store_is(Mood::Slow);
    let step = center.view(incident).step;
    center.gives_order(incident, step, Order::Close);
    center.hears(center.alarm_signal("A1", 12, 2, Service::Police));
    let before = center.seen.said.len();
    // Both are on disk at the same moment.
    center.store_answers();
    assert_eq!(center.seen.said[before..], ["closed", "ack of 12"]);
}

#[test]
fn a_heartbeat_that_names_another_accounts_incident_draws_nothing() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    let updates = center.seen.updates.len();
    center.heartbeat("B2", &[(incident, 0)]);
    assert_eq!(since(&center, updates), []);
    center.heartbeat("B2", &[(incident, 90)]);
    center.works(incident, &[Order::Close]);
    assert_eq!(since(&center, updates), [(4, "closed".to_owned())]);
    assert_eq!(center.problems(), [("is about an incident of another account".to_owned(), 2)]);
}

#[test]
fn an_open_incident_that_the_center_has_lost_is_shown_to_people() {
    let mut center = center();
    center.heartbeat("A1", &[(Id(5), 0)]);
    assert_eq!(center.problems(), [], "its alarm is still on its way");
    center.heartbeat("A1", &[(Id(5), 3)]);
    assert!(center.problems()[0].0.contains("does not know any more"));
}

#[test]
fn an_alarm_that_was_acked_and_lost_with_the_disk_is_shown_to_people_too() {
    let mut center = center();
    center.heartbeat("A1", &[(Id(5), 0)]);
    center.after(seconds(29));
    center.heartbeat("A1", &[(Id(5), 0)]);
    assert_eq!(center.problems(), [], "its alarm is still on its way");
    center.after(seconds(1));
    center.heartbeat("A1", &[(Id(5), 0)]);
    assert!(center.problems()[0].0.contains("does not know any more"));
}

#[test]
fn an_alarm_that_could_not_come_while_our_link_was_down_is_still_on_its_way() {
    let mut center = center();
    center.heartbeat("A1", &[(Id(5), 0)]);
    center.input(link_down());
    center.after(seconds(600));
    center.input(Input::Broker(LinkChange::Up));
    center.heartbeat("A1", &[(Id(5), 0)]);
    assert_eq!(center.problems(), []);
    center.alarm("A1", 5);
    center.after(seconds(60));
    center.heartbeat("A1", &[(Id(5), 0)]);
    assert_eq!(center.problems(), []);
}
