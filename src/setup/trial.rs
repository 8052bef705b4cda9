//! The test that a person confirms: the buttons while the hub stands still, then the siren, then the center.

mod buttons;

use std::time::{Duration, Instant};

use super::Failure;
use super::dialogue::{Dialogue, Question};
use super::services::Services;
use crate::client::center_test::{self, Verdict};
use crate::client::{self, Errand};
use crate::config::Config;
use crate::controller::words::TestKind;
use crate::doctor::remedy;

/// How long the hub may take until it is there, after its start.
const START: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// How long the hub may take until it knows that it is ready, once all was tested.
const SETTLES: Duration = Duration::from_secs(5);
/// How long the center may take for a test.
const CENTER: Duration = Duration::from_secs(20);

/// What was tried, and what came of it.
pub struct Trial<'a> {
    config: &'a Config,
    /// What the hub works with until it is started again.
    running: &'a Config,
    dialogue: &'a Dialogue,
    services: Option<&'a Services>,
    /// How long a question may stay open while the hub stands still.
    patience: Duration,
    /// What was tried and found to work.
    pub confirmed: Vec<&'static str>,
    /// What nobody confirmed, with what to do.
    pub open: Vec<String>,
    /// Something was tried and failed.
    pub failed: bool,
}

impl<'a> Trial<'a> {
    /// Nothing was tried yet. `running` is what the hub works with until it is started again, `patience` how long a question
    /// may stay open while it stands still.
    pub fn new(
        config: &'a Config,
        running: &'a Config,
        dialogue: &'a Dialogue,
        services: Option<&'a Services>,
        patience: Duration,
    ) -> Trial<'a> {
        let (confirmed, open) = (Vec::new(), Vec::new());
        Trial { config, running, dialogue, services, patience, confirmed, open, failed: false }
    }

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

    fn wait_for_the_hub(&self) -> Result<(), client::Failure> {
        let deadline = Instant::now() + START;
        let mut was_told = false;
        loop {
            match client::converse(self.config, &Errand::Status) {
                Ok(_) => return Ok(()),
                // Without a service manager nobody has started it just now.
                Err(failure) if self.services.is_none() || Instant::now() >= deadline => return Err(failure),
                Err(_) => {
                    if !was_told {
                        self.dialogue.say(format_args!("\nWaiting for the hub, {} seconds at most…", START.as_secs()));
                        was_told = true;
                    }
                    std::thread::sleep(BETWEEN_LOOKS);
                }
            }
        }
    }

    fn siren(&mut self) -> Result<(), Failure> {
        let question = Question {
            question: "Test the siren now?",
            why: "It sounds for two seconds: tell whoever might be frightened.",
            option: "--no-test",
        };
        if !self.dialogue.asks || !self.agrees_now(&question, true)? {
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
            if self.agrees_now(&question, None)? {
                self.confirmed.push("the siren");
                return Ok(());
            }
            let line = self.config.siren.line;
            self.dialogue.say(format_args!(
                "  Check its supply, the relay's wires on line {line} and the level at which it switches."
            ));
            let question = Question { question: "Once more?", why: "The same for two seconds.", option: "--no-test" };
            if !self.agrees_now(&question, true)? {
                self.fail(&format!(
                    "The siren was not heard: check its supply and line {line}, then `sudo sos-hub setup --test`."
                ));
                return Ok(());
            }
        }
    }

    /// An answer that is given to this question and to no earlier one, which nobody waits for any more: something sounds, or
    /// is said to have been heard.
    fn agrees_now(&self, question: &Question, default: impl Into<Option<bool>>) -> Result<bool, Failure> {
        self.dialogue.forget_what_was_typed();
        self.dialogue.whether(question, None, default)
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
        match center_test::run(self.config, CENTER, |_| {}) {
            Ok((_, Verdict::Confirmed(_))) => {
                self.confirmed.push("the way to the center");
                self.dialogue.say("  The monitoring center has confirmed it.");
            }
            Ok((_, Verdict::NotSent(said))) => self.fail(&format!("The way to the center was not tested: {said}")),
            Ok((_, Verdict::Refused(said) | Verdict::Unconfirmed(said))) => self.fail(&said),
            Err(failure) => self.fail(&format!("The way to the center was not tested: {failure}")),
        }
    }
}
