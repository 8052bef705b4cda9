//! The lines that the hub drives: what each should be, and whether it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lines::{Lines, Output, Problem};
use super::{GpioEvent, GpioSettings, OutputLine, Tell};
use crate::controller::input::HardwareReport;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Siren,
    Led,
}

/// Driven from the callers' threads, opened by the button thread.
pub(super) struct Outputs {
    tell: Arc<Tell>,
    hands: Mutex<Vec<Hand>>,
}

struct Hand {
    role: Role,
    line: OutputLine,
    /// What was last asked for; applied as soon as the line can be driven.
    wanted: bool,
    open: Option<Box<dyn Output>>,
    /// What was last told of it; `None` while it works.
    problem: Option<Problem>,
}

impl Outputs {
    pub(super) fn new(settings: &GpioSettings, tell: Arc<Tell>) -> Outputs {
        let hand = |role, line| Hand { role, line, wanted: false, open: None, problem: None };
        let siren = hand(Role::Siren, settings.siren);
        let led = settings.led.map(|line| hand(Role::Led, line));
        Outputs { tell, hands: Mutex::new([siren].into_iter().chain(led).collect()) }
    }

    /// Drives a line, or remembers what is wanted. `false`: it failed just now.
    pub(super) fn set(&self, role: Role, asserted: bool) -> bool {
        let mut hands = self.hands();
        let Some(hand) = hands.iter_mut().find(|hand| hand.role == role) else { return true };
        hand.wanted = asserted;
        hand.open.is_none() || self.drive(hand)
    }

    /// Drives every open line again to what is wanted, which puts right what was disturbed from outside.
    pub(super) fn refresh(&self) {
        for hand in self.hands().iter_mut().filter(|hand| hand.open.is_some()) {
            self.drive(hand);
        }
    }

    /// Opens what is not open, and drives it to what is wanted. The lock is not held while a line is being opened, so
    /// that a slow opening holds up no caller.
    pub(super) fn open_missing(&self, lines: &mut dyn Lines) {
        let missing: Vec<_> =
            self.hands().iter().filter(|hand| hand.open.is_none()).map(|hand| (hand.role, hand.line)).collect();
        for (role, OutputLine { line, active_low }) in missing {
            let opened = lines.open_output(line, active_low);
            let mut hands = self.hands();
            let Some(hand) = hands.iter_mut().find(|hand| hand.role == role) else { continue };
            match opened {
                Ok(output) => self.opened(hand, output),
                Err(problem) => self.failed(hand, problem),
            }
        }
    }

    /// None of the lines that are not open can be opened.
    pub(super) fn all_failed(&self, problem: &Problem) {
        for hand in self.hands().iter_mut().filter(|hand| hand.open.is_none()) {
            self.failed(hand, problem.clone());
        }
    }

    pub(super) fn all_open(&self) -> bool {
        self.hands().iter().all(|hand| hand.open.is_some())
    }

    pub(super) fn any_open(&self) -> bool {
        self.hands().iter().any(|hand| hand.open.is_some())
    }

    fn opened(&self, hand: &mut Hand, output: Box<dyn Output>) {
        hand.open = Some(output);
        if self.drive(hand) && hand.problem.take().is_some() {
            (self.tell)(GpioEvent::Hardware(hand.role.works()));
        }
    }

    /// `false`: it failed, which has been told, and the line is closed.
    fn drive(&self, hand: &mut Hand) -> bool {
        let Some(output) = &mut hand.open else { return false };
        let level = hand.wanted != hand.line.active_low;
        match output.drive(level) {
            Ok(()) => true,
            Err(problem) => {
                hand.open = None;
                self.failed(hand, problem);
                false
            }
        }
    }

    fn failed(&self, hand: &mut Hand, problem: Problem) {
        if hand.problem.as_ref() != Some(&problem) {
            hand.problem = Some(problem.clone());
            (self.tell)(GpioEvent::Hardware(hand.role.failed(problem)));
        }
    }

    fn hands(&self) -> MutexGuard<'_, Vec<Hand>> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Role {
    fn failed(self, problem: Problem) -> HardwareReport {
        match self {
            Role::Siren => HardwareReport::SirenFailed { problem },
            Role::Led => HardwareReport::LedFailed { problem },
        }
    }

    fn works(self) -> HardwareReport {
        match self {
            Role::Siren => HardwareReport::SirenWorks,
            Role::Led => HardwareReport::LedWorks,
        }
    }
}
