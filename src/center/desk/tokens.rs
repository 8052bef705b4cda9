//! Plan tokens: what each hub is to know of its account's plan, signed and for 30 days.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use super::effect::{Changed, Effect, Said};
use super::records::Record;
use super::turn::Turn;
use super::words::{Account, AccountId, PlanToken};
use crate::controller::moment::{Boottime, Moment, Wall};

const DAY_MS: i64 = 24 * 3_600 * 1_000;
const LASTS_MS: i64 = 30 * DAY_MS;
const RENEWED_AFTER_MS: i64 = LASTS_MS / 2;
/// No token is issued later: it would end after the year 9999, in a time that nobody can read.
const LAST_ISSUED_MS: i64 = 253_402_300_799_000 - LASTS_MS;

/// How many tokens are signed in how long: after an outage or a change of the configuration every account wants one at
/// once, and alarms come in beside them.
const AT_A_TIME: usize = 100;
const PACE: Duration = Duration::from_millis(100);

/// Whether this account's alarms are worked on. `plans`: whether each plan includes professional monitoring. The command
/// line gives no account a plan that is not in the file; one that is not in `plans` was added to the file after they were
/// read, and turning a family away for that would be the worse mistake.
pub fn is_monitored(account: &Account, plans: &BTreeMap<String, bool>) -> bool {
    !account.closed && plans.get(&account.plan).copied().unwrap_or(true)
}

/// What an account with monitoring lacks: `contact`, `address`, `password`. Nothing is asked of one without.
pub fn missing(account: &Account, plans: &BTreeMap<String, bool>) -> Vec<&'static str> {
    if !is_monitored(account, plans) {
        return Vec::new();
    }
    let lacks = [
        (account.contacts.is_empty(), "contact"),
        (account.address.trim().is_empty(), "address"),
        (!account.has_password, "password"),
    ];
    lacks.into_iter().filter(|(lacks, _)| *lacks).map(|(_, what)| what).collect()
}

/// The account's next token; `last` is the one before, if there was one.
pub fn issue(account: &Account, plans: &BTreeMap<String, bool>, last: Option<&PlanToken>, wall: Wall) -> PlanToken {
    // A clock that was put back must not make a token look older than the one that it replaces. What a failing disk has
    // put far off is not believed.
    let before = last.map(|last| last.issued_wall.0).filter(|issued| *issued <= LAST_ISSUED_MS);
    let issued = wall.0.max(before.unwrap_or_default()).clamp(0, LAST_ISSUED_MS) / 1_000;
    let serial = last.map_or(0, |last| last.serial.saturating_add(1)).max(issued.unsigned_abs());
    PlanToken {
        account: account.id.clone(),
        plan: if account.closed { "none".to_owned() } else { account.plan.clone() },
        professional_monitoring: is_monitored(account, plans),
        missing: missing(account, plans),
        serial,
        issued_wall: Wall(issued * 1_000),
        expires_wall: Wall(issued * 1_000 + LASTS_MS),
    }
}

/// Whether the account's token no longer says what is true.
pub fn is_outdated(token: Option<&PlanToken>, account: &Account, plans: &BTreeMap<String, bool>) -> bool {
    let Some(token) = token else { return true };
    let plan = if account.closed { "none" } else { account.plan.as_str() };
    token.plan != plan
        || token.professional_monitoring != is_monitored(account, plans)
        || token.missing != missing(account, plans)
}

/// Which accounts are to get a token, or their present one once more. Each is bounded by the number of accounts.
#[derive(Default)]
pub(super) struct Plans {
    renew: BTreeSet<(Wall, AccountId)>,
    issue: BTreeSet<AccountId>,
    again: BTreeSet<AccountId>,
    /// Until when, and how many more, may be signed.
    pace_ends: Boottime,
    left: usize,
}

impl Plans {
    /// The broker may have lost it.
    pub fn say_again(&mut self, account: &AccountId) {
        self.again.insert(account.clone());
    }

