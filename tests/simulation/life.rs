//! The hub's process: it starts, waits for what the disk holds, turns its loop, and ends in one of three ways.

use std::collections::VecDeque;

use sos_hub::controller::effect::Restored;
use sos_hub::controller::input::Input;
use sos_hub::controller::moment::Moment;
use sos_hub::mailbox::mailbox;

use crate::history::Entry;
use crate::plan::Crash;
use crate::time::{At, MS, S};
use crate::world::World;

/// How long the start waits for the disk.
const DISK_PATIENCE: u64 = 2_500 * MS;
/// A process that is to die after some effects dies then at the latest.
const LAST_HOUR: u64 = 10 * S;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// The process starts then; after a power cut the machine boots first.
    Down {
        until: At,
        reboot: bool,
    },
    Starting,
    Running,
    /// It carries out so many more effects, and lives no longer than that.
    Dying {
        effects: u64,
        until: At,
        how: Crash,
        commit_kept: bool,
        gap: u64,
    },
}

impl World {
    /// Goes on to the next start of the process; `None` when the run is over. Gives the moment of its birth.
    pub fn next_life(&mut self) -> Option<Moment> {
        while !self.is_over() {
            match self.life {
                Life::Down { until, reboot } if until <= self.now => {
                    if let Some(born) = self.start(reboot) {
                        return Some(born);
                    }
                }
                Life::Down { until, .. } => self.pass_to(until),
                _ => self.pass_to(self.now),
            }
        }
        None
    }

    /// The process starts and waits for what the disk holds. `None` if it dies before.
    fn start(&mut self, reboot: bool) -> Option<Moment> {
        if reboot {
            self.clock.reboot(self.now);
        }
        self.life = Life::Starting;
        (self.sender, self.mailbox) = mailbox();
        (self.waiting, self.has_turned, self.hung_until) = (0, false, self.now);
        self.memory.clear();
        self.memory_was_told = false;
        self.drive_siren(false);
        self.show(Entry::Started { reboot });
        let born = self.clock.moment(self.now, &mut self.rng);
        for told in self.disk.start(self.now, &mut self.rng) {
            self.hear_store(told);
        }
        for heard in self.lines.start(self.now) {
            self.hear_line(heard);
        }
        let patience = self.now + DISK_PATIENCE;
        let mut held = VecDeque::new();
        while self.life == Life::Starting && !self.is_over() {
            while let Some(input) = self.next_mail() {
                if matches!(input, Input::Restored(_)) {
                    held.push_front(input);
                    self.memory = held;
                    return self.begin(born);
                }
                held.push_back(input);
            }
            if self.now >= patience {
                held.push_front(Input::Restored(Box::<Restored>::default()));
                self.memory = held;
                return self.begin(born);
            }
            self.step_time(patience);
        }
        None
    }

    fn begin(&mut self, born: Moment) -> Option<Moment> {
        self.life = Life::Running;
        self.home.start(self.now);
        self.center_link.start(self.now);
        self.show(Entry::Ready);
        Some(born)
    }

    pub fn is_running(&self) -> bool {
        matches!(self.life, Life::Running | Life::Dying { .. })
    }

    /// The process is to die, or the machine to lose its power.
    pub fn dies(&mut self, effects: u64, how: Crash, commit_kept: bool, gap: u64) {
        match self.life {
            Life::Running if effects > 0 && how != Crash::Stop => {
                self.life = Life::Dying { effects, until: self.now + LAST_HOUR, how, commit_kept, gap };
            }
            Life::Down { until, .. } if how == Crash::Power => {
                self.life = Life::Down { until: until.max(self.now + gap), reboot: true };
                self.drive_siren(false);
            }
            Life::Down { .. } => {}
            _ => self.end(how, commit_kept, gap),
        }
    }

    pub fn end(&mut self, how: Crash, commit_kept: bool, gap: u64) {
        let (now, rng) = (self.now, &mut self.rng);
        let lost = match how {
            Crash::Stop => {
                self.home.stop(now, rng);
                self.center_link.stop(now, rng);
                self.disk.stop(now)
            }
            Crash::Kill | Crash::Power => {
                self.home.crash(rng);
                self.center_link.crash(rng);
                self.disk.crash(now, commit_kept)
            }
        };
        self.lines.stop();
        if how != Crash::Kill {
            self.drive_siren(false);
        }
        self.life = Life::Down { until: now + gap, reboot: how == Crash::Power };
        self.show(Entry::Ended { how, lost });
        self.show(Entry::CenterLink { up: false });
    }

    /// The loop stands still for so long.
    pub fn hang(&mut self, span: u64) {
        if self.is_running() {
            self.hung_until = self.hung_until.max(self.now + span);
            self.show(Entry::Hung { until: self.hung_until });
        }
    }
}
