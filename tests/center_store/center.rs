//! The center's side of a store under test.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sos_hub::center::desk::effect::{Batch, Urgency};
use sos_hub::center::desk::input::StoreReport;
use sos_hub::center::desk::records::{Record, Restored};
use sos_hub::center::desk::words::{Account, AccountId};
use sos_hub::center::store::{Archive, Ledger, Store, Told};

/// Nothing here takes this long unless it hangs.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub struct Center {
    pub store: Store,
    told: Receiver<Told>,
    /// Where the store's thread stands still at its first word, if it is to.
    release: Option<Sender<()>>,
    ticket: Cell<u64>,
}

pub struct Found {
    pub restored: Restored,
    pub keys: Vec<(AccountId, String)>,
}

impl Center {
    pub fn start(state_dir: &Path) -> Center {
        let (sender, told) = mpsc::channel();
        let store = Store::start(state_dir, move |one| drop(sender.send(one))).unwrap();
        Center { store, told, release: None, ticket: Cell::new(0) }
    }

    /// A center whose store has told what it found, which is thrown away.
    pub fn started(state_dir: &Path) -> Center {
        let center = Center::start(state_dir);
        center.found();
        center
    }

    /// As [`Center::started`], and the store's thread stands still until [`Center::release`], as in a write to a disk
    /// that hangs.
    pub fn stalled(state_dir: &Path) -> Center {
        let (sender, told) = mpsc::channel();
        let (release, stall) = mpsc::channel::<()>();
        let store = Store::start(state_dir, move |one| {
            let is_first = matches!(one, Told::Restored(..));
            drop(sender.send(one));
            if is_first {
                stall.recv().unwrap();
            }
        })
        .unwrap();
        let center = Center { store, told, release: Some(release), ticket: Cell::new(0) };
        center.found();
        center
    }

    pub fn release(&self) {
        self.release.as_ref().unwrap().send(()).unwrap();
    }

    pub fn archive(&self) -> Archive {
        self.store.archive()
    }

    pub fn persist(&self, records: Vec<Record>) -> u64 {
        self.put(Urgency::Now, records)
    }

    pub fn put(&self, urgency: Urgency, records: Vec<Record>) -> u64 {
        self.ticket.set(self.ticket.get() + 1);
        self.store.persist(Batch { ticket: self.ticket.get(), urgency, records });
        self.ticket.get()
    }

    /// Persists and waits until it is committed.
    pub fn commit(&self, records: Vec<Record>) {
        let ticket = self.persist(records);
        self.until_committed(&[ticket]);
    }

    pub fn stop(self) {
        self.store.stop();
    }

    /// The next thing told.
    pub fn next(&self) -> Told {
        self.told.recv_timeout(DEADLINE).expect("the store tells something")
    }

    /// Whether nothing is told for so long.
    pub fn silent_for(&self, span: Duration) -> bool {
        self.told.recv_timeout(span).is_err()
    }

    /// What has been told and not been taken yet.
    pub fn told_already(&self) -> Vec<Told> {
        self.told.try_iter().collect()
    }

    /// The next thing told that `wanted` picks; what it does not pick is passed over.
    pub fn wait<T>(&self, what: &str, mut wanted: impl FnMut(&Told) -> Option<T>) -> T {
        let end = Instant::now() + DEADLINE;
        let mut passed_over = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(told) = self.told.recv_timeout(left) else {
                panic!("the store did not tell: {what}; it told {passed_over:?}")
            };
            if let Some(found) = wanted(&told) {
                return found;
            }
            passed_over.push(format!("{told:?}"));
        }
    }

    /// The next tickets that are committed.
    pub fn committed(&self) -> Vec<u64> {
        self.wait("Committed", |told| match told {
            Told::Report(StoreReport::Committed { tickets }) => Some(tickets.clone()),
            _ => None,
        })
    }

    /// Takes what is committed until all of these are; each comes once, and those of each report in turn are returned.
    pub fn until_committed(&self, tickets: &[u64]) -> Vec<Vec<u64>> {
        let mut reports: Vec<Vec<u64>> = Vec::new();
        let is_done =
            |reports: &Vec<Vec<u64>>| tickets.iter().all(|ticket| reports.iter().any(|one| one.contains(ticket)));
        while !is_done(&reports) {
            reports.push(self.committed());
        }
        let all: Vec<u64> = reports.iter().flatten().copied().collect();
        let distinct: std::collections::BTreeSet<u64> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len(), "a ticket came twice: {all:?}");
        reports
    }

    pub fn failing(&self) -> String {
        self.wait("Failing", |told| match told {
            Told::Report(StoreReport::Failing { problem }) => Some(problem.clone()),
            Told::Report(StoreReport::Committed { tickets }) => panic!("{tickets:?} committed, not failing"),
            _ => None,
        })
    }

    pub fn working(&self) {
        self.wait("Working", |told| match told {
            Told::Report(StoreReport::Working) => Some(()),
            Told::Report(StoreReport::Committed { tickets }) => panic!("{tickets:?} committed before it works"),
            _ => None,
        });
    }

    pub fn found(&self) -> Found {
        match self.next() {
            Told::Restored(restored, keys) => Found { restored: *restored, keys },
            other => panic!("not restored: {other:?}"),
        }
    }

    pub fn accounts(&self) -> Vec<(Account, String)> {
        self.wait("Accounts", |told| match told {
            Told::Accounts(accounts) => Some(accounts.clone()),
            _ => None,
        })
    }

    pub fn fatal(&self) -> String {
        match self.next() {
            Told::Fatal(problem) => problem,
            other => panic!("not fatal: {other:?}"),
        }
    }
}

/// What a center finds in this directory when it starts.
pub fn restored_in(state_dir: &Path) -> Restored {
    let center = Center::start(state_dir);
    let found = center.found();
    center.stop();
    found.restored
}

/// A connection of somebody else.
pub fn database(state_dir: &Path) -> Connection {
    Connection::open(state_dir.join("center.db")).unwrap()
}

pub fn plans() -> BTreeMap<String, bool> {
    [("protect_plus", true), ("none", false)]
        .into_iter()
        .map(|(name, monitored)| (name.to_owned(), monitored))
        .collect()
}
