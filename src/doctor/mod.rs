//! `sos-hub doctor`: what is wrong with an installed hub, and how to mend it.
//!
//! It looks and changes nothing: brokers are visited under a name of its own, lines are not opened, and the hub may run
//! or not. Whoever is not root sees less, and is told what.

mod certificates;
mod faults;
mod finding;
mod lines;
mod machine;
mod memory;
mod network;
mod secrets;
mod service;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::thread;

use clap::Args;

pub use faults::remedy;
pub use lines::Holder;

use self::finding::{Finding, Findings};
use self::network::Visits;
use crate::config::{self, Config, Problems};
use crate::exit;

/// What to look at.
#[derive(Args, Debug)]
pub struct Options {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = config::DEFAULT_PATH)]
    pub config: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// What is called as systemctl is
    #[arg(long, value_name = "PROGRAM", hide = true)]
    pub service_manager: Option<PathBuf>,
    #[arg(long, value_name = "NAME", default_value = "sos-hub", hide = true)]
    pub service_user: String,
    #[arg(long, value_name = "DIR", default_value = "/sys", hide = true)]
    pub sys_dir: PathBuf,
    #[arg(long, value_name = "DIR", default_value = "/etc/mosquitto", hide = true)]
    pub mosquitto_dir: PathBuf,
}

/// Looks at everything and says what it found; the exit code: 0 well, 1 something fails, 78 the configuration has to be
/// mended first.
pub fn run(options: &Options) -> u8 {
    let mut findings = Findings::default();
    let loaded = Config::load_as_stranger(&options.config);
    configuration(&mut findings, options, &loaded);
    match &loaded {
        Ok((config, _)) => look(&mut findings, options, config),
        Err(_) => {
            service::look(&mut findings, options);
            machine::clock(&mut findings, false, None);
            machine::power(&mut findings, &options.sys_dir);
        }
    }
    let text = if options.json { findings.json() } else { findings.text(std::io::stdout().is_terminal()) };
    // A reader that has gone away is no problem of the hub.
    let _ = writeln!(std::io::stdout(), "{text}");
    match loaded {
        Err(_) => exit::CONFIGURATION,
        Ok(_) if findings.fail() => exit::FAILED,
        Ok(_) => exit::WELL,
    }
}

/// In an order that stays; what waits for the network waits all at once.
fn look(findings: &mut Findings, options: &Options, config: &Config) {
    let (visits, (service, runs)) = thread::scope(|scope| {
        let service = scope.spawn(|| {
            let mut findings = Findings::default();
            let runs = service::look(&mut findings, options);
            (findings, runs)
        });
        let visits = Visits::make(config);
        (visits, service.join().unwrap_or_default())
    });
    secrets::look(findings, options, config);
    findings.append(service);
    visits.report(findings, config, runs);
    memory::plan(findings, config, visits.state());
    certificates::look(findings, options, config, visits.shown());
    lines::look(findings, options, config, runs || visits.hub_is_there());
    let standing = visits.state().and_then(|state| state["clock"].as_str());
    machine::clock(findings, config.hub.clock == config::Clock::Trusted, standing);
    machine::power(findings, &options.sys_dir);
    memory::disk(findings, config);
    memory::store(findings, config);
}

fn configuration(findings: &mut Findings, options: &Options, loaded: &Result<(Config, Problems), Problems>) {
    let path = options.config.display();
    let check = || format!("sudo sos-hub check --config {path}");
    findings.add(match loaded {
        Ok((_, problems)) if problems.is_empty() => Finding::ok("configuration", format!("{path} is good.")),
        Ok((_, problems)) => {
            let count = problems.warnings();
            Finding::warn("configuration", format!("{path} is accepted with {count} warning(s)."), check())
        }
        Err(_) if !options.config.exists() => {
            Finding::fail("configuration", format!("There is no {path}."), "sudo sos-hub setup")
        }
        Err(_) if !Config::is_set_up(&options.config) => {
            let message = format!("{path} sets nothing, so there is no hub yet.");
            Finding::fail("configuration", message, "sudo sos-hub setup; or restore the file from a copy")
        }
        Err(_) => Finding::fail("configuration", format!("{path} is refused, so the hub does not start."), check()),
    });
}
