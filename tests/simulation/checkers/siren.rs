//! The siren sounds for an alarm whose countdown is over, at once and whatever else is wrong, and no longer than its
//! maximum.

use super::{Checker, Verdict, holds};
use crate::history::{Asked, Entry, Worth};
use crate::ledger::{COUNTDOWN, Ledger, SIREN_MAX};
use crate::time::{At, MS, S};

/// How long a test sounds.
const TEST: u64 = 2 * S;
/// The longest pause within the pattern for fire.
const LONGEST_PAUSE: u64 = 1_500 * MS;

pub struct TheSirenSoundsForAlarmsAlone;

impl Checker for TheSirenSoundsForAlarmsAlone {
    fn name(&self) -> &'static str {
        "4: the siren is asserted for alarms alone, and at most its maximum"
    }

    fn see(&mut self, now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        let is_look = matches!(entry, Entry::Turned | Entry::Siren { asserted: true });
        if !is_look || !ledger.line || !ledger.running || now < ledger.available {
            return Ok(());
        }
        let for_incident = || {
            ledger.incidents.values().any(|incident| {
                let began = incident.due.is_none_or(|due| due.from <= now);
                let over = match incident.due {
                    Some(_) => matches!(entry, Entry::Turned) && now >= incident.may_sound_until,
                    None => incident.told_aborted.is_some(),
                };
                incident.forgiven || (began && !over)
            })
        };
        let for_test = || ledger.last_test.is_some_and(|test| now <= test + TEST);
        // In a loop that was late everything can come in one turn, before people are told of it.
        let for_ask = || {
            ledger.asks.iter().rev().any(|(ask, state)| {
                let can_start = matches!(ask.what, Asked::Request(_)) && !matches!(ask.worth, Worth::Never(_));
                can_start
                    && state.incident.is_none()
                    && ask.at + COUNTDOWN <= now
                    && now < ask.at + COUNTDOWN + SIREN_MAX
            })
        };
        holds(for_incident() || for_test() || for_ask(), || "the siren sounds for nothing".to_owned())
    }

    fn settled(&self, ledger: &Ledger) -> Verdict {
        holds(!ledger.line, || "the siren has not stopped".to_owned())
    }
}

#[derive(Default)]
pub struct TheSirenWaitsForNothing {
    last_asserted: At,
}

impl Checker for TheSirenWaitsForNothing {
    fn name(&self) -> &'static str {
        "4, 8: the siren waits for nothing"
    }

    fn see(&mut self, now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        if ledger.line || matches!(entry, Entry::Siren { asserted: false }) {
            self.last_asserted = now;
            return Ok(());
        }
        if !matches!(entry, Entry::Turned) || !ledger.turns_since(1, now) {
            return Ok(());
        }
        let fire_may_sound = ledger.incidents.values().any(|incident| {
            incident.service == "fire"
                && (incident.forgiven
                    || incident.due.is_none_or(|due| due.from <= now && now <= incident.may_sound_until))
        });
        let pause = if fire_may_sound { LONGEST_PAUSE } else { 0 };
        let waits = ledger.incidents.iter().find(|(_, incident)| {
            let since = incident.due.map_or(At::MAX, |due| due.to.max(self.last_asserted).max(ledger.available));
            incident.certainly_due(now)
                && !incident.may_be_silent
                && now < incident.must_sound_until
                && now >= since.saturating_add(pause)
        });
        holds(waits.is_none(), || format!("the siren is silent, and {:?} is an alarm", waits.map(|(id, _)| id)))
    }
}
