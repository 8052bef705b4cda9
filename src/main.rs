//! `sos-hub`: arguments → configuration → the daemon or one of its tools; and the exit codes.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sos_hub::arguments::hub::{Arguments, Asking, Command, TestWord};
use sos_hub::client::{self, Errand, center_test};
use sos_hub::config::{Config, DEFAULT_PATH, Outputs, Problems};
use sos_hub::controller::words::TestKind;
use sos_hub::drivers::{clock, logging};
use sos_hub::store::history;
use sos_hub::{daemon, doctor, exit, setup};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { exit::USAGE } else { exit::WELL };
            // Nothing is left to be told if standard error is gone.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    ExitCode::from(match arguments.command {
        Command::Setup(options) => setup::run(&options),
        Command::Run(file) => run(&file.config),
        #[cfg(feature = "demo")]
        Command::Demo(options) => told(sos_hub::demo::run(&options)),
        Command::Check(file) => check(&file.config),
        Command::Doctor(options) => doctor::run(&options),
        Command::Status(asking) => ask(&asking, Errand::Status),
        Command::Request { service, asking } => ask(&asking, Errand::Request(service.into())),
        Command::Cancel { incident, asking } => ask(&asking, Errand::Cancel(incident)),
        Command::Silence(asking) => ask(&asking, Errand::Silence),
        Command::Test { what: TestWord::Siren, asking, .. } => ask(&asking, Errand::Test(TestKind::Siren)),
        Command::Test { what: TestWord::Center, asking, patience } => with_config(&asking.config.config, |config| {
            told(center_test::ask(config, Duration::from_secs(patience), asking.json))
        }),
        Command::History { config, json, limit } => with_config(&config.config, |config| {
            told(history::read(&config.hub.state_dir, limit).map(|entries| client::show_history(&entries, json)))
        }),
        Command::Rest(file) => rest(&file.config),
        Command::Configured(file) => configured(&file.config),
    })
}

fn run(path: &Path) -> u8 {
    let _log = match logging::init(clock::wall) {
        Ok(log) => log,
        Err(error) => return told(Err::<(), _>(format!("The log cannot be started: {error}."))),
    };
    match daemon::wait_until_set_up(path) {
        Ok(true) => {
            with_config(path, |config| daemon::run(config).map_or_else(|failure| failed(&failure), |()| exit::WELL))
        }
        Ok(false) => exit::WELL,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &daemon::Failure) -> u8 {
    eprintln!("{failure}");
    if failure.is_configuration() { exit::CONFIGURATION } else { exit::FAILED }
}

fn rest(path: &Path) -> u8 {
    if daemon::is_new(path) {
        // There was nothing to drive.
        return exit::WELL;
    }
    match Outputs::load(path) {
        Some(outputs) => told(daemon::rest(&outputs)),
        None => {
            // `run` shows the problems themselves, just before or after: twice would hide what comes first.
            eprintln!("Siren and LED are left as they are: {} has to be mended first.", path.display());
            exit::CONFIGURATION
        }
    }
}

fn configured(path: &Path) -> u8 {
    if Config::is_set_up(path) {
        return exit::WELL;
    }
    eprintln!("The hub is not set up yet and waits: {} sets nothing. Run `sudo sos-hub setup`.", path.display());
    exit::FAILED
}

fn check(path: &Path) -> u8 {
    match Config::load(path) {
        Ok((_, warnings)) => {
            show(&warnings);
            // A reader that has gone away is no problem of the file.
            let _ = writeln!(std::io::stdout(), "{} is good.", path.display());
            exit::WELL
        }
        Err(problems) => {
            refuse(path, &problems);
            exit::CONFIGURATION
        }
    }
}

fn ask(asking: &Asking, errand: Errand) -> u8 {
    with_config(&asking.config.config, |config| told(client::ask(config, errand, asking.json)))
}

/// Does something with a configuration that is good; its warnings are for `check` alone.
fn with_config(path: &Path, act: impl FnOnce(&Config) -> u8) -> u8 {
    match Config::load(path) {
        Ok((config, _)) => act(&config),
        Err(problems) => {
            refuse(path, &problems);
            exit::CONFIGURATION
        }
    }
}

fn refuse(path: &Path, problems: &Problems) {
    show(problems);
    if !Config::is_set_up(path) {
        let option =
            if path == Path::new(DEFAULT_PATH) { String::new() } else { format!(" --config {}", path.display()) };
        eprintln!("`sudo sos-hub setup{option}` asks for what is needed and writes the file.");
    }
}

fn show(problems: &Problems) {
    if !problems.is_empty() {
        eprint!("{}", problems.render(std::io::stderr().is_terminal()));
    }
}

/// The exit code of what was done; what went wrong is told.
fn told<E: std::fmt::Display>(done: Result<(), E>) -> u8 {
    match done {
        Ok(()) => exit::WELL,
        Err(problem) => {
            eprintln!("{problem}");
            exit::FAILED
        }
    }
}
