//! The command line of `sos-hub`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config;
use crate::controller::words::Service;

/// An SOS hub: police, fire department or siren, by button or MQTT.
#[derive(Parser)]
#[command(name = "sos-hub", version, about, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

/// What there is to do.
#[derive(Subcommand)]
pub enum Command {
    /// Set this hub up, or change it: asks, or takes options
    Setup(Box<crate::setup::Options>),
    /// Run the hub
    Run(ConfigFile),
    /// Try everything on this computer: no hardware, nothing installed, nobody is called
    #[cfg(feature = "demo")]
    Demo(crate::demo::Options),
    /// Look for every problem of the configuration file
    Check(ConfigFile),
    /// Look at everything around the hub: what is wrong, and how to mend it
    Doctor(crate::doctor::Options),
    /// Show what the hub is doing
    Status(Asking),
    /// Ask for help: the countdown starts at once
    Request {
        service: ServiceWord,
        #[command(flatten)]
        asking: Asking,
    },
    /// Cancel an incident in its countdown, or every countdown
    Cancel {
        /// The incident's id; without it, every running countdown
        incident: Option<String>,
        #[command(flatten)]
        asking: Asking,
    },
    /// Turn the siren off; help is still coming
    Silence(Asking),
    /// Try the siren for two seconds, or the way to the monitoring center, whose word is waited for
    Test {
        what: TestWord,
        #[command(flatten)]
        asking: Asking,
        /// How long the center may take for its word
        #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600), hide = true)]
        patience: u64,
    },
    /// List the incidents of this hub, newest first
    History {
        #[command(flatten)]
        config: ConfigFile,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// At most this many incidents
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Drive siren and LED to rest, for the service manager
    #[command(hide = true)]
    Rest(ConfigFile),
    /// Whether somebody has begun to set the hub up, for the installation: exit 0, or 1 with what to do
    #[command(hide = true)]
    Configured(ConfigFile),
}

/// Which configuration a command works with.
#[derive(Args)]
pub struct ConfigFile {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = config::DEFAULT_PATH)]
    pub config: PathBuf,
}

/// What every command has that goes through the home's broker.
#[derive(Args)]
pub struct Asking {
    #[command(flatten)]
    pub config: ConfigFile,
    /// Print the hub's answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// Whom to ask for.
#[derive(Clone, Copy, ValueEnum)]
pub enum ServiceWord {
    Police,
    Fire,
    Siren,
}

/// What to try.
#[derive(Clone, Copy, ValueEnum)]
pub enum TestWord {
    Siren,
    Center,
}

impl From<ServiceWord> for Service {
    fn from(word: ServiceWord) -> Service {
        match word {
            ServiceWord::Police => Service::Police,
            ServiceWord::Fire => Service::Fire,
            ServiceWord::Siren => Service::Siren,
        }
    }
}
