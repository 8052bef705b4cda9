//! Every sentence that the hub says to people, in one place. Each must be true at the moment it is said: only the
//! center's own word makes "help has been requested" true.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::words::{Reason, Service, Stage};

/// What follows where nobody has confirmed anything.
const CALL: &str = "Call the emergency number.";

fn the(service: Service) -> &'static str {
    match service {
        Service::Police => "the police",
        Service::Fire => "the fire department",
        Service::Siren => "the siren",
    }
}

/// What another part of the hub says, with its full stop.
pub(super) fn sentence(text: &str) -> String {
    if text.ends_with(['.', '?', '!']) { text.into() } else { format!("{text}.") }
}

/// Where an incident stands. `late`: the center should have confirmed by now.
pub(super) fn stage(service: Service, stage: Stage, late: bool) -> String {
    let the = the(service);
    match stage {
        Stage::Countdown if service == Service::Siren => {
            "The siren sounds when the countdown ends. It can be cancelled until then.".into()
        }
        Stage::Countdown => {
            format!("Help from {the} is requested when the countdown ends. It can be cancelled until then.")
        }
        Stage::Aborted => "Cancelled in time: nothing was sent.".into(),
        Stage::Sounding => "The siren alone was asked for, and is switched on.".into(),
        Stage::Requested if late => {
            format!("Requesting help from {the}… The monitoring center has not confirmed yet. {CALL}")
        }
        Stage::Requested => format!("Requesting help from {the}… Waiting for the monitoring center to confirm."),
        Stage::Acknowledged => "Help has been requested. The monitoring center has the alarm.".into(),
        Stage::CallingFirstContact => {
            "Help has been requested. The monitoring center is calling the first emergency contact.".into()
        }
        Stage::Confirmed => "Help has been requested. The first emergency contact has confirmed the emergency.".into(),
        Stage::CancelledByContact => "The first emergency contact has cancelled the alarm.".into(),
        Stage::NoAnswer => "Help has been requested. The first emergency contact did not answer.".into(),
        Stage::Dispatched => format!("Help has been requested. The monitoring center has dispatched {the}."),
        Stage::CallingOtherContacts => {
            "Help has been requested. The monitoring center is calling the other emergency contacts.".into()
        }
        Stage::RefusedByCenter => {
            format!("The monitoring center has refused: the account has no professional monitoring. {CALL}")
        }
        Stage::Closed if service == Service::Siren => "The request for the siren alone is over.".into(),
        Stage::Closed => "The monitoring center has closed the incident.".into(),
    }
}

/// Said before what the center has said of the incident: it may know nothing of the further cry.
pub(super) fn cry_unconfirmed(service: Service, last_heard: &str) -> String {
    let the = the(service);
    format!(
        "Requesting help from {the} again… The monitoring center has not confirmed that yet. {CALL} Last heard: {last_heard}"
    )
}

/// What is said over the whole state. `siren`: what is said of one that sounds; an incident says more than that, unless
/// it cannot be heard (`broken`).
pub(super) fn overall(
    incidents: &[String],
    siren: Option<String>,
    broken: Option<&str>,
    obstacle: Option<&str>,
) -> String {
    match (incidents, siren, obstacle) {
        ([], None, None) => "Ready.".into(),
        ([], Some(siren), None) => siren,
        ([], None, Some(obstacle)) => format!("Not ready. {obstacle}"),
        // Then it has said what the obstacle is.
        ([], Some(siren), Some(obstacle)) if siren.contains(obstacle) => format!("{siren} Not ready."),
        ([], Some(siren), Some(obstacle)) => format!("{siren} Not ready. {obstacle}"),
        (incidents, siren, _) => {
            let unheard = siren.and(broken).map(String::from);
            let mut said: Vec<&str> = Vec::new();
            for message in incidents.iter().chain(&unheard) {
                if !said.contains(&message.as_str()) {
                    said.push(message);
                }
            }
            said.join(" ")
        }
    }
}

pub(super) fn countdown(remaining: u64) -> String {
    format!("{remaining} s left to cancel.")
}

pub(super) fn countdown_started(service: Service, resumed: bool) -> String {
    let again = if resumed { "The hub was restarted: the countdown starts again. " } else { "" };
    format!("{again}{}", stage(service, Stage::Countdown, false))
}

/// `broken`: why it cannot be heard, if that is known.
pub(super) fn siren_on(test: bool, broken: Option<&str>) -> String {
    let said = match (test, broken) {
        (true, _) => "The siren is being tested.",
        (false, None) => "The siren is on.",
        (false, Some(_)) => "The siren should sound.",
    };
    broken.map_or_else(|| said.into(), |broken| format!("{said} {broken}"))
}

