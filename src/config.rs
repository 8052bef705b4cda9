//! The configuration: the text of `hub.toml` becomes a [`Config`], that of `center.toml` a [`center::CenterConfig`], or
//! every problem of it at once.

mod broker;
pub mod center;
mod files;
mod hub;
mod nearest;
mod problem;
pub mod reader;
mod rules;
mod source;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::controller::settings::{ButtonSettings, Press, Settings};

pub use broker::{Broker, ClientCertificate, Login, Tls};
pub use problem::Problems;
pub use rules::{host_problem, is_topic_word};

/// Where the installed hub has its configuration.
pub const DEFAULT_PATH: &str = "/etc/sos-hub/hub.toml";
/// Where the hub keeps its memory if nothing else is said.
pub const DEFAULT_STATE_DIR: &str = "/var/lib/sos-hub";

/// A configuration in which every value keeps its rules and every file named was there and held what it must. Paths are
/// whole: a relative one began at the directory of the configuration file.
#[derive(Clone, Debug)]
pub struct Config {
    pub hub: Hub,
    pub gpio: Gpio,
    pub siren: Siren,
    pub buttons: Vec<Button>,
    /// The BCM line of the LED.
    pub led: Option<u8>,
    /// How long a request can be aborted.
    pub countdown: Duration,
    pub app: App,
    pub center: Center,
    pub panel: Panel,
    pub cameras: Vec<Camera>,
    pub home_assistant: HomeAssistant,
}

#[derive(Clone, Debug)]
pub struct Hub {
    /// One level of a topic: letters, digits, `-` and `_`, at most 64.
    pub id: String,
    /// For people; the id where none is given.
    pub name: String,
    /// Made if missing.
    pub state_dir: PathBuf,
    pub clock: Clock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Trusted when the system says that it is synchronised.
    Auto,
    /// Trusted always.
    Trusted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gpio {
    /// rppal where it works, else the character device.
    Auto,
    Rppal,
    Cdev,
    /// Files in this directory in place of lines.
    Mock(PathBuf),
}

#[derive(Clone, Debug)]
pub struct Siren {
    /// BCM number.
    pub line: u8,
    pub active_low: bool,
    /// After this it is silent by itself.
    pub max: Duration,
}

/// What the hub drives, and how.
#[derive(Clone, Debug)]
pub struct Outputs {
    pub gpio: Gpio,
    pub siren: Siren,
    /// The BCM line of the LED.
    pub led: Option<u8>,
}

#[derive(Clone, Debug)]
pub struct Button {
    /// No other button has it.
    pub name: String,
    /// BCM number.
    pub line: u8,
    pub press: Press,
    /// How long it is held before it counts.
    pub hold: Duration,
    pub active_low: bool,
}

#[derive(Clone, Debug)]
pub struct App {
    pub broker: Broker,
    /// The topic levels before the hub's id.
    pub topic_prefix: String,
    /// How old a request's `sent_at` may be.
    pub max_age: Duration,
}

#[derive(Clone, Debug)]
pub struct Center {
    pub broker: Broker,
    /// One level of a topic, as the hub's id.
    pub account: String,
    /// Ed25519, PKCS#8 in PEM.
    pub hub_key_file: PathBuf,
    /// Ed25519, SPKI in PEM.
    pub center_key_file: PathBuf,
    pub heartbeat: Duration,
}

#[derive(Clone, Debug)]
pub struct Panel {
    pub listen: SocketAddr,
    /// One line of text; `None`: the panel shows and cannot act.
    pub pin_file: Option<PathBuf>,
    /// Names that it answers to, besides its addresses and the machine's own name.
    pub hosts: Vec<String>,
    pub tls: PanelTls,
}

/// Whether the panel speaks HTTPS, and with which certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PanelTls {
    Off,
    /// One that the hub makes by itself at the first start.
    SelfMade,
    /// In PEM; they belong together.
    Files {
        cert_file: PathBuf,
        key_file: PathBuf,
    },
}

#[derive(Clone, Debug)]
pub struct Camera {
    pub name: String,
    pub url: String,
    /// How the hub logs in at the camera.
    pub login: Option<Login>,
    /// The authorities that an `https` camera's certificate is checked against; `None`: those of the system.
    pub ca_file: Option<PathBuf>,
}

impl Camera {
    /// Then the configuration itself is a secret.
    pub fn has_its_password_in_its_url(&self) -> bool {
        self.url.split('/').nth(2).is_some_and(|authority| authority.contains('@'))
    }
}

#[derive(Clone, Debug)]
pub struct HomeAssistant {
    pub discovery: bool,
    /// The topic levels that Home Assistant looks for devices under.
    pub prefix: String,
}

impl Outputs {
    /// Reads no more than this of a `hub.toml`: a secret that is missing, say, must not keep a siren from being put right.
    /// `None` where these settings themselves are wrong, and the wrong line or level could be driven.
    pub fn load(path: &Path) -> Option<Outputs> {
        reader::read_part(path, hub::outputs)
    }
}

impl Config {
    /// What is driven.
    pub fn outputs(&self) -> Outputs {
        Outputs { gpio: self.gpio.clone(), siren: self.siren.clone(), led: self.led }
    }

    /// Reads a `hub.toml` and looks into the files that it names. The problems of a success are warnings, if any.
    pub fn load(path: &Path) -> Result<(Config, Problems), Problems> {
        reader::read(path, hub::schema)
    }

    /// The same for a user who may not read the secrets: such files are left out, and are among the warnings.
    pub fn load_as_stranger(path: &Path) -> Result<(Config, Problems), Problems> {
        reader::read_as_stranger(path, hub::schema)
    }

    /// Whether somebody has begun to fill in the `hub.toml` at `path`: it is there, and not all of it is comment.
    pub fn is_set_up(path: &Path) -> bool {
        !source::is_unset(path)
    }

    /// Every key that a `hub.toml` may hold, as `table.key`, sorted; tables are among them.
    pub fn keys() -> Vec<String> {
        reader::keys(hub::schema)
    }

    /// What the controller has to know of it.
    pub fn settings(&self) -> Settings {
        let button =
            |button: &Button| ButtonSettings { name: button.name.clone(), press: button.press, hold: button.hold };
        Settings {
            countdown: self.countdown,
            max_age: self.app.max_age,
            siren_max: self.siren.max,
            heartbeat: self.center.heartbeat,
            buttons: self.buttons.iter().map(button).collect(),
            led: self.led.is_some(),
        }
    }
}
