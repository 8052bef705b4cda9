//! The watchdog is fed by progress: only while the loop turns, whoever has to answer it answers, and the store does not
//! hang.

use std::time::Duration;

use crate::controller::moment::Boottime;
use crate::drivers::systemd;

/// A disk may take its time (an SD card tidying up), and a restart would not make it faster; this long it may not. Even
/// then nothing that goes on in memory is thrown away for it: the hub acts without its disk.
const STORE_PATIENCE: Duration = Duration::from_secs(60);

/// With that much patience there is no need to wake it every time.
const STORE_EVERY: u64 = 3;

/// The watch of one process over itself.
pub struct Vigil {
    /// How often it is asked around; `None`: no watchdog asks for it.
    period: Option<Duration>,
    next: Boottime,
    number: u64,
    store_answered: Boottime,
    /// No countdown, no alarm, no siren: a restart would cost nobody anything.
    calm: bool,
}

impl Vigil {
    /// `period`: how often the service manager is to be told.
    pub fn new(period: Option<Duration>, now: Boottime) -> Vigil {
        Vigil { period, next: now, number: 0, store_answered: now, calm: true }
    }

    /// The number to ask around with, when it is time.
    pub fn round(&mut self, now: Boottime) -> Option<u64> {
        let period = self.period.filter(|_| now >= self.next)?;
        self.next = now + period;
        self.number += 1;
        Some(self.number)
    }

    /// Whether the store is asked in this round too.
    pub fn asks_store(&self) -> bool {
        self.number % STORE_EVERY == 1
    }

    /// When the next round is due; `None`: never.
    pub fn next_round(&self) -> Option<Boottime> {
        self.period.map(|_| self.next)
    }

    /// Whether nothing goes on that a restart would throw away.
    pub fn calm(&mut self, calm: bool) {
        self.calm = calm;
    }

    /// The store has answered.
    pub fn store_lives(&mut self, now: Boottime) {
        self.store_answered = now;
    }

    /// In this round, all that the loop needs has answered. The loop has turned to hear it, so this feeds the watchdog.
    pub fn all_live(&mut self, number: u64, now: Boottime) {
        let store_hangs = now >= self.store_answered + STORE_PATIENCE;
        if number == self.number && !(store_hangs && self.calm) {
            systemd::feed();
        }
    }
}
