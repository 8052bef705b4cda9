//! Broker and hub as services: started, stopped, enabled and looked at, where systemd runs the machine.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::Failure;

pub const HUB: &str = "sos-hub.service";
pub const BROKER: &str = "mosquitto.service";

/// Its directory is there while systemd runs the machine.
const SYSTEMD: &str = "/run/systemd/system";

/// Calls `systemctl`.
#[derive(Clone, Debug)]
pub struct Services {
    program: PathBuf,
}

/// What systemd knows of the hub's service.
#[derive(Debug, Default)]
pub struct HubUnit {
    /// The file that it works with; `None`: there is no such service, or its command line does not say.
    pub config: Option<PathBuf>,
    /// The names of the secrets that systemd itself hands to it, so that it need not be able to read them.
    pub credentials: Vec<String>,
}

impl Services {
    /// `None`: there is no systemd.
    pub fn find(program: Option<&Path>) -> Option<Services> {
        let program = match program {
            Some(program) => program.to_owned(),
            None if Path::new(SYSTEMD).is_dir() => PathBuf::from("systemctl"),
            None => return None,
        };
        Some(Services { program })
    }

    pub fn enable(&self, unit: &str) -> Result<(), Failure> {
        self.call("enable", unit)
    }

    pub fn restart(&self, unit: &str) -> Result<(), Failure> {
        self.call("restart", unit)
    }

    /// Starts the hub, afresh if it runs: returns when it is ready.
    ///
    /// # Errors
    ///
    /// [`Failure::NotStarted`]
    pub fn restart_hub(&self) -> Result<(), Failure> {
        self.restart(HUB).map_err(|failure| Failure::NotStarted(failure.to_string()))
    }

    pub fn stop(&self, unit: &str) -> Result<(), Failure> {
        self.call("stop", unit)
    }

    /// Has systemd start the hub after this time (as `3min`), by a timer of this name: also when this process is gone.
    pub fn start_hub_later(&self, timer: &str, after: &str) -> Result<(), Failure> {
        let systemd_run = self.program.with_file_name("systemd-run");
        let unit = format!("--unit={timer}");
        let on_active = format!("--on-active={after}");
        let done = Command::new(systemd_run)
            .args(["--quiet", "--collect", &unit, &on_active, "--timer-property=AccuracySec=1s", "--"])
            .args([self.program.as_os_str(), OsStr::new("start"), OsStr::new(HUB)])
            .stdin(Stdio::null())
            .output();
        well(done).map_err(|problem| Failure::Failed(format!("`systemd-run` failed ({problem})")))
    }

    /// Takes that back, whether or not there is such a timer.
    pub fn start_hub_no_more(&self, timer: &str) {
        // Where there is none systemctl complains, as it should be.
        let _ = self.systemctl(&["stop", &format!("{timer}.timer"), &format!("{timer}.service")]);
    }

    pub fn is_active(&self, unit: &str) -> bool {
        self.systemctl(&["is-active", "--quiet", unit]).is_ok_and(|done| done.status.success())
    }

    /// What systemd says of the hub's service; nothing where it says nothing.
    pub fn hub_unit(&self) -> HubUnit {
        let said = |arguments: &[&str]| {
            let done = self.systemctl(arguments);
            done.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default()
        };
        let shown = said(&["show", "--property=ExecStart", HUB]);
        let mut words = shown.split_whitespace();
        let config = words.find(|word| *word == "--config").and_then(|_| words.next()).map(PathBuf::from);
        // `show` has no words for credentials ("[unprintable]"); the unit's files have, drop-ins included.
        let text = said(&["cat", HUB]);
        let settings = text.lines().filter_map(|line| line.trim().split_once('='));
        let names = settings
            .filter(|(key, _)| matches!(*key, "LoadCredential" | "LoadCredentialEncrypted"))
            .filter_map(|(_, value)| value.split(':').next().filter(|name| !name.is_empty()));
        HubUnit { config, credentials: names.map(str::to_owned).collect() }
    }

    fn systemctl(&self, arguments: &[&str]) -> std::io::Result<Output> {
        Command::new(&self.program).args(arguments).stdin(Stdio::null()).output()
    }

    fn call(&self, verb: &str, unit: &str) -> Result<(), Failure> {
        well(self.systemctl(&[verb, unit])).map_err(|problem| {
            Failure::Failed(format!("`systemctl {verb} {unit}` failed ({problem}): see journalctl -u {unit}."))
        })
    }
}

impl HubUnit {
    /// Whether the service is the hub of this file.
    pub fn works_with(&self, config: &Path) -> bool {
        let whole = |path: &Path| fs::canonicalize(path).or_else(|_| std::path::absolute(path)).ok();
        self.config.as_deref().is_none_or(|its_own| whole(its_own) == whole(config))
    }
}

fn well(done: std::io::Result<Output>) -> Result<(), String> {
    match done {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
