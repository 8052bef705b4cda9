//! Records to rows and back.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Row, params};

use super::columns::{Unsigned, unknown_word};
use crate::controller::effect::{
    CountersRecord, IncidentRecord, Record, ReplyRecord, Signal, SignalKind, SignalRecord, SoundingRecord, StepRecord,
};

const PUT_INCIDENT: &str = "INSERT OR REPLACE INTO incident
    (id, ordinal, service, source, user, stage, alarm, boot, accepted_boot_ns, deadline_boot_ns, accepted_wall_ms,
     clock, resumed, update_seq, ended_wall_ms, taken)
    VALUES (?1, coalesce((SELECT ordinal FROM incident WHERE id = ?1), ?2),
     ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
const PUT_STEP: &str = "INSERT OR REPLACE INTO step (incident, seq, stage, wall_ms, clock, message)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const PUT_SIGNAL: &str = "INSERT OR REPLACE INTO signal
    (jti, ordinal, settled, kind, code, event_code, message, incident, service, source, user, resumed, repeat, plan,
     seq, boot, raised_boot_ns, raised_wall_ms, clock, age_base_ms, age_ms, sent_wall_ms)
    VALUES (?1, coalesce((SELECT ordinal FROM signal WHERE jti = ?1), ?2),
     ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)";
const PUT_REPLY: &str = "INSERT OR REPLACE INTO reply
    (id, serial, command, service, named_incident, incident, durable, message, boot, accepted_boot_ns,
     accepted_wall_ms, clock)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
const FORGET_REPLIES: &str = "DELETE FROM reply WHERE serial < ?1";
const PUT_SOUNDING: &str = "INSERT OR REPLACE INTO sounding (incident, pattern, boot, until_boot_ns, left_ms)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const SILENCE: &str = "DELETE FROM sounding WHERE incident = ?1";
const PUT_COUNTERS: &str = "INSERT OR REPLACE INTO counters
    (one, event_seq, signal_seq, ack_seq, periodic_test_wall_ms) VALUES (1, ?1, ?2, ?3, ?4)";
const PUT_PLAN: &str = "INSERT OR REPLACE INTO plan (one, serial, token) VALUES (1, ?1, ?2)";

/// Every statement that [`write`] uses.
pub const WRITES: [&str; 9] =
    [PUT_INCIDENT, PUT_STEP, PUT_SIGNAL, PUT_REPLY, FORGET_REPLIES, PUT_SOUNDING, SILENCE, PUT_COUNTERS, PUT_PLAN];

/// Writes one record. A row that is new gets this `ordinal`; one that is replaced keeps its own.
pub fn write(connection: &Connection, record: &Record, ordinal: i64) -> Result<()> {
    match record {
        Record::Incident(incident) => write_incident(connection, incident, ordinal),
        Record::Step(step) => connection
            .prepare_cached(PUT_STEP)?
            .execute(params![step.incident, Unsigned(step.seq), step.stage, step.wall, step.clock, step.message])
            .map(drop),
        Record::Signal(signal) => write_signal(connection, signal, ordinal),
        Record::Reply(reply) => write_reply(connection, reply),
        Record::ForgetRepliesBefore { serial } => {
            connection.prepare_cached(FORGET_REPLIES)?.execute([Unsigned(*serial)]).map(drop)
        }
        Record::Sounding(sounding) => connection
            .prepare_cached(PUT_SOUNDING)?
            .execute(params![
                sounding.incident,
                sounding.pattern,
                sounding.boot,
                sounding.until,
                Unsigned(sounding.left_ms)
            ])
            .map(drop),
        Record::Silenced { incident } => connection.prepare_cached(SILENCE)?.execute([incident]).map(drop),
        Record::Counters(counters) => connection
            .prepare_cached(PUT_COUNTERS)?
            .execute(params![
                Unsigned(counters.event_seq),
                Unsigned(counters.signal_seq),
                Unsigned(counters.ack_seq),
                counters.periodic_test
            ])
            .map(drop),
        Record::Plan { serial, token } => {
            connection.prepare_cached(PUT_PLAN)?.execute(params![Unsigned(*serial), token]).map(drop)
        }
    }
}

fn write_incident(connection: &Connection, incident: &IncidentRecord, ordinal: i64) -> Result<()> {
    let values = params![
        incident.id,
        ordinal,
        incident.service,
        incident.source,
        incident.user,
        incident.stage,
        incident.alarm,
        incident.boot,
        incident.accepted,
        incident.deadline,
        incident.accepted_wall,
        incident.clock,
        incident.resumed,
        Unsigned(incident.update_seq),
        incident.ended_wall,
        incident.taken,
    ];
    connection.prepare_cached(PUT_INCIDENT)?.execute(values).map(drop)
}

fn write_signal(connection: &Connection, record: &SignalRecord, ordinal: i64) -> Result<()> {
    let signal = &record.signal;
    let (kind, fault) = match &signal.kind {
        SignalKind::Alarm => ("alarm", None),
        SignalKind::CancelRequest => ("cancel_request", None),
        SignalKind::Test { periodic: false } => ("manual_test", None),
        SignalKind::Test { periodic: true } => ("periodic_test", None),
        SignalKind::Fault { code, event_code, message } => ("fault", Some((code, event_code, message))),
        SignalKind::Restore { code, event_code, message } => ("restore", Some((code, event_code, message))),
        // Never kept, and left out before it comes here.
        SignalKind::Heartbeat { .. } => return Ok(()),
    };
    let values = params![
        signal.jti,
        ordinal,
        record.settled,
        kind,
        fault.map(|(code, _, _)| code),
        fault.map(|(_, event_code, _)| event_code),
        fault.map(|(_, _, message)| message),
        signal.incident,
        signal.service,
        signal.source,
        signal.user,
        signal.resumed,
        signal.repeat,
        signal.plan,
        Unsigned(signal.seq),
        signal.boot,
        signal.raised,
        signal.raised_wall,
        signal.clock,
        Unsigned(signal.age_base_ms),
        Unsigned(signal.age_ms),
        signal.sent_wall,
    ];
    connection.prepare_cached(PUT_SIGNAL)?.execute(values).map(drop)
}

fn write_reply(connection: &Connection, reply: &ReplyRecord) -> Result<()> {
    let values = params![
        reply.id,
        Unsigned(reply.serial),
        reply.command,
        reply.service,
        reply.named_incident,
        reply.incident,
        reply.durable,
        reply.message,
        reply.boot,
        reply.accepted,
        reply.accepted_wall,
        reply.clock,
    ];
    connection.prepare_cached(PUT_REPLY)?.execute(values).map(drop)
}

/// Which row it is, for the log: its table and key.
pub fn name(table: &str, row: &Row<'_>) -> String {
    match row.get_ref(0) {
        Ok(ValueRef::Blob(id)) => {
            format!("{table} {}", id.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        }
        Ok(ValueRef::Text(id)) => format!("{table} {:?}", String::from_utf8_lossy(id)),
        _ => table.to_owned(),
    }
}

fn unsigned(row: &Row<'_>, column: &str) -> Result<u64> {
    row.get::<_, Unsigned>(column).map(|number| number.0)
}

pub fn incident(row: &Row<'_>) -> Result<IncidentRecord> {
    Ok(IncidentRecord {
        id: row.get("id")?,
        service: row.get("service")?,
        source: row.get("source")?,
        user: row.get("user")?,
        stage: row.get("stage")?,
        alarm: row.get("alarm")?,
        boot: row.get("boot")?,
        accepted: row.get("accepted_boot_ns")?,
        deadline: row.get("deadline_boot_ns")?,
        accepted_wall: row.get("accepted_wall_ms")?,
        clock: row.get("clock")?,
        resumed: row.get("resumed")?,
        update_seq: unsigned(row, "update_seq")?,
        // The history may be read before the hub has brought its memory to this version.
        taken: match row.get("taken") {
            Err(rusqlite::Error::InvalidColumnName(_)) => false,
            taken => taken?,
        },
        ended_wall: row.get("ended_wall_ms")?,
    })
}

pub fn step(row: &Row<'_>) -> Result<StepRecord> {
    Ok(StepRecord {
        incident: row.get("incident")?,
        seq: unsigned(row, "seq")?,
        stage: row.get("stage")?,
        wall: row.get("wall_ms")?,
        clock: row.get("clock")?,
        message: row.get("message")?,
    })
}

pub fn signal(row: &Row<'_>) -> Result<SignalRecord> {
    let word: String = row.get("kind")?;
    let kind = match word.as_str() {
        "alarm" => SignalKind::Alarm,
        "cancel_request" => SignalKind::CancelRequest,
        "manual_test" => SignalKind::Test { periodic: false },
        "periodic_test" => SignalKind::Test { periodic: true },
        "fault" => SignalKind::Fault {
            code: row.get("code")?,
            event_code: row.get("event_code")?,
            message: row.get("message")?,
        },
        "restore" => SignalKind::Restore {
            code: row.get("code")?,
            event_code: row.get("event_code")?,
            message: row.get("message")?,
        },
        _ => return Err(unknown_word("kind of signal", &word).into()),
    };
    let signal = Signal {
        jti: row.get("jti")?,
        kind,
        incident: row.get("incident")?,
        service: row.get("service")?,
        source: row.get("source")?,
        user: row.get("user")?,
        resumed: row.get("resumed")?,
        repeat: row.get("repeat")?,
        plan: row.get("plan")?,
        seq: unsigned(row, "seq")?,
        boot: row.get("boot")?,
        raised: row.get("raised_boot_ns")?,
        raised_wall: row.get("raised_wall_ms")?,
        clock: row.get("clock")?,
        age_base_ms: unsigned(row, "age_base_ms")?,
        age_ms: unsigned(row, "age_ms")?,
        sent_wall: row.get("sent_wall_ms")?,
    };
    Ok(SignalRecord { signal, settled: row.get("settled")? })
}

pub fn reply(row: &Row<'_>) -> Result<ReplyRecord> {
    Ok(ReplyRecord {
        id: row.get("id")?,
        serial: unsigned(row, "serial")?,
        command: row.get("command")?,
        service: row.get("service")?,
        named_incident: row.get("named_incident")?,
        incident: row.get("incident")?,
        durable: row.get("durable")?,
        message: row.get("message")?,
        boot: row.get("boot")?,
        accepted: row.get("accepted_boot_ns")?,
        accepted_wall: row.get("accepted_wall_ms")?,
        clock: row.get("clock")?,
    })
}

pub fn sounding(row: &Row<'_>) -> Result<SoundingRecord> {
    Ok(SoundingRecord {
        incident: row.get("incident")?,
        pattern: row.get("pattern")?,
        boot: row.get("boot")?,
        until: row.get("until_boot_ns")?,
        left_ms: unsigned(row, "left_ms")?,
    })
}

pub fn counters(row: &Row<'_>) -> Result<CountersRecord> {
    Ok(CountersRecord {
        event_seq: unsigned(row, "event_seq")?,
        signal_seq: unsigned(row, "signal_seq")?,
        ack_seq: unsigned(row, "ack_seq")?,
        periodic_test: row.get("periodic_test_wall_ms")?,
    })
}
