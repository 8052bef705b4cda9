//! Which signals have come, as far as memory reaches: the store knows the rest.

use std::collections::{BTreeMap, VecDeque};

use super::held::Held;
use super::records::PastSignal;
use super::words::AccountId;
use crate::controller::moment::Id;

const REMEMBERED: usize = 10_000;

/// A `jti` means something only together with its account: otherwise a hub could use up another's.
type Key = (AccountId, Id);

#[derive(Default)]
pub(super) struct Memory {
    /// With the ticket of the batch that stores it; 0 if it was stored before.
    signals: BTreeMap<Key, (PastSignal, u64)>,
    /// Oldest first.
    order: VecDeque<Key>,
}

impl Memory {
    pub fn find(&self, account: &AccountId, jti: Id) -> Option<(PastSignal, u64)> {
        self.signals.get(&(account.clone(), jti)).copied()
    }

    pub fn put(&mut self, account: &AccountId, past: PastSignal, ticket: u64) {
        let key = (account.clone(), past.jti);
        if self.signals.insert(key.clone(), (past, ticket)).is_none() {
            self.order.push_back(key);
        }
    }

    /// Forgets the oldest ones, but never one that the store has not written down: it would be taken for a new one.
    pub fn trim(&mut self, held: &Held) {
        while self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.front()
            && self.signals.get(oldest).is_none_or(|(_, ticket)| !held.is_pending(*ticket))
        {
            self.signals.remove(oldest);
            self.order.pop_front();
        }
    }
}
