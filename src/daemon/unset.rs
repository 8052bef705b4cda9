//! A hub without a configuration: one that nobody has set up yet waits for that, one that has lost its file fails.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use tracing::warn;

use super::Failure;
use crate::config::{self, Config};
use crate::drivers::systemd;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// After so many looks at a file that sets something yet is refused nobody is writing it any more.
const LOOKS_AT_A_REFUSED_FILE: u32 = 3;
/// What a hub leaves in its state directory that has been set up at any time.
const TRACES: [&str; 2] = ["hub.db", "plan.jwt"];

/// Waits, for a service manager, until the file at `path` sets something: ready, with a status that says what to do, and
/// alive for the watchdog. Started by hand it waits for nothing: loading the file says what is wrong.
///
/// Returns whether to start the hub; if not, the process was asked to end.
///
/// # Errors
///
/// [`Failure::Lost`] if this hub was set up before. It has to be tried again.
pub fn wait_until_set_up(path: &Path) -> Result<bool, Failure> {
    if Config::is_set_up(path) || !systemd::is_asked_for() {
        return Ok(true);
    }
    if let Some(trace) = trace_of_a_setup() {
        return Err(Failure::Lost { config: path.to_owned(), trace });
    }
    let (stop, stopped) = channel();
    let on_stop = move || {
        // Nobody listens any more: the hub has started since then, and has its own ear for this.
        let _ = stop.send(());
    };
    let no_thread = |error| Failure::System { what: "a thread for shutdown requests", error };
    systemd::listen_for_shutdown(on_stop).map_err(no_thread)?;
    warn!("The hub is not set up yet and waits: {} sets nothing. Run `sudo sos-hub setup`.", path.display());
    systemd::ready("Not set up yet, and waits for it: run  sudo sos-hub setup");
    let patience = systemd::watchdog_period().map_or(LOOK, |period| period.min(LOOK));
    let mut refused = 0;
    loop {
        if stopped.recv_timeout(patience) != Err(RecvTimeoutError::Timeout) {
            systemd::stopping();
            return Ok(false);
        }
        systemd::feed();
        if !Config::is_set_up(path) {
            refused = 0;
        } else if refused == LOOKS_AT_A_REFUSED_FILE || Config::load(path).is_ok() {
            return Ok(true);
        } else {
            refused += 1;
        }
    }
}

/// Whether the hub that keeps its memory in the state directory was never set up, as far as can be known without a file
/// at `path` that says more.
pub fn is_new(path: &Path) -> bool {
    !Config::is_set_up(path) && trace_of_a_setup().is_none()
}

/// What shows that there was a configuration. What cannot be looked at may be that.
fn trace_of_a_setup() -> Option<PathBuf> {
    // Only where the unit says so itself does systemd name another directory than the default one; several with colons.
    let given = env::var_os("STATE_DIRECTORY").filter(|given| !given.is_empty());
    let dirs = given.unwrap_or_else(|| config::DEFAULT_STATE_DIR.into());
    let traces: Vec<_> = env::split_paths(&dirs).flat_map(|dir| TRACES.map(|name| dir.join(name))).collect();
    traces.into_iter().find(|trace| trace.try_exists().unwrap_or(true))
}
