//! The questions, in the order of the file, and what is to be written for the answers.

mod center;
mod home_broker;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::broker::LocalBroker;
use super::bundle::Bundle;
use super::dialogue::{Dialogue, PATIENCE, Question, first_line_of};
use super::document::Button;
use super::existing::Existing;
use super::options::{Level, Options, Reach};
use super::{Failure, broker};
use crate::config;

/// The lines of a Pi's header.
const LAST_LINE: u8 = 27;
/// As `hub.toml` takes it.
const LONGEST_NAME: usize = 32;
const SERVICES: [&str; 4] = ["police", "fire", "siren", "cancel"];
/// The panel slows guessing down; a shorter PIN is guessed all the same.
const SHORTEST_PIN: usize = 4;

/// What the home is to be like.
pub struct Answers {
    pub id: String,
    pub name: Option<String>,
    pub siren_line: u8,
    pub siren_active_low: bool,
    /// `None`: they stay as they are.
    pub buttons: Option<Vec<Button>>,
    pub led_line: Option<u8>,
    pub broker: Broker,
    /// `None`: it stays as it is.
    pub center: Option<Center>,
    pub reach: Reach,
    pub panel_port: u16,
    pub pin: Secret,
}

/// The home's broker.
pub enum Broker {
    /// The mosquitto of this machine.
    Local(LocalBroker),
    /// One that is there.
    There { host: String, port: u16, username: Option<String>, password: Secret, ca_file: Option<PathBuf> },
}

/// The monitoring center.
pub struct Center {
    pub bundle: Bundle,
    pub password: Secret,
}

/// A secret that has a file of its own.
pub enum Secret {
    None,
    /// As its file has it.
    Stays,
    New(String),
}

struct Asker<'a> {
    options: &'a Options,
    existing: &'a Existing,
    dialogue: &'a Dialogue,
    /// A mosquitto that is not the hub's runs on this machine.
    others_broker_runs: bool,
}

/// Asks everything that is open; `broker_runs`: whether there is a mosquitto at work on this machine.
pub fn ask(options: &Options, existing: &Existing, dialogue: &Dialogue, broker_runs: bool) -> Result<Answers, Failure> {
    let others_broker_runs = broker_runs && !broker::conf_file(&options.mosquitto_dir).is_file();
    let asker = Asker { options, existing, dialogue, others_broker_runs };
    // The center's files first: without them there is nothing to set up.
    let center = asker.center()?;
    let id = asker.id(center.as_ref())?;
    let siren_line = asker.siren_line()?;
    let siren_active_low = asker.siren_active_low()?;
    let led_line = asker.led(siren_line)?;
    let buttons = asker.buttons(&[Some(siren_line), led_line].into_iter().flatten().collect::<Vec<_>>())?;
    let broker = asker.broker()?;
    let (reach, panel_port) = asker.panel()?;
    let pin = asker.pin()?;
    let name = options.name.clone();
    Ok(Answers { id, name, siren_line, siren_active_low, buttons, led_line, broker, center, reach, panel_port, pin })
}

