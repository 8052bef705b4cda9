//! The start of the daemon, as the lines and the service manager see it.

#[path = "support/home.rs"]
mod home;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use home::Home;

/// Longer than a start takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// The start waits longer than this for a disk that gives nothing, and shorter than the service manager allows.
const DISK_WAIT: Duration = Duration::from_secs(2);

/// Ports of which nothing is wanted: nobody answers there.
const BLOCKED_DISK: &str = r#"[hub]
id = "home"
state_dir = "file/state"
[gpio]
backend = "mock"
mock_dir = "lines"
[siren]
line = 17
[app]
port = 1
[center]
host = "127.0.0.1"
port = 1
account = "a-1234"
hub_key_file = "hub.key"
center_key_file = "center.pub"
"#;

#[test]
fn a_siren_that_was_left_on_is_put_right_before_the_disk_is_waited_for() {
    let home = Home::new();
    home.write("file", "in the place of a directory");
    fs::create_dir_all(home.path().join("lines/out")).unwrap();
    let siren = home.write("lines/out/17", "1");
    home.write("hub.toml", BLOCKED_DISK);
    let manager = UnixDatagram::bind(home.path().join("notify")).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut hub = Command::new(env!("CARGO_BIN_EXE_sos-hub"))
        .args(["run", "--config", "hub.toml"])
        .current_dir(home.path())
        .env("NOTIFY_SOCKET", home.path().join("notify"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let heard = manager.recv(&mut [0; 1024]);
    let ready = fs::metadata(home.write("ready", "")).unwrap().modified().unwrap();
    let silent = fs::metadata(&siren).unwrap().modified().unwrap();
    let level = fs::read(&siren);
    hub.kill().unwrap();
    hub.wait().unwrap();
    heard.expect("the hub is there without its disk");
    assert_eq!(level.unwrap(), b"0");
    assert!(ready.duration_since(silent).unwrap() >= DISK_WAIT, "it waited for the disk");
}

/// A hub under a service manager that has made a state directory for it.
struct Service {
    hub: Child,
    manager: UnixDatagram,
}

impl Service {
    fn start(home: &Home) -> Service {
        let manager = UnixDatagram::bind(home.path().join("notify")).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        let hub = Command::new(env!("CARGO_BIN_EXE_sos-hub"))
            .args(["run", "--config", "hub.toml"])
            .current_dir(home.path())
            .env("NOTIFY_SOCKET", home.path().join("notify"))
            .env("STATE_DIRECTORY", home.path().join("state"))
            // Twice in this time it looks at its file, and a few times at one that is not whole yet.
            .env("WATCHDOG_USEC", "4000000")
            .env_remove("WATCHDOG_PID")
            .stderr(fs::File::create(home.path().join("said")).unwrap())
            .spawn()
            .unwrap();
        Service { hub, manager }
    }

    /// The next notification that holds this.
    fn hears(&self, what: &str) -> String {
        loop {
            let mut datagram = [0; 1024];
            let length = self.manager.recv(&mut datagram).unwrap_or_else(|_| panic!("{what} is not heard"));
            let heard = String::from_utf8_lossy(&datagram[..length]).into_owned();
            if heard.contains(what) {
                return heard;
            }
        }
    }

    fn ends(&mut self) -> ExitStatus {
        self.hub.wait().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.hub.kill();
        let _ = self.hub.wait();
    }
}

fn good() -> String {
    BLOCKED_DISK.replace("file/state", "state")
}

#[test]
fn a_hub_that_nobody_has_set_up_waits_says_so_and_starts_once_it_is() {
    for nothing in [None, Some("# Nothing is set yet.\n")] {
        let home = Home::new();
        fs::create_dir(home.path().join("state")).unwrap();
        let _ = nothing.map(|nothing| home.write("hub.toml", nothing));
        let service = Service::start(&home);
        let ready = service.hears("READY=1");
        assert!(ready.contains("STATUS=Not set up yet") && ready.contains("sudo sos-hub setup"), "{ready}");
        service.hears("WATCHDOG=1");
        // An editor has not written all of it yet.
        home.write("hub.toml", "[hub]\n");
        service.hears("WATCHDOG=1");
        home.write("hub.toml", good());
        service.hears("STATUS=Running.");
        assert!(fs::read_to_string(home.path().join("said")).unwrap().contains("not set up yet and waits"));
    }
}

#[test]
fn a_hub_that_waits_to_be_set_up_ends_when_it_is_asked_to() {
    let home = Home::new();
    let mut service = Service::start(&home);
    service.hears("READY=1");
    // SAFETY: sends a signal to a process that this test has started and not waited for.
    unsafe { libc::kill(service.hub.id() as libc::pid_t, libc::SIGTERM) };
    assert_eq!(service.ends().code(), Some(0));
}

#[test]
fn a_wrong_file_ends_a_hub_that_waits_as_it_ends_one_that_starts() {
    let home = Home::new();
    let mut service = Service::start(&home);
    service.hears("READY=1");
    home.write("hub.toml", "[hub]\n");
    assert_eq!(service.ends().code(), Some(78));
    assert!(fs::read_to_string(home.path().join("said")).unwrap().contains("siren.line is missing"));
}

#[test]
fn a_hub_that_has_lost_its_configuration_fails_and_is_tried_again() {
    for trace in ["hub.db", "plan.jwt"] {
        let home = Home::new();
        fs::create_dir(home.path().join("state")).unwrap();
        home.write(&format!("state/{trace}"), "");
        // As a power cut may leave it.
        home.write("hub.toml", "");
        assert_eq!(Service::start(&home).ends().code(), Some(1), "{trace}");
        let said = fs::read_to_string(home.path().join("said")).unwrap();
        assert!(said.contains("sets nothing, yet this hub was set up") && said.contains(trace), "{said}");
    }
}
