//! The button thread: hears the buttons, answers pings, and opens again what is not open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lines::{self, Lines, Problem};
use super::{GpioEvent, InputLine, Requests, Shared};
use crate::controller::input::HardwareReport;

/// How long to wait before trying again what failed.
const RETRY: Duration = Duration::from_secs(1);

/// The shortest time between two looks at the lines. A bouncing or oscillating line is told at most once in it.
const PACE: Duration = Duration::from_millis(1);

pub(super) struct Listener {
    shared: Arc<Shared>,
    lines: Option<Box<dyn Lines>>,
    ears: Vec<Ear>,
    /// The backend cannot wait for its lines. Until the next attempt only the waker can end a wait.
    deaf: bool,
    /// What was last told of buttons that cannot be heard.
    complaint: Option<Problem>,
    /// When what was not open was last tried.
    tried: Instant,
    /// When the lines were last looked at.
    looked: Instant,
}

/// One button.
struct Ear {
    line: InputLine,
    open: bool,
    /// What was last told of it.
    told: Option<bool>,
    problem: Option<Problem>,
}

impl Listener {
    pub(super) fn new(shared: Arc<Shared>) -> Listener {
        let ears = shared.settings.buttons.iter();
        let ears = ears.map(|&line| Ear { line, open: false, told: None, problem: None }).collect();
        let now = Instant::now();
        Listener { shared, lines: None, ears, deaf: false, complaint: None, tried: now, looked: now }
    }

    /// Until [`Requests::stop`].
    pub(super) fn run(mut self) {
        loop {
            let patience = self.broken().then(|| RETRY.saturating_sub(self.tried.elapsed()));
            let waker = &self.shared.waker;
            let waited = match &mut self.lines {
                Some(lines) if !self.deaf => lines.wait(waker, patience),
                _ => waker.wait(&[], patience).map(drop).map_err(|error| format!("poll failed: {error}")),
            };
            waker.hush();
            let Requests { ping, stop } = std::mem::take(&mut *self.shared.requests());
            if stop {
                return;
            }
            if let Err(problem) = waited {
                self.lose_all(&problem);
            }
            self.pace();
            self.hear();
            self.shared.outputs.refresh();
            if self.broken() && self.tried.elapsed() >= RETRY {
                self.open_missing();
            }
            self.report();
            if let Some(n) = ping {
                (self.shared.tell)(GpioEvent::Pong(n));
            }
        }
    }

    /// Tries to open every line that is not open, the siren's first, and tells the levels of the buttons opened.
    pub(super) fn open_missing(&mut self) {
        self.tried = Instant::now();
        self.deaf = false;
        if !self.shared.outputs.any_open() && !self.ears.iter().any(|ear| ear.open) {
            // Nothing hangs on the choice of the backend: it may turn out otherwise now.
            self.lines = None;
        }
        let lines = match &mut self.lines {
            Some(lines) => lines,
            None => match lines::open(&self.shared.settings) {
                Ok(lines) => self.lines.insert(lines),
                Err(problem) => {
                    self.shared.outputs.all_failed(&problem);
                    self.ears.iter_mut().for_each(|ear| ear.problem = Some(problem.clone()));
                    return;
                }
            },
        };
        self.shared.outputs.open_missing(lines.as_mut());
        for (index, ear) in self.ears.iter_mut().enumerate().filter(|(_, ear)| !ear.open) {
            ear.problem = lines.open_input(index, ear.line.line, ear.line.active_low).err();
            ear.open = ear.problem.is_none();
        }
        self.hear();
        if !self.broken() {
            tracing::info!(backend = self.lines.as_ref().map(|lines| lines.name()), "every GPIO line is open");
        }
    }

    /// Tells when buttons can't be heard, or can be heard again.
    pub(super) fn report(&mut self) {
        let mut problems: Vec<_> = self.ears.iter().filter_map(|ear| ear.problem.as_deref()).collect();
        problems.dedup();
        let complaint = (!problems.is_empty()).then(|| problems.join("; "));
        if complaint != self.complaint {
            self.complaint = complaint.clone();
            (self.shared.tell)(GpioEvent::Hardware(match complaint {
                Some(problem) => HardwareReport::ButtonsFailed { problem },
                None => HardwareReport::ButtonsWork,
            }));
        }
    }

    /// Reads every open button and tells what has changed. One that left its level and came back in between is told as
    /// released and pressed again.
    fn hear(&mut self) {
        let Some(lines) = &mut self.lines else { return };
        for (index, ear) in self.ears.iter_mut().enumerate().filter(|(_, ear)| ear.open) {
            match lines.level(index) {
                Ok(level) => {
                    let asserted = level != ear.line.active_low;
                    let interrupted = lines.take_edges(index) && asserted && ear.told == Some(true);
                    if interrupted {
                        (self.shared.tell)(GpioEvent::Button { index, asserted: false });
                    }
                    if ear.told.replace(asserted) != Some(asserted) || interrupted {
                        (self.shared.tell)(GpioEvent::Button { index, asserted });
                    }
                }
                Err(problem) => {
                    ear.lose(lines.as_mut(), index, problem);
                    (self.shared.tell)(GpioEvent::ButtonLost { index });
                }
            }
        }
    }

    /// No button can be heard any more.
    fn lose_all(&mut self, problem: &Problem) {
        self.deaf = true;
        let Some(lines) = &mut self.lines else { return };
        for (index, ear) in self.ears.iter_mut().enumerate().filter(|(_, ear)| ear.open) {
            ear.lose(lines.as_mut(), index, problem.clone());
            (self.shared.tell)(GpioEvent::ButtonLost { index });
        }
    }

    fn broken(&self) -> bool {
        self.deaf || !self.shared.outputs.all_open() || !self.ears.iter().all(|ear| ear.open)
    }

    /// Lets what comes in quick succession run together.
    fn pace(&mut self) {
        if let Some(early) = PACE.checked_sub(self.looked.elapsed()) {
            std::thread::sleep(early);
        }
        self.looked = Instant::now();
    }
}

impl Ear {
    fn lose(&mut self, lines: &mut dyn Lines, index: usize, problem: Problem) {
        tracing::warn!(index, "a button's line was lost: {problem}");
        lines.close_input(index);
        self.open = false;
        self.told = None;
        self.problem = Some(problem);
    }
}
