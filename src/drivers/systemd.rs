//! The service manager: readiness, status, watchdog and the request to shut down. Started by hand, without systemd,
//! the notifications do nothing.

use std::io;
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The hub does its work now. `status` is the line that `systemctl status` shows.
pub fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
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
    notify(&[NotifyState::Watchdog]);
}

fn notify(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("systemd did not take a notification; see NOTIFY_SOCKET and the unit's NotifyAccess=: {error}");
    }
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
