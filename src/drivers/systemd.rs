//! The service manager: readiness, status, watchdog and the request to shut down. Started by hand, without systemd,
//! the notifications do nothing. A service manager that hangs reads none of them, and nobody waits for it.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Readiness was not taken and goes out with the next food: without it the service manager would end the process.
static READY_OWED: AtomicBool = AtomicBool::new(false);
/// The latest notification was not taken.
static UNHEARD: AtomicBool = AtomicBool::new(false);

/// Whether a service manager wants to be notified.
pub fn is_asked_for() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

/// The hub does its work now. `status` is the line that `systemctl status` shows.
pub fn ready(status: &str) {
    let taken = notify(&[NotifyState::Ready, NotifyState::Status(status)]);
    READY_OWED.store(!taken, Ordering::Relaxed);
}

/// The hub has begun to shut down.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Changes the line that `systemctl status` shows.
pub fn status(text: &str) {
    notify(&[NotifyState::Status(text)]);
}

/// How often to [`feed`] the watchdog: half of the time after which it bites. `None`: the unit has no watchdog.
pub fn watchdog_period() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

/// Tells the watchdog that the hub does its work.
pub fn feed() {
    if !READY_OWED.load(Ordering::Relaxed) {
        notify(&[NotifyState::Watchdog]);
    } else if notify(&[NotifyState::Ready, NotifyState::Watchdog]) {
        READY_OWED.store(false, Ordering::Relaxed);
    }
}

/// Whether it was taken, or nobody asks for it. That it was not is logged once.
fn notify(states: &[NotifyState]) -> bool {
    let outcome = send(states);
    let unheard = outcome.is_err();
    if let (Err(error), false) = (outcome, UNHEARD.swap(unheard, Ordering::Relaxed)) {
        tracing::warn!("systemd did not take a notification; see NOTIFY_SOCKET and the unit's NotifyAccess=: {error}");
    }
    !unheard
}

fn send(states: &[NotifyState]) -> io::Result<()> {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match path.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(&path)?,
    };
    let text: String = states.iter().map(|state| format!("{state}\n")).collect();
    let socket = UnixDatagram::unbound()?;
    // The queue of a manager that does not read is soon full.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(text.as_bytes(), &address).map(|_| ())
}

/// Calls `on_request` at each SIGTERM or SIGINT, on a thread of its own that sleeps in between.
pub fn listen_for_shutdown(mut on_request: impl FnMut() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new().name("shutdown".to_owned()).stack_size(128 * 1024).spawn(move || {
        for _ in signals.forever() {
            on_request();
        }
    })?;
    Ok(())
}
