//! What people are told, as JSON: the state, an event, a reply.

use serde::Serialize;

use super::text::{clock, json, timestamp};
use crate::controller::input::Contact;
use crate::controller::report::{Event, EventKind, FaultState, IncidentState, Reply, State};

/// The payload of the topic `state`. `hub` is the hub's id, `version` the program's.
pub fn state(state: &State, hub: &str, version: &str) -> Vec<u8> {
    json(&StateJson {
        hub,
        version,
        at: timestamp(state.at),
        clock: clock(state.clock),
        phase: state.phase.as_str(),
        message: &state.message,
        incidents: state.incidents.iter().map(incident).collect(),
        siren: SirenJson {
            sounding: state.siren.sounding,
            pattern: state.siren.pattern.as_str(),
            stops_at: state.siren.stops_at.map(timestamp),
        },
        plan: PlanJson {
            standing: state.plan.standing.as_str(),
            name: state.plan.name.as_deref(),
            professional_monitoring: state.plan.professional_monitoring,
        },
        center: CenterJson {
            link: if state.center.link_up { "up" } else { "down" },
            last_heard_at: state.center.last_heard_at.map(timestamp),
            owed: state.center.owed,
        },
        ready: state.ready,
        faults: state.faults.iter().map(fault).collect(),
    })
}

/// The payload of the topic `event`. Besides the keys of every event it has those that its type needs.
pub fn event(event: &Event) -> Vec<u8> {
    let mut said = EventJson {
        seq: event.seq,
        at: timestamp(event.at),
        kind: event.kind.as_str(),
        incident: event.incident.map(|id| id.to_string()),
        service: event.service.map(|service| service.as_str()),
        message: &event.message,
        ..EventJson::default()
    };
    match &event.kind {
        EventKind::CountdownStarted { resumed } => said.resumed = Some(*resumed),
        EventKind::Countdown { remaining } => said.remaining = Some(*remaining),
        EventKind::Stage { stage: _, contact, note } => {
            said.contact = contact.as_ref().map(ContactJson::from);
            said.note = note.as_deref();
        }
        EventKind::SirenOn { pattern } => said.pattern = Some(pattern.as_str()),
        EventKind::SirenOff => {}
        EventKind::Refused { command, reason } => {
            said.command = Some(command.as_str());
            said.reason = Some(reason.as_str());
        }
        EventKind::Fault { code } | EventKind::Restore { code } => said.code = Some(code),
        EventKind::Test { subject, confirmed } => {
            said.subject = Some(subject);
            said.confirmed = *confirmed;
        }
    }
    json(&said)
}

/// The payload of the topic `reply`, and of the Response Topic.
pub fn reply(reply: &Reply) -> Vec<u8> {
    json(&ReplyJson {
        id: reply.id.as_deref(),
        command: reply.command.as_str(),
        outcome: if reply.refused.is_none() { "accepted" } else { "refused" },
        reason: reply.refused.map(|reason| reason.as_str()),
        incident: reply.incident.map(|id| id.to_string()),
        durable: reply.durable,
        message: &reply.message,
    })
}

fn incident(incident: &IncidentState) -> IncidentJson<'_> {
    IncidentJson {
        id: incident.id.to_string(),
        service: incident.service.as_str(),
        source: &incident.source,
        stage: incident.stage.as_str(),
        countdown_ends_at: timestamp(incident.countdown_ends_at),
        remaining_ms: incident.remaining_ms,
        resumed: incident.resumed,
        message: &incident.message,
    }
}

fn fault(fault: &FaultState) -> FaultJson<'_> {
    FaultJson { code: fault.code, since: timestamp(fault.since), message: &fault.message }
}

#[derive(Serialize)]
struct StateJson<'a> {
    hub: &'a str,
    version: &'a str,
    at: String,
    clock: &'a str,
    phase: &'a str,
    message: &'a str,
    incidents: Vec<IncidentJson<'a>>,
    siren: SirenJson<'a>,
    plan: PlanJson<'a>,
    center: CenterJson<'a>,
    ready: bool,
    faults: Vec<FaultJson<'a>>,
}

#[derive(Serialize)]
struct IncidentJson<'a> {
    id: String,
    service: &'a str,
    source: &'a str,
    stage: &'a str,
    countdown_ends_at: String,
    remaining_ms: u64,
    resumed: bool,
    message: &'a str,
}

#[derive(Serialize)]
struct SirenJson<'a> {
    sounding: bool,
    pattern: &'a str,
    stops_at: Option<String>,
}

#[derive(Serialize)]
struct PlanJson<'a> {
    standing: &'a str,
    name: Option<&'a str>,
    professional_monitoring: bool,
}

#[derive(Serialize)]
struct CenterJson<'a> {
    link: &'a str,
    last_heard_at: Option<String>,
    owed: usize,
}

#[derive(Serialize)]
struct FaultJson<'a> {
    code: &'a str,
    since: String,
    message: &'a str,
}

#[derive(Default, Serialize)]
struct EventJson<'a> {
    seq: u64,
    at: String,
    #[serde(rename = "type")]
    kind: &'a str,
    incident: Option<String>,
    service: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<bool>,
}

#[derive(Serialize)]
struct ContactJson<'a> {
    position: u32,
    name: &'a str,
}

impl<'a> From<&'a Contact> for ContactJson<'a> {
    fn from(contact: &'a Contact) -> Self {
        ContactJson { position: contact.position, name: &contact.name }
    }
}

#[derive(Serialize)]
struct ReplyJson<'a> {
    id: Option<&'a str>,
    command: &'a str,
    outcome: &'a str,
    reason: Option<&'a str>,
    incident: Option<String>,
    durable: Option<bool>,
    message: &'a str,
}
