//! The command line of `sos-hub setup`: an option for every question.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config;

/// What needs no question any more.
#[derive(Args, Debug)]
pub struct Options {
    /// The configuration file to write
    #[arg(long, value_name = "FILE", default_value = config::DEFAULT_PATH)]
    pub config: PathBuf,
    /// Ask nothing: what no option says stays as the file has it, or gets its default; a mosquitto that runs already is
    /// taken over only with --broker local
    #[arg(long, short)]
    pub yes: bool,
    /// Begin with the shipped file instead of the settings that are there (a copy of them is kept)
    #[arg(long)]
    pub fresh: bool,
    /// Change nothing, only test siren, buttons and center
    #[arg(long, conflicts_with_all = ["yes", "fresh", "no_test"])]
    pub test: bool,
    /// Leave the tests out
    #[arg(long)]
    pub no_test: bool,
    /// Restart neither broker nor hub
    #[arg(long)]
    pub no_services: bool,

    /// The hub's name in topics: letters, digits, - and _
    #[arg(long, value_name = "ID", help_heading = "Hub")]
    pub id: Option<String>,
    /// What people read instead of the id
    #[arg(long, value_name = "TEXT", help_heading = "Hub")]
    pub name: Option<String>,

    /// The line of the siren (BCM number)
    #[arg(long, value_name = "LINE", help_heading = "Lines")]
    pub siren_line: Option<u8>,
    /// The level at which the siren sounds
    #[arg(long, value_name = "LEVEL", help_heading = "Lines")]
    pub siren_active: Option<Level>,
    /// A button, as hallway:22:police (police, fire, siren or cancel); once for each, those that are not named go
    #[arg(long, value_name = "NAME:LINE:SERVICE", help_heading = "Lines")]
    pub button: Vec<String>,
    /// There is no button
    #[arg(long, conflicts_with = "button", help_heading = "Lines")]
    pub no_button: bool,
    /// The line of the LED
    #[arg(long, value_name = "LINE", help_heading = "Lines")]
    pub led_line: Option<u8>,
    /// There is no LED
    #[arg(long, conflicts_with = "led_line", help_heading = "Lines")]
    pub no_led: bool,

    /// The home's broker: "local" sets up the mosquitto of this machine (whoever used it without a login is let in no
    /// more), a name or address is one that is there
    #[arg(long, value_name = "local|HOST", help_heading = "Home's broker")]
    pub broker: Option<String>,
    /// Its port [default: 1883, with a CA 8883]
    #[arg(long, value_name = "PORT", help_heading = "Home's broker")]
    pub broker_port: Option<u16>,
    /// The hub's user at a broker that is there
    #[arg(long, value_name = "NAME", help_heading = "Home's broker")]
    pub broker_user: Option<String>,
    /// A file with that user's password in its first line
    #[arg(long, value_name = "FILE", help_heading = "Home's broker")]
    pub broker_password_file: Option<PathBuf>,
    /// The authority of a broker that is reached by TLS
    #[arg(long, value_name = "FILE", help_heading = "Home's broker")]
    pub broker_ca_file: Option<PathBuf>,
    /// Whether Home Assistant has a user at the local broker; no takes it away
    #[arg(long, value_name = "WHETHER", help_heading = "Home's broker")]
    pub home_assistant: Option<Whether>,

    /// The directory that the monitoring center gave out (`sos-center account add --out DIR`)
    #[arg(long, value_name = "DIR", help_heading = "Monitoring center")]
    pub center: Option<PathBuf>,
    /// A file with the password at the center's broker in its first line
    #[arg(long, value_name = "FILE", help_heading = "Monitoring center")]
    pub center_password_file: Option<PathBuf>,

    /// Who can open the panel: this machine alone, or the home's network (with HTTPS)
    #[arg(long, value_name = "REACH", help_heading = "Panel")]
    pub panel: Option<Reach>,
    /// Its port
    #[arg(long, value_name = "PORT", help_heading = "Panel")]
    pub panel_port: Option<u16>,
    /// A file with the panel's PIN in its first line [default: one made at random]
    #[arg(long, value_name = "FILE", help_heading = "Panel")]
    pub pin_file: Option<PathBuf>,
    /// The panel shows and cannot act
    #[arg(long, conflicts_with = "pin_file", help_heading = "Panel")]
    pub no_pin: bool,

    /// Files in this directory take the place of the lines, to try things out
    #[arg(long, value_name = "DIR", hide = true)]
    pub mock_dir: Option<PathBuf>,
    #[arg(long, value_name = "DIR", hide = true)]
    pub state_dir: Option<PathBuf>,
    #[arg(long, value_name = "DIR", default_value = "/etc/mosquitto", hide = true)]
    pub mosquitto_dir: PathBuf,
    /// What is called as systemctl is
    #[arg(long, value_name = "PROGRAM", hide = true)]
    pub service_manager: Option<PathBuf>,
    #[arg(long, value_name = "NAME", default_value = "sos-hub", hide = true)]
    pub service_user: String,
    /// How long a question may stay open while the hub stands still
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=120), hide = true)]
    pub answer_within: u64,
}

/// An electrical level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    High,
    Low,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Whether {
    Yes,
    No,
}

/// From where the panel can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reach {
    Local,
    Network,
}
