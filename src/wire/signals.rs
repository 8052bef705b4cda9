//! What the hub says to the monitoring center: the claims of a signal, before they are signed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::text::{clock, json, timestamp};
use crate::controller::effect::{Signal, SignalKind};
use crate::controller::words::Service;

/// The claims of the topic `signal` as JSON, ready for [`super::tokens::Signer::sign`]. A claim that does not apply is
/// absent.
pub fn signal(signal: &Signal, account: &str, hub: &str) -> Vec<u8> {
    let is_alarm = signal.kind == SignalKind::Alarm;
    let mut claims = Claims {
        jti: signal.jti.to_string(),
        account,
        hub,
        kind: "",
        incident: signal.incident.map(|id| id.to_string()),
        service: signal.service.map(|service| service.as_str()),
        source: signal.source.as_deref(),
        user: signal.user.as_deref(),
        raised_at: timestamp(signal.raised_wall),
        sent_at: timestamp(signal.sent_wall),
        age_ms: signal.age_ms,
        clock: clock(signal.clock),
        resumed: is_alarm.then_some(signal.resumed),
        repeat: is_alarm.then_some(signal.repeat),
        plan: signal.plan.as_deref(),
        event_code: None,
        seq: signal.seq,
        interval_seconds: None,
        open: None,
        code: None,
        message: None,
    };
    match &signal.kind {
        SignalKind::Alarm => {
            claims.kind = "alarm";
            claims.event_code = signal.service.and_then(alarm_code).map(Into::into);
        }
        SignalKind::CancelRequest => {
            claims.kind = "cancel_request";
            claims.event_code = Some("406".into());
        }
        SignalKind::Test { periodic } => {
            claims.kind = "test";
            claims.event_code = Some(if *periodic { "602" } else { "601" }.into());
        }
        SignalKind::Heartbeat { interval_seconds, open } => {
            claims.kind = "heartbeat";
            claims.interval_seconds = Some(*interval_seconds);
            claims.open = Some(open.iter().map(|(incident, seq)| (incident.to_string(), *seq)).collect());
        }
        SignalKind::Fault { code, event_code, message } => {
            claims.kind = "fault";
            claims.trouble(code, *event_code, message);
        }
        SignalKind::Restore { code, event_code, message } => {
            claims.kind = "restore";
            claims.trouble(code, *event_code, message);
        }
    }
    json(&claims)
}

/// Contact ID: 120 panic, 110 fire. Nothing about the siren alone goes to the center.
fn alarm_code(service: Service) -> Option<&'static str> {
    match service {
        Service::Police => Some("120"),
        Service::Fire => Some("110"),
        Service::Siren => None,
    }
}

/// In the order of the contract's table.
#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    account: &'a str,
    hub: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    raised_at: String,
    sent_at: String,
    age_ms: u64,
    clock: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_code: Option<String>,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<BTreeMap<String, u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl<'a> Claims<'a> {
    fn trouble(&mut self, code: &'a str, event_code: u16, message: &'a str) {
        self.event_code = Some(format!("{event_code:03}"));
        self.code = Some(code);
        self.message = Some(message);
    }
}
