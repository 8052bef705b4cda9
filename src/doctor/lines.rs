//! The GPIO lines: whether the service may use them, and who does.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;

use super::Options;
use super::finding::{Finding, Findings};
use crate::config::{Config, Gpio};
use crate::drivers::gpio;

/// How the hub, and the library that it reaches the lines through, call themselves to the kernel.
const OURS: [&str; 2] = ["sos-hub", "RPPAL"];

/// Who holds a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    Hub,
    /// It calls itself as the hub does, and no hub is known to run.
    Namesake,
    Other,
}

impl Holder {
    /// `name`: what the holder calls itself to the kernel. `hub_runs`: so says systemd, or the hub itself.
    pub fn of(name: &str, hub_runs: bool) -> Holder {
        let is_ours = OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name));
        match (is_ours, hub_runs) {
            (true, true) => Holder::Hub,
            (true, false) => Holder::Namesake,
            (false, _) => Holder::Other,
        }
    }
}

pub fn look(findings: &mut Findings, options: &Options, config: &Config, hub_runs: bool) {
    if let Gpio::Mock(dir) = &config.gpio {
        findings.add(Finding::warn(
            "lines",
            format!("Files in {} take the place of the lines: no siren sounds and no button is heard.", dir.display()),
            "Take gpio.backend out of hub.toml on a Pi.",
        ));
        return;
    }
    nodes(findings, options, config);
    let siren = ("the siren".to_owned(), config.siren.line);
    let led = config.led.map(|line| ("the LED".to_owned(), line));
    let buttons = config.buttons.iter().map(|button| (format!("the button {}", button.name), button.line));
    for (what, line) in [siren].into_iter().chain(buttons).chain(led) {
        match gpio::holder(line.into()) {
            Ok(None) => {
                findings.add(Finding::ok("lines", format!("Line {line} of {what} is held by no other program.")))
            }
            Ok(Some(name)) => findings.add(held(&what, line, &name, Holder::of(&name, hub_runs))),
            Err(problem) => {
                let mend = "On a Pi: run it with sudo, and see that /dev/gpiochip0 belongs to the group gpio.";
                findings.add(Finding::fail("lines", format!("Line {line} of {what} cannot be seen: {problem}."), mend));
                return;
            }
        }
    }
}

fn held(what: &str, line: u8, name: &str, holder: Holder) -> Finding {
    match holder {
        Holder::Hub => Finding::ok("lines", format!("Line {line} of {what} is held by the hub.")),
        Holder::Namesake => Finding::warn(
            "lines",
            format!(
                "Line {line} of {what} is held by a program named {name:?}, as a hub's is, and no hub was seen to run."
            ),
            "See which it is: `sudo systemctl status sos-hub` and `ps aux`. It may be a hub that was started by hand.",
        ),
        Holder::Other => Finding::fail(
            "lines",
            format!("Line {line} of {what} is held by another program or driver, {name:?}."),
            "End it, or take its dtoverlay out of /boot/firmware/config.txt, or choose another line.",
        ),
    }
}

/// The device nodes, and whether the service's user may open them.
fn nodes(findings: &mut Findings, options: &Options, config: &Config) {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten().map(|entry| entry.path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("gpiochip") || (config.gpio != Gpio::Cdev && name.starts_with("gpiomem"))
    };
    let is_device = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.file_type().is_char_device());
    let mut nodes: Vec<PathBuf> = entries.filter(is_ours).filter(is_device).collect();
    nodes.sort();
    if nodes.is_empty() {
        let message = "There is no GPIO device in /dev.";
        findings.add(Finding::fail("lines", message, "Run on a Raspberry Pi, with a kernel that has its GPIO driver."));
        return;
    }
    let Some((uid, groups)) = identity(&options.service_user) else {
        let message = format!("There is no user {}, whom the service runs as.", options.service_user);
        findings.add(Finding::warn(
            "lines",
            message,
            "Install the package, or run systemd-sysusers as the README says.",
        ));
        return;
    };
    for node in nodes {
        let Ok(found) = fs::metadata(&node) else { continue };
        let mode = found.permissions().mode();
        let may = uid == 0
            || (found.uid() == uid && mode & 0o600 == 0o600)
            || (groups.contains(&found.gid()) && mode & 0o060 == 0o060)
            || mode & 0o006 == 0o006;
        if !may {
            let (node, user) = (node.display(), &options.service_user);
            findings.add(Finding::fail(
                "lines",
                format!("{node} may not be used by the service's user {user}."),
                format!("sudo chgrp gpio {node} && sudo chmod 660 {node}; sudo adduser {user} gpio"),
            ));
        }
    }
}

/// The id of a user, and those of all its groups.
fn identity(name: &str) -> Option<(u32, Vec<u32>)> {
    let user = crate::setup::user(name)?;
    let name = CString::new(name).ok()?;
    let mut groups = vec![0; 64];
    let mut count = i32::try_from(groups.len()).ok()?;
    // SAFETY: `groups` has room for `count` ids, and `name` ends with NUL.
    let found = unsafe { libc::getgrouplist(name.as_ptr(), user.gid, groups.as_mut_ptr(), &raw mut count) };
    groups.truncate(if found < 0 { 0 } else { usize::try_from(count).unwrap_or(0) });
    Some((user.uid, groups))
}
