//! The incidents in memory: all that are open, and those that have ended lately. Each is worked on through
//! [`Desk::work`], which keeps the index of what comes due when.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Desk;
use super::held::Held;
use super::incident::{Ground, Incident};
use super::records::StoredIncident;
use super::turn::Turn;
use super::words::{Account, AccountId};
use crate::controller::moment::{Boottime, Id};

/// How many ended incidents are in memory; the store knows the others.
const ENDED: usize = 200;

#[derive(Default)]
pub(super) struct Cases {
    all: BTreeMap<Id, Incident>,
    /// The one that ended last is the last one.
    ended: VecDeque<Id>,
    agenda: BTreeSet<(Boottime, Id)>,
    /// The calls that are under way, and whose they are.
    calls: BTreeMap<Id, Id>,
}

impl Cases {
    pub fn get(&self, id: Id) -> Option<&Incident> {
        self.all.get(&id)
    }

    pub fn open(&self) -> impl Iterator<Item = &Incident> {
        self.all.values().filter(|incident| incident.is_open())
    }

    /// The one that ended last is the first one.
    pub fn ended(&self) -> impl Iterator<Item = &Incident> {
        self.ended.iter().rev().filter_map(|id| self.all.get(id))
    }

    pub fn of_call(&self, call: Id) -> Option<Id> {
        self.calls.get(&call).copied()
    }

    pub fn ids_of(&self, account: &AccountId) -> Vec<Id> {
        self.all.values().filter(|incident| incident.record.account == *account).map(Incident::id).collect()
    }

    pub fn deadline(&self) -> Option<Boottime> {
        self.agenda.first().map(|(at, _)| *at)
    }

    fn due(&self, now: Boottime) -> Option<Id> {
        self.agenda.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    fn put(&mut self, incident: Incident) {
        let id = incident.id();
        if !incident.is_open() {
            // Whatever brought it back may be all that is wanted of it: it is the first to be forgotten again.
            self.ended.push_front(id);
        }
        self.agenda.extend(incident.deadline().map(|at| (at, id)));
        self.calls.extend(incident.call().map(|call| (call, id)));
        self.all.insert(id, incident);
    }

    /// Forgets those that ended first, but none that the store has not written down yet.
    pub fn trim(&mut self, held: &Held) {
        while self.ended.len() > ENDED
            && let Some(&id) = self.ended.front()
            && self.all.get(&id).is_none_or(|incident| !held.is_pending(incident.ticket))
        {
            self.ended.pop_front();
            self.all.remove(&id);
        }
    }
}

/// What the index of an incident has to follow.
fn marks(incident: &Incident) -> (Option<Boottime>, Option<Id>, bool) {
    (incident.deadline(), incident.call(), incident.is_open())
}

/// For an incident whose account the store has lost: there is nobody to call, and help is sent all the same.
fn stranger(id: &AccountId) -> Account {
    Account {
        id: id.clone(),
        name: String::new(),
        address: String::new(),
        plan: "none".to_owned(),
        contacts: Vec::new(),
        has_password: false,
        closed: false,
    }
}

impl Desk {
    pub(super) fn account_of(&self, incident: &Incident) -> Account {
        let resident = self.residents.get(&incident.record.account);
        resident.map_or_else(|| stranger(&incident.record.account), |resident| resident.account.clone())
    }

    /// Does something with an incident in memory.
    pub(super) fn work<T>(
        &mut self,
        id: Id,
        turn: &mut Turn,
        act: impl FnOnce(&mut Incident, &Ground, &mut Turn) -> T,
    ) -> Option<T> {
        let incident = self.cases.all.get_mut(&id)?;
        let unknown;
        let account = match self.residents.get(&incident.record.account) {
            Some(resident) => &resident.account,
            None => {
                unknown = stranger(&incident.record.account);
                &unknown
            }
        };
        let ground = Ground { settings: &self.settings, account };
        let (deadline, call, was_open) = marks(incident);
        let result = act(incident, &ground, turn);
        incident.settle(&ground, turn);
        let now = marks(incident);
        if now.0 != deadline {
            deadline.map(|at| self.cases.agenda.remove(&(at, id)));
            self.cases.agenda.extend(now.0.map(|at| (at, id)));
        }
        if now.1 != call {
            call.map(|call| self.cases.calls.remove(&call));
            self.cases.calls.extend(now.1.map(|call| (call, id)));
        }
        match (was_open, now.2) {
            (true, false) => self.cases.ended.push_back(id),
            (false, true) => self.cases.ended.retain(|ended| *ended != id),
            _ => {}
        }
        Some(result)
    }

    /// Takes an incident up that alarm or store has brought.
    pub(super) fn take_up(
        &mut self,
        account: &AccountId,
        turn: &mut Turn,
        make: impl FnOnce(&Ground, &mut Turn) -> Incident,
    ) {
        let unknown;
        let account = match self.residents.get(account) {
            Some(resident) => &resident.account,
            None => {
                unknown = stranger(account);
                &unknown
            }
        };
        let ground = Ground { settings: &self.settings, account };
        let mut incident = make(&ground, turn);
        incident.settle(&ground, turn);
        self.cases.put(incident);
    }

    /// Those that are in memory already have gone on since the store was asked.
    pub(super) fn take_up_stored(&mut self, stored: Vec<StoredIncident>, turn: &mut Turn) {
        for incident in stored {
            if self.cases.get(incident.incident.id).is_none() {
                let account = incident.incident.account.clone();
                self.take_up(&account, turn, |ground, turn| Incident::restore(incident, ground, turn));
            }
        }
    }

    /// Lets everything happen that has come due.
    pub(super) fn elapse_cases(&mut self, turn: &mut Turn) {
        while let Some(id) = self.cases.due(turn.at.now) {
            self.work(id, turn, |incident, ground, turn| incident.elapse(ground, turn));
        }
    }
}
