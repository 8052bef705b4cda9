//! Every sentence that the desk says to people. Those for the log name no person, number or place.

use super::incident::{Ground, Incident};
use super::records::{CallRecord, DispatchReason, IncidentRecord, StepRecordState};
use super::words::{AccountId, CallOutcome, Order, OrderRefusal, PasswordCheck, Signal};
use crate::controller::moment::Id;
use crate::controller::words::Service;

fn the(service: Service) -> &'static str {
    match service {
        Service::Police => "the police",
        Service::Fire => "the fire department",
        Service::Siren => "the siren",
    }
}

// The history of an incident.

/// Read again after a restart, to know that there was such an attempt.
pub(super) const CANCEL_REQUESTED: &str = "The user tried to cancel. Only the first contact can.";

fn origin(source: Option<&str>, user: Option<&str>) -> String {
    let source = source.map(|source| format!(" from {source}")).unwrap_or_default();
    let user = user.map(|user| format!(" by {user}")).unwrap_or_default();
    format!("{source}{user}")
}

pub(super) fn alarm_received(incident: &IncidentRecord) -> String {
    let origin = origin(incident.source.as_deref(), incident.user.as_deref());
    let resumed = if incident.resumed { " The hub restarted during its countdown." } else { "" };
    format!("Alarm for {} received{origin}.{resumed}", the(incident.service))
}

pub(super) fn alarm_repeated(signal: &Signal) -> String {
    format!("The user asked for help again{}.", origin(signal.source.as_deref(), signal.user.as_deref()))
}

pub(super) fn alarm_reopened(signal: &Signal) -> String {
    let origin = origin(signal.source.as_deref(), signal.user.as_deref());
    format!("The user asked for help again{origin} after the end: the procedure starts from the first call.")
}

pub(super) const FIRST_ALARM_LATE: &str =
    "The first alarm of this incident came only now, after the end: a later one had been faster.";

pub(super) fn calling(call: &CallRecord) -> String {
    format!("Calling contact {}, {}.", call.position, call.contact)
}

/// Read again after a restart, to know whom the contact has answered.
pub(super) const ANSWERED: &str = "The first contact has answered.";

pub(super) fn provider_reached_nobody() -> String {
    "The telephony provider's own call reached nobody: the operator goes on.".to_owned()
}

pub(super) fn call_ended(call: &CallRecord) -> String {
    let CallRecord { position, contact, .. } = call;
    match call.outcome {
        Some("confirmed") => format!("Contact {position}, {contact}, confirmed that help is needed."),
        Some("cancelled") => format!("Contact {position}, {contact}, cancelled with the right password."),
        Some("wrong_password") => format!(
            "Contact {position}, {contact}, wanted to cancel without the right password: this counts as not cancelled."
        ),
        Some("answered") => format!("Contact {position}, {contact}, answered."),
        _ => format!("Contact {position}, {contact}, did not answer."),
    }
}

pub(super) fn call_left(call: &CallRecord) -> String {
    format!("What came of the call to contact {}, {}, was not recorded.", call.position, call.contact)
}

pub(super) fn call_not_placed(problem: &str) -> String {
    format!("The telephony provider did not place the call: {problem}.")
}

pub(super) fn call_unclear(problem: &str) -> String {
    format!("It is not known whether the telephony provider placed the call: {problem}.")
}

pub(super) fn dispatch_is_due(reason: DispatchReason, service: Service) -> String {
    let why = match reason {
        DispatchReason::Confirmed => "Help is needed",
        DispatchReason::NoAnswer => "Nobody cancelled",
        DispatchReason::WrongPassword => "It was not cancelled with the right password",
        DispatchReason::NoContact => "The account has nobody to call",
    };
    format!("{why}: {} to be dispatched.", is_or_are(service))
}

fn is_or_are(service: Service) -> String {
    format!("{} {}", the(service), if service == Service::Police { "are" } else { "is" })
}

pub(super) fn dispatched(service: Service) -> String {
    format!("Dispatched {}.", the(service))
}

pub(super) fn dispatch_taken() -> String {
    "The dispatch service has taken the request.".to_owned()
}

pub(super) fn dispatch_taken_as_well() -> String {
    "The dispatch service has taken the request as well: help may come twice.".to_owned()
}

pub(super) fn dispatch_taken_for_before() -> String {
    "The dispatch service answers only now that it took the request of the alarm before.".to_owned()
}

