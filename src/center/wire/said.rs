//! What the center says to a hub: the claims of each topic, before they are signed.

use serde::Serialize;

use crate::center::desk::effect::Update;
use crate::center::desk::words::{Ack, PlanToken, Verdict};
use crate::controller::moment::Wall;
use crate::wire::text::{json, timestamp};

/// The claims of the topic `ack` as JSON, ready for [`crate::wire::tokens::Signer::sign`].
pub fn ack(ack: &Ack) -> Vec<u8> {
    let (result, reason) = match ack.verdict {
        Verdict::Accepted => ("accepted", None),
        Verdict::NoMonitoring => ("refused", Some("no_monitoring")),
        Verdict::UnknownAccount => ("refused", Some("unknown_account")),
    };
    json(&AckClaims {
        account: ack.account.as_str(),
        signal: ack.signal.to_string(),
        result,
        reason,
        seq: ack.seq,
        received_at: timestamp(ack.received_wall),
        reopened_after: ack.reopened_after,
    })
}

/// The claims of the topic `update` as JSON.
pub fn update(update: &Update) -> Vec<u8> {
    json(&UpdateClaims {
        account: update.account.as_str(),
        incident: update.incident.to_string(),
        seq: update.seq,
        stage: update.stage.stage().as_str(),
        contact: update.contact.as_ref().map(|(position, name)| ContactClaim { position: *position, name }),
        note: update.note.as_deref(),
        at: timestamp(update.at_wall),
    })
}

/// The claims of a plan token as JSON.
pub fn plan(token: &PlanToken) -> Vec<u8> {
    json(&PlanClaims {
        account: token.account.as_str(),
        plan: &token.plan,
        professional_monitoring: token.professional_monitoring,
        missing: &token.missing,
        serial: token.serial,
        iat: numeric_date(token.issued_wall),
        exp: numeric_date(token.expires_wall),
    })
}

/// NumericDate of RFC 7519, in whole seconds.
pub(super) fn numeric_date(wall: Wall) -> i64 {
    wall.0.div_euclid(1_000)
}

#[derive(Serialize)]
struct AckClaims<'a> {
    account: &'a str,
    signal: String,
    result: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    seq: u64,
    received_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reopened_after: Option<u64>,
}

#[derive(Serialize)]
struct UpdateClaims<'a> {
    account: &'a str,
    incident: String,
    seq: u64,
    stage: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactClaim<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    at: String,
}

#[derive(Serialize)]
struct ContactClaim<'a> {
    position: u32,
    name: &'a str,
}

#[derive(Serialize)]
struct PlanClaims<'a> {
    account: &'a str,
    plan: &'a str,
    professional_monitoring: bool,
    missing: &'a [&'static str],
    serial: u64,
    iat: i64,
    exp: i64,
}
