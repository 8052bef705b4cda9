//! A store that keeps what it is given in memory, and gives it back at a start: what `src/center/store` keeps, by the
//! same rules. The simulation has its center's disk of it too.

use std::collections::BTreeMap;

use sos_hub::center::desk::effect::Update;
use sos_hub::center::desk::input::Past;
use sos_hub::center::desk::records::{
    AuditRecord, CallRecord, HubRecord, IncidentRecord, PastSignal, Record, Restored, SecurityRecord, SignalRecord,
    StepRecord, StoredIncident,
};
use sos_hub::center::desk::words::{Account, AccountId, PlanToken, Signal};
use sos_hub::controller::moment::{Id, Wall};

#[derive(Clone, Default)]
pub struct Paper {
    pub accounts: BTreeMap<AccountId, Account>,
    pub hubs: BTreeMap<AccountId, HubRecord>,
    pub faults: BTreeMap<(AccountId, String), (String, Wall)>,
    pub tokens: BTreeMap<AccountId, PlanToken>,
    pub incidents: BTreeMap<Id, IncidentRecord>,
    pub updates: BTreeMap<(Id, u64), Update>,
    pub steps: BTreeMap<(Id, u32), StepRecord>,
    pub calls: Vec<CallRecord>,
    pub signals: Vec<SignalRecord>,
    /// Where each is among them.
    places: BTreeMap<(AccountId, Id), usize>,
    pub audit: Vec<AuditRecord>,
    pub security: BTreeMap<u64, SecurityRecord>,
    pub commits: usize,
    /// Rows that were there already, where rows are only ever added: they were left as they were.
    pub repeated: usize,
}

impl Paper {
    pub fn with(accounts: Vec<Account>) -> Paper {
        let accounts = accounts.into_iter().map(|account| (account.id.clone(), account)).collect();
        Paper { accounts, ..Paper::default() }
    }

    pub fn commit(&mut self, records: Vec<Record>) {
        self.commits += 1;
        for record in records {
            self.keep(record);
        }
    }

    fn keep(&mut self, record: Record) {
        match record {
            Record::Signal(signal) => {
                let key = (signal.account.clone(), signal.jti);
                if self.places.contains_key(&key) {
                    self.repeated += 1;
                } else {
                    self.places.insert(key, self.signals.len());
                    self.signals.push(signal);
                }
            }
            Record::Incident(incident) => {
                self.incidents.insert(incident.id, incident);
            }
            Record::Update(update) => {
                self.repeated += usize::from(self.updates.contains_key(&(update.incident, update.seq)));
                self.updates.entry((update.incident, update.seq)).or_insert(update);
            }
            Record::Step(step) => {
                self.repeated += usize::from(self.steps.contains_key(&(step.incident, step.number)));
                self.steps.entry((step.incident, step.number)).or_insert(step);
            }
            Record::Call(call) => {
                self.calls.retain(|kept| kept.id != call.id);
                self.calls.push(call);
            }
            Record::Hub(hub) => {
                self.hubs.insert(hub.account.clone(), hub);
            }
            Record::HubFault { account, code, message, since_wall } => {
                self.faults.insert((account, code), (message, since_wall));
            }
            Record::HubRestored { account, code } => {
                self.faults.remove(&(account, code));
            }
            Record::Token(token) => {
                let before = self.tokens.insert(token.account.clone(), token.clone());
                assert!(before.is_none_or(|before| before.serial < token.serial), "a serial does not grow: {token:?}");
            }
            Record::Audit(audit) => self.audit.push(audit),
            Record::Security(row) => {
                self.security.insert(row.number, row);
            }
        }
    }

    pub fn stored(&self, incident: &IncidentRecord) -> StoredIncident {
        let id = incident.id;
        StoredIncident {
            incident: incident.clone(),
            updates: self.updates.range((id, 0)..=(id, u64::MAX)).map(|(_, update)| update.clone()).collect(),
            steps: self.steps.range((id, 0)..=(id, u32::MAX)).map(|(_, step)| step.clone()).collect(),
            calls: self.calls.iter().filter(|call| call.incident == id).cloned().collect(),
        }
    }

    pub fn signal(&self, account: &AccountId, jti: Id) -> Option<&SignalRecord> {
        self.places.get(&(account.clone(), jti)).and_then(|place| self.signals.get(*place))
    }

    pub fn look_up(&self, signal: &Signal, incidents: &[Id]) -> Past {
        let past = self.signal(&signal.account, signal.jti);
        let incidents = incidents.iter().filter_map(|id| self.incidents.get(id));
        Past { signal: past.map(past_signal), incidents: incidents.map(|incident| self.stored(incident)).collect() }
    }

    pub fn restored(&self) -> Restored {
        let (open, mut ended): (Vec<_>, Vec<_>) =
            self.incidents.values().partition(|incident| incident.ended_wall.is_none());
        ended.sort_by_key(|incident| core::cmp::Reverse(incident.ended_wall));
        let incidents = open.into_iter().chain(ended.into_iter().take(200));
        let faults = self
            .faults
            .iter()
            .map(|((account, code), (message, since))| (account.clone(), code.clone(), message.clone(), *since));
        Restored {
            accounts: self.accounts.values().cloned().collect(),
            hubs: self.hubs.values().cloned().collect(),
            faults: faults.collect(),
            tokens: self.tokens.values().cloned().collect(),
            incidents: incidents.map(|incident| self.stored(incident)).collect(),
            signals: self.signals.iter().map(past_signal).collect(),
            security: self.security.values().cloned().collect(),
        }
    }
}

fn past_signal(signal: &SignalRecord) -> PastSignal {
    PastSignal {
        jti: signal.jti,
        verdict: signal.verdict,
        ack_seq: signal.ack_seq,
        received_wall: signal.received_wall,
        reopened_after: signal.reopened_after,
    }
}
