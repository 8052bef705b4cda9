//! Calls that a telephony provider places.

use sos_hub::center::desk::effect::Changed;
use sos_hub::center::desk::input::{Input, Placed};
use sos_hub::center::desk::settings::{CallMode, DispatchMode};
use sos_hub::center::desk::words::{CallOutcome, Order};
use sos_hub::controller::moment::Id;

use crate::center::{Center, Mood, millis, seconds, settings, webhook};
use crate::paper::Paper;
use crate::people::{CONFIRMED, RIGHT, WRONG, account};

fn called() -> (Center, Id) {
    let mut center = Center::open(webhook(), Paper::with(vec![account("A1")]));
    let incident = center.alarm("A1", 1);
    (center, incident)
}

fn not_taken() -> Placed {
    Placed::NotTaken { problem: "provider.example:443 refused the connection".into() }
}

fn unclear() -> Placed {
    Placed::Unclear { problem: "provider.example:443 did not answer in time".into() }
}

impl Center {
    fn last_call(&self) -> Id {
        self.seen.calls.last().expect("somebody was called").1.call
    }

    fn placed(&mut self, outcome: Placed) {
        let call = self.last_call();
        self.input(Input::Placed { call, outcome });
    }

    fn reports(&mut self, outcome: CallOutcome) {
        let call = self.last_call();
        self.input(Input::Call { call, outcome });
    }

    fn dispatch_is_taken(&mut self, incident: Id) {
        self.dispatch_answer(incident, Placed::Taken);
    }
}

#[test]
fn the_first_contact_is_called_as_soon_as_the_alarm_is_on_disk() {
    let mut center = Center::open(webhook(), Paper::with(vec![account("A1")]));
    center.store_is(Mood::Slow);
    let incident = center.alarm("A1", 1);
    assert_eq!(center.seen.calls, []);
    center.store_answers();
    let (_, request) = &center.seen.calls[0];
    assert_eq!((request.incident, request.position), (incident, 1));
    assert_eq!((request.contact.name.as_str(), request.contact.phone.as_str()), ("Ann", "+44 1"));
    assert_eq!(center.told(incident), ["calling_first_contact 1"]);
}

#[test]
fn the_whole_procedure_follows_from_the_providers_words() {
    let (mut center, incident) = called();
    center.placed(Placed::Taken);
    center.reports(CallOutcome::Answered);
    center.reports(CONFIRMED);
    center.dispatch_is_taken(incident);
    center.placed(Placed::Taken);
    center.reports(CallOutcome::Answered);
    center.reports(CallOutcome::NoAnswer);
    assert_eq!(
        center.told(incident),
        [
            "calling_first_contact 1",
            "confirmed 1",
            "dispatched",
            "calling_other_contacts 2",
            "calling_other_contacts 2 answered",
            "calling_other_contacts 3",
            "calling_other_contacts 3 no_answer",
            "closed",
        ]
    );
    assert!(center.desk.queue().open.is_empty());
}

#[test]
fn a_provider_may_report_the_right_password_or_a_wrong_one() {
    let (mut center, incident) = called();
    center.reports(RIGHT);
    assert_eq!(center.told(incident)[1..], ["cancelled_by_contact 1"]);
    let (mut center, incident) = called();
    center.reports(WRONG);
    assert_eq!(center.seen.dispatches[0].1.reason, "wrong_password");
    center.dispatch_is_taken(incident);
    assert_eq!(center.told(incident)[1], "dispatched wrong_password");
}

#[test]
fn a_provider_that_says_nothing_while_it_rings_has_reached_nobody() {
    let (mut center, incident) = called();
    center.placed(Placed::Taken);
    center.after(millis(29_999));
    assert_eq!(center.told(incident).len(), 1);
    center.after(millis(1));
    assert_eq!(center.told(incident)[1..], ["no_answer 1"]);
    center.reports(RIGHT);
    assert_eq!(center.told(incident).len(), 2, "it comes too late");
    assert!(center.paper.audit.last().is_some_and(|row| row.what.contains("not under way")));
}

#[test]
fn a_contact_who_has_answered_a_providers_call_has_a_minute_to_speak() {
    let (mut center, incident) = called();
    center.placed(Placed::Taken);
    center.after(seconds(29));
    center.reports(CallOutcome::Answered);
    center.after(millis(59_999));
    assert_eq!(center.told(incident).len(), 1);
    center.after(millis(1));
    assert_eq!(center.told(incident)[1..], ["no_answer 1"]);
}

#[test]
fn a_provider_that_certainly_placed_nothing_is_asked_again_with_the_same_id() {
    let (mut center, _) = called();
    for _ in 0..6 {
        center.placed(not_taken());
        center.after(seconds(8));
    }
    let placed = center.seen.calls[0].0;
    let when: Vec<u64> = center.seen.calls.iter().map(|(at, _)| at.since(placed).as_secs()).collect();
    assert_eq!(when, [0, 2, 12, 24], "while it rings, and never after");
    assert!(center.seen.calls.iter().all(|(_, request)| request.call == center.seen.calls[0].1.call));
}