pub(super) fn dispatch_not_taken(problem: &str) -> String {
    format!("The dispatch service did not take the request: {problem}.")
}

pub(super) fn dispatch_unclear(problem: &str) -> String {
    format!("It is not known whether the dispatch service took the request: {problem}.")
}

pub(super) fn cancelled() -> String {
    "Ended: cancelled by the first contact.".to_owned()
}

pub(super) fn closed() -> String {
    "Closed.".to_owned()
}

pub(super) fn note(text: &str) -> String {
    format!("Note: {text}")
}

// Advice to the operator.

/// What is to be done now.
pub(super) fn advice(incident: &Incident, ground: &Ground) -> String {
    let service = the(incident.record.service);
    let waits = incident.waits_for_operator(ground);
    let contact = |index: u32| {
        let contact = ground.account.contacts.get(usize::try_from(index).unwrap_or(usize::MAX));
        contact.map(|contact| format!("{}, {}", contact.name, contact.phone)).unwrap_or_default()
    };
    match incident.record.step {
        StepRecordState::Waiting => format!("Call the first contact: {}.", contact(0)),
        StepRecordState::CallingFirst { answered: true, .. } if waits => {
            "Ask whether help is needed; to cancel, the contact has to say the password.".to_owned()
        }
        StepRecordState::CallingFirst { .. } | StepRecordState::Dispatched { call: Some(_), .. } => {
            match incident.line.as_ref().and_then(|line| line.problem.as_deref()) {
                Some(problem) => format!("{problem} Call by hand and record the outcome."),
                None if ground.calls_by_itself() => {
                    "The contact is being called; the outcome comes by itself.".to_owned()
                }
                None if matches!(incident.record.step, StepRecordState::CallingFirst { .. }) => {
                    "The first contact is being called: record what comes of it; no answer in time means dispatch."
                        .to_owned()
                }
                None => "The contact is being called: record what comes of it.".to_owned(),
            }
        }
        StepRecordState::DispatchDue { reason } => match &incident.asking.problem {
            Some(problem) => format!("{problem} Send {service} by your own call, then press Dispatch."),
            None if waits => {
                let why = match reason {
                    DispatchReason::Confirmed => "Help was confirmed",
                    DispatchReason::NoAnswer => "The first contact did not answer",
                    DispatchReason::WrongPassword => "It was not cancelled with the right password",
                    DispatchReason::NoContact => "There is nobody to call",
                };
                format!("{why}: send {service}, then press Dispatch.")
            }
            None => format!("The dispatch service is being asked for {service}."),
        },
        StepRecordState::Dispatched { called, call: None } if called < ground.contacts() => {
            format!("Call the next contact: {}.", contact(called))
        }
        StepRecordState::Dispatched { .. } => {
            "Everybody was called: close the incident when nothing is left.".to_owned()
        }
        StepRecordState::Cancelled => "Cancelled by the first contact: nothing is left to do.".to_owned(),
        StepRecordState::Closed => "Closed: nothing is left to do.".to_owned(),
    }
}

// Health.

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

pub(super) fn link_not_up() -> String {
    "The link to the broker is not up yet.".to_owned()
}

pub(super) fn link_down(problem: &str) -> String {
    format!("The link to the broker is down: {problem}")
}

pub(super) fn store_fails(problem: &str) -> String {
    format!("Nothing can be written to disk, so hubs are not answered: {}", sentence(problem))
}

pub(super) fn store_silent() -> String {
    "The disk does not answer, so hubs are not answered.".to_owned()
}

// Security.

pub(super) fn no_such_account() -> String {
    "is of an account that does not exist".to_owned()
}

pub(super) fn account_closed(kind: &str) -> String {
    format!("is the {kind} of an account that was closed")
}

pub(super) fn incident_of_another() -> String {
    "is about an incident of another account".to_owned()
}

pub(super) fn incident_lost() -> String {
    "is about an incident that the center does not know any more: ask the household whether help is needed".to_owned()
}

pub(super) fn heartbeat_replayed() -> String {
    "is a heartbeat that is older than the last one".to_owned()
}

pub(super) fn too_many_problems() -> &'static str {
    "is one of more different problems than are listed"
}

// The audit trail.

