//! What the monitoring center says. The signature is judged before a single claim is read, and each topic takes only
//! the claims of its own kind, so that a true message is worth nothing on another topic.

use core::num::NonZeroU32;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::text::{parse_id, tidy};
use super::tokens::Verifier;
use super::topics::CenterTopic;
use crate::controller::input::{Ack, AckResult, CenterMessage, Contact, PlanToken, Update};
use crate::controller::moment::Wall;
use crate::controller::words::CallStage;

/// The longest name of a plan or a contact, in characters.
const MAX_NAME: usize = 64;

/// The longest note on an update, in characters.
const MAX_NOTE: usize = 256;

/// The last second of the year 9999: no later time can be written in RFC 3339.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A message on one of the center's topics. `account` is ours; whatever is not meant for it, not signed by the
/// verifier's key or not understood becomes [`CenterMessage::Rejected`], whose problem names no person.
pub fn center_message(topic: CenterTopic, account: &str, payload: &[u8], verifier: &Verifier) -> CenterMessage {
    let understood = match topic {
        CenterTopic::Ack => ack(payload, account, verifier).map(CenterMessage::Ack),
        CenterTopic::Update => update(payload, account, verifier).map(CenterMessage::Update),
        CenterTopic::Plan => plan(payload, account, verifier).map(CenterMessage::Plan),
    };
    understood.unwrap_or_else(|why| CenterMessage::Rejected {
        problem: format!("the token on the topic {} {why}", topic.as_str()),
    })
}

/// A plan token from a file or the store; white space around it does not count. The error is to be put after "the
/// token".
pub fn plan_token(text: &str, account: &str, verifier: &Verifier) -> Result<PlanToken, String> {
    plan(text.trim_ascii().as_bytes(), account, verifier)
}

#[derive(Deserialize)]
struct AckClaims {
    account: String,
    signal: String,
    result: String,
    reason: Option<String>,
    seq: u64,
    reopened_after: Option<u64>,
}

fn ack(token: &[u8], account: &str, verifier: &Verifier) -> Result<Ack, String> {
    let claims: AckClaims = claims(token, "an ack", verifier)?;
    require_account(&claims.account, account)?;
    let result = match (claims.result.as_str(), claims.reason.as_deref()) {
        ("accepted", _) => AckResult::Accepted,
        ("refused", Some("no_monitoring")) => AckResult::NoMonitoring,
        ("refused", Some("unknown_account")) => AckResult::UnknownAccount,
        ("refused", _) => AckResult::OtherRefusal,
        _ => return Err("has a result other than accepted and refused".into()),
    };
    let signal = parse_id(&claims.signal).ok_or("acks a signal whose id is no UUID")?;
    Ok(Ack { signal, result, seq: claims.seq, reopened_after: claims.reopened_after })
}

#[derive(Deserialize)]
struct UpdateClaims {
    account: String,
    incident: String,
    seq: u64,
    stage: String,
    contact: Option<ContactClaim>,
    note: Option<String>,
}

#[derive(Deserialize)]
struct ContactClaim {
    position: NonZeroU32,
    name: String,
}

fn update(token: &[u8], account: &str, verifier: &Verifier) -> Result<Update, String> {
    let claims: UpdateClaims = claims(token, "an update", verifier)?;
    require_account(&claims.account, account)?;
    Ok(Update {
        incident: parse_id(&claims.incident).ok_or("is about an incident whose id is no UUID")?,
        seq: claims.seq,
        stage: CallStage::parse(&claims.stage).ok_or("has a stage that this version of the hub does not know")?,
        contact: claims
            .contact
            .map(|contact| Contact { position: contact.position.get(), name: tidy(&contact.name, MAX_NAME) }),
        note: claims.note.map(|note| tidy(&note, MAX_NOTE)).filter(|note| !note.is_empty()),
    })
}

#[derive(Deserialize)]
struct PlanClaims {
    account: String,
    plan: String,
    professional_monitoring: bool,
    missing: Option<Vec<String>>,
    serial: u64,
    iat: f64,
    exp: f64,
}

fn plan(token: &[u8], account: &str, verifier: &Verifier) -> Result<PlanToken, String> {
    let claims: PlanClaims = claims(token, "a plan", verifier)?;
    require_account(&claims.account, account)?;
    Ok(PlanToken {
        plan: Some(tidy(&claims.plan, MAX_NAME)).filter(|name| !name.is_empty()).ok_or("has a plan without a name")?,
        professional_monitoring: claims.professional_monitoring,
        missing: claims.missing.iter().flatten().map(|what| tidy(what, MAX_NAME)).collect(),
        serial: claims.serial,
        issued_at: numeric_date(claims.iat)?,
        expires_at: numeric_date(claims.exp)?,
        token: String::from_utf8_lossy(token).into_owned(),
    })
}

/// The library's own sentences quote what they dislike, which may be somebody's name: none of them gets out.
fn claims<T: DeserializeOwned>(token: &[u8], kind: &str, verifier: &Verifier) -> Result<T, String> {
    let claims = verifier.verify(token).map_err(|problem| problem.to_string())?;
    serde_json::from_str(&claims)
        .map_err(|_| format!("is signed by the center, but its claims are not those of {kind}"))
}

fn require_account(said: &str, ours: &str) -> Result<(), String> {
    if said == ours { Ok(()) } else { Err("is signed by the center, but for another account".into()) }
}

/// NumericDate of RFC 7519: seconds since 1970, perhaps with a fraction.
fn numeric_date(seconds: f64) -> Result<Wall, String> {
    if (0.0..=LAST_SECOND).contains(&seconds) {
        Ok(Wall((seconds * 1000.0).round() as i64))
    } else {
        Err("has an iat or exp that is no time in seconds since 1970".into())
    }
}