#[test]
fn a_call_that_is_taken_after_all_is_not_to_be_placed_by_hand_any_more() {
    let (mut center, incident) = called();
    center.placed(not_taken());
    let by_hand = center.view(incident).advice;
    center.after(seconds(2));
    center.seen.changed.clear();
    center.placed(Placed::Taken);
    assert_ne!(center.view(incident).advice, by_hand);
    assert!(center.seen.changed.contains(&Changed::Incident(incident)), "open pages still say it");
}

#[test]
fn where_nothing_rings_nobody_waits_longer_than_the_ringing() {
    let (mut center, incident) = called();
    for _ in 0..5 {
        center.placed(not_taken());
        center.after(seconds(8));
    }
    assert_eq!(center.told(incident)[1..], ["no_answer 1"]);
}

#[test]
fn a_provider_that_may_have_rung_is_not_asked_again() {
    let (mut center, incident) = called();
    center.placed(unclear());
    assert!(center.view(incident).advice.contains("did not answer in time"));
    center.after(millis(29_999));
    assert_eq!((center.seen.calls.len(), center.told(incident).len()), (1, 1));
    center.after(millis(1));
    assert_eq!(center.told(incident)[1..], ["no_answer 1"]);
}

#[test]
fn an_operator_may_be_faster_than_the_provider() {
    let (mut center, incident) = called();
    center.works(incident, &[Order::Outcome(CONFIRMED)]);
    center.reports(RIGHT);
    assert_eq!(center.told(incident), ["calling_first_contact 1", "confirmed 1"]);
}

#[test]
fn an_operator_who_has_the_contact_on_the_line_is_not_timed() {
    let (mut center, incident) = called();
    center.works(incident, &[Order::Outcome(CallOutcome::Answered)]);
    center.after(seconds(300));
    assert_eq!(center.told(incident).len(), 1);
    assert!(center.view(incident).line.overdue);
}

#[test]
fn a_provider_that_is_asked_again_does_not_ring_a_contact_who_speaks_with_an_operator() {
    let (mut center, incident) = called();
    center.placed(not_taken());
    center.after(seconds(2));
    center.works(incident, &[Order::Outcome(CallOutcome::Answered)]);
    for outcome in [not_taken(), unclear()] {
        center.placed(outcome);
        center.after(seconds(8));
    }
    assert_eq!(center.seen.calls.len(), 2, "not once more");
    assert!(center.history(incident).ends_with("has answered."), "{}", center.history(incident));
}

#[test]
fn a_provider_that_reached_nobody_does_not_end_an_operators_call() {
    let (mut center, incident) = called();
    center.works(incident, &[Order::Outcome(CallOutcome::Answered)]);
    center.reports(CallOutcome::NoAnswer);
    assert!(
        center.history(incident).ends_with("reached nobody: the operator goes on."),
        "{}",
        center.history(incident)
    );
    assert!(center.seen.dispatches.is_empty());
    center.reports(RIGHT);
    assert_eq!(center.told(incident), ["calling_first_contact 1", "cancelled_by_contact 1"]);
}

#[test]
fn an_operator_who_has_the_contact_on_the_line_is_not_timed_after_a_restart_either() {
    let (mut center, incident) = called();
    center.works(incident, &[Order::Outcome(CallOutcome::Answered)]);
    let mut center = center.restarted(seconds(5));
    center.after(seconds(300));
    assert!(center.told(incident).is_empty() && center.seen.dispatches.is_empty());
    center.works(incident, &[Order::Outcome(RIGHT)]);
    let (mut center, incident) = called();
    center.reports(CallOutcome::Answered);
    let mut center = center.restarted(seconds(5));
    center.after(seconds(60));
    assert_eq!(center.told(incident), ["no_answer 1"], "a provider has its minute");
}

#[test]
fn where_people_dispatch_people_close() {
    let mut center =
        Center::open(settings(CallMode::Webhook, DispatchMode::Operator), Paper::with(vec![account("A1")]));
    let incident = center.alarm("A1", 1);
    center.reports(CONFIRMED);
    assert_eq!(center.seen.dispatches, []);
    center.works(incident, &[Order::Dispatch]);
    center.reports(CallOutcome::NoAnswer);
    center.reports(CallOutcome::NoAnswer);
    center.after(seconds(120));
    assert_eq!(center.told(incident).len(), 7);
    center.works(incident, &[Order::Close]);
}

#[test]
fn a_word_on_one_call_does_not_touch_another() {
    let (mut center, first) = called();
    let call = center.last_call();
    let second = center.alarm("A1", 2);
    center.input(Input::Call { call, outcome: RIGHT });
    assert_eq!(center.told(first).len(), 2);
    assert_eq!(center.told(second), ["calling_first_contact 1"]);
}