pub(super) fn siren_off() -> String {
    "The siren is off.".into()
}

// Replies to what was accepted.

pub(super) fn accepted(service: Service) -> String {
    match service {
        Service::Siren => "Accepted. The siren sounds when the countdown ends.".into(),
        _ => format!("Accepted. Help from {} is requested when the countdown ends.", the(service)),
    }
}

pub(super) fn joined(service: Service) -> String {
    format!("Accepted. The countdown for {} is running already.", the(service))
}

pub(super) fn repeated(service: Service, link_up: bool) -> String {
    let the = the(service);
    match (service, link_up) {
        (Service::Siren, _) => "Accepted. The siren sounds again.".into(),
        (_, true) => format!(
            "Accepted. The alarm for {the} is open already; the siren sounds again and the alarm is sent once more."
        ),
        (_, false) => format!(
            "Accepted. The alarm for {the} is open already; the siren sounds again. There is no connection to the \
             monitoring center: this alarm is sent when there is one."
        ),
    }
}

/// A cancel that aborted something; `going_on` are the alarms that it could not stop.
pub(super) fn aborted(aborted: &[Service], going_on: &[Service]) -> String {
    let mut text = format!("Cancelled in time: {}.", list(aborted));
    let help: Vec<Service> = going_on.iter().copied().filter(|service| service.is_monitored()).collect();
    if !help.is_empty() {
        text += &format!(" Still going on, because only the first emergency contact can cancel it: {}.", list(&help));
    }
    if going_on.contains(&Service::Siren) {
        text += " The siren goes on: use silence to stop it.";
    }
    text
}

pub(super) fn silenced(was_sounding: bool, help_open: bool, counting: bool) -> String {
    let siren = if was_sounding { "The siren is off." } else { "The siren was not on." };
    let help = if help_open { " The request for help goes on." } else { "" };
    let countdown = if counting { " A countdown is running: cancel it to prevent its alarm." } else { "" };
    format!("{siren}{help}{countdown}")
}

/// `fault`: what is known to be wrong with the siren.
pub(super) fn siren_test_started(fault: Option<&str>) -> String {
    match fault {
        None => "The siren is tested for two seconds.".into(),
        Some(fault) => format!("The siren is tested for two seconds, but will hardly be heard. {fault}"),
    }
}

/// `is_owed`: an earlier one is not confirmed yet, and is the answer to this one as well.
pub(super) fn center_test_sent(link_up: bool, is_owed: bool) -> String {
    match (link_up, is_owed) {
        (true, false) => "A test signal is on its way to the monitoring center; its confirmation follows as an event.",
        (true, true) => {
            "A test signal is on its way to the monitoring center already; its confirmation follows as an event."
        }
        (false, false) => "There is no connection to the monitoring center: the test signal is sent when there is one.",
        (false, true) => {
            "There is no connection to the monitoring center: the test signal that was asked for before is sent when \
             there is one."
        }
    }
    .into()
}

pub(super) fn periodic_test_sent() -> String {
    "The daily test signal is on its way to the monitoring center.".into()
}

pub(super) fn center_test_confirmed() -> String {
    "The monitoring center has confirmed the test signal.".into()
}

pub(super) fn center_test_refused() -> String {
    "The monitoring center has refused the test signal: the account has no professional monitoring.".into()
}

// Refusals.

pub(super) fn refused(reason: Reason) -> String {
    match reason {
        Reason::PlanRequired => format!(
            "Refused: the account's plan has no professional monitoring. Nothing was sent, and no siren was turned on. {CALL}"
        ),
        Reason::NotProvisioned => format!(
            "Refused: this hub has no plan from its monitoring center yet. Nothing was sent, and no siren was turned on. {CALL}"
        ),
        Reason::Retained => {
            "Refused: the message was retained by the broker. Send commands without the retain flag.".into()
        }
        Reason::Stale => "Refused: the message is too old, or a repeat of the transport without an id. Send it again \
                          without sent_at; that always works."
            .into(),
        Reason::Malformed => "Refused: the message could not be understood.".into(),
        Reason::IdReused => {
            "Refused: this id was already used for another command. Send it again with a new id.".into()
        }
        Reason::TooLate => too_late(false),
        Reason::NoCountdown => "Refused: no countdown is running.".into(),
        Reason::UnknownIncident => "Refused: there is no incident with this id.".into(),
        Reason::Busy => "Refused: an incident is open, or the siren is on. Test when it is over.".into(),
        Reason::RateLimited => "Refused: too many of these at once. Try again in some seconds.".into(),
    }
}

/// The wish goes to the center all the same.
pub(super) fn too_late(first_call_over: bool) -> String {
    let why = if first_call_over {
        "only the first emergency contact could, and the time for that call is over"
    } else {
        "only the first emergency contact can cancel now, when the monitoring center calls"
    };
    format!("Too late to cancel: {why}. The monitoring center is told that you tried.")
}

