//! A home with everything in it: two brokers, a hub, wires, an app, and the center that watches over it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::thread;

use tempfile::TempDir;

use crate::app::{App, Login};
use crate::center::{Center, PRIVATE};
use crate::client;
use crate::hub_process::HubProcess;
use crate::lines::{CANCEL_BUTTON, Lines, POLICE_BUTTON, SIREN};
use crate::support::DEADLINE;
use crate::support::mosquitto::{Mosquitto, free_port};
use crate::support::proxy::Proxy;
use crate::tokens::Key;

pub const HUB: &str = "home";
pub const ACCOUNT: &str = "a-1234";
pub const PANEL_PIN: &str = "4711";

/// What differs from one test to the next. The default is a short countdown, and heartbeats that show soon whether
/// something else was sent.
pub struct Setup {
    pub countdown_seconds: u32,
    pub heartbeat_seconds: u32,
    pub siren_max_seconds: u32,
    pub siren_active_low: bool,
    /// `hub.clock`.
    pub clock: &'static str,
    pub may_ask_the_clock: bool,
    /// More of the hub's environment.
    pub environment: Vec<(&'static str, String)>,
    /// What the center publishes as the first plan.
    pub plan: Option<&'static str>,
    /// Where the hub keeps its memory, if not in the test's own directory.
    pub state_dir: Option<PathBuf>,
    pub home: Mosquitto,
    pub center_broker: Mosquitto,
    /// Where the center itself reaches its broker, if not where the hub does.
    pub center_port: Option<u16>,
    /// How app and center log in.
    pub login: Option<Login>,
    /// More keys of `[app]` and `[center]`.
    pub app_keys: String,
    pub center_keys: String,
    /// More keys of `[panel]`, and `[[camera]]`s.
    pub panel_keys: String,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            countdown_seconds: 1,
            heartbeat_seconds: 1,
            siren_max_seconds: 240,
            siren_active_low: false,
            clock: "auto",
            may_ask_the_clock: true,
            environment: Vec::new(),
            plan: Some("protect_plus"),
            state_dir: None,
            home: Mosquitto::start(""),
            center_broker: Mosquitto::start(""),
            center_port: None,
            login: None,
            app_keys: String::new(),
            center_keys: String::new(),
            panel_keys: String::new(),
        }
    }
}

/// Ends all of it when it is dropped.
pub struct Installation {
    hub: Option<HubProcess>,
    pub app: App,
    pub center: Center,
    pub lines: Lines,
    pub home: Mosquitto,
    pub center_broker: Mosquitto,
    dir: TempDir,
    state_dir: PathBuf,
    environment: Vec<(&'static str, String)>,
    may_ask_the_clock: bool,
    #[allow(dead_code, reason = "the tests of the panel look for it")]
    panel_port: u16,
}

impl Installation {
    /// Everything but the hub runs.
    pub fn new(setup: Setup) -> Installation {
        let dir = TempDir::new().expect("a directory");
        let (hub_key, center_key) = (Key::generate(), Arc::new(Key::generate()));
        fs::write(dir.path().join("hub.key"), hub_key.private_pem()).expect("the hub's key");
        fs::write(dir.path().join("hub.pub"), hub_key.public_pem()).expect("the hub's public key");
        fs::write(dir.path().join("center.pub"), center_key.public_pem()).expect("the center's key");
        let state_dir = setup.state_dir.clone().unwrap_or_else(|| dir.path().join("state"));
        let panel_port = free_port();
        fs::write(dir.path().join("panel.pin"), PANEL_PIN).expect("the panel's PIN");
        let text = hub_toml(&setup, dir.path(), &state_dir, panel_port);
        fs::write(dir.path().join("hub.toml"), text).expect("hub.toml");

        let mut options = client::options("center", setup.center_port.unwrap_or(setup.center_broker.port()));
        if let Some((name, password)) = setup.login {
            options.set_credentials(name, password);
        }
        let center = Center::connect(options, center_key, hub_key.public());
        if let Some(plan) = setup.plan {
            center.plan(plan, 1);
        }
        Installation {
            hub: None,
            app: App::connect(setup.home.port(), setup.login),
            center,
            lines: Lines::new(&dir.path().join("gpio")),
            home: setup.home,
            center_broker: setup.center_broker,
            dir,
            state_dir,
            environment: setup.environment,
            may_ask_the_clock: setup.may_ask_the_clock,
            panel_port,
        }
    }

