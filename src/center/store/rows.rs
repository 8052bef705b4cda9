//! Records to rows.

use rusqlite::{Connection, Result, params};

use super::columns::Missing;
use crate::center::desk::effect::Update;
use crate::center::desk::records::{
    AuditRecord, CallRecord, HubRecord, IncidentRecord, Record, SecurityRecord, SignalRecord, StepRecord,
    StepRecordState,
};
use crate::center::desk::words::PlanToken;
use crate::store::columns::Unsigned;

/// How many rejected messages are kept.
const SECURITY_KEPT: i64 = 10_000;

// What comes a second time under the same key is left as it was: rows of these tables are only ever added.
const ADD_SIGNAL: &str = "INSERT INTO signal
    (jti, account, kind, incident, received_wall_ms, verdict, ack_seq, claims, reopened_after)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (jti, account) DO NOTHING";
const ADD_UPDATE: &str = "INSERT INTO hub_update
    (incident, seq, account, stage, position, contact, note, at_wall_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT DO NOTHING";
const ADD_STEP: &str = "INSERT INTO step (incident, number, wall_ms, operator, text) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO NOTHING";
const ADD_AUDIT: &str = "INSERT INTO audit (wall_ms, who, what, account, incident) VALUES (?1, ?2, ?3, ?4, ?5)";

const PUT_INCIDENT: &str = "INSERT OR REPLACE INTO incident
    (id, account, service, source, user, raised_wall_ms, received_wall_ms, resumed, first_call_wall_ms, step,
     step_call, step_answered, step_reason, step_called, step_number, update_seq, operator, ended_wall_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
const PUT_CALL: &str = "INSERT INTO call (id, incident, position, contact, placed_wall_ms, outcome)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET
    incident = excluded.incident, position = excluded.position, contact = excluded.contact,
    placed_wall_ms = excluded.placed_wall_ms, outcome = excluded.outcome";
const PUT_HUB: &str = "INSERT OR REPLACE INTO hub
    (account, heartbeat_wall_ms, interval_ms, offline, ack_seq, signal_seq, sent_wall_ms, ahead_from_wall_ms,
     ahead_to_wall_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const PUT_FAULT: &str =
    "INSERT OR REPLACE INTO hub_fault (account, code, message, since_wall_ms) VALUES (?1, ?2, ?3, ?4)";
const END_FAULT: &str = "DELETE FROM hub_fault WHERE account = ?1 AND code = ?2";
const PUT_TOKEN: &str = "INSERT OR REPLACE INTO token
    (account, plan, professional_monitoring, missing, serial, issued_wall_ms, expires_wall_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const PUT_SECURITY: &str = "INSERT OR REPLACE INTO security
    (number, first_wall_ms, last_wall_ms, count, account, problem) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const FORGET_SECURITY: &str = "DELETE FROM security WHERE number <= ?1";

/// Every statement that writes a record.
pub const WRITES: [&str; 12] = [
    ADD_SIGNAL,
    ADD_UPDATE,
    ADD_STEP,
    ADD_AUDIT,
    PUT_INCIDENT,
    PUT_CALL,
    PUT_HUB,
    PUT_FAULT,
    END_FAULT,
    PUT_TOKEN,
    PUT_SECURITY,
    FORGET_SECURITY,
];

pub fn write(connection: &Connection, record: &Record) -> Result<()> {
    match record {
        Record::Signal(signal) => add_signal(connection, signal),
        Record::Incident(incident) => put_incident(connection, incident),
        Record::Update(update) => add_update(connection, update),
        Record::Step(step) => add_step(connection, step),
        Record::Call(call) => put_call(connection, call),
        Record::Hub(hub) => put_hub(connection, hub),
        Record::HubFault { account, code, message, since_wall } => {
            connection.prepare_cached(PUT_FAULT)?.execute(params![account, code, message, since_wall]).map(drop)
        }
        Record::HubRestored { account, code } => {
            connection.prepare_cached(END_FAULT)?.execute(params![account, code]).map(drop)
        }
        Record::Token(token) => put_token(connection, token),
        Record::Audit(audit) => add_audit(connection, audit),
        Record::Security(security) => put_security(connection, security),
    }
}

fn add_signal(connection: &Connection, signal: &SignalRecord) -> Result<()> {
    let values = params![
        signal.jti,
        signal.account,
        signal.kind,
        signal.incident,
        signal.received_wall,
        signal.verdict,
        Unsigned(signal.ack_seq),
        signal.claims,
        signal.reopened_after.map(Unsigned),
    ];
    connection.prepare_cached(ADD_SIGNAL)?.execute(values).map(drop)
}

fn put_incident(connection: &Connection, incident: &IncidentRecord) -> Result<()> {
    let (step, call, answered, reason, called) = match incident.step {
        StepRecordState::Waiting => ("waiting", None, false, None, 0),
        StepRecordState::CallingFirst { call, answered } => ("calling_first", Some(call), answered, None, 0),
        StepRecordState::DispatchDue { reason } => ("dispatch_due", None, false, Some(reason), 0),
        StepRecordState::Dispatched { called, call } => ("dispatched", call, false, None, called),
        StepRecordState::Cancelled => ("cancelled", None, false, None, 0),
        StepRecordState::Closed => ("closed", None, false, None, 0),
    };
    let values = params![
        incident.id,
        incident.account,
        incident.service,
        incident.source,
        incident.user,
        incident.raised_wall,
        incident.received_wall,
        incident.resumed,
        incident.first_call_wall,
        step,
        call,
        answered,
        reason,
        called,
        incident.step_number,
        Unsigned(incident.update_seq),
        incident.operator,
        incident.ended_wall,
    ];
    connection.prepare_cached(PUT_INCIDENT)?.execute(values).map(drop)
}

fn add_update(connection: &Connection, update: &Update) -> Result<()> {
    let (position, contact) = update.contact.as_ref().map(|(position, name)| (position, name)).unzip();
    let values = params![
        update.incident,
        Unsigned(update.seq),
        update.account,
        update.stage,
        position,
        contact,
        update.note,
        update.at_wall,
    ];
    connection.prepare_cached(ADD_UPDATE)?.execute(values).map(drop)
}

fn add_step(connection: &Connection, step: &StepRecord) -> Result<()> {
    let values = params![step.incident, step.number, step.wall, step.operator, step.text];
    connection.prepare_cached(ADD_STEP)?.execute(values).map(drop)
}

fn put_call(connection: &Connection, call: &CallRecord) -> Result<()> {
    let values = params![call.id, call.incident, call.position, call.contact, call.placed_wall, call.outcome];
    connection.prepare_cached(PUT_CALL)?.execute(values).map(drop)
}

pub fn put_hub(connection: &Connection, hub: &HubRecord) -> Result<()> {
    let values = params![
        hub.account,
        hub.heartbeat_wall,
        Unsigned(u64::try_from(hub.interval.as_millis()).unwrap_or(u64::MAX)),
        hub.offline,
        Unsigned(hub.ack_seq),
        Unsigned(hub.signal_seq),
        hub.sent_wall,
        hub.ahead.map(|(first, _)| first),
        hub.ahead.map(|(_, last)| last),
    ];
    connection.prepare_cached(PUT_HUB)?.execute(values).map(drop)
}

pub fn put_token(connection: &Connection, token: &PlanToken) -> Result<()> {
    let values = params![
        token.account,
        token.plan,
        token.professional_monitoring,
        Missing(token.missing.clone()),
        Unsigned(token.serial),
        token.issued_wall,
        token.expires_wall,
    ];
    connection.prepare_cached(PUT_TOKEN)?.execute(values).map(drop)
}

pub fn add_audit(connection: &Connection, audit: &AuditRecord) -> Result<()> {
    let values = params![audit.wall, audit.who, audit.what, audit.account, audit.incident];
    connection.prepare_cached(ADD_AUDIT)?.execute(values).map(drop)
}

fn put_security(connection: &Connection, security: &SecurityRecord) -> Result<()> {
    let number = i64::try_from(security.number).unwrap_or(i64::MAX);
    let values = params![
        number,
        security.first_wall,
        security.last_wall,
        Unsigned(security.count),
        security.account,
        security.problem,
    ];
    connection.prepare_cached(PUT_SECURITY)?.execute(values)?;
    connection.prepare_cached(FORGET_SECURITY)?.execute([number - SECURITY_KEPT]).map(drop)
}
