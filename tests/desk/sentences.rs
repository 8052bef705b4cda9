//! What operators read, word for word: the advice at each step, and the history that an incident leaves.

use sos_hub::center::desk::input::Input;
use sos_hub::center::desk::settings::{CallMode, DispatchMode};
use sos_hub::center::desk::words::{CallOutcome, Order};
use sos_hub::controller::moment::Id;
use sos_hub::controller::words::Service;

use crate::center::{Center, settings};
use crate::paper::Paper;
use crate::people::{CONFIRMED, RIGHT, WRONG, account, alarmed};

use Order::{CallFirstContact, CallNextContact, Close, Dispatch, Outcome};

#[test]
fn an_operator_is_told_what_to_do_at_each_step() {
    let (mut center, incident) = alarmed();
    let mut advice = vec![center.view(incident).advice];
    let calls = [CallNextContact, Outcome(CallOutcome::NoAnswer), CallNextContact, Outcome(CallOutcome::Answered)];
    let first = [CallFirstContact, Outcome(CallOutcome::Answered), Outcome(CONFIRMED), Dispatch];
    for order in first.into_iter().chain(calls).chain([Close]) {
        center.works(incident, &[order]);
        advice.push(center.view(incident).advice);
    }
    let expected = [
        "Call the first contact: Ann, +44 1.",
        "The first contact is being called: record what comes of it; no answer in time means dispatch.",
        "Ask whether help is needed; to cancel, the contact has to say the password.",
        "Help was confirmed: send the police, then press Dispatch.",
        "Call the next contact: Bob, +44 2.",
        "The contact is being called: record what comes of it.",
        "Call the next contact: Cid, +44 3.",
        "The contact is being called: record what comes of it.",
        "Everybody was called: close the incident when nothing is left.",
        "Closed: nothing is left to do.",
    ];
    assert_eq!(advice, expected);
}

#[test]
fn where_services_do_the_work_the_operator_is_told_so() {
    let both = settings(CallMode::Webhook, DispatchMode::Webhook);
    let mut center = Center::open(both, Paper::with(vec![account("A1")]));
    center.hears(center.alarm_signal("A1", 10, 1, Service::Fire));
    let incident = Id(1);
    let by_itself = "The contact is being called; the outcome comes by itself.";
    assert_eq!(center.view(incident).advice, by_itself);
    let call = center.seen.calls[0].1.call;
    center.input(Input::Call { call, outcome: CallOutcome::Answered });
    assert_eq!(center.view(incident).advice, by_itself);
    center.works(incident, &[Outcome(CONFIRMED)]);
    assert_eq!(center.view(incident).advice, "The dispatch service is being asked for the fire department.");
    center.works(incident, &[Dispatch]);
    assert_eq!(center.view(incident).advice, by_itself);
}

#[test]
fn why_help_is_to_be_sent_is_told() {
    let advice = |outcome| {
        let (mut center, incident) = alarmed();
        center.works(incident, &[CallFirstContact, Outcome(outcome)]);
        center.view(incident).advice
    };
    let no_answer = "The first contact did not answer: send the police, then press Dispatch.";
    assert_eq!(advice(CallOutcome::NoAnswer), no_answer);
    let wrong = "It was not cancelled with the right password: send the police, then press Dispatch.";
    assert_eq!(advice(WRONG), wrong);
    assert_eq!(advice(RIGHT), "Cancelled by the first contact: nothing is left to do.");
}

#[test]
fn the_history_names_who_asked_who_was_called_and_what_came_of_it() {
    let (mut center, incident) = alarmed();
    center.works(incident, &[CallFirstContact, Outcome(WRONG), Dispatch, CallNextContact]);
    center.works(incident, &[Outcome(CallOutcome::Answered), CallNextContact, Close]);
    let expected = [
        "Alarm for the police received from button:hallway by Doe.",
        "Calling contact 1, Ann.",
        "Contact 1, Ann, wanted to cancel without the right password: this counts as not cancelled.",
        "It was not cancelled with the right password: the police are to be dispatched.",
        "Dispatched the police.",
        "Calling contact 2, Bob.",
        "Contact 2, Bob, answered.",
        "Calling contact 3, Cid.",
        "What came of the call to contact 3, Cid, was not recorded.",
        "Closed.",
    ];
    assert_eq!(center.history(incident), expected.join("\n"));
}

#[test]
fn the_history_says_how_each_first_call_ended() {
    let history = |outcome| {
        let (mut center, incident) = alarmed();
        center.works(incident, &[CallFirstContact, Outcome(outcome)]);
        center.history(incident)
    };
    let cancelled = "Contact 1, Ann, cancelled with the right password.\nEnded: cancelled by the first contact.";
    assert!(history(RIGHT).ends_with(cancelled));
    let confirmed = "Contact 1, Ann, confirmed that help is needed.\nHelp is needed: the police are to be dispatched.";
    assert!(history(CONFIRMED).ends_with(confirmed));
    let no_answer = "Contact 1, Ann, did not answer.\nNobody cancelled: the police are to be dispatched.";
    assert!(history(CallOutcome::NoAnswer).ends_with(no_answer));
}

#[test]
fn the_audit_trail_says_what_was_recorded() {
    let recorded = |outcome| {
        let (mut center, incident) = alarmed();
        center.works(incident, &[CallFirstContact, Outcome(outcome)]);
        center.paper.audit.last().expect("an entry").what.clone()
    };
    assert_eq!(recorded(CONFIRMED), "Recorded for the call: confirmed");
    assert_eq!(recorded(RIGHT), "Recorded for the call: cancelled with the right password");
    assert_eq!(recorded(WRONG), "Recorded for the call: cancelled without the right password");
    assert_eq!(recorded(CallOutcome::NoAnswer), "Recorded for the call: no answer");
    assert_eq!(recorded(CallOutcome::Answered), "Recorded for the call: answered");
}

#[test]
fn each_call_that_is_left_is_named() {
    let (mut center, incident) = alarmed();
    center.works_until_dispatched(incident);
    center.works(incident, &[CallNextContact, CallNextContact, Close]);
    let history = center.history(incident);
    for left in ["contact 2, Bob, was not recorded.", "contact 3, Cid, was not recorded."] {
        assert_eq!(history.matches(left).count(), 1, "{history}");
    }
}
