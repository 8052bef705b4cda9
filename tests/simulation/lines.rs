//! The GPIO lines: fingers, bounce and spikes on the buttons' lines as the driver hears them, and the siren's level.

use sos_hub::controller::input::Input;
use sos_hub::controller::moment::Boottime;

use crate::rng::Rng;
use crate::time::{At, MS, S};

/// The driver looks at the lines at most this often.
const PACE: u64 = MS;
/// What is held for so long is a press.
pub const HOLD: u64 = S;
/// Held for longer, a button is stuck.
const STUCK: u64 = 60 * S;
/// A loop that hangs notices it so much later at the most.
const SLOWEST: u64 = 15 * S;
/// A stuck button is free when it was released for so long.
const FREE: u64 = 50 * MS;

/// The police's, the fire department's, the siren's and the one that cancels.
pub const BUTTONS: usize = 4;

#[derive(Default)]
pub struct Lines {
    /// Future edges.
    edges: Vec<(At, usize, bool)>,
    buttons: [Button; BUTTONS],
    looked: Option<At>,
    running: bool,
    pub siren: bool,
}

#[derive(Clone, Copy, Default)]
struct Button {
    asserted: bool,
    /// It has left its level since the driver last looked.
    left: bool,
    told: Option<bool>,
    since: At,
    trust: Trust,
    /// When holding it makes a press.
    ripe_at: Option<At>,
}

/// What a press of it is worth.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Trust {
    #[default]
    Sound,
    /// Held at the start, or for too long.
    Stuck,
    /// Held for so long that it depends on the loop whether it was stuck.
    Doubtful,
    LettingGo {
        since: At,
    },
}

/// What the lines tell.
pub enum Heard {
    /// For the hub.
    Level { index: usize, asserted: bool },
    /// For the checkers: the button has been held for its time. `sure`: it must count, and not only may.
    Press { index: usize, sure: bool },
}

impl Lines {
    /// Contacts that bounce change within a millisecond, several times.
    pub fn hold(&mut self, index: usize, ms: u64, bounces: u64, now: At, rng: &mut Rng) {
        for (at, level) in [(now, true), (now + ms * MS, false)] {
            self.edges.push((at, index, level));
            for _ in 0..bounces {
                let spike = at + rng.within(10_000..4 * MS);
                self.edges.push((spike, index, !level));
                self.edges.push((spike + rng.within(10_000..2 * MS), index, level));
            }
        }
        // A finger and a spike may meet: the last edge leaves the line at rest all the same.
        self.edges.push((now + ms * MS + 10 * MS, index, false));
        self.edges.sort();
    }

    pub fn glitches(&mut self, index: usize, spikes: u64, now: At, rng: &mut Rng) {
        let mut at = now;
        for _ in 0..spikes {
            at += rng.within(MS..30 * MS);
            self.edges.push((at, index, true));
            at += rng.within(10_000..MS);
            self.edges.push((at, index, false));
        }
        self.edges.sort();
    }

    /// Nobody touches anything any more.
    pub fn heal(&mut self, now: At) {
        self.edges = (0..BUTTONS).map(|index| (now, index, false)).collect();
    }

    /// The driver opens the lines: each level is told, the siren's line is put to rest.
    pub fn start(&mut self, now: At) -> Vec<Heard> {
        self.running = true;
        self.looked = Some(now);
        let open = |(index, button): (usize, &mut Button)| {
            *button =
                Button { asserted: button.asserted, told: Some(button.asserted), since: now, ..Button::default() };
            if button.asserted {
                button.trust = Trust::Stuck;
            }
            Heard::Level { index, asserted: button.asserted }
        };
        self.buttons.iter_mut().enumerate().map(open).collect()
    }

    pub fn stop(&mut self) {
        self.running = false;
        for button in &mut self.buttons {
            button.ripe_at = None;
        }
    }

    pub fn deadline(&self) -> Option<At> {
        let edge = self.edges.first().map(|&(at, ..)| at);
        let changed = self.buttons.iter().any(|button| button.is_news());
        let look = self.looked.filter(|_| self.running && changed).map(|looked| looked + PACE);
        let ripe = self.buttons.iter().filter_map(|button| button.ripe_at).min();
        [edge, look, ripe].into_iter().flatten().min()
    }

    pub fn elapse(&mut self, now: At) -> Vec<Heard> {
        let mut heard = Vec::new();
        while self.edges.first().is_some_and(|&(at, ..)| at <= now) {
            let (_, index, level) = self.edges.remove(0);
            let button = &mut self.buttons[index];
            button.left |= button.asserted != level;
            button.asserted = level;
        }
        for (index, button) in self.buttons.iter_mut().enumerate() {
            if button.ripe_at.is_some_and(|ripe_at| ripe_at <= now) {
                button.ripe_at = None;
                heard.push(Heard::Press { index, sure: button.trust == Trust::Sound });
            }
        }
        let may_look = self.looked.is_none_or(|looked| now >= looked + PACE);
        if self.running && may_look && self.buttons.iter().any(|button| button.is_news()) {
            self.looked = Some(now);
            for (index, button) in self.buttons.iter_mut().enumerate() {
                button.look(index, now, &mut heard);
            }
        }
        heard
    }

    /// Since when the driver has told a level, for the input.
    pub fn input(index: usize, asserted: bool, at: Boottime) -> Input {
        Input::Button { index, asserted, at }
    }
}

impl Button {
    fn is_news(&self) -> bool {
        self.told != Some(self.asserted) || self.left
    }

    fn look(&mut self, index: usize, now: At, heard: &mut Vec<Heard>) {
        let interrupted = std::mem::take(&mut self.left) && self.asserted && self.told == Some(true);
        if interrupted {
            self.tell(index, false, now, heard);
        }
        if self.told != Some(self.asserted) {
            self.tell(index, self.asserted, now, heard);
        }
    }

    fn tell(&mut self, index: usize, asserted: bool, now: At, heard: &mut Vec<Heard>) {
        let held = now - self.since;
        self.told = Some(asserted);
        self.since = now;
        self.ripe_at = None;
        self.trust = match (self.trust, asserted) {
            (Trust::Sound, false) if held >= STUCK + SLOWEST => Trust::LettingGo { since: now },
            (Trust::Sound, false) if held >= STUCK - S => Trust::Doubtful,
            (Trust::Doubtful, true) if held >= FREE => Trust::Sound,
            (Trust::Stuck, false) => Trust::LettingGo { since: now },
            (Trust::LettingGo { since }, true) if now < since + FREE => Trust::Stuck,
            (Trust::LettingGo { .. }, true) => Trust::Sound,
            (trust, _) => trust,
        };
        if asserted && self.trust != Trust::Stuck {
            self.ripe_at = Some(now + HOLD);
        }
        heard.push(Heard::Level { index, asserted });
    }
}
