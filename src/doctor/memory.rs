//! What the hub remembers, the plan above all, and the disk that it is on.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::finding::{Finding, Findings};
use crate::config::Config;
use crate::controller::input::PlanToken;
use crate::drivers::clock;
use crate::store::history;
use crate::wire::center::plan_token;
use crate::wire::tokens::Verifier;

/// Below this the hub may soon not be able to write; below the other somebody should tidy up.
const LEAST_MIB: u64 = 20;
const LITTLE_MIB: u64 = 200;

/// What a token in the state directory says, if this user may read it.
enum Token {
    Good(PlanToken),
    Missing,
    Closed,
    Bad(String),
}

pub fn plan(findings: &mut Findings, config: &Config, state: Option<&Value>) {
    let token = token(config);
    let expiry = match &token {
        Token::Good(plan) => {
            let end = Timestamp::from_millisecond(plan.expires_at.0).map(|end| end.to_string()).unwrap_or_default();
            format!(" Its confirmation is good until {end}.")
        }
        _ => String::new(),
    };
    let ask = "Ask the monitoring center.";
    if let Some(state) = state {
        let name = state["plan"]["name"].as_str().unwrap_or("none");
        findings.add(match state["plan"]["standing"].as_str() {
            Some("active") => Finding::ok("plan", format!("The plan {name} has professional monitoring.{expiry}")),
            Some("unconfirmed") => Finding::warn(
                "plan",
                format!("The plan {name} has not been confirmed again by the center.{expiry}"),
                ask,
            ),
            Some("denied") => {
                let message = format!("The plan {name} has no professional monitoring: every SOS is refused.");
                Finding::fail("plan", message, "Ask the monitoring center for another plan.")
            }
            _ => Finding::fail("plan", "The hub has no plan: every SOS is refused.", "sudo sos-hub setup --center DIR"),
        });
        return;
    }
    let path = config.hub.state_dir.join("plan.jwt");
    let path = path.display();
    findings.add(match token {
        Token::Good(plan) if !plan.professional_monitoring => {
            let message = format!("The plan {} has no professional monitoring: every SOS is refused.", plan.plan);
            Finding::fail("plan", message, "Ask the monitoring center for another plan.")
        }
        Token::Good(plan) if plan.expires_at.0 < clock::wall().0 => Finding::warn(
            "plan",
            format!("The plan {} has not been confirmed again by the center.{expiry}", plan.plan),
            ask,
        ),
        Token::Good(plan) => {
            Finding::ok("plan", format!("The plan {} has professional monitoring.{expiry}", plan.plan))
        }
        Token::Missing => {
            let message = format!("There is no plan at {path}: until the center sends one, every SOS is refused.");
            Finding::warn("plan", message, "sudo sos-hub setup --center DIR")
        }
        Token::Closed => Finding::warn("plan", "This user may not look at the plan.", "Run it with sudo."),
        Token::Bad(problem) => Finding::fail("plan", format!("{path} is no plan for this hub: {problem}."), ask),
    });
}

fn token(config: &Config) -> Token {
    let text = match fs::read_to_string(config.hub.state_dir.join("plan.jwt")) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Token::Missing,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Token::Closed,
        Err(error) => return Token::Bad(error.to_string()),
    };
    let key = fs::read(&config.center.center_key_file).map_err(|error| error.to_string());
    let verifier = key.and_then(|key| Verifier::from_pem(&key).map_err(|problem| format!("center.pub {problem}")));
    let plan = verifier.and_then(|verifier| {
        plan_token(&text, &config.center.account, &verifier).map_err(|problem| format!("the token {problem}"))
    });
    plan.map_or_else(Token::Bad, Token::Good)
}

pub fn disk(findings: &mut Findings, config: &Config) {
    let dir = &config.hub.state_dir;
    let there = dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    let shown = dir.display();
    findings.add(match room(there) {
        Err(error) => {
            Finding::warn("disk", format!("The disk of {shown} could not be looked at ({error})."), "Run it with sudo.")
        }
        Ok(Room { read_only: true, .. }) => Finding::fail(
            "disk",
            format!("The file system of {shown} is read-only: alarms would not survive a power cut."),
            "See dmesg: a worn SD card becomes read-only. Replace it.",
        ),
        Ok(Room { mib, files, .. }) if mib < LEAST_MIB || files == Some(0) => Finding::fail(
            "disk",
            format!("The disk of {shown} is full ({mib} MiB left)."),
            "Free some space: sudo apt-get clean",
        ),
        Ok(Room { mib, .. }) if mib < LITTLE_MIB => Finding::warn(
            "disk",
            format!("The disk of {shown} has {mib} MiB left."),
            "Free some space: sudo apt-get clean",
        ),
        Ok(Room { mib, .. }) => Finding::ok("disk", format!("The disk of {shown} can be written, {mib} MiB are free.")),
    });
}

struct Room {
    mib: u64,
    /// How many more files; `None`: the file system has no limit.
    files: Option<u64>,
    read_only: bool,
}

fn room(dir: &Path) -> io::Result<Room> {
    let path = CString::new(dir.as_os_str().as_bytes())?;
    // SAFETY: all-zero bytes are a valid `statvfs`, which the call fills, and `path` ends with NUL.
    let (answer, found) = unsafe {
        let mut found: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut found), found)
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    // Their widths differ between architectures.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "on 64 bits they are this wide already")]
    let (free, size, total, files) =
        (found.f_bavail as u64, found.f_frsize as u64, found.f_files as u64, found.f_favail as u64);
    Ok(Room {
        mib: free.saturating_mul(size) / (1024 * 1024),
        files: (total > 0).then_some(files),
        read_only: found.f_flag & libc::ST_RDONLY != 0,
    })
}

pub fn store(findings: &mut Findings, config: &Config) {
    let dir = &config.hub.state_dir;
    let shown = dir.display();
    match history::check(dir) {
        Ok(()) => findings.add(Finding::ok("memory", format!("The hub's memory in {shown} is whole."))),
        Err(history::HistoryError::Missing(_)) if fs::metadata(dir).is_ok() => {
            let message = format!("There is no memory in {shown} yet: it is made at the hub's first start.");
            findings.add(Finding::ok("memory", message));
        }
        Err(history::HistoryError::Foreign { reason, .. }) => findings.add(Finding::fail(
            "memory",
            format!("The hub's memory in {shown} cannot be used: {reason}."),
            "Restart the hub: it puts the file aside and begins a new one. Then check the disk.",
        )),
        Err(error) => {
            findings.add(Finding::warn(
                "memory",
                format!("The hub's memory was not looked at: {error}."),
                "Run it with sudo.",
            ));
        }
    }
    let aside = fs::read_dir(dir).into_iter().flatten().flatten().filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("hub.db.corrupt-") && !name.ends_with("-wal") && !name.ends_with("-shm")
    });
    let count = aside.count();
    if count > 0 {
        findings.add(Finding::warn(
            "memory",
            format!("{count} damaged database(s) were put aside in {shown}."),
            format!("Check the SD card and the power supply; then remove {shown}/hub.db.corrupt-*."),
        ));
    }
}
