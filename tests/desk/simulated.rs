//! Drills: the answers come from the configuration, and everything follows by itself.

use sos_hub::center::desk::settings::SimulatedAnswer::{self, Cancelled, CancelledWrongPassword, Confirmed, NoAnswer};
use sos_hub::controller::words::Service;

use crate::center::{Center, millis, seconds, simulated};
use crate::paper::Paper;
use crate::people::{account, with_contacts};

fn drill(answers: &[SimulatedAnswer], contacts: usize) -> Vec<String> {
    let mut center = Center::open(simulated(answers), Paper::with(vec![with_contacts("A1", contacts)]));
    let incident = center.alarm("A1", 1);
    center.after(seconds(300));
    assert!(center.desk.queue().open.is_empty());
    assert!(center.seen.alerts.is_empty());
    center.told(incident)
}

#[test]
fn a_drill_goes_through_to_its_end() {
    assert_eq!(
        drill(&[NoAnswer, Confirmed, NoAnswer], 3),
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
}

#[test]
fn a_drill_that_is_cancelled_ends_there() {
    assert_eq!(drill(&[Cancelled], 3), ["calling_first_contact 1", "cancelled_by_contact 1"]);
}

#[test]
fn a_drill_with_a_wrong_password_is_dispatched() {
    let told = drill(&[CancelledWrongPassword], 1);
    assert_eq!(told, ["calling_first_contact 1", "dispatched wrong_password", "closed"]);
}

#[test]
fn a_drill_without_contacts_is_dispatched_and_closed() {
    assert_eq!(drill(&[Confirmed], 0), ["dispatched no_contact", "closed"]);
}

#[test]
fn the_last_answer_is_that_of_all_further_calls() {
    let told = drill(&[Confirmed], 3);
    assert_eq!(told.iter().filter(|text| text.ends_with(" answered")).count(), 2);
}

#[test]
fn no_answer_takes_its_time_and_an_answer_a_second() {
    let mut center = Center::open(simulated(&[NoAnswer, Confirmed]), Paper::with(vec![with_contacts("A1", 2)]));
    let incident = center.alarm("A1", 1);
    center.after(millis(29_999));
    assert_eq!(center.told(incident).len(), 1);
    center.after(millis(1));
    assert_eq!(center.told(incident).len(), 4, "no answer, dispatched, and the next one is called");
    center.after(millis(999));
    assert_eq!(center.told(incident).len(), 4);
    center.after(millis(1));
    assert_eq!(center.told(incident).len(), 6);
}

#[test]
fn an_operator_may_be_faster_than_the_drill() {
    let mut center = Center::open(simulated(&[NoAnswer]), Paper::with(vec![with_contacts("A1", 1)]));
    let incident = center.alarm("A1", 1);
    assert_eq!(center.records(incident, crate::people::RIGHT), Ok(()));
    center.after(seconds(300));
    assert_eq!(center.told(incident), ["calling_first_contact 1", "cancelled_by_contact 1"]);
}

#[test]
fn the_console_says_that_it_is_a_drill() {
    let center = Center::open(simulated(&[NoAnswer]), Paper::with(vec![account("A1")]));
    assert!(center.desk.queue().health.simulated);
}

#[test]
fn two_drills_of_one_account_run_side_by_side() {
    let mut center = Center::open(simulated(&[NoAnswer, Confirmed]), Paper::with(vec![with_contacts("A1", 2)]));
    let police = center.alarm("A1", 1);
    center.after(seconds(10));
    center.hears(center.alarm_signal("A1", 20, 2, Service::Fire));
    center.after(seconds(300));
    assert_eq!(center.told(police), center.told(sos_hub::controller::moment::Id(2)));
}

#[test]
fn two_calls_of_one_moment_are_two_calls() {
    let households = vec![account("A1"), account("B2")];
    let mut center = Center::open(simulated(&[NoAnswer]), Paper::with(households));
    let (one, other) = (center.alarm("A1", 1), center.alarm("B2", 2));
    center.after(seconds(31));
    let (one, other) = (center.view(one).calls, center.view(other).calls);
    assert!(one.len() > 1 && other.len() > 1, "the next contact of each is called in one turn");
    assert!(one.iter().all(|call| other.iter().all(|another| another.id != call.id)));
}