    /// With a hub that is in use.
    pub fn running(setup: Setup) -> Installation {
        let mut installation = Installation::new(setup);
        installation.start();
        installation.in_use();
        installation
    }

    /// From the next start on, whoever reads the configuration comes to the home's broker through this.
    pub fn through_a_proxy(&self) -> Proxy {
        let proxy = Proxy::to(self.home.port());
        let config = fs::read_to_string(self.config()).expect("hub.toml");
        let there = format!("port = {}", self.home.port());
        assert!(config.contains(&there), "{config}");
        fs::write(self.config(), config.replace(&there, &format!("port = {}", proxy.port()))).expect("hub.toml");
        proxy
    }

    /// Starts the hub and waits until it says that it is ready.
    pub fn start(&mut self) {
        self.start_without_waiting().ready_within(DEADLINE);
    }

    /// Starts the hub and waits for nothing.
    pub fn start_without_waiting(&mut self) -> &HubProcess {
        let (config, log) = (self.config(), self.log_path());
        self.hub.insert(HubProcess::start(&config, &log, &self.environment, self.may_ask_the_clock))
    }

    /// Waits until both links are up and the plan is there.
    pub fn in_use(&self) {
        self.app.state("in use", |state| state["center"]["link"] == "up" && state["plan"]["standing"] != "unknown");
        self.app.availability(0, "online");
    }

    /// Waits until the hub that was just started is in use; `since` is a mark from before its start.
    pub fn in_use_again(&self, since: usize) {
        self.app.availability(since, "online");
        self.app.state_within(DEADLINE, since, "in use again", |state| state["center"]["link"] == "up");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.hub.take().expect("a hub").kill();
    }

    /// `systemctl stop`, which must end well.
    pub fn stop(&mut self) {
        let status = self.terminate();
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }

    /// The same, whatever comes of it.
    pub fn terminate(&mut self) -> ExitStatus {
        self.hub.take().expect("a hub").terminate()
    }

    pub fn hub(&mut self) -> &mut HubProcess {
        self.hub.as_mut().expect("a hub")
    }

    /// Where the panel is.
    #[allow(dead_code, reason = "the tests of the panel look for it")]
    pub fn panel(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.panel_port))
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("hub.toml")
    }

    /// What the hub wrote to standard output and standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join("hub.log")
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        self.hub = None;
        let log = self.log();
        if thread::panicking() {
            eprintln!("The hub's log:\n{log}");
            return;
        }
        // Whatever a test does to the hub: the world is to blame, so nothing of it is the hub's own error.
        let is_bad = |line: &&str| line.contains(" ERROR ") || line.contains("panicked") || line.contains(PRIVATE);
        let bad: Vec<&str> = log.lines().filter(is_bad).collect();
        assert!(bad.is_empty(), "an error or personal data in the log:\n{}", bad.join("\n"));
    }
}

fn hub_toml(setup: &Setup, dir: &Path, state_dir: &Path, panel: u16) -> String {
    let Setup { countdown_seconds, heartbeat_seconds, siren_max_seconds, siren_active_low, clock, .. } = setup;
    let Setup { app_keys, center_keys, panel_keys, .. } = setup;
    let (home, center) = (setup.home.port(), setup.center_broker.port());
    let (dir, state_dir) = (dir.display(), state_dir.display());
    format!(
        r#"
[hub]
id = "{HUB}"
state_dir = "{state_dir}"
clock = "{clock}"
[gpio]
backend = "mock"
mock_dir = "{dir}/gpio"
[siren]
line = {SIREN}
active_low = {siren_active_low}
max_seconds = {siren_max_seconds}
[[button]]
name = "hallway"
line = {POLICE_BUTTON}
service = "police"
hold_ms = 300
[[button]]
name = "stop"
line = {CANCEL_BUTTON}
service = "cancel"
hold_ms = 50
[countdown]
seconds = {countdown_seconds}
[app]
port = {home}
{app_keys}
[center]
host = "127.0.0.1"
port = {center}
account = "{ACCOUNT}"
hub_key_file = "{dir}/hub.key"
center_key_file = "{dir}/center.pub"
heartbeat_seconds = {heartbeat_seconds}
{center_keys}
[panel]
listen = "127.0.0.1:{panel}"
pin_file = "{dir}/panel.pin"
{panel_keys}
"#
    )
}
