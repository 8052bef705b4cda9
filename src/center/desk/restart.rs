//! What the desk starts from, and accounts that change while it runs.

use super::Desk;
use super::effect::Changed;
use super::records::Restored;
use super::turn::Turn;
use super::wording;
use super::words::{Account, AccountId};
use crate::controller::effect::Severity;

impl Desk {
    /// Takes what the store holds. Open incidents go on at their step; a hub that was ever heard has its whole time from
    /// now; a plan that was changed while nobody ran gets its token. Which signals came before is asked of the store one
    /// by one, as they come again.
    pub(super) fn restore(&mut self, restored: Restored, turn: &mut Turn) {
        for account in restored.accounts {
            self.residents.put(account);
        }
        for record in restored.hubs {
            if let Some(resident) = self.residents.get_mut(&record.account) {
                resident.restore(record);
                if resident.heartbeat_wall.is_some() && !resident.offline {
                    self.watch.wait_for(resident, turn.at.now);
                }
            }
        }
        for (account, code, message, since) in restored.faults {
            if let Some(resident) = self.residents.get_mut(&account) {
                resident.raise_fault(&code, &message, since);
            }
        }
        for token in restored.tokens {
            self.restore_token(token);
        }
        let accounts: Vec<AccountId> = self.residents.ids().cloned().collect();
        for account in &accounts {
            self.residents.judge(account);
            self.judge_token(account);
        }
        self.security.restore(restored.security);
        // A page that was open over the restart has to see the number grow with the next alarm.
        self.alarm_number = (turn.at.wall.0 / 1_000).max(0).unsigned_abs();
        let mut incidents = restored.incidents;
        // The one that ended last is taken up first: each is put before the others.
        incidents.sort_by_key(|stored| core::cmp::Reverse(stored.incident.ended_wall));
        self.take_up_stored(incidents, turn);
        turn.changed(Changed::Hubs);
        turn.changed(Changed::Security);
        turn.changed(Changed::Health);
    }

    pub(super) fn accounts_changed(&mut self, accounts: Vec<Account>, turn: &mut Turn) {
        for account in accounts {
            let id = account.id.clone();
            if !account.closed && !self.settings.plans.contains_key(&account.plan) {
                turn.log(Severity::Warning, None, "plans", wording::log_plan_not_read(&id));
            }
            self.residents.put(account);
            self.judge_token(&id);
            for incident in self.cases.ids_of(&id) {
                self.work(incident, turn, |incident, ground, turn| {
                    incident.is_to_be_shown();
                    incident.account_changed(ground, turn);
                });
            }
        }
        turn.changed(Changed::Hubs);
    }
}
