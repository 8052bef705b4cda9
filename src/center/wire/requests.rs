//! What the center asks of outside services: the claims of each webhook's body, before they are signed.

use serde::Serialize;

use super::said::numeric_date;
use crate::center::desk::effect::{AlertRequest, CallRequest, DispatchRequest};
use crate::controller::moment::Wall;
use crate::wire::text::{json, timestamp};

/// Where a telephony provider says what came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Callback {
    /// The outcome is posted here.
    pub url: String,
    /// Shows that it knows of this call.
    pub token: String,
}

/// Somebody is to be called.
pub fn call(request: &CallRequest, callback: &Callback, now: Wall) -> Vec<u8> {
    json(&CallClaims {
        kind: "call",
        call: request.call.to_string(),
        account: request.account.as_str(),
        name: &request.name,
        address: &request.address,
        incident: request.incident.to_string(),
        service: request.service.as_str(),
        contact: ContactClaim {
            position: request.position,
            name: &request.contact.name,
            phone: &request.contact.phone,
        },
        callback,
        iat: numeric_date(now),
    })
}

/// Police or fire department is to be sent.
pub fn dispatch(request: &DispatchRequest, now: Wall) -> Vec<u8> {
    json(&DispatchClaims {
        kind: "dispatch",
        account: request.account.as_str(),
        name: &request.name,
        address: &request.address,
        incident: request.incident.to_string(),
        service: request.service.as_str(),
        raised_at: request.raised_wall.map(timestamp),
        reason: request.reason,
        iat: numeric_date(now),
    })
}

/// No operator takes an alarm.
pub fn unattended(request: &AlertRequest, now: Wall) -> Vec<u8> {
    json(&UnattendedClaims {
        kind: "unattended",
        account: request.account.as_str(),
        incident: request.incident.to_string(),
        service: request.service.as_str(),
        received_at: timestamp(request.received_wall),
        iat: numeric_date(now),
    })
}

#[derive(Serialize)]
struct CallClaims<'a> {
    kind: &'a str,
    call: String,
    account: &'a str,
    name: &'a str,
    address: &'a str,
    incident: String,
    service: &'a str,
    contact: ContactClaim<'a>,
    callback: &'a Callback,
    iat: i64,
}

#[derive(Serialize)]
struct ContactClaim<'a> {
    position: u32,
    name: &'a str,
    phone: &'a str,
}

#[derive(Serialize)]
struct DispatchClaims<'a> {
    kind: &'a str,
    account: &'a str,
    name: &'a str,
    address: &'a str,
    incident: String,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raised_at: Option<String>,
    reason: &'a str,
    iat: i64,
}

#[derive(Serialize)]
struct UnattendedClaims<'a> {
    kind: &'a str,
    account: &'a str,
    incident: String,
    service: &'a str,
    received_at: String,
    iat: i64,
}
