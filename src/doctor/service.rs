//! The hub as a service of systemd.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::Options;
use super::finding::{Finding, Findings};

/// Its directory is there while systemd runs the machine.
const SYSTEMD: &str = "/run/systemd/system";
const UNIT: &str = "sos-hub.service";
const ASKED_FOR: &str =
    "LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result,ExecMainStatus,WatchdogUSec,ConditionResult";
/// systemd answers at once, or something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether systemd says that the service runs.
pub fn look(findings: &mut Findings, options: &Options) -> bool {
    let program = match &options.service_manager {
        Some(program) => program.clone(),
        None if Path::new(SYSTEMD).is_dir() => PathBuf::from("systemctl"),
        None => {
            let message =
                "systemd does not run this machine: whoever starts the hub must start it again after a crash.";
            findings.add(Finding::warn("service", message, "Run it under systemd, with the unit that is shipped."));
            return false;
        }
    };
    match properties(&program) {
        Ok(properties) => {
            judge(findings, &properties);
            properties.get("ActiveState").is_some_and(|state| state == "active")
        }
        Err(problem) => {
            findings.add(Finding::fail(
                "service",
                format!("systemd was not asked about {UNIT}: {problem}."),
                "systemctl status sos-hub",
            ));
            false
        }
    }
}

fn judge(findings: &mut Findings, properties: &HashMap<String, String>) {
    let value = |key: &str| properties.get(key).map_or("", String::as_str);
    let restarts: u32 = value("NRestarts").parse().unwrap_or(0);
    let journal = "journalctl -u sos-hub";
    if value("LoadState") != "loaded" {
        let message = format!("There is no {UNIT} ({}).", value("LoadState"));
        findings.add(Finding::fail("service", message, "Install the package, or the unit as the README says."));
        return;
    }
    findings.add(match value("ActiveState") {
        "active" if restarts > 0 => Finding::warn(
            "service",
            format!("The service runs, and systemd had to start it again {restarts} time(s)."),
            journal,
        ),
        "active" => Finding::ok("service", "The service runs and never had to be started again."),
        "failed" if value("ExecMainStatus") == "78" => Finding::fail(
            "service",
            "The service has ended because its configuration was refused.",
            "sudo sos-hub check, then sudo systemctl restart sos-hub",
        ),
        "activating" if value("SubState").starts_with("auto-restart") => Finding::fail(
            "service",
            format!(
                "The service ends again and again ({}): systemd has started it {restarts} time(s) more.",
                value("Result")
            ),
            journal,
        ),
        "activating" => Finding::warn("service", "The service is being started.", journal),
        state => Finding::fail(
            "service",
            format!("The service does not run ({state}, {}).", value("Result")),
            "sudo systemctl start sos-hub, and journalctl -u sos-hub",
        ),
    });
    if !matches!(value("UnitFileState"), "enabled" | "enabled-runtime" | "linked" | "static") {
        let message = "The service is not enabled: after a reboot there is no hub.";
        findings.add(Finding::fail("service", message, "sudo systemctl enable sos-hub"));
    }
    if matches!(value("WatchdogUSec"), "0" | "infinity") {
        let message = "The service has no watchdog: a hub that hangs stays so.";
        findings.add(Finding::warn("service", message, "Take WatchdogSec= from the unit that is shipped."));
    }
}

fn properties(program: &Path) -> Result<HashMap<String, String>, String> {
    let started = Command::new(program)
        .args(["show", UNIT, "--property", ASKED_FOR])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let child = started.map_err(|error| format!("{} does not start ({error})", program.display()))?;
    let text = output(child)?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect())
}

/// What it prints, unless it takes too long.
fn output(mut child: Child) -> Result<String, String> {
    let Some(mut stdout) = child.stdout.take() else { return Err("it has no output".to_owned()) };
    let (sender, text) = channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text).map(|_| text);
        // Nobody listens any more after the time is over.
        let _ = sender.send(read);
    });
    let text = text.recv_timeout(PATIENCE);
    // It has ended, or is not waited for.
    let _ = child.kill();
    let _ = child.wait();
    match text {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not answer".to_owned()),
    }
}