impl Asker<'_> {
    fn id(&self, center: Option<&Center>) -> Result<String, Failure> {
        let default = self.existing.word("hub", "id").or_else(|| center.map(|center| center.bundle.hub_id.clone()));
        let question = Question {
            question: "What is this hub called?",
            why: "Becomes part of the topics, as in sos/home/request: letters, digits, - and _.",
            option: "--id",
        };
        let default = default.unwrap_or_else(|| "home".to_owned());
        self.dialogue.text(&question, self.options.id.as_deref(), Some(&default), |answer| {
            config::is_topic_word(answer)
                .then(|| answer.to_owned())
                .ok_or_else(|| format!("{answer:?} will not do: use 1 to 64 letters (a-z), digits, - and _."))
        })
    }

    fn siren_line(&self) -> Result<u8, Failure> {
        let default = self.existing.number("siren", "line").unwrap_or(17).to_string();
        let question = Question {
            question: "Which line switches the siren?",
            why: "The BCM (GPIO) number that the relay's input is wired to; 9 to 27 stay low while the Pi boots.",
            option: "--siren-line",
        };
        self.dialogue.text(
            &question,
            self.options.siren_line.map(|line| line.to_string()).as_deref(),
            Some(&default),
            line,
        )
    }

    fn siren_active_low(&self) -> Result<bool, Failure> {
        let default = if self.existing.is_true("siren", "active_low") { "low" } else { "high" };
        let question = Question {
            question: "At which level of that line does the siren sound, high or low?",
            why: "Most transistors and many relay modules switch on high; modules marked \"low level trigger\" on low.",
            option: "--siren-active",
        };
        let given = self.options.siren_active.map(|level| if level == Level::Low { "low" } else { "high" });
        self.dialogue.text(&question, given, Some(default), |answer| match answer.to_lowercase().as_str() {
            "low" => Ok(true),
            "high" => Ok(false),
            _ => Err("Answer high or low.".to_owned()),
        })
    }

    fn led(&self, siren: u8) -> Result<Option<u8>, Failure> {
        let default = self.existing.number::<u8>("led", "line").map_or("none".to_owned(), |line| line.to_string());
        let question = Question {
            question: "Is there an LED, and on which line?",
            why: "It is steady when all is ready, and blinks at a fault or in the countdown. \"none\": there is none.",
            option: "--led-line",
        };
        let given = self.options.led_line.map(|line| line.to_string());
        let given = given.or_else(|| self.options.no_led.then(|| "none".to_owned()));
        self.dialogue.text(&question, given.as_deref(), Some(&default), |answer| match answer {
            "none" => Ok(None),
            answer => line(answer).and_then(|led| free(led, &[siren])).map(Some),
        })
    }

    fn buttons(&self, taken: &[u8]) -> Result<Option<Vec<Button>>, Failure> {
        if self.options.no_button {
            return Ok(Some(Vec::new()));
        }
        if !self.options.button.is_empty() {
            let given = self.options.button.join(", ");
            let list = buttons(&given, taken).map_err(|problem| Failure::Usage(format!("--button: {problem}")))?;
            return Ok(self.unless_it_is_there(list));
        }
        let there = self.existing.buttons();
        let shown = |list: &[Button]| {
            let list: Vec<String> =
                list.iter().map(|button| format!("{}:{}:{}", button.name, button.line, button.service)).collect();
            if list.is_empty() { "none".to_owned() } else { list.join(", ") }
        };
        let default = there.as_deref().map_or("hallway:22:police".to_owned(), shown);
        let question = Question {
            question: "Which buttons are there?",
            why: "NAME:LINE:SERVICE for each, with commas between; police, fire, siren or cancel. \"none\": there is none.",
            option: "--button",
        };
        let list = self.dialogue.text(&question, None, Some(&default), |answer| buttons(answer, taken))?;
        Ok(self.unless_it_is_there(list))
    }

    /// The buttons as they are to be, with what nobody was asked about, if that is not how they are. A button is the one
    /// that was there if it has its name, or else its line.
    fn unless_it_is_there(&self, mut list: Vec<Button>) -> Option<Vec<Button>> {
        let there = self.existing.buttons();
        let names: Vec<String> = list.iter().map(|button| button.name.clone()).collect();
        for button in &mut list {
            let former = there.iter().flatten();
            let same = former
                .clone()
                .find(|former| former.name == button.name)
                .or_else(|| former.clone().find(|former| former.line == button.line && !names.contains(&former.name)));
            if let Some(same) = same {
                (button.hold_ms, button.active_low) = (same.hold_ms, same.active_low);
            }
        }
        (there.as_ref() != Some(&list)).then_some(list)
    }

    fn panel(&self) -> Result<(Reach, u16), Failure> {
        let listen = self.existing.word("panel", "listen").and_then(|listen| listen.parse::<SocketAddr>().ok());
        let port = self.options.panel_port.or(listen.map(|listen| listen.port())).unwrap_or(8080);
        let is_open = listen.is_some_and(|listen| !listen.ip().is_loopback());
        let question = Question {
            question: "Who can open the panel in a browser: \"local\" (this machine alone) or \"network\"?",
            why: "For phones and tablets take network: it gets HTTPS with a certificate of its own.",
            option: "--panel",
        };
        let word = |reach| if reach == Reach::Network { "network" } else { "local" };
        let default = if is_open { "network" } else { "local" };
        let reach =
            self.dialogue.text(&question, self.options.panel.map(word), Some(default), |answer| match answer {
                "local" => Ok(Reach::Local),
                "network" => Ok(Reach::Network),
                _ => Err("Answer local or network.".to_owned()),
            })?;
        Ok((reach, port))
    }

    fn pin(&self) -> Result<Secret, Failure> {
        if self.options.no_pin {
            return Ok(Secret::None);
        }
        let stays = self.existing.file("panel", "pin_file").is_some_and(|file| file.is_file());
        let question = Question {
            question: "Which PIN opens the panel?",
            why: if stays {
                "Who knows it can act. Empty: the one that is there stays."
            } else {
                "Who knows it can act. Empty: one is made at random."
            },
            option: "--pin-file",
        };
        let too_short = format!("A PIN has at least {SHORTEST_PIN} characters.");
        for _ in 0..PATIENCE {
            match self.secret(&question, self.options.pin_file.as_deref(), stays)? {
                Secret::None => return Ok(Secret::New(broker::new_pin()?)),
                Secret::New(pin) if pin.chars().count() >= SHORTEST_PIN => return Ok(Secret::New(pin)),
                Secret::Stays => return Ok(Secret::Stays),
                Secret::New(_) if self.options.pin_file.is_some() => break,
                Secret::New(_) => self.dialogue.say(format_args!("  {too_short}")),
            }
        }
        Err(Failure::Usage(format!("--pin-file: {too_short}")))
    }

    fn secret(&self, question: &Question, file: Option<&Path>, stays: bool) -> Result<Secret, Failure> {
        let secret = match file {
            Some(file) => first_line_of(question.option, file)?,
            None => self.dialogue.secret(question)?,
        };
        Ok(match secret {
            secret if !secret.is_empty() => Secret::New(secret),
            _ if stays => Secret::Stays,
            _ => Secret::None,
        })
    }
}