pub(super) fn too_late_siren() -> String {
    "Too late to cancel: the siren is on already. Use silence to stop it.".into()
}

pub(super) fn malformed(problem: &str) -> String {
    format!("Refused: {problem}.")
}

// Faults.

pub(super) fn before_restart(fault: &str) -> String {
    format!("Before the hub's restart: {fault}")
}

pub(super) fn restored(fault: &str) -> String {
    format!("Over: {fault}")
}

pub(super) fn storage_failing(problem: &str) -> String {
    format!("The hub cannot write to its disk: {problem}. Alarms still work, but would not survive a power cut.")
}

pub(super) fn storage_stalled() -> String {
    "The hub's disk does not answer. Alarms still work, but would not survive a power cut.".into()
}

pub(super) fn storage_put_aside(path: &str, problem: &str) -> String {
    format!("The hub's memory could not be read ({problem}); it was put aside as {path} and a new one was begun.")
}

pub(super) fn storage_partly_lost(path: &str, problem: &str) -> String {
    format!("Part of the hub's memory in {path} could not be read ({problem}); the hub goes on with the rest.")
}

pub(super) fn hardware(what: &str, problem: &str) -> String {
    format!("{what} cannot be used: {}", sentence(problem))
}

pub(super) fn button_stuck(name: &str) -> String {
    format!("The button {name} is held down or its line is shorted; it works again once it is released.")
}

pub(super) fn button_noisy(name: &str) -> String {
    format!("The line of the button {name} is noisy: check its wiring and pull-up.")
}

pub(super) fn link_not_up(center: bool) -> String {
    format!("There is no connection to the {}.", broker(center))
}

pub(super) fn link_down(center: bool, detail: &str) -> String {
    format!("There is no connection to the {}: {}", broker(center), sentence(detail))
}

pub(super) fn identity_clash(detail: &str) -> String {
    let detail = sentence(detail);
    format!("Another client uses this hub's MQTT client id: {detail} Stop the other one, or give it an id of its own.")
}

fn broker(center: bool) -> &'static str {
    if center { "monitoring center's broker" } else { "home's broker" }
}

pub(super) fn center_silent() -> String {
    "The monitoring center does not answer the hub's heartbeats.".into()
}

pub(super) fn alarm_unconfirmed() -> String {
    format!("The monitoring center has not confirmed the alarm yet. {CALL}")
}

pub(super) fn further_alarm_unconfirmed() -> String {
    format!("The monitoring center has not confirmed yet that help was requested again. {CALL}")
}

pub(super) fn center_refused() -> String {
    "The monitoring center refuses this hub's signals for a reason that this version does not know. Ask the monitoring \
     center."
        .into()
}

pub(super) fn center_knows_no_account() -> String {
    "The monitoring center does not know this account (any more). Ask the monitoring center.".into()
}

pub(super) fn center_message(problem: &str) -> String {
    format!("A message that claims to be the monitoring center's was ignored: {}", sentence(problem))
}

pub(super) fn update_of_unknown_incident() -> String {
    "it is about an incident that this hub never reported.".into()
}

pub(super) fn replayed_ack() -> String {
    "it acknowledges a signal that this hub does not know, and was seen before.".into()
}

pub(super) fn id_reused() -> String {
    "An app used the id of an earlier command for another one; the second one was refused.".into()
}

pub(super) fn not_provisioned() -> String {
    "This hub has no plan from its monitoring center yet, so it refuses every SOS. Put the center's plan.jwt into \
     the hub's state directory and restart it, or wait for the center's first message."
        .into()
}

pub(super) fn plan_denied() -> String {
    "The account's plan has no professional monitoring, so this hub refuses every SOS.".into()
}

pub(super) fn plan_unconfirmed() -> String {
    "The monitoring center has not renewed the plan's confirmation. An SOS works; the center decides.".into()
}

pub(super) fn plan_incomplete(missing: &[String]) -> String {
    let known = |what: &String| match what.as_str() {
        "contact" => "an emergency contact".into(),
        "address" => "the address".into(),
        "password" => "the verbal password".into(),
        other => String::from(other),
    };
    let missing: Vec<String> = missing.iter().map(known).collect();
    format!("The monitoring center still lacks {} of this account.", missing.join(" and "))
}

pub(super) fn plan_rolled_back() -> String {
    "The monitoring center's broker holds a plan that is older than the one this hub has; it was ignored.".into()
}

fn list(services: &[Service]) -> String {
    let names: Vec<&str> = services.iter().map(|&service| the(service)).collect();
    names.join(" and ")
}
