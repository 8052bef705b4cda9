//! The accounts, and what is known of the hub of each.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::records::HubRecord;
use super::words::{Account, AccountId, PlanToken, Signal};
use crate::controller::moment::{Boottime, Id, Wall};

/// Which time that our own link was up: 0 before the first.
pub(super) type Connection = u32;

/// No hub counts further: a `seq` above this is nonsense, and counts as this.
pub(super) const LAST_SEQ: u64 = 1 << 53;
/// What a hub may call an interval: with a longer one it would never be missed.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3_600);

/// A hub's clock that is further ahead of ours than this is wrong: nothing is learned from it.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// How many faults of one hub are kept: it has a dozen kinds.
const FAULTS: usize = 32;

/// How many early wishes to cancel of one hub are kept: it has few alarms at a time.
const EARLY_CANCELS: usize = 8;

/// An account with its hub. There may be 100,000: everything here is small.
pub(super) struct Resident {
    pub account: Account,
    pub heartbeat_wall: Option<Wall>,
    pub interval: Duration,
    pub offline: bool,
    pub ack_seq: u64,
    pub signal_seq: u64,
    pub sent_wall: Option<Wall>,
    ahead: Option<(Wall, Wall)>,
    /// The connection of ours on which its last heartbeat came.
    pub heard_on: Connection,
    /// Its place in the ordered set of heartbeats that are waited for.
    pub due: Option<Boottime>,
    pub linked: Option<bool>,
    pub faults: Vec<(String, String, Wall)>,
    /// The incidents of its last heartbeat that nobody knows here, and since when on this connection.
    pub missed: Vec<(Id, Boottime)>,
    /// The incidents that its user tried to cancel and whose alarm has not come yet, the oldest first.
    early_cancels: Vec<Id>,
    pub token: Option<PlanToken>,
    /// The token is on disk: it may be said again.
    pub token_is_stored: bool,
}

impl Resident {
    pub fn new(account: Account) -> Resident {
        Resident {
            account,
            heartbeat_wall: None,
            interval: Duration::ZERO,
            offline: false,
            ack_seq: 0,
            signal_seq: 0,
            sent_wall: None,
            ahead: None,
            heard_on: 0,
            due: None,
            linked: None,
            faults: Vec::new(),
            missed: Vec::new(),
            early_cancels: Vec::new(),
            token: None,
            token_is_stored: false,
        }
    }

    pub fn restore(&mut self, record: HubRecord) {
        self.heartbeat_wall = record.heartbeat_wall;
        self.set_interval(record.interval);
        self.offline = record.offline;
        self.ack_seq = record.ack_seq;
        self.signal_seq = record.signal_seq;
        self.sent_wall = record.sent_wall;
        self.ahead = record.ahead;
    }

