//! Watching over the two links: what is up, what is heard, what is due.

use core::time::Duration;

use super::faults::{FaultCode, Faults};
use super::input::{LinkChange, LinkProblem, LinkProblemKind};
use super::moment::{Boottime, Moment, Wall};
use super::turn::{Turn, earliest};
use super::wording;

/// An ordinary outage is a fault only after this.
const GRACE: Duration = Duration::from_secs(5);
/// A link that stood for this long is not fought over any more.
const PEACE: Duration = Duration::from_secs(60);
/// How long the center may take for an answer to a heartbeat, beyond the next one.
const ANSWER: Duration = Duration::from_secs(5);
const PERIODIC_TEST: Duration = Duration::from_secs(24 * 3_600);

/// One of the two links, as the controller sees it.
#[derive(Debug)]
pub(super) struct LinkWatch {
    fault: FaultCode,
    /// Tells the two links' identity clashes apart.
    subject: usize,
    since: Boottime,
    up: bool,
    /// What the driver last said, for the fault that is raised when the grace is over.
    problem: Option<LinkProblem>,
    grace_over: bool,
    clash: bool,
}

impl LinkWatch {
    pub fn new(fault: FaultCode, subject: usize, now: Boottime) -> LinkWatch {
        LinkWatch { fault, subject, since: now, up: false, problem: None, grace_over: false, clash: false }
    }

    fn is_to_center(&self) -> bool {
        self.fault == FaultCode::CenterLink
    }

    pub fn is_up(&self) -> bool {
        self.up
    }

    pub fn change(&mut self, change: LinkChange, faults: &mut Faults, turn: &mut Turn) {
        turn.changed = true;
        match change {
            LinkChange::Up => {
                self.up = true;
                self.since = turn.at.now;
                self.problem = None;
                faults.clear(self.fault, turn);
            }
            LinkChange::Down(problem) => {
                if core::mem::replace(&mut self.up, false) {
                    self.since = turn.at.now;
                    self.grace_over = false;
                }
                if problem.kind == LinkProblemKind::TakenOver {
                    self.clash = true;
                    let message = wording::identity_clash(&problem.detail);
                    faults.raise_for(FaultCode::IdentityClash, self.subject, message, turn);
                }
                if problem.kind != LinkProblemKind::Unreachable || self.grace_over {
                    faults.raise(self.fault, wording::link_down(self.is_to_center(), &problem.detail), turn);
                }
                self.problem = Some(problem);
            }
        }
    }

    pub fn elapse(&mut self, faults: &mut Faults, turn: &mut Turn) {
        if self.up && self.clash && turn.at.now >= self.since + PEACE {
            self.clash = false;
            faults.clear_for(FaultCode::IdentityClash, self.subject, turn);
        }
        if !self.up && !self.grace_over && turn.at.now >= self.since + GRACE {
            self.grace_over = true;
            let message = match &self.problem {
                Some(problem) => wording::link_down(self.is_to_center(), &problem.detail),
                None => wording::link_not_up(self.is_to_center()),
            };
            faults.raise(self.fault, message, turn);
        }
    }

    pub fn deadline(&self) -> Option<Boottime> {
        match (self.up, self.clash, self.grace_over) {
            (true, true, _) => Some(self.since + PEACE),
            (false, _, false) => Some(self.since + GRACE),
            _ => None,
        }
    }
}

/// Heartbeats to the center and word from it.
#[derive(Debug)]
pub(super) struct Supervision {
    interval: Duration,
    next_heartbeat: Option<Boottime>,
    /// When the center was last heard, or the link came up.
    sign_of_life: Boottime,
    silent: bool,
    pub last_heard: Option<Wall>,
    next_test: Boottime,
    pub last_test: Option<Wall>,
}

/// What is due to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Heartbeat,
    PeriodicTest,
}

impl Supervision {
    pub fn new(interval: Duration, now: Boottime) -> Supervision {
        Supervision {
            interval,
            next_heartbeat: None,
            sign_of_life: now,
            silent: false,
            last_heard: None,
            next_test: now + PERIODIC_TEST,
            last_test: None,
        }
    }

    /// The last periodic test before the restart counts, as far as the wall clock can tell. Where there was none yet, a
    /// day is counted from the first start, or a hub that is started every night would never send one.
    pub fn restore(&mut self, last_test: Option<Wall>, at: Moment) {
        let last = last_test.unwrap_or(at.wall);
        self.last_test = Some(last);
        if last_test.is_none() {
            return;
        }
        let ago_ms = at.wall.0.saturating_sub(last.0);
        if ago_ms >= 0 {
            let left = PERIODIC_TEST.saturating_sub(Duration::from_millis(ago_ms.unsigned_abs()));
            self.next_test = at.now + left.max(PEACE);
        }
    }

    pub fn link_up(&mut self, now: Boottime) {
        self.sign_of_life = now;
        self.next_heartbeat = Some(now);
    }

    pub fn link_down(&mut self) {
        self.next_heartbeat = None;
    }

    pub fn heard(&mut self, faults: &mut Faults, turn: &mut Turn) {
        self.sign_of_life = turn.at.now;
        self.last_heard = Some(turn.at.wall);
        self.silent = false;
        turn.changed = true;
        faults.clear(FaultCode::CenterSilent, turn);
    }

    pub fn interval(&self) -> Duration {
        self.interval
    }

    pub fn elapse(&mut self, faults: &mut Faults, turn: &mut Turn) -> Option<Due> {
        let now = turn.at.now;
        if self.next_heartbeat.is_some() && !self.silent && now >= self.silence_at() {
            self.silent = true;
            faults.raise(FaultCode::CenterSilent, wording::center_silent(), turn);
        }
        if self.next_heartbeat.is_some_and(|due| now >= due) {
            self.next_heartbeat = Some(now + self.interval);
            return Some(Due::Heartbeat);
        }
        if now >= self.next_test {
            self.next_test = now + PERIODIC_TEST;
            self.last_test = Some(turn.at.wall);
            return Some(Due::PeriodicTest);
        }
        None
    }

    pub fn deadline(&self) -> Option<Boottime> {
        let silence = self.next_heartbeat.filter(|_| !self.silent).map(|_| self.silence_at());
        earliest(Some(self.next_test), earliest(self.next_heartbeat, silence))
    }

    fn silence_at(&self) -> Boottime {
        self.sign_of_life + 2 * self.interval + ANSWER
    }
}
