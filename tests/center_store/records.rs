//! Records to store.

use std::time::Duration;

use sos_hub::center::desk::effect::Update;
use sos_hub::center::desk::records::*;
use sos_hub::center::desk::words::{AccountId, PlanToken, Verdict};
use sos_hub::controller::moment::{Id, Wall};
use sos_hub::controller::words::{CallStage, Service};

pub const NOON: i64 = 1_795_341_600_000;

pub fn account(number: u64) -> AccountId {
    AccountId::new(&format!("a-{number:06}"))
}

pub fn incident(number: u64) -> IncidentRecord {
    IncidentRecord {
        id: Id(number.into()),
        account: account(number),
        service: Service::Fire,
        source: Some("button:hallway".to_owned()),
        user: None,
        raised_wall: Some(Wall(NOON - 5_000)),
        received_wall: Wall(NOON + number as i64),
        resumed: true,
        first_call_wall: None,
        step: StepRecordState::Waiting,
        step_number: 1,
        update_seq: 0,
        operator: None,
        ended_wall: None,
    }
}

pub fn ended(number: u64) -> IncidentRecord {
    IncidentRecord {
        step: StepRecordState::Closed,
        ended_wall: Some(Wall(NOON + 60_000 + number as i64)),
        ..incident(number)
    }
}

pub fn step(number: u64, step: u32) -> StepRecord {
    let (incident, wall) = (Id(number.into()), Wall(NOON + i64::from(step)));
    StepRecord { incident, number: step, wall, operator: Some("ann".to_owned()), text: format!("Step {step}.") }
}

pub fn update(number: u64, seq: u64, stage: CallStage, contact: Option<(u32, String)>) -> Update {
    let (account, incident) = (account(number), Id(number.into()));
    Update { account, incident, seq, stage, contact, note: None, at_wall: Wall(NOON) }
}

pub fn call(number: u64, position: u32, outcome: Option<&'static str>) -> CallRecord {
    CallRecord {
        id: Id(u128::from(number) * 100 + u128::from(position)),
        incident: Id(number.into()),
        position,
        contact: "Ann".to_owned(),
        placed_wall: Wall(NOON),
        outcome,
    }
}

pub fn signal(number: u64) -> SignalRecord {
    SignalRecord {
        jti: Id(u128::from(number) + 1_000_000),
        account: account(number),
        kind: "alarm",
        incident: Some(Id(number.into())),
        received_wall: Wall(NOON + number as i64),
        verdict: Verdict::Accepted,
        ack_seq: number,
        reopened_after: number.is_multiple_of(2).then_some(number),
        claims: format!(r#"{{"jti":"{number}","kind":"alarm"}}"#),
    }
}

pub fn past(signal: &SignalRecord) -> PastSignal {
    let SignalRecord { jti, verdict, ack_seq, received_wall, reopened_after, .. } = *signal;
    PastSignal { jti, verdict, ack_seq, received_wall, reopened_after }
}

pub fn hub(number: u64, ack_seq: u64) -> HubRecord {
    HubRecord {
        account: account(number),
        heartbeat_wall: Some(Wall(NOON + ack_seq as i64)),
        interval: Duration::from_secs(60),
        offline: false,
        ack_seq,
        signal_seq: ack_seq,
        sent_wall: None,
        ahead: None,
    }
}

pub fn token(number: u64, serial: u64) -> PlanToken {
    PlanToken {
        account: account(number),
        plan: "protect_plus".to_owned(),
        professional_monitoring: true,
        missing: vec!["contact", "password"],
        serial,
        issued_wall: Wall(NOON),
        expires_wall: Wall(NOON + 1_000),
    }
}

pub fn audit(number: u64) -> AuditRecord {
    AuditRecord {
        wall: Wall(NOON),
        who: "operator ann".to_owned(),
        what: format!("Did {number}."),
        account: Some(account(number)),
        incident: Some(Id(number.into())),
    }
}

pub fn rejected(number: u64) -> SecurityRecord {
    SecurityRecord {
        number,
        first_wall: Wall(NOON),
        last_wall: Wall(NOON + 1),
        count: 2,
        account: None,
        problem: format!("is no token, the {number}th."),
    }
}
