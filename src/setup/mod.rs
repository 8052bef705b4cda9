//! `sos-hub setup`: from a machine with the package on it to a hub that was tested, in one dialogue or one command.
//!
//! *what is there → questions → files, all or none → services → the test that a person confirms.*
//!
//! Nothing is written before the last question is answered; every file is replaced whole, and what was there is put back
//! when the configuration that comes of it would not be accepted.

mod answers;
mod broker;
mod bundle;
mod dialogue;
mod document;
mod existing;
mod files;
mod options;
mod services;
mod trial;
mod write;

use std::fmt;

pub use files::{Owner, user};
pub use options::{Level, Options, Reach, Whether};

use self::dialogue::{Dialogue, Question};
use self::existing::Existing;
use self::services::Services;
use self::trial::Trial;
use crate::client::{self, Errand};
use crate::config::{Config, Problems};
use crate::exit;
use crate::store::history::{self, HistoryError};

/// Why the hub is not set up, in a sentence.
#[derive(Debug)]
pub enum Failure {
    /// An answer is missing or will not do.
    Usage(String),
    /// The configuration has to be mended first.
    Configuration(String),
    /// The configuration that comes of the answers is refused; nothing was changed.
    Refused(Problems),
    /// Something could not be written, started or stopped.
    Failed(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) | Failure::Configuration(text) | Failure::Failed(text) => f.write_str(text),
            Failure::Refused(problems) => {
                write!(f, "{problems}Nothing was changed: answer otherwise, or mend the file.")
            }
        }
    }
}

impl Failure {
    /// The exit code that says it to a script.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => exit::USAGE,
            Failure::Configuration(_) | Failure::Refused(_) => exit::CONFIGURATION,
            Failure::Failed(_) => exit::FAILED,
        }
    }
}

/// Sets the hub up; the exit code. What went wrong has been told.
pub fn run(options: &Options) -> u8 {
    match set_up(options) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

fn set_up(options: &Options) -> Result<u8, Failure> {
    let dialogue = Dialogue { asks: !options.yes };
    let services = Services::find(options.service_manager.as_deref(), !options.no_services);
    if options.test {
        let (config, _) = Config::load(&options.config).map_err(Failure::Refused)?;
        refuse_beside_an_incident(&config)?;
        return finish(&config, &dialogue, services.as_ref(), false);
    }
    files::writable(&options.config)?;
    let existing = Existing::read(&options.config, options.fresh)?;
    let before = Config::load(&options.config).ok().map(|(config, _)| config);
    if let Some(config) = before.as_ref().filter(|_| existing.is_set_up) {
        refuse_beside_an_incident(config)?;
    }
    if existing.is_set_up && dialogue.asks {
        let question = Question {
            question: "This hub is set up already. Change it?",
            why: "Each question has what is there as its default, and a copy of the file is kept.",
            option: "--yes",
        };
        if !dialogue.whether(&question, None, true)? {
            return Ok(exit::WELL);
        }
    }
    let answers = answers::ask(options, &existing, &dialogue)?;
    let write::Written { loaded: (config, warnings), has_local_broker, changes, notes } =
        write::write(options, &existing, &answers, &dialogue)?;
    if let Some(services) = services.as_ref().filter(|_| has_local_broker)
        && let Err(failure) = services.restart(services::BROKER)
    {
        // Others may need it: it goes on as it was.
        changes.undo();
        let again = services.restart(services::BROKER).is_ok();
        let then = if again { "it runs as before" } else { "and it did not start as before either" };
        return Err(Failure::Failed(format!("{failure} What was written has been taken back; {then}.")));
    }
    if !warnings.is_empty() {
        dialogue.say(&warnings);
    }
    dialogue.say(format_args!("\n{} is written, and `sos-hub check` accepts it.", options.config.display()));
    for note in &notes {
        dialogue.say(note);
    }
    if let Some(services) = &services {
        services.enable(services::HUB)?;
    }
    if options.no_test {
        if let Some(services) = &services {
            services.restart(services::HUB)?;
        }
        return Ok(exit::WELL);
    }
    finish(&config, &dialogue, services.as_ref(), true)
}

/// Starts the hub if asked to, tests it, and says what is left to do.
fn finish(config: &Config, dialogue: &Dialogue, services: Option<&Services>, restart: bool) -> Result<u8, Failure> {
    let mut trial = Trial { config, dialogue, services, open: Vec::new(), failed: false };
    if services.is_none() && restart {
        dialogue.say("\nNo service was started: start broker and hub, then run `sos-hub setup --test`.");
        return Ok(exit::WELL);
    }
    trial.run(restart)?;
    let Trial { open, failed, .. } = trial;
    if open.is_empty() {
        dialogue.say("\nAll of it works: buttons, siren and center were confirmed.");
    } else {
        dialogue.say("\nLeft to do:");
        for what in open {
            dialogue.say(format_args!("- {what}"));
        }
    }
    Ok(if failed { exit::FAILED } else { exit::WELL })
}

/// Nothing is changed or stopped while somebody waits for help.
fn refuse_beside_an_incident(config: &Config) -> Result<(), Failure> {
    match client::converse(config, &Errand::Status) {
        Ok((state, _)) if state["phase"] != "idle" => Err(Failure::Failed(
            "An incident is open, so nothing was changed: run the setup again when it is over.".to_owned(),
        )),
        Ok(_) => Ok(()),
        // Its broker may be away while its siren sounds: then what it has written down decides.
        Err(_) => match history::read(&config.hub.state_dir, usize::MAX) {
            Ok(entries) if entries.iter().all(|entry| entry.ended_at.is_some()) => Ok(()),
            Ok(_) => Err(Failure::Failed(
                "An incident is open, so the hub was not stopped: run the setup again when it is over.".to_owned(),
            )),
            Err(HistoryError::Missing(_)) => Ok(()),
            Err(problem) => Err(Failure::Failed(format!(
                "Whether an incident is open cannot be seen, so the hub was not stopped ({problem}).",
            ))),
        },
    }
}
