//! Whether what is secret is readable to the wrong people.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::Options;
use super::finding::{Finding, Findings};
use crate::config::{Camera, Config, PanelTls, reader};

/// Where a secret can be named.
const KEYS: [(&str, &str); 6] = [
    ("app", "password_file"),
    ("center", "password_file"),
    ("center", "hub_key_file"),
    ("center", "client_key_file"),
    ("panel", "pin_file"),
    ("panel", "tls_key_file"),
];

pub fn look(findings: &mut Findings, options: &Options, config: &Config) {
    let mut all_well = true;
    let mut unseen = Vec::new();
    let mut add = |finding: Finding| {
        all_well = false;
        findings.add(finding);
    };
    for path in secrets(options, config) {
        let shown = path.display();
        let found = match fs::metadata(&path) {
            Ok(found) => found,
            // `check` misses what has to be there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                unseen.push(format!("{shown} ({error})"));
                continue;
            }
        };
        let mode = found.permissions().mode();
        if mode & 0o007 != 0 {
            add(Finding::fail(
                "secrets",
                format!("{shown} is open to every user of this machine (mode {:04o}).", mode & 0o7777),
                format!("sudo chmod o= {shown}; if somebody may have read it, change what is in it."),
            ));
        } else if mode & 0o020 != 0 {
            add(Finding::warn(
                "secrets",
                format!("{shown} can be changed by its whole group (mode {:04o}).", mode & 0o7777),
                format!("sudo chmod g-w {shown}"),
            ));
        }
    }
    let dir = options.config.parent().unwrap_or(Path::new("/"));
    if let Ok(found) = fs::metadata(dir)
        && found.permissions().mode() & 0o002 != 0
        && found.mode() & 0o1000 == 0
    {
        let dir = dir.display();
        let message = format!("Every user of this machine can change what is in {dir}.");
        add(Finding::fail("secrets", message, format!("sudo chmod 755 {dir}")));
    }
    if !unseen.is_empty() {
        let message = format!("Whether these are closed could not be seen: {}.", unseen.join(", "));
        findings.add(Finding::warn("secrets", message, "Run it with sudo."));
    }
    if all_well {
        findings.add(Finding::ok(
            "secrets",
            "The keys, passwords and PIN that were found are closed to other users of this machine.",
        ));
    }
}

/// The files themselves: what this user may not read is not in the configuration that was loaded.
fn secrets(options: &Options, config: &Config) -> Vec<PathBuf> {
    let file = options.config.as_path();
    let named = reader::words(file);
    let is_secret =
        |table: &str, key: &str| KEYS.contains(&(table, key)) || (table, key) == ("camera", "password_file");
    let dir = file.parent().unwrap_or(Path::new("/"));
    let mut list: Vec<PathBuf> =
        named.into_iter().filter(|(table, key, _)| is_secret(table, key)).map(|(_, _, name)| dir.join(name)).collect();
    if config.panel.tls == PanelTls::SelfMade {
        list.push(config.hub.state_dir.join("panel-key.pem"));
    }
    list.push(config.hub.state_dir.join("hub.db"));
    list.push(options.mosquitto_dir.join("sos-home.passwd"));
    if config.cameras.iter().any(Camera::has_its_password_in_its_url) {
        list.push(file.to_owned());
    }
    // What the setup wrote down for the broker's other clients.
    let beside = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    list.extend(beside.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("client-") && path.extension().is_some_and(|extension| extension == "password")
    }));
    list
}