fn line(answer: &str) -> Result<u8, String> {
    let line = answer.parse::<u8>().ok().filter(|line| *line <= LAST_LINE);
    line.ok_or_else(|| format!("{answer:?} is no BCM line from 0 to {LAST_LINE}: take the GPIO number, not the pin's."))
}

fn free(line: u8, taken: &[u8]) -> Result<u8, String> {
    if taken.contains(&line) {
        return Err(format!("Line {line} is taken already: each button and output needs its own."));
    }
    Ok(line)
}

fn buttons(answer: &str, taken: &[u8]) -> Result<Vec<Button>, String> {
    if answer == "none" {
        return Ok(Vec::new());
    }
    let mut taken = taken.to_vec();
    let mut list: Vec<Button> = Vec::new();
    for part in answer.split(',').map(str::trim) {
        let (rest, service) = part.rsplit_once(':').ok_or_else(|| not_a_button(part))?;
        let (name, number) = rest.rsplit_once(':').ok_or_else(|| not_a_button(part))?;
        let (name, service) = (name.trim(), service.trim());
        if name.is_empty() || !SERVICES.contains(&service) {
            return Err(not_a_button(part));
        }
        if name.chars().count() > LONGEST_NAME {
            return Err(format!("{name:?} is too long: a button's name has at most {LONGEST_NAME} characters."));
        }
        if list.iter().any(|button| button.name == name) {
            return Err(format!("Two buttons are called {name}: each needs its own name."));
        }
        let line = free(line(number.trim())?, &taken)?;
        taken.push(line);
        list.push(Button { name: name.to_owned(), line, service: service.to_owned(), hold_ms: None, active_low: None });
    }
    Ok(list)
}

fn not_a_button(part: &str) -> String {
    format!("{part:?} is no NAME:LINE:SERVICE, as hallway:22:police (or fire, siren, cancel).")
}
