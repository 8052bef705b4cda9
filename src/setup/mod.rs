//! `sos-hub setup`: from a machine with the package on it to a hub that was tested, in one dialogue or one command.
//!
//! *what is there → questions → the list of what is written → files, all or none → services → the test that a person
//! confirms.*
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
mod incident;
mod options;
mod pause;
mod plan;
mod services;
mod trial;
mod users;
mod write;

use std::fmt;
use std::time::Duration;

pub use options::{Level, Options, Reach, Whether};
pub use users::{Owner, user};

use self::dialogue::{Dialogue, Question};
use self::existing::Existing;
use self::services::{BROKER, HUB, Services};
use self::trial::Trial;
use crate::config::{Broker, Config, PanelTls, Problems};
use crate::{exit, panel, wiring};

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
    /// The hub does not start with what was written.
    NotStarted(String),
    /// Nobody has answered a question that cannot stay open.
    NoAnswer,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) | Failure::Configuration(text) | Failure::Failed(text) | Failure::NotStarted(text) => {
                f.write_str(text)
            }
            Failure::NoAnswer => f.write_str("Nobody has answered in time."),
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
            Failure::Failed(_) | Failure::NotStarted(_) | Failure::NoAnswer => exit::FAILED,
        }
    }

    /// The same of a setup whose files are written, while the hub was not started with them.
    fn before_the_start(self) -> Failure {
        let then = "What was written stays, and counts from the hub's next start on: sudo systemctl restart sos-hub.";
        match self {
            Failure::Usage(text) => Failure::Usage(format!("{text} {then}")),
            other => Failure::Failed(format!("{other} {then}")),
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
    let dialogue = Dialogue { asks: !options.yes, until: None };
    let manager = Services::find(options.service_manager.as_deref());
    let unit = manager.as_ref().map(Services::hub_unit).unwrap_or_default();
    let services = manager.as_ref().filter(|_| !options.no_services);
    // The service is another hub than this file's: that one goes on.
    let hub_service = services.filter(|_| unit.works_with(&options.config));
    let stage = Stage { options, dialogue: &dialogue, service: hub_service };
    if options.test {
        let (config, _) = Config::load(&options.config).map_err(Failure::Refused)?;
        incident::look(&config).must_be_idle("the hub was not stopped")?;
        return stage.finish(&config, &config, false);
    }
    files::writable(&options.config)?;
    let existing = Existing::read(&options.config, options.fresh)?;
    let before = Config::load(&options.config).ok().map(|(config, _)| config);
    if existing.is_set_up {
        // With a file that is refused now a hub may run all the same, since before.
        let standing = before.as_ref().map_or_else(|| incident::remembered(&existing.state_dir()), incident::look);
        standing.must_be_idle("nothing was changed")?;
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
    let broker_runs = manager.as_ref().is_some_and(|manager| manager.is_active(BROKER));
    let answers = answers::ask(options, &existing, &dialogue, broker_runs)?;
    let write::Written { loaded: (config, warnings), has_local_broker, changes, notes } =
        write::write(options, &existing, &answers, &unit.credentials, |list| dialogue.say(format_args!("\n{list}")))?;
    let broker_service = services.filter(|_| has_local_broker);
    if let Some(services) = broker_service
        && let Err(failure) = services.restart(BROKER)
    {
        // Others may need it: it goes on as it was.
        changes.undo();
        let again = services.restart(BROKER).is_ok();
        let then = if again { "it runs as before" } else { "and it did not start as before either" };
        return Err(Failure::Failed(format!("{failure} What was written has been taken back; {then}.")));
    }
    if !warnings.is_empty() {
        dialogue.say(&warnings);
    }
    dialogue.say(format_args!("\n{} is written, and `sos-hub check` accepts it.", options.config.display()));
    if hub_service.is_some() {
        // Whoever ends it with Ctrl-C at the next question has no other word of this.
        dialogue.say("It counts from the hub's next start on, which is the setup's next step.");
    }
    for note in &notes {
        dialogue.say(note);
    }
    if let (Some(_), None, Some(other)) = (services, hub_service, &unit.config) {
        dialogue.say(format_args!(
            "{HUB} is the hub of {}, so it was neither stopped nor started. Start this one, then run `sos-hub setup --test`.",
            other.display()
        ));
    }
    if let Some(services) = hub_service {
        services.enable(HUB).map_err(Failure::before_the_start)?;
    }
    match stage.finish(&config, before.as_ref().unwrap_or(&config), true) {
        Err(Failure::NotStarted(failure)) if existing.is_set_up => {
            // It has worked with what was there.
            changes.undo();
            let broker = broker_service.map_or(Ok(()), |services| services.restart(BROKER));
            let hub = hub_service.map_or(Ok(()), Services::restart_hub);
            let then =
                if broker.and(hub).is_ok() { "the hub runs as before" } else { "it did not start as before either" };
            Err(Failure::Failed(format!("{failure} What was written has been taken back; {then}.")))
        }
        other => other,
    }
}

/// Where the hub is started and tested.
struct Stage<'a> {
    options: &'a Options,
    dialogue: &'a Dialogue,
    /// The hub's; `None`: it is not to be stopped or started.
    service: Option<&'a Services>,
}

impl Stage<'_> {
    /// Starts the hub if asked to, tests it, and says what is left to do. `running` is what the hub works with until then.
    fn finish(&self, config: &Config, running: &Config, restart: bool) -> Result<u8, Failure> {
        if self.options.no_test {
            self.service.map_or(Ok(()), Services::restart_hub)?;
            self.say_where(config);
            return Ok(exit::WELL);
        }
        if self.service.is_none() && restart {
            self.dialogue.say("\nNo service was started: start broker and hub, then run `sos-hub setup --test`.");
            self.say_where(config);
            return Ok(exit::WELL);
        }
        let patience = Duration::from_secs(self.options.answer_within);
        let mut trial = Trial::new(config, running, self.dialogue, self.service, patience);
        trial.run(restart)?;
        let Trial { confirmed, open, failed, .. } = trial;
        if open.is_empty() {
            let confirmed = match confirmed.split_last() {
                Some((last, [])) => (*last).to_owned(),
                Some((last, others)) => format!("{} and {last}", others.join(", ")),
                None => "nothing".to_owned(),
            };
            self.dialogue.say(format_args!("\nAll of it works. Confirmed: {confirmed}."));
        } else {
            self.dialogue.say("\nLeft to do:");
            for what in open {
                self.dialogue.say(format_args!("- {what}"));
            }
        }
        if restart {
            self.say_where(config);
        }
        Ok(if failed { exit::FAILED } else { exit::WELL })
    }

    /// Where the hub that was set up is found.
    fn say_where(&self, config: &Config) {
        let listen = config.panel.listen;
        let (addresses, tls) = (panel::addresses(listen, &config.panel.tls).join(" or "), &config.panel.tls);
        let from = if listen.ip().is_loopback() { " on this machine" } else { "" };
        let trust = if matches!(tls, PanelTls::SelfMade) { "; browsers ask once whether to trust it" } else { "" };
        let pin = match &config.panel.pin_file {
            Some(file) => format!("The PIN with which it can act is set, in {}.", file.display()),
            None => "No PIN is set, so it shows and cannot act.".to_owned(),
        };
        self.dialogue.say(format_args!("\nWhile the hub runs, its panel is at {addresses}{from}{trust}. {pin}"));
        let Broker { host, port, .. } = &config.app.broker;
        let topics = wiring::app_topics(config);
        let (prefix, hub) = (topics.prefix, topics.hub);
        self.dialogue.say(format_args!("It talks to apps by the broker {host}:{port}, below {prefix}/{hub}/."));
    }
}
