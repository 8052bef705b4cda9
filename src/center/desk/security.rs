//! What was rejected. The same thing from the same account is counted for ten minutes, and written down at most once a
//! second, so that a flood of it costs next to nothing.

use core::time::Duration;
use std::collections::BTreeMap;

use super::effect::Changed;
use super::records::{Record, SecurityRecord};
use super::turn::Turn;
use super::view::SecurityView;
use super::wording;
use super::words::AccountId;
use crate::controller::effect::Severity;
use crate::controller::moment::Boottime;

const COUNTED_FOR: Duration = Duration::from_secs(600);
const WRITTEN_EVERY: Duration = Duration::from_secs(1);
/// How many rows are remembered. What comes beside them is counted in one row together.
const ROWS: usize = 1_000;
const SHOWN: usize = 200;

type Key = (Option<AccountId>, String);

struct Row {
    record: SecurityRecord,
    /// When it was first seen by this process; what was restored is not counted up.
    since: Option<Boottime>,
    unwritten: bool,
}

#[derive(Default)]
pub(super) struct Security {
    /// By number: oldest first.
    rows: BTreeMap<u64, Row>,
    counted: BTreeMap<Key, u64>,
    last_number: u64,
    unwritten: bool,
    write_at: Boottime,
}

impl Security {
    pub fn restore(&mut self, records: Vec<SecurityRecord>) {
        for record in records {
            self.last_number = self.last_number.max(record.number);
            self.rows.insert(record.number, Row { record, since: None, unwritten: false });
        }
    }

    pub fn reject(&mut self, account: Option<AccountId>, problem: String, turn: &mut Turn) {
        let now = turn.at.now;
        let mut key = (account, problem);
        if !self.count(&key, turn) {
            if self.rows.len() >= ROWS && !self.drop_oldest(now) {
                key = (None, wording::too_many_problems().to_owned());
                if self.count(&key, turn) {
                    return;
                }
            }
            self.add(key, turn);
        }
    }

    /// Writes down what has changed, if it is time.
    pub fn settle(&mut self, turn: &mut Turn) {
        if !self.unwritten || turn.at.now < self.write_at {
            return;
        }
        self.unwritten = false;
        self.write_at = turn.at.now + WRITTEN_EVERY;
        for row in self.rows.values_mut().filter(|row| row.unwritten) {
            row.unwritten = false;
            turn.record_soon(Record::Security(row.record.clone()));
        }
        turn.changed(Changed::Security);
    }

    pub fn deadline(&self) -> Option<Boottime> {
        self.unwritten.then_some(self.write_at)
    }

    pub fn view(&self) -> SecurityView {
        let mut rows: Vec<&SecurityRecord> = self.rows.values().map(|row| &row.record).collect();
        rows.sort_by_key(|record| core::cmp::Reverse((record.last_wall, record.number)));
        SecurityView { rows: rows.into_iter().take(SHOWN).cloned().collect() }
    }

    fn count(&mut self, key: &Key, turn: &Turn) -> bool {
        let Some(row) = self.counted.get(key).and_then(|number| self.rows.get_mut(number)) else { return false };
        if row.since.is_none_or(|since| turn.at.now >= since + COUNTED_FOR) {
            return false;
        }
        row.record.count += 1;
        row.record.last_wall = turn.at.wall;
        row.unwritten = true;
        self.unwritten = true;
        true
    }

    fn add(&mut self, key: Key, turn: &mut Turn) {
        self.last_number += 1;
        let (number, wall) = (self.last_number, turn.at.wall);
        let (account, problem) = key.clone();
        turn.log(Severity::Warning, None, "rejected", wording::rejected(account.as_ref(), &problem));
        let record = SecurityRecord { number, first_wall: wall, last_wall: wall, count: 1, account, problem };
        self.rows.insert(number, Row { record, since: Some(turn.at.now), unwritten: true });
        self.counted.insert(key, number);
        self.unwritten = true;
    }

    /// False while the oldest one is still counted, and so all of them: a flood does not look through them again.
    fn drop_oldest(&mut self, now: Boottime) -> bool {
        let Some(oldest) = self.rows.first_entry() else { return true };
        if oldest.get().unwritten || oldest.get().since.is_some_and(|since| now < since + COUNTED_FOR) {
            return false;
        }
        let row = oldest.remove();
        let key = (row.record.account, row.record.problem);
        if self.counted.get(&key) == Some(&row.record.number) {
            self.counted.remove(&key);
        }
        true
    }
}
