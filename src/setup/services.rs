//! Broker and hub as services: stopped, started, enabled by systemd, where there is one.

use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Failure;

pub const HUB: &str = "sos-hub.service";
pub const BROKER: &str = "mosquitto.service";

/// Its directory is there while systemd runs the machine.
const SYSTEMD: &str = "/run/systemd/system";

/// The exit code of what was ended by Ctrl-C, as shells give it.
const INTERRUPTED: i32 = 130;

/// Calls `systemctl`.
#[derive(Clone, Debug)]
pub struct Services {
    program: PathBuf,
}

impl Services {
    /// `None`: there is no systemd, or nothing is to be restarted.
    pub fn find(program: Option<&Path>, wanted: bool) -> Option<Services> {
        let program = match program {
            Some(program) => program.to_owned(),
            None if Path::new(SYSTEMD).is_dir() => PathBuf::from("systemctl"),
            None => return None,
        };
        wanted.then_some(Services { program })
    }

    pub fn enable(&self, unit: &str) -> Result<(), Failure> {
        self.call("enable", unit)
    }

    pub fn restart(&self, unit: &str) -> Result<(), Failure> {
        self.call("restart", unit)
    }

    fn call(&self, verb: &str, unit: &str) -> Result<(), Failure> {
        let done = Command::new(&self.program).args([verb, unit]).stdin(Stdio::null()).output();
        let failed = |problem: String| {
            Failure::Failed(format!("`systemctl {verb} {unit}` failed ({problem}): see journalctl -u {unit}."))
        };
        match done {
            Ok(done) if done.status.success() => Ok(()),
            Ok(done) => Err(failed(String::from_utf8_lossy(&done.stderr).trim().to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Stops the hub until this is over. Nobody is left without a hub because a person has pressed Ctrl-C.
    pub fn pause_hub(&self) -> Result<Pause, Failure> {
        let resumed = Arc::new(AtomicBool::new(false));
        let no_thread = |error| Failure::Failed(format!("The system gives no thread to the setup ({error})."));
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(no_thread)?;
        let (services, resumed_by_then) = (self.clone(), Arc::clone(&resumed));
        // It stays to the end of the process: a signal that nobody listens for any more would be ignored.
        let listen = move || {
            if signals.forever().next().is_some() {
                if !resumed_by_then.load(Ordering::SeqCst)
                    && let Err(failure) = services.restart(HUB)
                {
                    eprintln!("{failure}");
                }
                process::exit(INTERRUPTED);
            }
        };
        thread::Builder::new().name("interrupted".to_owned()).spawn(listen).map_err(no_thread)?;
        let pause = Pause { services: self.clone(), resumed };
        self.call("stop", HUB)?;
        Ok(pause)
    }
}

/// While it lives the hub is stopped.
pub struct Pause {
    services: Services,
    resumed: Arc<AtomicBool>,
}

impl Pause {
    /// Starts the hub again, with what its configuration says now.
    pub fn end(self) -> Result<(), Failure> {
        self.resume()
    }

    /// Once only, and not for done before it is.
    fn resume(&self) -> Result<(), Failure> {
        if self.resumed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let started = self.services.restart(HUB);
        self.resumed.store(true, Ordering::SeqCst);
        started
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        if let Err(failure) = self.resume() {
            eprintln!("{failure}");
        }
    }
}