    pub fn deadline(&self, last: Moment, is_up: bool) -> Option<Boottime> {
        let wait = |until: Wall| Duration::from_millis(until.0.saturating_sub(last.wall.0).max(0).unsigned_abs());
        let renewal = self.renew.first().map(|(due, _)| last.now + wait(*due));
        let waits = !self.issue.is_empty() || (is_up && !self.again.is_empty());
        let due = renewal.into_iter().chain(waits.then_some(self.pace_ends)).min();
        due.map(|due| if self.left == 0 { due.max(self.pace_ends) } else { due })
    }

    fn take(&mut self, now: Boottime) -> bool {
        if now >= self.pace_ends {
            self.pace_ends = now + PACE;
            self.left = AT_A_TIME;
        }
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        taken
    }
}

impl Desk {
    pub(super) fn is_monitored(&self, account: &Account) -> bool {
        is_monitored(account, &self.settings.plans)
    }

    /// Has a token issued if the present one is not what it should be, and sees to its renewal.
    pub(super) fn judge_token(&mut self, account: &AccountId) {
        let Some(resident) = self.residents.get(account) else { return };
        if is_outdated(resident.token.as_ref(), &resident.account, &self.settings.plans) {
            self.plans.issue.insert(account.clone());
        }
    }

    /// Has a token issued although the present one says what is true.
    pub(super) fn reissue_token(&mut self, account: &AccountId) {
        self.plans.issue.insert(account.clone());
    }

    /// Takes a token from the store.
    pub(super) fn restore_token(&mut self, token: PlanToken) {
        let account = token.account.clone();
        if let Some(resident) = self.residents.get_mut(&account) {
            self.plans.renew.insert((renewal(&token), account));
            resident.token = Some(token);
            resident.token_is_stored = true;
        }
    }

    /// Issues what is to be issued, then says again what may have been lost, a few at a time.
    pub(super) fn settle_tokens(&mut self, turn: &mut Turn) {
        while self.plans.issue.len() < AT_A_TIME
            && self.plans.renew.first().is_some_and(|(due, _)| *due <= turn.at.wall)
            && let Some((_, account)) = self.plans.renew.pop_first()
        {
            self.plans.issue.insert(account);
        }
        while let Some(account) = self.plans.issue.first().cloned() {
            if !self.plans.take(turn.at.now) {
                return;
            }
            self.plans.issue.remove(&account);
            self.issue_token(&account, turn);
        }
        while self.watch.is_up() && !self.plans.again.is_empty() && self.plans.take(turn.at.now) {
            let Some(account) = self.plans.again.pop_first() else { return };
            let resident = self.residents.get(&account).filter(|resident| resident.token_is_stored);
            // One that is not on disk yet is said as soon as it is.
            if let Some(token) = resident.and_then(|resident| resident.token.clone()) {
                turn.at_once.push(Effect::Say(Said::Plan(token)));
            }
        }
    }

    fn issue_token(&mut self, account: &AccountId, turn: &mut Turn) {
        let Some(resident) = self.residents.get_mut(account) else { return };
        let last = resident.token.take();
        if let Some(last) = &last {
            self.plans.renew.remove(&(renewal(last), account.clone()));
        }
        let token = issue(&resident.account, &self.settings.plans, last.as_ref(), turn.at.wall);
        self.plans.renew.insert((renewal(&token), account.clone()));
        resident.token = Some(token.clone());
        resident.token_is_stored = false;
        turn.record(Record::Token(token.clone()));
        turn.once_stored.push(Effect::Say(Said::Plan(token)));
        turn.changed(Changed::Hubs);
    }

    /// Sees the tokens that leave now that they are on disk. While our link is down they would be lost: they are said
    /// when it comes up.
    pub(super) fn note_tokens_stored(&mut self, effects: &mut Vec<Effect>) {
        let is_up = self.watch.is_up();
        effects.retain(|effect| {
            let Effect::Say(Said::Plan(token)) = effect else { return true };
            if let Some(resident) = self.residents.get_mut(&token.account) {
                let is_present = resident.token.as_ref().is_some_and(|present| present.serial == token.serial);
                resident.token_is_stored |= is_present;
            }
            if !is_up {
                self.plans.say_again(&token.account);
            }
            is_up
        });
    }
}

fn renewal(token: &PlanToken) -> Wall {
    Wall(token.issued_wall.0.saturating_add(RENEWED_AFTER_MS))
}
