//! Whether each hub is alive: its heartbeats, its faults, and our own link to the broker, without which none is heard.

use core::time::Duration;
use std::collections::BTreeSet;

use super::Desk;
use super::effect::{Changed, Effect, Said};
use super::input::Past;
use super::records::Record;
use super::residents::{Connection, Resident};
use super::turn::Turn;
use super::view::HubStanding;
use super::wording;
use super::words::{AccountId, Ack, Signal, SignalKind, Verdict};
use crate::controller::effect::Severity;
use crate::controller::input::{LinkChange, LinkProblemKind};
use crate::controller::moment::{Boottime, Id};

/// A hub's word that it holds a later plan token than ours: our memory is older than its, as after an old copy of the
/// database was restored. The next token's serial is a time in seconds, and so above it.
const PLAN_REJECTED: &str = "plan_rejected";

/// How many hubs a turn looks after at most. After an outage of our own every hub's time is up at once, and an alarm
/// must not wait behind 100,000 of them.
const A_TURN: usize = 1_000;
const NEXT_TURN: Duration = Duration::from_millis(10);

/// A hub sends an alarm that was not acked again every ten seconds: one that has not come after this was acked, and is
/// lost with what we had on disk.
const ON_ITS_WAY: Duration = Duration::from_secs(30);

/// How long a hub may be silent: beyond its interval half of that, but neither so little that one lost message counts
/// nor more than a minute.
fn span(interval: Duration) -> Duration {
    interval + (interval / 2).clamp(Duration::from_secs(10), Duration::from_secs(60))
}

#[derive(Default)]
pub(super) struct Watch {
    /// When the hubs that were heard are overdue, soonest first; those that are overdue are not among them.
    due: BTreeSet<(Boottime, AccountId)>,
    /// A turn had more of them than it looks after.
    not_before: Boottime,
    /// Counts the times that our link came up.
    connection: Connection,
    up_since: Option<Boottime>,
    /// Why our link is down; `None` also before it was first up.
    problem: Option<String>,
    /// What kind of problem the log has of this outage: each attempt of the link tells one.
    logged: Option<LinkProblemKind>,
}

impl Watch {
    pub fn is_up(&self) -> bool {
        self.up_since.is_some()
    }

    pub fn problem(&self) -> Option<String> {
        if self.is_up() { None } else { Some(self.problem.clone().unwrap_or_else(wording::link_not_up)) }
    }

    /// From now on the next heartbeat is due after the hub's interval.
    pub fn wait_for(&mut self, resident: &mut Resident, now: Boottime) {
        self.forget(resident);
        let due = now + span(resident.interval);
        resident.due = Some(due);
        self.due.insert((due, resident.account.id.clone()));
    }

    pub fn forget(&mut self, resident: &mut Resident) {
        if let Some(due) = resident.due.take() {
            self.due.remove(&(due, resident.account.id.clone()));
        }
    }

    pub fn standing(&self, resident: &Resident) -> HubStanding {
        if resident.heartbeat_wall.is_none() {
            HubStanding::New
        } else if resident.offline {
            HubStanding::Offline
        } else if self.is_up() && resident.heard_on == self.connection {
            HubStanding::Online
        } else {
            HubStanding::Unknown
        }
    }

    pub fn deadline(&self) -> Option<Boottime> {
        self.up_since.and(self.due.first()).map(|(due, _)| (*due).max(self.not_before))
    }
}

impl Desk {
    pub(super) fn broker(&mut self, change: LinkChange, turn: &mut Turn) {
        match change {
            LinkChange::Up => {
                self.watch.connection += 1;
                self.watch.up_since = Some(turn.at.now);
                self.watch.problem = None;
                self.watch.logged = None;
                turn.log(Severity::Info, None, "link", wording::log_link_up());
            }
            LinkChange::Down(problem) => {
                self.watch.up_since = None;
                if self.watch.logged.replace(problem.kind) != Some(problem.kind) {
                    turn.log(Severity::Warning, None, "link", wording::log_link_down(&problem.detail));
                }
                self.watch.problem = Some(wording::link_down(&problem.sentence()));
            }
        }
        turn.changed(Changed::Health);
        turn.changed(Changed::Hubs);
    }

