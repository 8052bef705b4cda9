//! After a restart every open incident goes on at its step.

use sos_hub::center::desk::input::{Input, Placed};
use sos_hub::center::desk::settings::SimulatedAnswer;
use sos_hub::center::desk::words::{CallOutcome, Order};
use sos_hub::controller::words::{Service, Stage};

use crate::center::{Center, millis, seconds, simulated, webhook};
use crate::paper::Paper;
use crate::people::{CONFIRMED, RIGHT, account, alarmed, center};

#[test]
fn an_incident_goes_on_at_its_step_with_its_history() {
    let (mut center, incident) = alarmed();
    center.cancel_request("A1", 11, incident);
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::CallNextContact, Order::Outcome(CallOutcome::Answered)]);
    let before = center.view(incident);
    let mut center = center.restarted(seconds(20));
    let mut after = center.view(incident);
    after.hub = before.hub;
    // Whether it had cried is not known any more.
    assert!(core::mem::replace(&mut after.line.cries, before.line.cries));
    assert_eq!(after, before);
    center.works(incident, &[Order::CallNextContact, Order::Outcome(CallOutcome::NoAnswer), Order::Close]);
    assert_eq!(center.seen.updates.last().map(|(_, update)| update.seq), Some(8));
}

#[test]
fn the_ringing_begins_anew() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact]);
    center.after(seconds(29));
    let mut center = center.restarted(seconds(10));
    assert_eq!(center.view(incident).line.stage, Stage::CallingFirstContact);
    center.after(millis(29_999));
    assert_eq!(center.told(incident).len(), 0);
    center.after(millis(1));
    assert_eq!(center.told(incident), ["no_answer 1"]);
}

#[test]
fn a_contact_who_was_on_the_line_still_is() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(CallOutcome::Answered)]);
    let mut center = center.restarted(seconds(10));
    center.after(seconds(300));
    assert_eq!(center.told(incident).len(), 0);
    center.works(incident, &[Order::Outcome(RIGHT)]);
    assert_eq!(center.told(incident), ["cancelled_by_contact 1"]);
}

#[test]
fn a_provider_is_not_asked_for_the_same_call_twice() {
    let mut center = Center::open(webhook(), Paper::with(vec![account("A1")]));
    let incident = center.alarm("A1", 1);
    let call = center.seen.calls[0].1.call;
    let mut center = center.restarted(seconds(10));
    center.after(seconds(25));
    assert_eq!(center.seen.calls, []);
    center.input(Input::Call { call, outcome: CONFIRMED });
    assert_eq!(center.told(incident), ["confirmed 1"]);
    center.dispatch_answer(incident, Placed::Taken);
    let mut center = center.restarted(seconds(10));
    center.after(seconds(60));
    assert_eq!(center.told(incident)[0], "calling_other_contacts 2 no_answer");
}

#[test]
fn a_drill_goes_on_by_itself() {
    let settings = simulated(&[SimulatedAnswer::NoAnswer]);
    let mut center = Center::open(settings, Paper::with(vec![account("A1")]));
    let incident = center.alarm("A1", 1);
    for _ in 0..3 {
        center.after(seconds(31));
        center = center.restarted(seconds(1));
    }
    center.after(seconds(120));
    assert_eq!(center.view(incident).line.stage, Stage::Closed);
    let stages: Vec<u64> = center.paper.updates.values().map(|update| update.seq).collect();
    assert_eq!(stages, (1..=8).collect::<Vec<_>>());
}

#[test]
fn an_incident_that_people_worked_goes_on_by_itself_if_the_mode_was_changed() {
    let (center, incident) = alarmed();
    let mut center = center.restarted_with(simulated(&[SimulatedAnswer::Confirmed]), seconds(1));
    center.after(seconds(60));
    assert_eq!(center.view(incident).line.stage, Stage::Closed);
}

#[test]
fn the_incidents_that_ended_last_are_shown_newest_first() {
    let (mut center, _) = alarmed();
    for incident in [1, 2, 3] {
        let incident = center.alarm("A1", incident);
        center.after(seconds(1));
        center.works(incident, &[Order::CallFirstContact, Order::Outcome(RIGHT)]);
    }
    let ended = |center: &Center| center.desk.queue().ended.iter().map(|line| line.id.0).collect::<Vec<_>>();
    assert_eq!(ended(&center), [3, 2, 1]);
    assert_eq!(ended(&center.restarted(seconds(1))), [3, 2, 1]);
}

#[test]
fn ten_thousand_open_incidents_are_taken_up() {
    let (mut center, _) = alarmed();
    for incident in 0..10_000 {
        center.alarm("A1", 100 + incident);
    }
    let center = center.restarted(seconds(1));
    assert_eq!(center.desk.queue().open.len(), 10_001);
}

#[test]
fn it_is_calm_while_no_incident_is_open() {
    let mut center = center();
    assert!(center.desk.is_calm());
    let incident = center.alarm("A1", 1);
    assert!(!center.desk.is_calm());
    let mut center = center.restarted(seconds(1));
    assert!(!center.desk.is_calm());
    center.works_until_dispatched(incident);
    center.works(incident, &[Order::Close]);
    assert!(center.desk.is_calm());
    center.hears(center.alarm_signal("A1", 11, 1, Service::Police));
    assert!(!center.desk.is_calm());
}

#[test]
fn a_drill_gives_the_answer_again_that_it_was_waiting_for() {
    let answers = [SimulatedAnswer::NoAnswer, SimulatedAnswer::Confirmed];
    let mut center = Center::open(simulated(&answers), Paper::with(vec![account("A1")]));
    let incident = center.alarm("A1", 1);
    let mut center = center.restarted(seconds(5));
    center.after(millis(29_999));
    assert_eq!(center.told(incident).len(), 0, "it rings for as long as a telephone that nobody answers");
    center.after(millis(1));
    assert_eq!(center.told(incident)[0], "no_answer 1");
}

#[test]
fn a_contact_answers_once() {
    let mut center = Center::open(webhook(), Paper::with(vec![account("A1")]));
    let incident = center.alarm("A1", 1);
    let call = center.seen.calls[0].1.call;
    center.input(Input::Call { call, outcome: CallOutcome::Answered });
    let (step, history) = (center.view(incident).step, center.history(incident));
    center.input(Input::Call { call, outcome: CallOutcome::Answered });
    assert_eq!((center.view(incident).step, center.history(incident)), (step, history));
}

#[test]
fn when_the_user_tried_to_cancel_is_known_after_a_restart_and_nothing_else_passes_for_it() {
    let (mut center, incident) = alarmed();
    assert_eq!(center.view(incident).cancel_requested_wall, None);
    center.after(seconds(3));
    center.cancel_request("A1", 11, incident);
    let tried = center.view(incident).cancel_requested_wall;
    assert_eq!(tried, Some(center.at.wall));
    center.after(seconds(3));
    center.works(incident, &[Order::CallFirstContact]);
    let center = center.restarted(seconds(5));
    assert_eq!(center.view(incident).cancel_requested_wall, tried);
    let (quiet, incident) = alarmed();
    assert_eq!(quiet.restarted(seconds(5)).view(incident).cancel_requested_wall, None);
}

#[test]
fn a_hub_that_was_never_heard_is_not_missed_after_a_restart() {
    let (center, _) = alarmed();
    let mut center = center.restarted(seconds(5));
    center.after(seconds(3 * 3_600));
    assert!(center.seen.log.iter().all(|line| line.topic != "hub_offline"), "it has never sent a heartbeat");
}
