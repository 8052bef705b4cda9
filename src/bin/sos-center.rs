//! `sos-center`: arguments → configuration → the monitoring center or one of its tools; and the exit codes.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use sos_hub::arguments::center::{AccountCommand, AddAccount, Arguments, Command, OperatorCommand};
use sos_hub::center::accounts::{self, Failure, NewAccount};
use sos_hub::center::run;
use sos_hub::config::Problems;
use sos_hub::config::center::CenterConfig;
use sos_hub::drivers::{clock, logging};
use sos_hub::exit;

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
        Command::Run(file) => run(&file.config),
        Command::Check(file) => check(&file.config),
        Command::Account(command) => account(command),
        Command::Operator(command) => operator(command),
    })
}

fn run(path: &Path) -> u8 {
    let _log = match logging::init(clock::wall) {
        Ok(log) => log,
        Err(error) => {
            eprintln!("The log cannot be started: {error}.");
            return exit::FAILED;
        }
    };
    with_config(path, |config| match run::run(config, |_| ()) {
        Ok(()) => exit::WELL,
        Err(failure) => {
            eprintln!("{failure}");
            if failure.is_configuration() { exit::CONFIGURATION } else { exit::FAILED }
        }
    })
}

fn check(path: &Path) -> u8 {
    match CenterConfig::load(path) {
        Ok((_, warnings)) => {
            show(&warnings);
            say(&format!("{} is good.", path.display()));
            exit::WELL
        }
        Err(problems) => {
            show(&problems);
            exit::CONFIGURATION
        }
    }
}

fn account(command: AccountCommand) -> u8 {
    match command {
        AccountCommand::Add(add) => with_config(&add.config.config, |config| told(add_account(config, &add))),
        AccountCommand::List { config, json } => {
            with_config(&config.config, |config| told(accounts::list(config, json)))
        }
        AccountCommand::Plan { account, plan, config } => {
            with_config(&config.config, |config| told(accounts::set_plan(config, &account, &plan)))
        }
        AccountCommand::Close { account, config } => {
            with_config(&config.config, |config| told(accounts::close(config, &account)))
        }
    }
}

fn add_account(config: &CenterConfig, add: &AddAccount) -> Result<String, Failure> {
    let password = match &add.password_file {
        Some(path) => Some(first_line_of(path)?),
        None => add.password.clone(),
    };
    let new = NewAccount {
        id: add.account.clone(),
        name: add.name.clone(),
        address: add.address.clone(),
        plan: add.plan.clone(),
        contacts: add.contact.clone(),
        password,
        out: add.out.clone(),
        hub_key: add.hub_key.clone(),
    };
    accounts::add(config, new)
}

fn operator(command: OperatorCommand) -> u8 {
    match command {
        OperatorCommand::Add { name, password_file, config } => with_config(&config.config, |config| {
            told(new_password(password_file.as_deref()).and_then(|word| accounts::add_operator(config, &name, &word)))
        }),
        OperatorCommand::List(config) => with_config(&config.config, |config| told(accounts::operators(config))),
        OperatorCommand::Remove { name, config } => {
            with_config(&config.config, |config| told(accounts::remove_operator(config, &name)))
        }
    }
}

fn new_password(file: Option<&Path>) -> Result<String, Failure> {
    if let Some(path) = file {
        return first_line_of(path);
    }
    let unread = |error: io::Error| Failure::Failed(format!("The password cannot be read ({error}): try again."));
    if io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ").map_err(unread)?;
        let second = rpassword::prompt_password("The same again: ").map_err(unread)?;
        if first != second {
            return Err(Failure::Usage("The two passwords differ: try again.".to_owned()));
        }
        return Ok(first);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(unread)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn first_line_of(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::Usage(format!("--password-file {} cannot be read ({error}): correct the path.", path.display()))
    })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Does something with a configuration that is good; its warnings are for `check` alone.
fn with_config(path: &Path, act: impl FnOnce(&CenterConfig) -> u8) -> u8 {
    match CenterConfig::load(path) {
        Ok((config, _)) => act(&config),
        Err(problems) => {
            show(&problems);
            exit::CONFIGURATION
        }
    }
}

fn show(problems: &Problems) {
    if !problems.is_empty() {
        eprint!("{}", problems.render(io::stderr().is_terminal()));
    }
}

/// The exit code of what was done; what was done or went wrong is told.
fn told(done: Result<String, Failure>) -> u8 {
    match done {
        Ok(text) => {
            say(&text);
            exit::WELL
        }
        Err(problem) => {
            eprintln!("{problem}");
            if matches!(problem, Failure::Usage(_)) { exit::USAGE } else { exit::FAILED }
        }
    }
}

fn say(text: &str) {
    // A reader that has gone away is no problem of what was done.
    let _ = writeln!(io::stdout(), "{text}");
}
