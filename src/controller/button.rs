//! A button: held without interruption for its time it is a press; then nothing until it is released once.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::moment::Boottime;
use super::settings::{ButtonSettings, Press};
use super::turn::earliest;

/// A button that is held longer than this is stuck, or something leans on it.
const STUCK_AFTER: Duration = Duration::from_secs(60);
/// A stuck button is free when it stayed released for this long: a glitch on its line frees nothing.
const FREE_AFTER: Duration = Duration::from_millis(50);
/// More presses than this within a second are no finger.
const NOISY_PRESSES: u32 = 20;
/// A line that was quiet for this long is believed again.
const QUIET_AFTER: Duration = Duration::from_secs(10);

/// All buttons, in the order of the configuration.
#[derive(Debug)]
pub(super) struct Buttons {
    buttons: Vec<Button>,
}

#[derive(Debug)]
struct Button {
    name: String,
    press: Press,
    hold: Duration,
    contact: Contact,
    noise: Noise,
}

/// What the line has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contact {
    /// Not seen since the lines were opened.
    Unknown,
    Released,
    Held {
        since: Boottime,
    },
    /// The press was taken; waits for the release.
    Taken {
        since: Boottime,
    },
    Stuck,
    /// Stuck, and released just now.
    LettingGo {
        since: Boottime,
    },
}

#[derive(Debug, Default)]
struct Noise {
    window: Boottime,
    presses: u32,
    /// Standing until then.
    noisy_until: Option<Boottime>,
}

/// What a button tells the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Pressed { name: String, press: Press },
    Stuck { index: usize, name: String },
    Freed { index: usize },
    Noisy { index: usize, name: String },
    Quiet { index: usize },
}

impl Buttons {
    pub fn new(settings: &[ButtonSettings]) -> Buttons {
        let button = |settings: &ButtonSettings| Button {
            name: settings.name.clone(),
            press: settings.press,
            hold: settings.hold,
            contact: Contact::Unknown,
            noise: Noise::default(),
        };
        Buttons { buttons: settings.iter().map(button).collect() }
    }

    /// A line cannot be read any more: what it shows when it is back is as at a start. A stuck button stays stuck.
    pub fn lost(&mut self, index: usize) {
        if let Some(button) = self.buttons.get_mut(index) {
            button.contact = match button.contact {
                Contact::Stuck | Contact::LettingGo { .. } => Contact::Stuck,
                _ => Contact::Unknown,
            };
        }
    }

    /// The level of a line, told at start and at every change. `at` is when the driver saw it, which may be a while ago.
    pub fn level(&mut self, index: usize, asserted: bool, at: Boottime) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(button) = self.buttons.get_mut(index) else { return findings };
        match (button.contact, asserted) {
            (Contact::Unknown, true) => {
                button.contact = Contact::Stuck;
                findings.push(Finding::Stuck { index, name: button.name.clone() });
            }
            (Contact::Released, true) => {
                button.contact = Contact::Held { since: at };
                if button.noise.press(at) {
                    findings.push(Finding::Noisy { index, name: button.name.clone() });
                }
            }
            (Contact::Stuck, false) => button.contact = Contact::LettingGo { since: at },
            (Contact::LettingGo { .. }, true) => button.contact = Contact::Stuck,
            (Contact::LettingGo { .. }, false) => {}
            (Contact::Held { since }, false) => {
                button.contact = Contact::Released;
                if at >= since + button.hold {
                    findings.push(Finding::Pressed { name: button.name.clone(), press: button.press });
                }
            }
            (_, false) => button.contact = Contact::Released,
            (_, true) => {}
        }
        findings
    }

    pub fn elapse(&mut self, now: Boottime) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, button) in self.buttons.iter_mut().enumerate() {
            match button.contact {
                Contact::Held { since } if now >= since + button.hold => {
                    button.contact = Contact::Taken { since };
                    findings.push(Finding::Pressed { name: button.name.clone(), press: button.press });
                }
                Contact::Taken { since } if now >= since + STUCK_AFTER => {
                    button.contact = Contact::Stuck;
                    findings.push(Finding::Stuck { index, name: button.name.clone() });
                }
                Contact::LettingGo { since } if now >= since + FREE_AFTER => {
                    button.contact = Contact::Released;
                    findings.push(Finding::Freed { index });
                }
                _ => {}
            }
            if button.noise.noisy_until.is_some_and(|until| now >= until) {
                button.noise.noisy_until = None;
                findings.push(Finding::Quiet { index });
            }
        }
        findings
    }

    pub fn deadline(&self) -> Option<Boottime> {
        self.buttons.iter().fold(None, |soonest, button| {
            let contact = match button.contact {
                Contact::Held { since } => Some(since + button.hold),
                Contact::Taken { since } => Some(since + STUCK_AFTER),
                Contact::LettingGo { since } => Some(since + FREE_AFTER),
                _ => None,
            };
            earliest(soonest, earliest(contact, button.noise.noisy_until))
        })
    }
}

impl Noise {
    /// Counts a press; whether the line has just become noisy.
    fn press(&mut self, now: Boottime) -> bool {
        if now.since(self.window) >= Duration::from_secs(1) {
            self.window = now;
            self.presses = 0;
        }
        self.presses += 1;
        if self.presses <= NOISY_PRESSES {
            return false;
        }
        self.noisy_until.replace(now + QUIET_AFTER).is_none()
    }
}