    /// Heartbeats are sent once each and never again: an older one than the last is a recording.
    pub(super) fn heartbeat(&mut self, signal: Box<Signal>, past: Option<Past>, turn: &mut Turn) {
        let SignalKind::Heartbeat { interval, open } = &signal.kind else { return };
        let Some(resident) = self.residents.get_mut(&signal.account) else { return };
        if resident.has_seen_later_than(&signal, turn.at.wall) {
            if past.is_none() {
                self.reject(&signal.account, wording::heartbeat_replayed(), turn);
            }
            return;
        }
        let is_first = resident.heard_on != self.watch.connection;
        let unknown: Vec<Id> = open.iter().map(|(id, _)| *id).filter(|id| self.cases.get(*id).is_none()).collect();
        match past {
            None if !unknown.is_empty() => {
                turn.at_once.push(Effect::LookUp { signal, incidents: unknown });
                return;
            }
            past => self.take_up_stored(past.unwrap_or_default().incidents, turn),
        }
        self.heard(&signal, *interval, turn);
        let mut missed = Vec::new();
        for &(incident, seq) in open {
            if self.is_of_another(incident, &signal.account) {
                self.reject(&signal.account, wording::incident_of_another(), turn);
                continue;
            }
            let known = self.work(incident, turn, |incident, _, turn| incident.say_again_after(seq, turn));
            if known.is_none() {
                let since = self.missed_since(&signal.account, incident).filter(|_| !is_first).unwrap_or(turn.at.now);
                missed.push((incident, since));
                // With 0 its alarm is still on its way, but not for long. Above that we have had it once, and lost it.
                if seq > 0 || turn.at.now >= since + ON_ITS_WAY {
                    self.reject(&signal.account, wording::incident_lost(), turn);
                }
            }
        }
        if let Some(resident) = self.residents.get_mut(&signal.account) {
            resident.missed = missed;
        }
    }

    fn missed_since(&self, account: &AccountId, incident: Id) -> Option<Boottime> {
        let missed = &self.residents.get(account)?.missed;
        missed.iter().find(|(id, _)| *id == incident).map(|(_, since)| *since)
    }

    fn heard(&mut self, signal: &Signal, interval: Duration, turn: &mut Turn) {
        let Some(resident) = self.residents.get_mut(&signal.account) else { return };
        let before = self.watch.standing(resident);
        let first = core::mem::replace(&mut resident.heard_on, self.watch.connection) != self.watch.connection;
        resident.heartbeat_wall = Some(turn.at.wall);
        resident.set_interval(interval);
        resident.has_seen(signal, turn.at.wall);
        if core::mem::replace(&mut resident.offline, false) {
            turn.log(Severity::Info, None, "hub_online", wording::log_hub_online(&signal.account));
        }
        self.watch.wait_for(resident, turn.at.now);
        if self.watch.standing(resident) != before {
            turn.changed(Changed::Hubs);
        }
        if first {
            self.plans.say_again(&signal.account);
        }
        // A store that has fallen far behind is not given more of what no alarm hangs on: the hub sees no ack, and says so.
        if !self.held.is_full() {
            resident.ack_seq += 1;
            turn.record_soon(Record::Hub(resident.record()));
            turn.once_stored.push(Effect::Say(Said::Ack(Ack {
                account: signal.account.clone(),
                signal: signal.jti,
                verdict: Verdict::Accepted,
                seq: resident.ack_seq,
                received_wall: turn.at.wall,
                reopened_after: None,
            })));
        }
        self.residents.judge(&signal.account);
    }

    /// Finds the hubs whose time is up. None is while our own link is down, and each has its whole time again from when
    /// that came up.
    pub(super) fn elapse_watch(&mut self, turn: &mut Turn) {
        let Some(up_since) = self.watch.up_since else { return };
        let now = turn.at.now;
        if now < self.watch.not_before {
            return;
        }
        for _ in 0..A_TURN {
            let Some((_, account)) = self.watch.due.first().filter(|(due, _)| *due <= now).cloned() else { return };
            let Some(resident) = self.residents.get_mut(&account) else { return };
            self.watch.forget(resident);
            let patience = up_since + span(resident.interval);
            if now < patience {
                resident.due = Some(patience);
                self.watch.due.insert((patience, account));
                continue;
            }
            resident.offline = true;
            turn.record_soon(Record::Hub(resident.record()));
            turn.changed(Changed::Hubs);
            turn.log(Severity::Warning, None, "hub_offline", wording::log_hub_offline(&account));
            self.residents.judge(&account);
        }
        self.watch.not_before = now + NEXT_TURN;
    }

    pub(super) fn hint(&mut self, account: &AccountId, online: bool, turn: &mut Turn) {
        if let Some(resident) = self.residents.get_mut(account)
            && resident.linked.replace(online) != Some(online)
        {
            turn.changed(Changed::Hubs);
        }
    }

    pub(super) fn hub_fault(&mut self, account: AccountId, code: String, message: String, turn: &mut Turn) {
        let Some(resident) = self.residents.get_mut(&account) else { return };
        let since_wall = resident.fault_since(&code).unwrap_or(turn.at.wall);
        if !resident.raise_fault(&code, &message, since_wall) {
            return;
        }
        turn.log(Severity::Warning, None, "hub_fault", wording::log_hub_fault(&account, &code));
        turn.changed(Changed::Hubs);
        self.residents.judge(&account);
        if code == PLAN_REJECTED {
            self.reissue_token(&account);
        }
        turn.record(Record::HubFault { account, code, message, since_wall });
    }

    pub(super) fn hub_restored(&mut self, account: AccountId, code: String, turn: &mut Turn) {
        let Some(resident) = self.residents.get_mut(&account) else { return };
        resident.faults.retain(|fault| fault.0 != code);
        turn.log(Severity::Info, None, "hub_restored", wording::log_hub_restored(&account, &code));
        turn.changed(Changed::Hubs);
        self.residents.judge(&account);
        turn.record(Record::HubRestored { account, code });
    }
}
