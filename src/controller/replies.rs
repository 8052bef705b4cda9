//! Commands that carry an id are answered once: a repeat gets the same reply and starts nothing.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use super::effect::{Record, ReplyRecord};
use super::input::CancelTarget;
use super::moment::{ClockStanding, Id, Moment};
use super::turn::Turn;
use super::words::{CommandName, Service};

/// For how long an id is remembered, in milliseconds.
const REMEMBERED_MS: i64 = 24 * 3_600 * 1_000;
/// This many are remembered however old they are.
const AT_LEAST: usize = 1_000;
/// No more than this many, so that a flood of commands does not fill the memory.
const AT_MOST: usize = 3_000;

/// What two commands with the same id must have in common to be the same command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub command: CommandName,
    pub service: Option<Service>,
    /// What a cancel is about; `Every` for all other commands.
    pub target: CancelTarget,
}

#[derive(Debug, Default)]
pub(super) struct Replies {
    by_id: BTreeMap<String, ReplyRecord>,
    /// Serial and id, oldest first.
    order: VecDeque<(u64, String)>,
    last_serial: u64,
}

/// What an id says of a command.
#[derive(Debug)]
pub(super) enum Known<'a> {
    New,
    Repeat(&'a ReplyRecord),
    /// The id was used for something else.
    Reused,
}

impl Replies {
    pub fn restore(&mut self, mut records: Vec<ReplyRecord>) {
        records.sort_by_key(|record| record.serial);
        for record in records {
            self.last_serial = self.last_serial.max(record.serial);
            if !self.by_id.contains_key(&record.id) {
                self.order.push_back((record.serial, record.id.clone()));
                self.by_id.insert(record.id.clone(), record);
            }
        }
    }

    pub fn look_up(&self, id: &str, asked: &Asked) -> Known<'_> {
        match self.by_id.get(id) {
            None => Known::New,
            Some(record)
                if record.command == asked.command
                    && record.service == asked.service
                    && record.named_incident.map_or(CancelTarget::Every, CancelTarget::One) == asked.target =>
            {
                Known::Repeat(record)
            }
            Some(_) => Known::Reused,
        }
    }

    pub fn remember(&mut self, id: &str, asked: &Asked, incident: Option<Id>, message: &str, turn: &mut Turn) {
        self.last_serial += 1;
        let record = ReplyRecord {
            id: id.into(),
            serial: self.last_serial,
            command: asked.command,
            service: asked.service,
            named_incident: match asked.target {
                CancelTarget::One(incident) => Some(incident),
                CancelTarget::Every | CancelTarget::Unknown(_) => None,
            },
            incident,
            durable: true,
            message: message.into(),
            boot: turn.boot,
            accepted: turn.at.now,
            accepted_wall: turn.at.wall,
            clock: turn.at.clock,
        };
        turn.record(Record::Reply(record.clone()));
        self.order.push_back((record.serial, record.id.clone()));
        self.by_id.insert(record.id.clone(), record);
        self.forget_old(turn);
    }

    /// The reply went out, but it was not on disk.
    pub fn was_not_durable(&mut self, id: &str) {
        if let Some(record) = self.by_id.get_mut(id) {
            record.durable = false;
        }
    }

    fn forget_old(&mut self, turn: &mut Turn) {
        let mut forgotten = false;
        while let Some((_, id)) = self.order.front() {
            let old = self.by_id.get(id).is_none_or(|record| is_old(record, turn));
            if self.order.len() <= AT_LEAST || (!old && self.order.len() <= AT_MOST) {
                break;
            }
            self.by_id.remove(id);
            self.order.pop_front();
            forgotten = true;
        }
        if let (true, Some(&(serial, _))) = (forgotten, self.order.front()) {
            turn.record(Record::ForgetRepliesBefore { serial });
        }
    }
}

/// Where no clock can tell, a reply counts as young.
fn is_old(record: &ReplyRecord, turn: &Turn) -> bool {
    let Moment { now, wall, clock, .. } = turn.at;
    if record.boot == turn.boot {
        now.since(record.accepted).as_millis() >= REMEMBERED_MS.unsigned_abs().into()
    } else {
        let both_synced = record.clock == ClockStanding::Synced && clock == ClockStanding::Synced;
        both_synced && wall.0.saturating_sub(record.accepted_wall.0) >= REMEMBERED_MS
    }
}
