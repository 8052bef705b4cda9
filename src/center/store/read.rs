//! Rows to records.

use std::time::Duration;

use rusqlite::{Connection, Params, Result, Row, params};

use super::columns::{Missing, Outcome};
use crate::center::desk::effect::Update;
use crate::center::desk::records::{
    AuditRecord, CallRecord, HubRecord, IncidentRecord, PastSignal, Restored, SecurityRecord, StepRecord,
    StepRecordState, StoredIncident,
};
use crate::center::desk::words::{Account, AccountId, Contact, PlanToken};
use crate::controller::moment::{Id, Wall};
use crate::store::columns::{Unsigned, unknown_word};

/// How much of what is over is read at a start.
const ENDED_INCIDENTS: u32 = 200;
const SIGNALS: u32 = 10_000;
const SECURITY: u32 = 200;

pub fn all<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(values, read)?.collect()
}

/// All that is to go on after a restart, and the key of each account's hub.
pub fn restored(connection: &Connection) -> Result<(Restored, Vec<(AccountId, String)>)> {
    let (mut accounts, mut keys) = (Vec::new(), Vec::new());
    for (account, key) in accounts_since(connection, 0)? {
        keys.push((account.id.clone(), key));
        accounts.push(account);
    }
    let mut incidents = all(connection, "SELECT * FROM incident WHERE ended_wall_ms IS NULL", [], incident)?;
    let ended = "SELECT * FROM incident WHERE ended_wall_ms IS NOT NULL ORDER BY ended_wall_ms DESC LIMIT ?1";
    incidents.extend(all(connection, ended, [ENDED_INCIDENTS], incident)?);
    incidents.sort_by_key(|incident| (incident.received_wall, incident.id));
    let newest_signals = "SELECT * FROM signal ORDER BY ordinal DESC LIMIT ?1";
    let mut signals = all(connection, newest_signals, [SIGNALS], past_signal)?;
    signals.reverse();
    let mut security = all(connection, "SELECT * FROM security ORDER BY number DESC LIMIT ?1", [SECURITY], rejected)?;
    security.reverse();
    let restored = Restored {
        accounts,
        hubs: all(connection, "SELECT * FROM hub", [], hub)?,
        faults: all(connection, "SELECT account, code, message, since_wall_ms FROM hub_fault", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?,
        tokens: all(connection, "SELECT * FROM token", [], token)?,
        incidents: incidents.into_iter().map(|incident| with_all(connection, incident)).collect::<Result<_>>()?,
        signals,
        security,
    };
    Ok((restored, keys))
}

/// The accounts whose version is higher than this, by their ids, with their hubs' keys in PEM.
pub fn accounts_since(connection: &Connection, version: i64) -> Result<Vec<(Account, String)>> {
    let chosen = "SELECT id, name, address, plan, password_hash IS NOT NULL, closed, key_pem FROM account
        WHERE version > ?1 ORDER BY id";
    let mut accounts = all(connection, chosen, [version], |row| {
        let account = Account {
            id: row.get(0)?,
            name: row.get(1)?,
            address: row.get(2)?,
            plan: row.get(3)?,
            contacts: Vec::new(),
            has_password: row.get(4)?,
            closed: row.get(5)?,
        };
        Ok((account, row.get(6)?))
    })?;
    let theirs = "SELECT contact.account, contact.name, phone FROM account JOIN contact ON contact.account = account.id
        WHERE version > ?1 ORDER BY contact.account, position";
    let mut contacts = all(connection, theirs, [version], |row| {
        Ok((row.get::<_, AccountId>(0)?, Contact { name: row.get(1)?, phone: row.get(2)? }))
    })?
    .into_iter()
    .peekable();
    // Both are in the order of the accounts.
    for (account, _) in &mut accounts {
        while let Some((_, contact)) = contacts.next_if(|(owner, _)| *owner == account.id) {
            account.contacts.push(contact);
        }
    }
    Ok(accounts)
}

pub fn highest_version(connection: &Connection) -> Result<i64> {
    connection.query_row("SELECT coalesce(max(version), 0) FROM account", [], |row| row.get(0))
}

pub fn token_of(connection: &Connection, account: &AccountId) -> Result<Option<PlanToken>> {
    all(connection, "SELECT * FROM token WHERE account = ?1", [account], token).map(|mut found| found.pop())
}

/// What was answered to this signal of this account.
pub fn signal(connection: &Connection, jti: Id, account: &AccountId) -> Result<Option<PastSignal>> {
    let sql = "SELECT * FROM signal WHERE jti = ?1 AND account = ?2";
    all(connection, sql, params![jti, account], past_signal).map(|mut found| found.pop())
}

pub fn stored_incident(connection: &Connection, id: Id) -> Result<Option<StoredIncident>> {
    let found = all(connection, "SELECT * FROM incident WHERE id = ?1", [id], incident)?.pop();
    found.map(|incident| with_all(connection, incident)).transpose()
}

fn with_all(connection: &Connection, incident: IncidentRecord) -> Result<StoredIncident> {
    let id = incident.id;
    Ok(StoredIncident {
        incident,
        updates: all(connection, "SELECT * FROM hub_update WHERE incident = ?1 ORDER BY seq", [id], update)?,
        steps: all(connection, "SELECT * FROM step WHERE incident = ?1 ORDER BY number", [id], step)?,
        calls: all(connection, "SELECT * FROM call WHERE incident = ?1 ORDER BY ordinal", [id], call)?,
    })
}

/// The incidents received before this one, newest first.
pub fn past_incidents(connection: &Connection, before: Option<(Wall, Id)>, limit: u32) -> Result<Vec<IncidentRecord>> {
    let (wall, id) = before.unwrap_or((Wall(i64::MAX), Id(u128::MAX)));
    let sql = "SELECT * FROM incident WHERE (received_wall_ms, id) < (?1, ?2)
        ORDER BY received_wall_ms DESC, id DESC LIMIT ?3";
    all(connection, sql, params![wall, id, limit], incident)
}

/// The lines of the audit trail before this number, newest first.
pub fn audit(connection: &Connection, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditRecord)>> {
    let sql = "SELECT * FROM audit WHERE ordinal < ?1 ORDER BY ordinal DESC LIMIT ?2";
    all(connection, sql, params![before.unwrap_or(i64::MAX), limit], |row| {
        let audit = AuditRecord {
            wall: row.get("wall_ms")?,
            who: row.get("who")?,
            what: row.get("what")?,
            account: row.get("account")?,
            incident: row.get("incident")?,
        };
        Ok((row.get("ordinal")?, audit))
    })
}

fn unsigned(row: &Row<'_>, column: &str) -> Result<u64> {
    row.get::<_, Unsigned>(column).map(|number| number.0)
}

fn incident(row: &Row<'_>) -> Result<IncidentRecord> {
    let word: String = row.get("step")?;
    let step = match word.as_str() {
        "waiting" => StepRecordState::Waiting,
        "calling_first" => {
            StepRecordState::CallingFirst { call: row.get("step_call")?, answered: row.get("step_answered")? }
        }
        "dispatch_due" => StepRecordState::DispatchDue { reason: row.get("step_reason")? },
        "dispatched" => StepRecordState::Dispatched { called: row.get("step_called")?, call: row.get("step_call")? },
        "cancelled" => StepRecordState::Cancelled,
        "closed" => StepRecordState::Closed,
        _ => return Err(unknown_word("step", &word).into()),
    };
    Ok(IncidentRecord {
        id: row.get("id")?,
        account: row.get("account")?,
        service: row.get("service")?,
        source: row.get("source")?,
        user: row.get("user")?,
        raised_wall: row.get("raised_wall_ms")?,
        received_wall: row.get("received_wall_ms")?,
        resumed: row.get("resumed")?,
        first_call_wall: row.get("first_call_wall_ms")?,
        step,
        step_number: row.get("step_number")?,
        update_seq: unsigned(row, "update_seq")?,
        operator: row.get("operator")?,
        ended_wall: row.get("ended_wall_ms")?,
    })
}

fn past_signal(row: &Row<'_>) -> Result<PastSignal> {
    Ok(PastSignal {
        jti: row.get("jti")?,
        verdict: row.get("verdict")?,
        ack_seq: unsigned(row, "ack_seq")?,
        received_wall: row.get("received_wall_ms")?,
        reopened_after: row.get::<_, Option<Unsigned>>("reopened_after")?.map(|seq| seq.0),
    })
}

fn update(row: &Row<'_>) -> Result<Update> {
    let contact = match row.get("position")? {
        Some(position) => Some((position, row.get("contact")?)),
        None => None,
    };
    Ok(Update {
        account: row.get("account")?,
        incident: row.get("incident")?,
        seq: unsigned(row, "seq")?,
        stage: row.get("stage")?,
        contact,
        note: row.get("note")?,
        at_wall: row.get("at_wall_ms")?,
    })
}

fn step(row: &Row<'_>) -> Result<StepRecord> {
    Ok(StepRecord {
        incident: row.get("incident")?,
        number: row.get("number")?,
        wall: row.get("wall_ms")?,
        operator: row.get("operator")?,
        text: row.get("text")?,
    })
}

fn call(row: &Row<'_>) -> Result<CallRecord> {
    Ok(CallRecord {
        id: row.get("id")?,
        incident: row.get("incident")?,
        position: row.get("position")?,
        contact: row.get("contact")?,
        placed_wall: row.get("placed_wall_ms")?,
        outcome: row.get::<_, Option<Outcome>>("outcome")?.map(|outcome| outcome.0),
    })
}

fn hub(row: &Row<'_>) -> Result<HubRecord> {
    Ok(HubRecord {
        account: row.get("account")?,
        heartbeat_wall: row.get("heartbeat_wall_ms")?,
        interval: Duration::from_millis(unsigned(row, "interval_ms")?),
        offline: row.get("offline")?,
        ack_seq: unsigned(row, "ack_seq")?,
        signal_seq: unsigned(row, "signal_seq")?,
        sent_wall: row.get("sent_wall_ms")?,
        ahead: row.get::<_, Option<Wall>>("ahead_from_wall_ms")?.zip(row.get("ahead_to_wall_ms")?),
    })
}

fn token(row: &Row<'_>) -> Result<PlanToken> {
    Ok(PlanToken {
        account: row.get("account")?,
        plan: row.get("plan")?,
        professional_monitoring: row.get("professional_monitoring")?,
        missing: row.get::<_, Missing>("missing")?.0,
        serial: unsigned(row, "serial")?,
        issued_wall: row.get("issued_wall_ms")?,
        expires_wall: row.get("expires_wall_ms")?,
    })
}

fn rejected(row: &Row<'_>) -> Result<SecurityRecord> {
    Ok(SecurityRecord {
        number: unsigned(row, "number")?,
        first_wall: row.get("first_wall_ms")?,
        last_wall: row.get("last_wall_ms")?,
        count: unsigned(row, "count")?,
        account: row.get("account")?,
        problem: row.get("problem")?,
    })
}
