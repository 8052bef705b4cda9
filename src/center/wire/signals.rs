//! What a hub says. The signature is judged before a single claim is read.
//!
//! What decides about help is read strictly. What only helps people, or is a hub's word on its own clock, must not cost
//! an alarm: if it cannot be read, it is left out.

use core::time::Duration;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::center::desk::words::{AccountId, Signal, SignalKind};
use crate::controller::moment::{ClockStanding, Id, Wall};
use crate::controller::words::Service;
use crate::wire::text::{parse_id, parse_timestamp, tidy};
use crate::wire::tokens::{TokenProblem, Verifier};

/// The longest `source`, `user` and `code`, in characters.
const MAX_LABEL: usize = 64;

/// The longest message of a fault, in characters.
const MAX_MESSAGE: usize = 256;

/// The longest time between two heartbeats, in seconds.
const MAX_INTERVAL_SECONDS: u32 = 3_600;

/// Of how many open incidents a heartbeat is heard: those with the highest ids, which are the latest.
const MAX_OPEN: usize = 64;

/// The signal in a message on the account's topic, if the account's hub has signed it. The error is to be put after "A
/// message on the topic signal"; it names no person.
pub fn signal(account: &AccountId, token: &[u8], verifier: &Verifier) -> Result<Signal, String> {
    let claims = verifier.verify(token).map_err(|problem| match problem {
        TokenProblem::Signature => "is not signed by the account's hub".to_owned(),
        other => other.to_string(),
    })?;
    let said: Claims = serde_json::from_str(&claims)
        .map_err(|_| "is signed by the account's hub, but its claims are those of no signal".to_owned())?;
    if said.account != account.as_str() {
        return Err("is signed by the account's hub, but is for another account".into());
    }
    Ok(Signal {
        jti: parse_id(&said.jti).ok_or("has a jti that is no UUID")?,
        account: account.clone(),
        kind: said.kind()?,
        source: label(&said.source, MAX_LABEL),
        user: label(&said.user, MAX_LABEL),
        raised_wall: time(&said.raised_at),
        sent_wall: time(&said.sent_at),
        age: Duration::from_millis(said.age_ms.as_u64().unwrap_or_default()),
        clock: if said.clock == "synced" { ClockStanding::Synced } else { ClockStanding::Unsynced },
        seq: said.seq.as_u64().unwrap_or_default(),
        claims,
    })
}

/// A claim that is not there is null.
#[derive(Deserialize)]
struct Claims {
    jti: String,
    account: String,
    kind: String,
    #[serde(default)]
    incident: Value,
    #[serde(default)]
    service: Value,
    #[serde(default)]
    source: Value,
    #[serde(default)]
    user: Value,
    #[serde(default)]
    raised_at: Value,
    #[serde(default)]
    sent_at: Value,
    #[serde(default)]
    age_ms: Value,
    #[serde(default)]
    clock: Value,
    #[serde(default)]
    resumed: Value,
    #[serde(default)]
    repeat: Value,
    #[serde(default)]
    event_code: Value,
    #[serde(default)]
    seq: Value,
    #[serde(default)]
    interval_seconds: Value,
    #[serde(default)]
    open: Value,
    #[serde(default)]
    code: Value,
    #[serde(default)]
    message: Value,
}

impl Claims {
    fn kind(&self) -> Result<SignalKind, String> {
        match self.kind.as_str() {
            "alarm" => Ok(SignalKind::Alarm {
                incident: self.incident("an alarm")?,
                service: self.service()?,
                resumed: self.resumed == true,
                repeat: self.repeat == true,
            }),
            "cancel_request" => Ok(SignalKind::CancelRequest { incident: self.incident("a cancel_request")? }),
            "test" => Ok(SignalKind::Test { periodic: self.event_code == "602" }),
            "heartbeat" => Ok(SignalKind::Heartbeat { interval: self.interval()?, open: self.open()? }),
            "fault" => Ok(SignalKind::Fault { code: self.code("a fault")?, message: self.message() }),
            "restore" => Ok(SignalKind::Restore { code: self.code("a restore")?, message: self.message() }),
            _ => {
                Err("is signed by the account's hub, but of a kind that this version of the center does not know"
                    .into())
            }
        }
    }

    fn incident(&self, kind: &str) -> Result<Id, String> {
        self.incident.as_str().and_then(parse_id).ok_or_else(|| format!("is {kind} whose incident is no UUID"))
    }

    fn service(&self) -> Result<Service, String> {
        match self.service.as_str() {
            Some("police") => Ok(Service::Police),
            Some("fire") => Ok(Service::Fire),
            _ => Err("is an alarm whose service is neither police nor fire".into()),
        }
    }

    fn interval(&self) -> Result<Duration, String> {
        let seconds = self.interval_seconds.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
        seconds
            .filter(|seconds| (1..=MAX_INTERVAL_SECONDS).contains(seconds))
            .map(|seconds| Duration::from_secs(seconds.into()))
            .ok_or_else(|| format!("is a heartbeat whose interval_seconds is not 1 to {MAX_INTERVAL_SECONDS}"))
    }

    fn open(&self) -> Result<Vec<(Id, u64)>, String> {
        let entries = match &self.open {
            Value::Null => return Ok(Vec::new()),
            Value::Object(entries) => entries,
            _ => return Err(NOT_OPEN.into()),
        };
        let entry = |(id, seq): (&String, &Value)| Some((parse_id(id)?, seq.as_u64()?));
        let mut open: BTreeMap<Id, u64> = entries.iter().map(entry).collect::<Option<_>>().ok_or(NOT_OPEN)?;
        while open.len() > MAX_OPEN {
            open.pop_first();
        }
        Ok(open.into_iter().collect())
    }

    fn code(&self, kind: &str) -> Result<String, String> {
        label(&self.code, MAX_LABEL).ok_or_else(|| format!("is {kind} without a code"))
    }

    fn message(&self) -> String {
        label(&self.message, MAX_MESSAGE).unwrap_or_default()
    }
}

const NOT_OPEN: &str = "is a heartbeat whose open does not name incidents with the seq of an update";

fn label(claim: &Value, longest: usize) -> Option<String> {
    claim.as_str().map(|text| tidy(text, longest)).filter(|text| !text.is_empty())
}

fn time(claim: &Value) -> Option<Wall> {
    claim.as_str().and_then(parse_timestamp)
}
