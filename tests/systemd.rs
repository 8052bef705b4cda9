//! What the service manager hears of the hub, and the hub of it.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixDatagram;
use std::process::{self, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use sos_hub::drivers::systemd;

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_service_manager_hears_of_each_step() {
    if is_child() {
        systemd::ready("Ready for an SOS.");
        systemd::status("The monitoring center does not answer.");
        assert_eq!(systemd::watchdog_period(), Some(Duration::from_secs(5)));
        systemd::feed();
        systemd::stopping();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut hub = child("the_service_manager_hears_of_each_step");
    passes(hub.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "10000000"));
    let heard = || {
        let mut datagram = [0; 1024];
        let length = manager.recv(&mut datagram).unwrap();
        String::from_utf8(datagram[..length].to_vec()).unwrap()
    };
    assert_eq!(heard(), "READY=1\nSTATUS=Ready for an SOS.\n");
    assert_eq!(heard(), "STATUS=The monitoring center does not answer.\n");
    assert_eq!(heard(), "WATCHDOG=1\n");
    assert_eq!(heard(), "STOPPING=1\n");
}

#[test]
fn a_service_manager_that_does_not_read_holds_nobody_up_and_hears_of_readiness_later() {
    if is_child() {
        // More than any queue takes.
        (0..10_000).for_each(|_| systemd::feed());
        systemd::ready("Running.");
        let mut go_on = String::new();
        println!("full");
        std::io::stdin().read_line(&mut go_on).unwrap();
        systemd::feed();
        systemd::feed();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut hub = child("a_service_manager_that_does_not_read_holds_nobody_up_and_hears_of_readiness_later");
    let hub = hub.env("NOTIFY_SOCKET", &path).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut hub = hub.spawn().unwrap();
    let mut output = BufReader::new(hub.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(output.any(|line| line.ends_with("full")), "it waits for its manager");
    let mut datagram = [0; 1024];
    manager.set_nonblocking(true).unwrap();
    while let Ok(length) = manager.recv(&mut datagram) {
        assert_eq!(&datagram[..length], b"WATCHDOG=1\n");
    }
    manager.set_nonblocking(false).unwrap();
    hub.stdin.take().unwrap().write_all(b"\n").unwrap();
    for expected in ["READY=1\nWATCHDOG=1\n", "WATCHDOG=1\n"] {
        let length = manager.recv(&mut datagram).unwrap();
        assert_eq!(String::from_utf8_lossy(&datagram[..length]), expected);
    }
    assert!(hub.wait().unwrap().success());
}

#[test]
fn a_watchdog_that_is_for_another_process_is_not_ours() {
    if is_child() {
        assert_eq!(systemd::watchdog_period(), None);
        return;
    }
    let mut hub = child("a_watchdog_that_is_for_another_process_is_not_ours");
    passes(hub.env("WATCHDOG_USEC", "10000000").env("WATCHDOG_PID", "1"));
}

#[test]
fn without_a_service_manager_nothing_happens() {
    if is_child() {
        systemd::ready("Ready for an SOS.");
        assert_eq!(systemd::watchdog_period(), None);
        systemd::feed();
        systemd::stopping();
        return;
    }
    passes(&mut child("without_a_service_manager_nothing_happens"));
}

#[test]
fn a_request_to_shut_down_is_heard_each_time() {
    if is_child() {
        let (hear, heard) = channel();
        systemd::listen_for_shutdown(move || hear.send(()).unwrap()).unwrap();
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGTERM] {
            // SAFETY: sends a signal to this process, which has a handler for it.
            unsafe { libc::kill(process::id() as libc::pid_t, signal) };
            heard.recv_timeout(PATIENCE).unwrap();
        }
        return;
    }
    passes(&mut child("a_request_to_shut_down_is_heard_each_time"));
}

const CHILD: &str = "SOS_HUB_TEST_CHILD";

/// Whether this is the process that a test of the same name started: environment and signals are a process's own.
fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

fn child(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(CHILD, "1").stdin(Stdio::null());
    for variable in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
        command.env_remove(variable);
    }
    command
}

/// Runs the child's side of a test.
fn passes(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
}