pub(super) fn ordered(order: &Order) -> String {
    match order {
        Order::CallFirstContact => "Called the first contact".to_owned(),
        Order::Outcome(outcome) => format!("Recorded for the call: {}", outcome_word(*outcome)),
        Order::Dispatch => "Dispatched".to_owned(),
        Order::CallNextContact => "Called the next contact".to_owned(),
        Order::Close => "Closed".to_owned(),
        Order::Note(_) => "Wrote a note".to_owned(),
    }
}

pub(super) fn order_refused(refusal: OrderRefusal) -> &'static str {
    match refusal {
        OrderRefusal::UnknownIncident => " (refused: no such incident)",
        OrderRefusal::MovedOn => " (refused: the incident had moved on)",
        OrderRefusal::NotNow => " (refused: not at this step)",
    }
}

fn outcome_word(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Answered => "answered",
        CallOutcome::Confirmed => "confirmed",
        CallOutcome::Cancelled(PasswordCheck::Right) => "cancelled with the right password",
        CallOutcome::Cancelled(PasswordCheck::Wrong) => "cancelled without the right password",
        CallOutcome::NoAnswer => "no answer",
    }
}

pub(super) fn call_reported(outcome: CallOutcome) -> String {
    format!("Reported for the call: {}.", outcome_word(outcome))
}

pub(super) fn call_not_under_way(call: Id) -> String {
    format!("Reported on the call {call}, which is not under way: ignored.")
}

pub(super) fn refused_no_monitoring() -> &'static str {
    "Refused an alarm: the account has no professional monitoring."
}

// The log.

pub(super) fn log_alarm(incident: &IncidentRecord) -> String {
    format!("account {} asks for {}", incident.account, the(incident.service))
}

pub(super) fn log_alarm_again(incident: &IncidentRecord) -> String {
    format!("account {} asks for {} again", incident.account, the(incident.service))
}

pub(super) fn log_no_monitoring(account: &AccountId) -> String {
    format!("an alarm of account {account} was refused: it has no professional monitoring")
}

pub(super) fn log_not_looked_up(account: &AccountId) -> String {
    format!("the disk does not say what it knows of an alarm of account {account}: it is worked on as a new one")
}

pub(super) fn log_plan_not_read(account: &AccountId) -> String {
    format!(
        "account {account} has a plan that was added to [plans] after the start, and counts as monitored: restart the \
         center"
    )
}

pub(super) fn log_unattended() -> &'static str {
    "no operator has taken care of the incident for a minute"
}

pub(super) fn log_dispatched(service: Service, reason: DispatchReason) -> String {
    format!("dispatched {}: {}", the(service), reason.as_str())
}

pub(super) fn log_dispatch_not_taken() -> &'static str {
    "the dispatch service did not take the request; it is asked again, and an operator has to look"
}

pub(super) fn log_dispatch_unclear() -> &'static str {
    "it is not known whether the dispatch service took the request: an operator has to decide"
}

pub(super) fn log_call_not_placed() -> &'static str {
    "the telephony provider may not have placed a call"
}

pub(super) fn log_cancelled() -> &'static str {
    "the incident is over: cancelled by the first contact"
}

pub(super) fn log_closed() -> &'static str {
    "the incident is over: closed"
}

pub(super) fn log_link_up() -> &'static str {
    "the link to the broker is up"
}

pub(super) fn log_link_down(problem: &str) -> String {
    format!("the link to the broker is down: {problem}")
}

pub(super) fn log_store_fails(problem: &str) -> String {
    format!("nothing can be written to disk: {problem}")
}

pub(super) fn log_store_works() -> &'static str {
    "the disk can be written to again"
}

pub(super) fn log_hub_online(account: &AccountId) -> String {
    format!("the hub of account {account} is online again")
}

pub(super) fn log_hub_offline(account: &AccountId) -> String {
    format!("the hub of account {account} is offline: its heartbeat is overdue")
}

pub(super) fn log_hub_fault(account: &AccountId, code: &str) -> String {
    format!("the hub of account {account} has the fault {code}")
}

pub(super) fn log_hub_restored(account: &AccountId, code: &str) -> String {
    format!("the hub of account {account} no longer has the fault {code}")
}

pub(super) fn rejected(account: Option<&AccountId>, problem: &str) -> String {
    match account {
        Some(account) => format!("a message on a topic of account {account} {problem}"),
        None => format!("a message {problem}"),
    }
}
