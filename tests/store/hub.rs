//! The hub's side of a store under test.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use sos_hub::controller::effect::{Batch, Record, Restored};
use sos_hub::controller::input::StoreReport;
use sos_hub::store::{Store, Told};

/// Nothing here takes this long unless it hangs.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct Hub {
    store: Store,
    told: Receiver<Told>,
    ticket: Cell<u64>,
}

pub struct Found {
    pub restored: Restored,
    pub plan_tokens: Vec<String>,
    /// What was told before: files, or what of them could not be read.
    pub put_aside: Vec<(PathBuf, String)>,
}

impl Hub {
    pub fn start(state_dir: &Path) -> Hub {
        let (sender, told) = mpsc::channel();
        let store = Store::start(state_dir, move |one| drop(sender.send(one))).unwrap();
        Hub { store, told, ticket: Cell::new(0) }
    }

    /// A hub whose store has told what it found, which is thrown away.
    pub fn started(state_dir: &Path) -> Hub {
        let hub = Hub::start(state_dir);
        hub.found();
        hub
    }

    pub fn persist(&self, records: Vec<Record>) -> u64 {
        self.ticket.set(self.ticket.get() + 1);
        self.store.persist(Batch { ticket: self.ticket.get(), records });
        self.ticket.get()
    }

    /// Persists and waits until it is committed.
    pub fn commit(&self, records: Vec<Record>) {
        let ticket = self.persist(records);
        self.committed(ticket);
    }

    pub fn ping(&self, n: u64) {
        self.store.ping(n);
    }

    pub fn stop(self) {
        self.store.stop();
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

    pub fn next(&self) -> Told {
        self.told_within(DEADLINE).expect("the store tells something")
    }

    pub fn told_within(&self, patience: Duration) -> Option<Told> {
        self.told.recv_timeout(patience).ok()
    }

    pub fn committed(&self, ticket: u64) {
        self.wait(&format!("Committed {ticket}"), |told| match told {
            Told::Report(StoreReport::Committed { ticket: committed }) => (*committed >= ticket).then_some(()),
            _ => None,
        });
    }

    pub fn failed(&self, ticket: u64) -> String {
        self.wait(&format!("Failed {ticket}"), |told| match told {
            Told::Report(StoreReport::Failed { ticket: failed, problem }) if *failed == ticket => Some(problem.clone()),
            Told::Report(StoreReport::Committed { ticket: committed }) => panic!("{committed} committed, not failed"),
            _ => None,
        })
    }

    pub fn unavailable(&self) -> String {
        self.wait("Unavailable", |told| match told {
            Told::Report(StoreReport::Unavailable { problem }) => Some(problem.clone()),
            _ => None,
        })
    }

    pub fn found(&self) -> Found {
        let mut put_aside = Vec::new();
        self.wait("Restored", |told| match told {
            Told::Restored { restored, plan_tokens } => Some(Found {
                restored: (**restored).clone(),
                plan_tokens: plan_tokens.clone(),
                put_aside: std::mem::take(&mut put_aside),
            }),
            Told::Report(StoreReport::PutAside { path, problem } | StoreReport::PartlyLost { path, problem }) => {
                put_aside.push((PathBuf::from(path), problem.clone()));
                None
            }
            _ => None,
        })
    }
}

/// What a hub finds in this directory when it starts.
pub fn found_in(state_dir: &Path) -> Found {
    let hub = Hub::start(state_dir);
    let found = hub.found();
    hub.stop();
    found
}
