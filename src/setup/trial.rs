//! The test that a person confirms: the buttons while the hub stands still, then the siren, then the center.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::Failure;
use super::dialogue::{Dialogue, Question};
use super::services::Services;
use crate::client::{self, Errand};
use crate::config::Config;
use crate::controller::input::HardwareReport;
use crate::controller::words::TestKind;
use crate::doctor::remedy;
use crate::drivers::gpio::{Gpio, GpioEvent};
use crate::wiring;

/// How long the hub may take until it is there, after its start.
const START: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// No more is to be expected of a button once it was quiet for this long.
const SETTLED: Duration = Duration::from_millis(200);
/// How long the hub may take until it knows that it is ready, once all was tested.
const SETTLES: Duration = Duration::from_secs(5);
/// How long the center may take for a test.
const CENTER: Duration = Duration::from_secs(20);

/// What was tried, and what came of it.
pub struct Trial<'a> {
    pub config: &'a Config,
    pub dialogue: &'a Dialogue,
    pub services: Option<&'a Services>,
    /// What nobody confirmed, with what to do.
    pub open: Vec<String>,
    /// Something was tried and failed.
    pub failed: bool,
}

impl Trial<'_> {
    /// Has the hub started (again) with a test of its buttons before; then tests the rest.
    pub fn run(&mut self, restart: bool) -> Result<(), Failure> {
        self.buttons(restart)?;
        match self.wait_for_the_hub() {
            Ok(()) => {
                self.siren()?;
                self.center();
                self.readiness();
            }
            Err(failure) => {
                let problem = failure.to_string();
                self.fail(&format!("The hub does not answer, so siren and center were not tested: {problem}"));
            }
        }
        Ok(())
    }

    fn fail(&mut self, what: &str) {
        self.failed = true;
        self.open.push(what.to_owned());
    }

    /// A hub that runs would raise an alarm. So it is stopped, and its lines are heard from here.
    fn buttons(&mut self, restart: bool) -> Result<(), Failure> {
        let has_buttons = !self.config.buttons.is_empty();
        let wanted = has_buttons && self.dialogue.asks && {
            let question = Question {
                question: "Test the buttons now?",
                why: "The hub stands still meanwhile, so that nothing is raised: nobody can call for help through it.",
                option: "--no-test",
            };
            self.dialogue.whether(&question, None, true)?
        };
        if !wanted {
            if has_buttons {
                self.open.push("The buttons were not tested: run `sudo sos-hub setup --test`.".to_owned());
            }
            return match self.services.filter(|_| restart) {
                Some(services) => services.restart(super::services::HUB),
                None => Ok(()),
            };
        }
        let pause = match self.services {
            Some(services) => {
                // Minutes may have gone by since it was asked first.
                super::refuse_beside_an_incident(self.config)?;
                Some(services.pause_hub()?)
            }
            None if client::converse(self.config, &Errand::Status).is_ok() => {
                self.open.push("The buttons were not tested, as the hub runs: end it and test again.".to_owned());
                return Ok(());
            }
            None => None,
        };
        self.press_them()?;
        pause.map_or(Ok(()), |pause| pause.end())
    }

    fn press_them(&mut self) -> Result<(), Failure> {
        let (sender, events) = channel();
        let gpio = Gpio::start(wiring::gpio(self.config), move |event| {
            // Nobody listens any more once all are tried.
            let _ = sender.send(event);
        });
        let gpio = gpio.map_err(|error| Failure::Failed(format!("The lines cannot be opened: {error}.")))?;
        for index in 0..self.config.buttons.len() {
            self.press(index, &events)?;
        }
        gpio.stop();
        Ok(())
    }

    fn press(&mut self, index: usize, events: &Receiver<GpioEvent>) -> Result<(), Failure> {
        let button = &self.config.buttons[index];
        let (name, line) = (&button.name, button.line);
        let mut held_at_start = false;
        for event in events.try_iter() {
            match event {
                GpioEvent::Button { index: at, asserted } if at == index => held_at_start = asserted,
                GpioEvent::Hardware(HardwareReport::ButtonsFailed { problem }) => {
                    self.fail(&format!("The button {name} cannot be heard: {problem}."));
                    return Ok(());
                }
                _ => {}
            }
        }
        if held_at_start {
            self.fail(&format!(
                "The button {name} reads as pressed while nobody presses it: check its wire and pull-up on line {line}, \
                 and active_low in hub.toml."
            ));
            return Ok(());
        }
        loop {
            let prompt =
                format!("\nPress the button {name} (line {line}) and let it go, then press Enter here (s: skip it) > ");
            if self.dialogue.line(&prompt)?.eq_ignore_ascii_case("s") {
                self.open.push(format!("The button {name} was not tested: run `sudo sos-hub setup --test`."));
                return Ok(());
            }
            let mut seen: Vec<(usize, bool)> = Vec::new();
            while let Ok(event) = events.recv_timeout(SETTLED) {
                if let GpioEvent::Button { index, asserted } = event {
                    seen.push((index, asserted));
                }
            }
            if seen.contains(&(index, true)) && seen.contains(&(index, false)) {
                self.dialogue.say(format_args!("  Seen: {name} works."));
                return Ok(());
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
            if !self.dialogue.whether(&question, None, true)? {
                self.fail(&format!(
                    "The button {name} was not seen: check its wire on line {line}, then `sudo sos-hub setup --test`."
                ));
                return Ok(());
            }
        }
    }

    fn wait_for_the_hub(&self) -> Result<(), client::Failure> {
        let deadline = Instant::now() + START;
        loop {
            match client::converse(self.config, &Errand::Status) {
                Ok(_) => return Ok(()),
                // Without a service manager nobody has started it just now.
                Err(failure) if self.services.is_none() || Instant::now() >= deadline => return Err(failure),
                Err(_) => std::thread::sleep(BETWEEN_LOOKS),
            }
        }
    }

    fn siren(&mut self) -> Result<(), Failure> {
        let question = Question {
            question: "Test the siren now?",
            why: "It sounds for two seconds: tell whoever might be frightened.",
            option: "--no-test",
        };
        if !self.dialogue.asks || !self.dialogue.whether(&question, None, true)? {
            self.open.push("The siren was not tested: run `sudo sos-hub test siren`, and listen.".to_owned());
            return Ok(());
        }
        loop {
            match client::converse(self.config, &Errand::Test(TestKind::Siren)) {
                Ok((answer, _)) if answer["outcome"] == "accepted" => {}
                Ok((_, said)) => {
                    self.fail(&format!("The siren was not tested: {said}"));
                    return Ok(());
                }
                Err(failure) => {
                    self.fail(&format!("The siren was not tested: {failure}"));
                    return Ok(());
                }
            }
            let question =
                Question { question: "Did you hear it?", why: "For two seconds, just now.", option: "--no-test" };
            if self.dialogue.whether(&question, None, true)? {
                return Ok(());
            }
            let line = self.config.siren.line;
            self.dialogue.say(format_args!(
                "  Check its supply, the relay's wires on line {line} and the level at which it switches."
            ));
            let question = Question { question: "Once more?", why: "The same for two seconds.", option: "--no-test" };
            if !self.dialogue.whether(&question, None, true)? {
                self.fail(&format!(
                    "The siren was not heard: check its supply and line {line}, then `sudo sos-hub setup --test`."
                ));
                return Ok(());
            }
        }
    }

    /// What the hub itself says is missing: a test that was heard is not yet an SOS that works.
    fn readiness(&mut self) {
        let deadline = Instant::now() + SETTLES;
        loop {
            match client::converse(self.config, &Errand::Status) {
                Ok((state, _)) if state["ready"] == true => return,
                Ok(_) if Instant::now() < deadline => std::thread::sleep(BETWEEN_LOOKS),
                Ok((state, _)) => {
                    for fault in state["faults"].as_array().into_iter().flatten() {
                        let message = fault["message"].as_str().unwrap_or_default();
                        let remedy = fault["code"].as_str().and_then(remedy).unwrap_or_default();
                        self.fail(&format!("The hub is not ready. {message} {remedy}"));
                    }
                    return;
                }
                Err(failure) => {
                    self.fail(&format!("Whether the hub is ready was not seen: {failure}"));
                    return;
                }
            }
        }
    }

    fn center(&mut self) {
        self.dialogue.say("\nA test signal goes to the monitoring center…");
        match client::test_center(self.config, CENTER) {
            Ok(()) => self.dialogue.say("  The monitoring center has confirmed it."),
            Err(failure) => self.fail(&format!("The center was not reached: {failure} See `sudo sos-hub doctor`.")),
        }
    }
}
