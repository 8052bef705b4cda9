//! The start of the daemon, as the lines and the service manager see it.

#[path = "support/home.rs"]
mod home;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
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
