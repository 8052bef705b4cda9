//! What the Debian package is made of: how little its services are exposed to, what it installs, and its scripts.
//! `tests/systemd` tries a package that is built, on a machine that runs systemd.

#[path = "support/home.rs"]
mod home;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use home::Home;
use sos_hub::config::Config;

/// The overall exposure level of `systemd-analyze security`, in tenths.
const EXPOSURE: u32 = 13;

#[test]
fn systemd_finds_the_services_exposed_to_little() {
    if !Command::new("systemd-analyze").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no systemd-analyze on this machine");
        return;
    }
    for name in ["sos-hub", "sos-center"] {
        let mut judge = Command::new("systemd-analyze");
        judge.args(["security", "--offline=true", "--no-pager", &format!("--threshold={EXPOSURE}")]);
        let judged = judge.arg(format!("systemd/{name}.service")).output().unwrap();
        let said = String::from_utf8_lossy(&judged.stdout);
        assert!(judged.status.success() && said.contains("Overall exposure level"), "{said} {judged:?}");
    }
}

#[test]
fn the_hub_is_given_its_lines_and_no_other_device() {
    let unit = fs::read_to_string("systemd/sos-hub.service").unwrap();
    assert!(unit.lines().any(|line| line == "DevicePolicy=closed"));
    let allowed: Vec<_> = unit.lines().filter_map(|line| line.strip_prefix("DeviceAllow=")).collect();
    assert_eq!(allowed, ["char-gpiochip rw", "/dev/gpiomem rw", "/dev/gpiomem0 rw"]);
    let rules = fs::read_to_string("systemd/sos-hub.udev").unwrap();
    for node in ["gpiochip*", "gpiomem|gpiomem0"] {
        let rule = rules.lines().find(|line| line.contains(&format!("KERNEL==\"{node}\""))).unwrap();
        assert!(rule.contains("GROUP=\"gpio\", MODE=\"0660\""), "{rule}");
    }
}

/// The keys that a file shows, set or not: "key = value", with or without a sign directly before it.
fn keys(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| line.trim_start_matches('#').split_once(" = ")).map(|(key, _)| key).collect()
}

#[test]
fn the_installed_configuration_sets_nothing_and_shows_what_has_no_default() {
    for name in ["hub.toml", "center.toml"] {
        let text = fs::read_to_string(format!("packaging/{name}")).unwrap();
        assert!(!Config::is_set_up(&Home::new_empty().write(name, &text)), "{name} sets something");
        let reference = fs::read_to_string(format!("config/{name}")).unwrap();
        assert!(keys(&text).is_subset(&keys(&reference)), "{name}");
    }
    let text = fs::read_to_string("packaging/hub.toml").unwrap();
    let home = Home::new();
    let path = home.path().join("hub.toml");
    let (_, shown) = text.split_once("# What has no default:\n").unwrap();
    let set: String = shown.lines().map(|line| format!("{}\n", &line[1..])).collect();
    home.write("hub.toml", &set);
    if let Err(problems) = Config::load(&path) {
        panic!("{problems}");
    }
    // Each of them is needed.
    for key in keys(&set) {
        let line = set.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        assert!(Config::load(&home.write("hub.toml", set.replace(line, ""))).is_err(), "{key} has a default");
    }
}

/// What the manifest lists, as source and target.
fn assets(manifest: &str) -> Vec<(&str, &str)> {
    let (_, list) = manifest.split_once("\nassets = [\n").unwrap();
    let (list, _) = list.split_once("\n]").unwrap();
    list.lines()
        .filter_map(|line| line.trim().strip_prefix("[\"")?.split_once("\", \""))
        .map(|(source, rest)| (source, rest.split('"').next().unwrap()))
        .collect()
}

/// The files of an asset that are here.
fn files_of(source: &str) -> Vec<String> {
    let (dir, name) = source.rsplit_once('/').unwrap_or((".", source));
    let (head, tail) = name.split_once('*').unwrap_or((name, ""));
    let found = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: Vec<_> = found.filter(|found| found.starts_with(head) && found.ends_with(tail)).collect();
    assert!(!found.is_empty(), "{source} is not here");
    found.iter().map(|found| format!("{dir}/{found}")).collect()
}

/// Each file that is packed, but for those that are built first, and as what it is installed.
fn packed(manifest: &str) -> Vec<(String, PathBuf)> {
    let mut packed = Vec::new();
    for (source, target) in assets(manifest).into_iter().filter(|(source, _)| !source.starts_with("target/")) {
        for file in files_of(source) {
            let name = Path::new(&file).file_name().unwrap();
            let target = if target.ends_with('/') { Path::new(target).join(name) } else { PathBuf::from(target) };
            packed.push((file, target));
        }
    }
    packed
}

#[test]
fn all_units_rules_and_configurations_are_in_the_package() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let packed: BTreeSet<String> = packed(&manifest).into_iter().map(|(source, _)| source).collect();
    for entry in ["systemd", "config"].into_iter().flat_map(|dir| fs::read_dir(dir).unwrap()) {
        let path = entry.unwrap().path().display().to_string();
        assert!(packed.contains(&path), "{path} is not in the package");
    }
    for conffile in ["hub.toml", "center.toml"] {
        assert!(packed.contains(&format!("packaging/{conffile}")));
        assert!(manifest.contains(&format!("\"/etc/sos-hub/{conffile}\"")), "an upgrade would overwrite {conffile}");
    }
}

#[test]
fn the_links_of_the_installed_documents_lead_to_installed_files() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let packed = packed(&manifest);
    let targets: BTreeSet<&Path> = packed.iter().map(|(_, target)| target.as_path()).collect();
    let mut links = 0;
    for (source, target) in packed.iter().filter(|(source, _)| source.ends_with(".md")) {
        let text = fs::read_to_string(source).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if link.is_empty() || link.contains("://") {
                continue;
            }
            let mut to = target.parent().unwrap().to_owned();
            for level in Path::new(link) {
                if level == ".." { assert!(to.pop()) } else { to.push(level) }
            }
            assert!(targets.contains(to.as_path()), "{source} is installed with a link to {link}, which is not there");
            links += 1;
        }
    }
    assert!(links > 10, "the links cannot be read");
}

#[test]
fn the_scripts_of_the_package_are_for_the_shell_that_every_debian_has() {
    for entry in fs::read_dir("packaging/debian").unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("#!/bin/sh\n") && text.contains("\nset -e\n"), "{path:?}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o111, 0o111, "{path:?}");
        let parsed = Command::new("/bin/sh").arg("-n").arg(&path).output().unwrap();
        assert!(parsed.status.success(), "{parsed:?}");
    }
}
