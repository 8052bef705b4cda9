//! The shipped program between two real brokers, with mock lines and a center that answers at once.

use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use tempfile::TempDir;

use super::center::{ACCOUNT, Center};
use super::measure::clock::Instant;
use super::measure::daemon::spawn;
use super::measure::peer::{Heard, Peer};
use super::measure::process::Process;
use super::measure::support::mosquitto::{Mosquitto, free_port};
use super::measure::support::wait_until;

pub const HUB: &str = env!("CARGO_BIN_EXE_sos-hub");
pub const REQUEST: &str = "sos/bench/request";
pub const CANCEL: &str = "sos/bench/cancel";
pub const EVENT: &str = "sos/bench/event";
const STATE: &str = "sos/bench/state";
/// How long the button has to be held.
pub const HOLD: Duration = Duration::from_millis(200);

/// Of the panel.
pub const PIN: &str = "471100";
const SIREN: u32 = 17;
const BUTTON: u32 = 22;

/// What every hub of a run has around it.
pub struct Surroundings {
    pub home: Mosquitto,
    pub center_broker: Mosquitto,
    pub center: Center,
    hub_key: String,
}

impl Surroundings {
    pub fn start() -> Surroundings {
        // The broker's log of every packet would be measured as well, and a message of 8 KiB is its limit at home.
        let home = Mosquitto::start("log_type none\nsys_interval 1\nmessage_size_limit 8192\nmax_packet_size 16384");
        let center_broker = Mosquitto::start("log_type none");
        let center = Center::start(center_broker.port());
        let hub_key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key").serialize_pem();
        Surroundings { home, center_broker, center, hub_key }
    }
}

/// A hub that runs, and ends when this is dropped.
pub struct Hub {
    child: Child,
    dir: TempDir,
    panel: SocketAddr,
    /// From the start of the process to READY=1.
    pub ready_ms: f64,
}

impl Hub {
    /// Starts a hub with no history. Returns once it is linked to both brokers and knows its plan.
    pub fn start(around: &Surroundings, countdown_seconds: u32) -> Hub {
        let dir = TempDir::new().expect("a directory for the hub");
        fs::write(dir.path().join("hub.key"), &around.hub_key).expect("the hub's key");
        fs::write(dir.path().join("center.pub"), &around.center.public_pem).expect("the center's key");
        let panel = SocketAddr::from(([127, 0, 0, 1], free_port()));
        fs::write(dir.path().join("panel.pin"), PIN).expect("the panel's PIN");
        let text = format!(
            "[hub]\nid = \"bench\"\nstate_dir = \"state\"\n[gpio]\nbackend = \"mock\"\nmock_dir = \"gpio\"\n\
             [siren]\nline = {SIREN}\n[[button]]\nname = \"hallway\"\nline = {BUTTON}\nservice = \"police\"\nhold_ms = {}\n\
             [countdown]\nseconds = {countdown_seconds}\n[app]\nport = {}\n\
             [center]\nhost = \"127.0.0.1\"\nport = {}\naccount = \"{ACCOUNT}\"\nhub_key_file = \"hub.key\"\n\
             center_key_file = \"center.pub\"\n[panel]\nlisten = \"{panel}\"\npin_file = \"panel.pin\"\n",
            HOLD.as_millis(),
            around.home.port(),
            around.center_broker.port(),
        );
        fs::write(dir.path().join("hub.toml"), text).expect("the hub's configuration");
        let watcher = Peer::connect(around.home.port(), "watcher", &[STATE]);
        // The retained state of an earlier hub would pass for this one's.
        watcher.publish(STATE, "", true);
        watcher.wait("the end of the old state", |heard| heard.payload.is_empty());
        let (child, ready_ms) = spawn(HUB, &dir.path().join("hub.toml"));
        let hub = Hub { child, dir, panel, ready_ms };
        watcher.wait("the hub's readiness", |heard| {
            let state: serde_json::Value = serde_json::from_slice(&heard.payload).unwrap_or_default();
            heard.topic == STATE && state["ready"] == true
        });
        hub
    }

    /// Ends it as systemd does, and starts it again with what it has on its disk.
    pub fn restart(&mut self) {
        self.stop();
        (self.child, self.ready_ms) = spawn(HUB, &self.dir.path().join("hub.toml"));
    }

    pub fn panel(&self) -> SocketAddr {
        self.panel
    }

    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// Puts the button down or lets it go; when that began.
    pub fn press(&self, down: bool) -> Instant {
        let line = OpenOptions::new().write(true).open(self.path("gpio/in").join(BUTTON.to_string()));
        let line = line.expect("the button's line");
        let at = Instant::now();
        // The button lies between its line and ground.
        line.write_all_at(if down { b"0" } else { b"1" }, 0).expect("the button's line");
        at
    }

    /// When the siren's line was asserted last.
    pub fn siren_asserted(&self) -> Instant {
        let edges = fs::read_to_string(self.path("gpio/edges.csv")).expect("the edges");
        let suffix = format!(",{SIREN},1");
        let last = edges.lines().rev().find_map(|line| line.strip_suffix(&suffix)).expect("an edge of the siren");
        Instant(last.parse().expect("its time"))
    }

    /// A directory on the disk that the hub's own state is on.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn stop(&mut self) {
        // SAFETY: it is a child that was not waited for yet, so the id is still its own.
        unsafe { libc::kill(self.child.id() as libc::pid_t, libc::SIGTERM) };
        wait_until("the hub ends", || self.child.try_wait().is_ok_and(|ended| ended.is_some()));
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended by itself, and then something else has been said.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One of the hub's events.
pub struct Event {
    pub at: Instant,
    pub incident: String,
}

impl Peer {
    /// The next event of this type.
    pub fn wait_for_event(&self, kind: &str) -> Event {
        let mut incident = String::new();
        let heard = self.wait(kind, |heard: &Heard| {
            let event: serde_json::Value = serde_json::from_slice(&heard.payload).unwrap_or_default();
            incident = event["incident"].as_str().unwrap_or_default().to_owned();
            heard.topic == EVENT && event["type"] == kind
        });
        Event { at: heard.at, incident }
    }
}
