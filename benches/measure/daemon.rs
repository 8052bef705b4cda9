//! The shipped programs, started as their units start them.

use std::fs::{self, File};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::clock::Instant;
use super::support::DEADLINE;

/// Starts `PROGRAM run --config FILE` as its unit does, with its watchdog; how many milliseconds it took to be ready.
/// What it needs on the way lies beside the file.
pub fn spawn(program: &str, config: &Path) -> (Child, f64) {
    let dir = config.parent().expect("the directory of the configuration");
    let path = dir.join("notify");
    // There is one of an earlier start.
    let _ = fs::remove_file(&path);
    let notify = UnixDatagram::bind(&path).expect("a socket for notifications");
    notify.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    let log = File::create(dir.join("log")).expect("its log");
    let started = Instant::now();
    let child = Command::new(program)
        .args(["run", "--config"])
        .arg(config)
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "9000000")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("it starts");
    let mut text = [0; 256];
    let told = notify.recv(&mut text).unwrap_or_else(|_| {
        panic!("{program} is not ready: {}", fs::read_to_string(dir.join("log")).unwrap_or_default());
    });
    let ready = Instant::now();
    assert!(text[..told].starts_with(b"READY=1"), "{}", String::from_utf8_lossy(&text[..told]));
    // Somebody has to take the watchdog's notifications, or they would fill the socket.
    std::thread::spawn(move || while notify.recv(&mut text).is_ok() {});
    (child, ready.ms_since(started))
}
