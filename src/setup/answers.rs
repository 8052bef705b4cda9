//! The questions, in the order of the file, and what is to be written for the answers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::bundle::Bundle;
use super::dialogue::{Dialogue, Question, first_line_of};
use super::document::Button;
use super::existing::Existing;
use super::options::{Level, Options, Reach, Whether};
use super::{Failure, broker};
use crate::config;

/// The lines of a Pi's header.
const LAST_LINE: u8 = 27;
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
    Local { port: u16, home_assistant: bool },
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
}

/// Asks everything that is open.
pub fn ask(options: &Options, existing: &Existing, dialogue: &Dialogue) -> Result<Answers, Failure> {
    let asker = Asker { options, existing, dialogue };
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
    fn center(&self) -> Result<Option<Center>, Failure> {
        let is_there = self.existing.word("center", "account").is_some();
        let question = Question {
            question: "Where are the files of the monitoring center?",
            why: if is_there {
                "A directory with hub.key, center.pub, plan.jwt and hub.toml; \"keep\" leaves the center as it is."
            } else {
                "A directory with hub.key, center.pub, plan.jwt and hub.toml. Without a center there is no help."
            },
            option: "--center",
        };
        let given = self.options.center.as_deref().map(|dir| dir.to_string_lossy().into_owned());
        let bundle =
            self.dialogue.text(&question, given.as_deref(), is_there.then_some("keep"), |answer| match answer {
                "" => Err("Name a directory.".to_owned()),
                "keep" if is_there => Ok(None),
                dir => Bundle::read(Path::new(dir)).map(Some),
            })?;
        let Some(bundle) = bundle else { return Ok(None) };
        let same_account = self.existing.word("center", "account").as_deref() == Some(bundle.account.as_str());
        let stays = same_account && self.existing.file("center", "password_file").is_some_and(|file| file.is_file());
        let password = self.secret(
            &Question {
                question: "What is the hub's password at the center's broker?",
                why: if stays {
                    "The center gives it out. Empty: the one that is there stays."
                } else {
                    "The center gives it out. Empty: there is none."
                },
                option: "--center-password-file",
            },
            self.options.center_password_file.as_deref(),
            stays,
        )?;
        Ok(Some(Center { bundle, password }))
    }

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
            return buttons(&given, taken).map(Some).map_err(|problem| Failure::Usage(format!("--button: {problem}")));
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
        Ok((there.as_ref() != Some(&list)).then_some(list))
    }

    fn broker(&self) -> Result<Broker, Failure> {
        let conf = self.options.mosquitto_dir.join("conf.d/sos-home.conf");
        let default = match self.existing.word("app", "host") {
            Some(host) => {
                if conf.is_file() && host == "127.0.0.1" {
                    "local".to_owned()
                } else {
                    host
                }
            }
            None if self.existing.is_set_up && self.existing.word("hub", "id").is_some() && !conf.is_file() => {
                "127.0.0.1".to_owned()
            }
            None => "local".to_owned(),
        };
        let question = Question {
            question: "Which broker do apps and Home Assistant talk to?",
            why: "\"local\" sets up the mosquitto of this machine; a name or address is one that is there already.",
            option: "--broker",
        };
        let host =
            self.dialogue.text(&question, self.options.broker.as_deref(), Some(&default), |answer| match answer {
                "" => Err("Answer local, or a name or address.".to_owned()),
                "local" if !broker::LocalBroker::is_installed(&self.options.mosquitto_dir) => Err(format!(
                    "There is no mosquitto in {}: install it with `sudo apt-get install mosquitto` and start again.",
                    self.options.mosquitto_dir.display()
                )),
                answer => Ok(answer.to_owned()),
            })?;
        if host == "local" { self.local_broker() } else { self.broker_that_is_there(host) }
    }

    fn local_broker(&self) -> Result<Broker, Failure> {
        let port = self.options.broker_port.or_else(|| self.existing.number("app", "port")).unwrap_or(1883);
        let question = Question {
            question: "Does Home Assistant get a user at this broker?",
            why: "Its password is put into client-homeassistant.password beside hub.toml, for you to enter there.",
            option: "--home-assistant",
        };
        let password_file = self.options.config.with_file_name("client-homeassistant.password");
        let given = self.options.home_assistant.map(|whether| whether == Whether::Yes);
        let home_assistant = self.dialogue.whether(&question, given, password_file.is_file())?;
        Ok(Broker::Local { port, home_assistant })
    }

    fn broker_that_is_there(&self, host: String) -> Result<Broker, Failure> {
        let same_host = self.existing.app_host().as_deref() == Some(host.as_str());
        let ca_file = self.options.broker_ca_file.clone();
        let has_ca = ca_file.is_some() || (same_host && self.existing.word("app", "ca_file").is_some());
        let default = self.existing.number::<u16>("app", "port").filter(|_| same_host);
        let default = default.unwrap_or(if has_ca { 8883 } else { 1883 }).to_string();
        let question = Question {
            question: "On which port is it?",
            why: "Usually 1883, or 8883 where it speaks TLS (name its authority with --broker-ca-file).",
            option: "--broker-port",
        };
        let given = self.options.broker_port.map(|port| port.to_string());
        let port = self.dialogue.text(&question, given.as_deref(), Some(&default), |answer| {
            answer
                .parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| "Answer a port from 1 to 65535.".to_owned())
        })?;
        let there = self.existing.word("app", "username").filter(|_| same_host);
        let question = Question {
            question: "Which user is the hub there?",
            why: "It must be allowed to read its commands and to write all else below sos/. \"none\": without a login.",
            option: "--broker-user",
        };
        let default = there.as_deref().unwrap_or(if same_host { "none" } else { broker::HUB_USER });
        let username = self.dialogue.text(&question, self.options.broker_user.as_deref(), Some(default), |answer| {
            Ok((answer != "none" && !answer.is_empty()).then(|| answer.to_owned()))
        })?;
        let stays = username == there && self.existing.file("app", "password_file").is_some_and(|file| file.is_file());
        let password = match username {
            None => Secret::None,
            Some(_) => self.secret(
                &Question {
                    question: "What is that user's password?",
                    why: if stays { "Empty: the one that is there stays." } else { "Empty: there is none." },
                    option: "--broker-password-file",
                },
                self.options.broker_password_file.as_deref(),
                stays,
            )?,
        };
        Ok(Broker::There { host, port, username, password, ca_file })
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
        let pin = self.secret(&question, self.options.pin_file.as_deref(), stays)?;
        match pin {
            Secret::None => Ok(Secret::New(broker::new_pin()?)),
            Secret::New(pin) if pin.chars().count() < SHORTEST_PIN => {
                Err(Failure::Usage(format!("--pin-file: a PIN has at least {SHORTEST_PIN} characters.")))
            }
            other => Ok(other),
        }
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
        if list.iter().any(|button| button.name == name) {
            return Err(format!("Two buttons are called {name}: each needs its own name."));
        }
        let line = free(line(number.trim())?, &taken)?;
        taken.push(line);
        list.push(Button { name: name.to_owned(), line, service: service.to_owned() });
    }
    Ok(list)
}

fn not_a_button(part: &str) -> String {
    format!("{part:?} is no NAME:LINE:SERVICE, as hallway:22:police (or fire, siren, cancel).")
}
