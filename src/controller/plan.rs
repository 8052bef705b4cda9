//! The standing of the account's plan: whether an SOS may be requested at all.

use core::time::Duration;

use super::effect::Record;
use super::input::PlanToken;
use super::moment::{Boottime, ClockStanding, Moment};
use super::report::PlanState;
use super::turn::Turn;
use super::words::PlanStanding;

/// A wall clock may be stepped: the end of a token is looked at again at least this often.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// For this long after the start the center's first message may bring what the disk lacks.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Plan {
    token: Option<PlanToken>,
    /// When the hub is to say that it has none.
    missed_at: Option<Boottime>,
}

/// What a token from the center was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    /// It says to the letter what the one says that the hub has.
    Repeat,
    /// Its serial is not higher than the one that the hub has.
    RolledBack,
}

impl Plan {
    /// Takes a token whose signature and account are good.
    pub fn offer(&mut self, token: PlanToken, turn: &mut Turn) -> Verdict {
        if let Some(held) = &self.token {
            // Its text differs where the center has given its key another name since.
            if *held == (PlanToken { token: held.token.clone(), ..token.clone() }) {
                return Verdict::Repeat;
            }
            if token.serial <= held.serial {
                return Verdict::RolledBack;
            }
        }
        turn.record(Record::Plan { serial: token.serial, token: token.token.clone() });
        self.token = Some(token);
        Verdict::Taken
    }

    /// The disk has been asked.
    pub fn expected(&mut self, now: Boottime) {
        self.missed_at.get_or_insert(now + GRACE);
    }

    /// Whether the hub has waited for a plan for long enough.
    pub fn is_missed(&self, now: Boottime) -> bool {
        self.token.is_none() && self.missed_at.is_some_and(|missed_at| now >= missed_at)
    }

    /// Takes what the store held. Where it came late, an older one may have been taken from the broker meanwhile, and be
    /// on its way to the disk.
    pub fn restore(&mut self, token: PlanToken, turn: &mut Turn) {
        match &self.token {
            Some(held) if token.serial <= held.serial => return,
            Some(_) => turn.record(Record::Plan { serial: token.serial, token: token.token.clone() }),
            None => {}
        }
        self.token = Some(token);
    }

    pub fn standing(&self, at: Moment) -> PlanStanding {
        match &self.token {
            None => PlanStanding::Unknown,
            Some(token) if !token.professional_monitoring => PlanStanding::Denied,
            Some(token) if at.clock == ClockStanding::Synced && at.wall >= token.expires_at => {
                PlanStanding::Unconfirmed
            }
            Some(_) => PlanStanding::Active,
        }
    }

    pub fn token(&self) -> Option<&PlanToken> {
        self.token.as_ref()
    }

    pub fn state(&self, at: Moment) -> PlanState {
        PlanState {
            standing: self.standing(at),
            name: self.token.as_ref().map(|token| token.plan.clone()),
            professional_monitoring: self.token.as_ref().is_some_and(|token| token.professional_monitoring),
        }
    }

    /// When the standing may change by itself.
    pub fn deadline(&self, at: Moment) -> Option<Boottime> {
        let Some(token) = &self.token else {
            return self.missed_at.filter(|&missed_at| missed_at > at.now);
        };
        let left_ms = token.expires_at.0.saturating_sub(at.wall.0);
        if !token.professional_monitoring || left_ms <= 0 {
            return None;
        }
        Some(at.now + Duration::from_millis(left_ms.unsigned_abs()).min(LOOK_AGAIN))
    }
}
