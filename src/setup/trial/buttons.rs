//! The buttons, one after the other. A hub that runs would raise an alarm: so it is stopped, and its lines are heard from
//! here.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::Trial;
use crate::client::{self, Errand};
use crate::config::Gpio as Lines;
use crate::controller::input::HardwareReport;
use crate::drivers::gpio::{Gpio, GpioEvent, holder};
use crate::setup::dialogue::{Dialogue, Question};
use crate::setup::pause::Pause;
use crate::setup::{Failure, incident};
use crate::wiring;

/// No more is to be expected of a button once it was quiet for this long.
const SETTLED: Duration = Duration::from_millis(200);
const TEST_AGAIN: &str = "run `sudo sos-hub setup --test`";

/// What one button came to.
enum Pressed {
    /// It works, was skipped, or is on the list of what is open.
    Done,
    /// None can be heard.
    Deaf,
}

impl Trial<'_> {
    /// Tests them if somebody wants to, and has the hub started (again) then or if asked to.
    pub(super) fn buttons(&mut self, restart: bool) -> Result<(), Failure> {
        // The hub goes on with what it was started with.
        let ended = |failure: Failure| if restart { failure.before_the_start() } else { failure };
        if self.config.buttons.is_empty() || !self.wants_to_press().map_err(ended)? {
            return self.restart_if(restart);
        }
        let pause = match self.services {
            Some(services) => {
                // Minutes may have gone by since it was asked first.
                let standing = incident::look(self.running);
                standing.must_be_idle("the hub was not stopped and goes on as it was started").map_err(ended)?;
                match Pause::begin(services, self.patience) {
                    Ok(pause) => {
                        // The hub has heard everything up to its end.
                        let standing = incident::remembered(&self.running.hub.state_dir);
                        if let Err(failure) =
                            standing.must_be_idle("the hub was started again at once, without the test")
                        {
                            pause.end()?;
                            return Err(failure);
                        }
                        Some(pause)
                    }
                    Err(failure) => {
                        self.fail(&format!("The buttons were not tested, and the hub not stopped: {failure}."));
                        return self.restart_if(restart);
                    }
                }
            }
            None if client::converse(self.config, &Errand::Status).is_ok() => {
                self.open.push("The buttons were not tested, as the hub runs: end it and test again.".to_owned());
                return Ok(());
            }
            None => None,
        };
        let pressed = self.press_them(pause.as_ref());
        // A hub that runs is worth more than what went wrong with its test.
        pause.map_or(Ok(()), Pause::end)?;
        pressed
    }

    fn wants_to_press(&mut self) -> Result<bool, Failure> {
        let question = Question {
            question: "Test the buttons now?",
            why: "The hub stands still meanwhile, so that nothing is raised: nobody can call for help through it.",
            option: "--no-test",
        };
        let wants = self.dialogue.asks && self.dialogue.whether(&question, None, true)?;
        if !wants {
            self.open.push(format!("The buttons were not tested: {TEST_AGAIN}."));
        }
        Ok(wants)
    }

    fn restart_if(&self, restart: bool) -> Result<(), Failure> {
        self.services.filter(|_| restart).map_or(Ok(()), |services| services.restart_hub())
    }

    fn press_them(&mut self, pause: Option<&Pause>) -> Result<(), Failure> {
        if let Some((line, holder)) = self.held() {
            self.fail(&format!(
                "The buttons were not tested: line {line} is held by \"{holder}\", which would hear them too. End that \
                 program, then {TEST_AGAIN}."
            ));
            return Ok(());
        }
        let (sender, events) = channel();
        let gpio = Gpio::start(wiring::gpio(self.config), move |event| {
            // Nobody listens any more once all are tried.
            let _ = sender.send(event);
        });
        let gpio = gpio.map_err(|error| Failure::Failed(format!("The lines cannot be opened: {error}.")))?;
        let before = self.open.len();
        for index in 0..self.config.buttons.len() {
            match self.press(index, &events, pause) {
                Ok(Pressed::Done) => {}
                Ok(Pressed::Deaf) => break,
                Err(Failure::NoAnswer) => {
                    let name = &self.config.buttons[index].name;
                    let what = format!("The buttons from {name} on were not tested, as nobody answered: {TEST_AGAIN}.");
                    self.dialogue.say("\n  Nobody answers, so the hub is started again.");
                    self.fail(&what);
                    break;
                }
                Err(other) => return Err(other),
            }
        }
        if self.open.len() == before {
            self.confirmed.push("the buttons");
        }
        gpio.stop();
        Ok(())
    }

    /// A button's line that another program has, and its name.
    fn held(&self) -> Option<(u8, String)> {
        if matches!(self.config.gpio, Lines::Mock(_)) {
            return None;
        }
        // Where it cannot be seen the lines themselves will say so.
        let held = |line: u8| holder(line.into()).ok().flatten().map(|name| (line, name));
        self.config.buttons.iter().find_map(|button| held(button.line))
    }

    /// Questions may be asked, up to a time where the hub stands still for them.
    fn questions(&self, pause: Option<&Pause>) -> Result<Dialogue, Failure> {
        let until = pause.map(Pause::go_on).transpose()?;
        Ok(Dialogue { until, ..*self.dialogue })
    }

    fn press(&mut self, index: usize, events: &Receiver<GpioEvent>, pause: Option<&Pause>) -> Result<Pressed, Failure> {
        let button = &self.config.buttons[index];
        let (name, line) = (&button.name, button.line);
        let mut held_at_start = false;
        for event in events.try_iter() {
            match event {
                GpioEvent::Button { index: at, asserted } if at == index => held_at_start = asserted,
                GpioEvent::Hardware(HardwareReport::ButtonsFailed { problem }) => {
                    self.fail(&format!("The buttons from {name} on cannot be heard: {problem}."));
                    return Ok(Pressed::Deaf);
                }
                _ => {}
            }
        }
        if held_at_start {
            self.fail(&format!(
                "The button {name} reads as pressed while nobody presses it: check its wire and pull-up on line {line}, \
                 and active_low in hub.toml."
            ));
            return Ok(Pressed::Done);
        }
        loop {
            let prompt =
                format!("\nPress the button {name} (line {line}) and let it go, then press Enter here (s: skip it) > ");
            if self.questions(pause)?.line(&prompt)?.eq_ignore_ascii_case("s") {
                self.open.push(format!("The button {name} was not tested: {TEST_AGAIN}."));
                return Ok(Pressed::Done);
            }
            let mut seen: Vec<(usize, bool)> = Vec::new();
            while let Ok(event) = events.recv_timeout(SETTLED) {
                match event {
                    GpioEvent::Button { index, asserted } => seen.push((index, asserted)),
                    GpioEvent::Hardware(HardwareReport::ButtonsFailed { problem }) => {
                        self.fail(&format!("The buttons from {name} on cannot be heard: {problem}."));
                        return Ok(Pressed::Deaf);
                    }
                    _ => {}
                }
            }
            if seen.contains(&(index, true)) && seen.contains(&(index, false)) {
                self.dialogue.say(format_args!("  Seen: {name} works."));
                return Ok(Pressed::Done);
            }
            let other = seen.iter().find(|(at, asserted)| *at != index && *asserted);
            self.dialogue.say(match other.and_then(|(at, _)| self.config.buttons.get(*at)) {
                Some(other) => format!("  That was the button {} (line {}).", other.name, other.line),
                None if seen.contains(&(index, true)) => "  It was pressed and not let go.".to_owned(),
                None => "  Nothing was seen.".to_owned(),
            });
            let question = Question {
                question: "Once more?",
                why: "Check wire, line and ground in between.",
                option: "--no-test",
            };
            if !self.questions(pause)?.whether(&question, None, true)? {
                self.fail(&format!(
                    "The button {name} was not seen: check its wire on line {line}, then {TEST_AGAIN}."
                ));
                return Ok(Pressed::Done);
            }
        }
    }
}
