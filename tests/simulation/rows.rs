//! What is on the disk, and what a start finds of it: the rules of `src/store`.

use std::collections::BTreeMap;

use sos_hub::controller::effect::{
    Batch, CountersRecord, IncidentRecord, Record, ReplyRecord, Restored, SignalKind, SignalRecord, SoundingRecord,
};
use sos_hub::controller::moment::Id;
use sos_hub::store::Told;

use crate::time::At;

/// How many ended incidents and settled signals a start reads.
const RESTORED: usize = 200;

/// The tables. Rows that are replaced keep their place in the order.
#[derive(Default)]
pub struct Rows {
    pub incidents: Vec<IncidentRecord>,
    signals: Vec<SignalRecord>,
    pub replies: BTreeMap<String, ReplyRecord>,
    sounding: BTreeMap<Id, SoundingRecord>,
    pub counters: CountersRecord,
    plan: Option<String>,
    /// `plan.jwt`.
    pub plan_file: Option<String>,
}

impl Rows {
    pub fn with_plan_file(token: String) -> Rows {
        Rows { plan_file: Some(token), ..Rows::default() }
    }

    pub fn take(&mut self, batches: &[(At, Batch)]) {
        for record in batches.iter().flat_map(|(_, batch)| &batch.records) {
            match record.clone() {
                Record::Incident(row) => put(&mut self.incidents, row, |row| row.id),
                Record::Signal(row) if matches!(row.signal.kind, SignalKind::Heartbeat { .. }) => {}
                Record::Signal(row) => put(&mut self.signals, row, |row| row.signal.jti),
                Record::Reply(row) => drop(self.replies.insert(row.id.clone(), row)),
                Record::ForgetRepliesBefore { serial } => self.replies.retain(|_, row| row.serial >= serial),
                Record::Sounding(row) => drop(self.sounding.insert(row.incident, row)),
                Record::Silenced { incident } => drop(self.sounding.remove(&incident)),
                Record::Counters(row) => self.counters = row,
                Record::Plan { token, .. } => {
                    self.plan_file = Some(token.clone());
                    self.plan = Some(token);
                }
                Record::Step(_) => {}
            }
        }
    }

    pub fn found(&self) -> Told {
        let ended = self.incidents.iter().filter(|row| row.ended_wall.is_some()).count();
        let settled = self.signals.iter().filter(|row| row.settled).count();
        let mut replies: Vec<ReplyRecord> = self.replies.values().cloned().collect();
        replies.sort_by_key(|row| row.serial);
        let restored = Restored {
            incidents: latest(&self.incidents, ended, |row| row.ended_wall.is_some()),
            signals: latest(&self.signals, settled, |row| row.settled),
            replies,
            sounding: self.sounding.values().cloned().collect(),
            counters: self.counters,
            plan: None,
        };
        let mut plan_tokens: Vec<String> = self.plan.iter().chain(&self.plan_file).cloned().collect();
        plan_tokens.dedup();
        Told::Restored { restored: Box::new(restored), plan_tokens }
    }
}

/// Replaces the row with the same key where it stands, or adds it.
fn put<T>(rows: &mut Vec<T>, row: T, key: impl Fn(&T) -> Id) {
    match rows.iter_mut().rev().find(|known| key(known) == key(&row)) {
        Some(known) => *known = row,
        None => rows.push(row),
    }
}

/// All that are not over, and the latest of the others.
fn latest<T: Clone>(rows: &[T], over: usize, is_over: impl Fn(&T) -> bool) -> Vec<T> {
    let mut too_old = over.saturating_sub(RESTORED);
    let mut kept = Vec::new();
    for row in rows {
        if is_over(row) && too_old > 0 {
            too_old -= 1;
        } else {
            kept.push(row.clone());
        }
    }
    kept
}