    /// When its next heartbeat is due at the latest, counted from the last.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval.min(LONGEST_INTERVAL);
    }

    pub fn record(&self) -> HubRecord {
        HubRecord {
            account: self.account.id.clone(),
            heartbeat_wall: self.heartbeat_wall,
            interval: self.interval,
            offline: self.offline,
            ack_seq: self.ack_seq,
            signal_seq: self.signal_seq,
            sent_wall: self.sent_wall,
            ahead: self.ahead,
        }
    }

    /// Whether this heartbeat was sent before one that has come already: a recording, as each is sent once. Other signals
    /// do not count: an alarm overtakes heartbeats on its way. A hub that lost its memory counts from 1 again, and is
    /// known by its clock.
    pub fn has_seen_later_than(&self, signal: &Signal, now: Wall) -> bool {
        let is_recorded = |sent: &Wall| self.ahead.is_some_and(|(first, last)| (first..=last).contains(sent));
        let sent_wall = signal.sent_wall.filter(|sent| !is_ahead(*sent, now) && !is_recorded(sent));
        signal.seq.min(LAST_SEQ) <= self.signal_seq && sent_wall <= self.sent_wall
    }

    /// Notes how far the hub's own count and clock had come at this heartbeat.
    pub fn has_seen(&mut self, signal: &Signal, now: Wall) {
        self.signal_seq = self.signal_seq.max(signal.seq.min(LAST_SEQ));
        if let Some(sent) = signal.sent_wall.filter(|sent| is_ahead(*sent, now)) {
            let (first, last) = self.ahead.unwrap_or((sent, sent));
            self.ahead = Some((first.min(sent), last.max(sent)));
        } else {
            self.sent_wall = self.sent_wall.max(signal.sent_wall);
            self.ahead = self.ahead.filter(|(_, last)| Some(*last) > self.sent_wall);
        }
    }

    /// Its account was closed and is open again, maybe for another hub: the next heartbeat is taken for the first.
    fn forget_heartbeats(&mut self) {
        (self.signal_seq, self.sent_wall, self.ahead) = (0, None, None);
    }

    pub fn keep_early_cancel(&mut self, incident: Id) {
        self.take_early_cancel(incident);
        if self.early_cancels.len() >= EARLY_CANCELS {
            self.early_cancels.remove(0);
        }
        self.early_cancels.push(incident);
    }

    /// Whether there was one.
    pub fn take_early_cancel(&mut self, incident: Id) -> bool {
        let before = self.early_cancels.len();
        self.early_cancels.retain(|early| *early != incident);
        self.early_cancels.len() < before
    }

    /// False if it has too many already.
    pub fn raise_fault(&mut self, code: &str, message: &str, since: Wall) -> bool {
        if let Some(fault) = self.faults.iter_mut().find(|fault| fault.0 == code) {
            message.clone_into(&mut fault.1);
            return true;
        }
        if self.faults.len() < FAULTS {
            self.faults.push((code.to_owned(), message.to_owned(), since));
            return true;
        }
        false
    }

    pub fn fault_since(&self, code: &str) -> Option<Wall> {
        self.faults.iter().find(|fault| fault.0 == code).map(|fault| fault.2)
    }

    pub fn is_in_trouble(&self) -> bool {
        !self.account.closed && (self.offline || !self.faults.is_empty())
    }
}

/// `now`: by our own clock.
fn is_ahead(sent: Wall, now: Wall) -> bool {
    let margin = i64::try_from(CLOCKS_DIFFER.as_millis()).unwrap_or(i64::MAX);
    sent.0 > now.0.saturating_add(margin)
}

/// All of them, by account, and an index of those in trouble.
#[derive(Default)]
pub(super) struct Residents {
    all: BTreeMap<AccountId, Resident>,
    in_trouble: BTreeSet<AccountId>,
}

impl Residents {
    pub fn get(&self, account: &AccountId) -> Option<&Resident> {
        self.all.get(account)
    }

    pub fn get_mut(&mut self, account: &AccountId) -> Option<&mut Resident> {
        self.all.get_mut(account)
    }

    /// Puts the account in, or in the place of what was known of it; its hub stays as it is.
    pub fn put(&mut self, account: Account) {
        let id = account.id.clone();
        match self.all.get_mut(&id) {
            Some(resident) => {
                if resident.account.closed && !account.closed {
                    resident.forget_heartbeats();
                }
                resident.account = account;
            }
            None => {
                self.all.insert(id.clone(), Resident::new(account));
            }
        }
        self.judge(&id);
    }

    /// Brings the index into line after a change.
    pub fn judge(&mut self, account: &AccountId) {
        if self.all.get(account).is_some_and(Resident::is_in_trouble) {
            self.in_trouble.insert(account.clone());
        } else {
            self.in_trouble.remove(account);
        }
    }

    pub fn ids(&self) -> impl Iterator<Item = &AccountId> {
        self.all.keys()
    }

    /// From this account on, or from the first one.
    pub fn from(&self, account: Option<&AccountId>) -> impl Iterator<Item = &Resident> {
        use core::ops::Bound::{Included, Unbounded};
        let start = account.map_or(Unbounded, Included);
        self.all.range::<AccountId, _>((start, Unbounded)).map(|(_, resident)| resident)
    }

    pub fn in_trouble(&self) -> impl Iterator<Item = &Resident> {
        self.in_trouble.iter().filter_map(|account| self.all.get(account))
    }

    pub fn in_trouble_total(&self) -> usize {
        self.in_trouble.len()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }
}
