//! Alarms that wait until the store has said what it knows of them. A disk that hangs says nothing, and people do not
//! wait for it: after a while an alarm counts as new. At worst it is one that was over, from before a restart, and
//! somebody is called once more.

use core::time::Duration;
use std::collections::VecDeque;

use super::Desk;
use super::input::Past;
use super::turn::Turn;
use super::wording;
use super::words::Signal;
use crate::controller::effect::Severity;
use crate::controller::moment::Boottime;

/// Longer than a store takes that is only busy.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Default)]
pub(super) struct LookUps {
    /// Oldest first.
    waiting: VecDeque<(Boottime, Box<Signal>)>,
}

impl LookUps {
    pub fn asked(&mut self, signal: Box<Signal>, now: Boottime) {
        self.waiting.push_back((now, signal));
    }

    pub fn answered(&mut self, signal: &Signal) {
        let is_it = |(_, waits): &(Boottime, Box<Signal>)| waits.jti == signal.jti && waits.account == signal.account;
        if let Some(position) = self.waiting.iter().position(is_it) {
            self.waiting.remove(position);
        }
    }

    pub fn deadline(&self) -> Option<Boottime> {
        self.waiting.front().map(|(asked, _)| *asked + PATIENCE)
    }
}

impl Desk {
    pub(super) fn elapse_look_ups(&mut self, turn: &mut Turn) {
        while self.look_ups.deadline().is_some_and(|deadline| deadline <= turn.at.now)
            && let Some((_, signal)) = self.look_ups.waiting.pop_front()
        {
            turn.log(Severity::Warning, None, "storage", wording::log_not_looked_up(&signal.account));
            self.signal(signal, Some(Past::default()), turn);
        }
    }
}
