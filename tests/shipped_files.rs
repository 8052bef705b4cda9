//! The files that are shipped are accepted by the programs that read them, and do what they promise.

#[path = "support/home.rs"]
mod home;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use home::Home;
use sos_hub::config::center::CenterConfig;
use sos_hub::config::{Config, Problems};

const HUB_TOML: &str = include_str!("../config/hub.toml");
const CENTER_TOML: &str = include_str!("../config/center.toml");

/// A setting that is shipped unset: "#key = value", with nothing between the sign and the key.
fn unset(line: &str) -> Option<&str> {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase() || first == '['))
}

fn everything_set(shipped: &str) -> String {
    shipped.lines().map(|line| format!("{}\n", unset(line).unwrap_or(line))).collect()
}

fn load(home: &Home, text: impl AsRef<[u8]>) -> Result<(Config, Problems), Problems> {
    Config::load(&home.write("hub.toml", text))
}

fn center(home: &Home, text: &str) -> CenterConfig {
    let outcome = CenterConfig::load(&home.write("center.toml", text));
    let (config, warnings) = outcome.unwrap_or_else(|problems| panic!("{problems}"));
    assert!(warnings.is_empty(), "{warnings}");
    config
}

#[test]
fn hub_toml_is_accepted_as_it_is_and_with_everything_set() {
    let home = Home::new();
    for text in [HUB_TOML, &everything_set(HUB_TOML)] {
        let (_, warnings) = load(&home, text).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(warnings.is_empty(), "{warnings}");
    }
}

#[test]
fn center_toml_is_accepted_as_it_is_and_with_everything_set() {
    let home = Home::new();
    for text in [CENTER_TOML, &everything_set(CENTER_TOML)] {
        center(&home, text);
    }
}

/// The keys that a shipped file shows, set or not, and its tables.
fn shown(text: &str) -> BTreeSet<String> {
    let text = everything_set(text);
    let mut shown = BTreeSet::new();
    let mut table = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            table = line.trim_matches(['[', ']']);
            shown.insert(table.to_owned());
        } else if let Some((key, _)) = line.split_once(" = ") {
            shown.insert(format!("{table}.{key}"));
        }
    }
    shown
}

#[test]
fn hub_toml_names_every_key_and_no_other() {
    assert_eq!(shown(HUB_TOML), Config::keys().into_iter().collect());
}

#[test]
fn center_toml_names_every_key_and_no_other() {
    let mut keys: BTreeSet<String> = CenterConfig::keys().into_iter().collect();
    // The file chooses the names of its plans.
    assert!(keys.remove("plans.*.professional_monitoring"));
    keys.extend(["plans.protect_plus".to_owned(), "plans.protect_basic".to_owned()]);
    assert_eq!(shown(CENTER_TOML), keys);
}

/// What is unset and has no default: setting it changes something.
const WITHOUT_DEFAULT: &[&str] = &[
    "name",
    "mock_dir",
    "line",
    "ca_file",
    "username",
    "password_file",
    "client_cert_file",
    "client_key_file",
    "pin_file",
    "tls_cert_file",
    "tls_key_file",
];

/// The same of `center.toml`. The default of what a hub is given is what the center itself has.
const CENTER_WITHOUT_DEFAULT: &[&str] =
    &["ca_file", "client_cert_file", "client_key_file", "hub_host", "hub_port", "hub_ca_file", "url", "callback_url"];

/// Sets each value that is shown unset, one at a time; `config` says what is read then. Returns how many there were.
fn compare_with_defaults(shipped: &str, without_default: &[&str], config: impl Fn(&str) -> String) -> usize {
    let as_shipped = config(shipped);
    let mut table_is_set = true;
    let mut compared = 0;
    for line in shipped.lines() {
        let setting = unset(line).unwrap_or(line);
        if setting.starts_with('[') {
            table_is_set = unset(line).is_none();
        }
        let Some((key, _)) = unset(line).and_then(|setting| setting.split_once(" = ")) else { continue };
        if table_is_set && !without_default.contains(&key) {
            let set = shipped.replacen(&format!("\n{line}\n"), &format!("\n{setting}\n"), 1);
            assert_eq!(config(&set), as_shipped, "{line}");
            compared += 1;
        }
    }
    compared
}

#[test]
fn the_values_that_hub_toml_shows_unset_are_the_defaults() {
    let home = Home::new();
    let config = |text: &str| format!("{:?}", load(&home, text).unwrap_or_else(|problems| panic!("{problems}")).0);
    let compared = compare_with_defaults(HUB_TOML, WITHOUT_DEFAULT, config);
    assert!(compared >= 15, "{compared}");
}

#[test]
fn the_values_that_center_toml_shows_are_the_defaults() {
    let home = Home::new();
    let compared =
        compare_with_defaults(CENTER_TOML, CENTER_WITHOUT_DEFAULT, |text| format!("{:?}", center(&home, text)));
    assert_eq!(compared, 9);
    let (_, plans) = CENTER_TOML.split_once("[plans]").unwrap();
    let without_plans = CENTER_TOML.replace(&format!("[plans]{plans}"), "");
    assert_eq!(center(&home, &without_plans).plans, center(&home, CENTER_TOML).plans);
}

/// Whether the tool is there to be asked; says so when it is not.
fn can_ask(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: there is no {tool} on this machine");
    }
    there
}

const UNITS: [&str; 2] = ["sos-hub", "sos-center"];

#[test]
fn systemd_accepts_the_units() {
    if !can_ask("systemd-analyze") {
        return;
    }
    for name in UNITS {
        let home = Home::new_empty();
        // It also looks for the program, which need not be installed here.
        let unit = fs::read_to_string(format!("systemd/{name}.service")).unwrap();
        let path = home.write(&format!("{name}.service"), unit.replace(&format!("/usr/bin/{name}"), "/bin/true"));
        let verified = Command::new("systemd-analyze").arg("verify").arg(path).output().unwrap();
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert!(verified.status.success() && !said.contains(&format!("{name}.service:")), "{said}");
    }
}

#[test]
fn systemd_never_gives_up_but_on_a_bad_configuration() {
    for name in UNITS {
        let unit = fs::read_to_string(format!("systemd/{name}.service")).unwrap();
        for line in [
            "Restart=always",
            "RestartSec=1",
            "StartLimitIntervalSec=0",
            "RestartPreventExitStatus=78",
            "WatchdogSec=9",
        ] {
            assert!(unit.lines().any(|found| found == line), "{name}: {line}");
        }
        assert!(!unit.contains("network-online"));
    }
    // A condition that cannot be asked would be a hub that is not wanted.
    let hub = fs::read_to_string("systemd/sos-hub.service").unwrap();
    assert!(!hub.contains("ExecCondition=") && !hub.contains("\nCondition"), "{hub}");
}

/// A system of its own in which sysusers and tmpfiles have done what the shipped files say. `None`, with a word on it,
/// where that cannot be tried.
fn installed(names: &[&str], before: &[&str]) -> Option<Home> {
    if !can_ask("systemd-sysusers") || !can_ask("systemd-tmpfiles") {
        return None;
    }
    let home = Home::new_empty();
    let etc = home.path().join("etc");
    fs::create_dir_all(etc.join("sos-hub")).unwrap();
    fs::write(etc.join("passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    fs::write(etc.join("group"), "root:x:0:\n").unwrap();
    for file in before {
        fs::create_dir_all(home.path().join(file).parent().unwrap()).unwrap();
        fs::write(home.path().join(file), "").unwrap();
    }
    let root = format!("--root={}", home.path().display());
    let here = std::env::current_dir().unwrap();
    let shipped =
        |kind: &str| -> Vec<_> { names.iter().map(|name| here.join(format!("systemd/{name}.{kind}"))).collect() };
    let made = Command::new("systemd-sysusers").arg(&root).args(shipped("sysusers")).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    for name in names {
        assert!(fs::read_to_string(etc.join("passwd")).unwrap().contains(&format!("\n{name}:")));
    }
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: only root may give files to another user");
        return None;
    }
    let kept = Command::new("systemd-tmpfiles").args([&root, "--create"]).args(shipped("tmpfiles")).output().unwrap();
    assert!(kept.status.success(), "{kept:?}");
    Some(home)
}

fn mode(home: &Home, name: &str) -> u32 {
    fs::metadata(home.path().join(name)).unwrap().permissions().mode() & 0o7777
}

#[test]
fn systemd_makes_the_hubs_user_and_keeps_the_keys_to_it() {
    let Some(home) = installed(&["sos-hub"], &["etc/sos-hub/hub.key"]) else { return };
    let groups = fs::read_to_string(home.path().join("etc/group")).unwrap();
    assert!(groups.lines().any(|group| group.starts_with("gpio:") && group.ends_with(":sos-hub")), "{groups}");
    assert_eq!((mode(&home, "etc/sos-hub"), mode(&home, "etc/sos-hub/hub.key")), (0o755, 0o640));
    assert_eq!(mode(&home, "var/lib/sos-hub"), 0o700);
}

#[test]
fn systemd_makes_the_centers_user_and_keeps_the_keys_to_it() {
    let Some(home) = installed(&["sos-center"], &["etc/sos-hub/broker-password"]) else { return };
    assert_eq!((mode(&home, "etc/sos-hub"), mode(&home, "etc/sos-hub/broker-password")), (0o755, 0o640));
    assert_eq!(mode(&home, "var/lib/sos-center"), 0o700);
    let owner = |name: &str| fs::metadata(home.path().join(name)).unwrap().uid();
    assert_ne!(owner("var/lib/sos-center"), 0);
    assert_eq!(owner("etc/sos-hub/broker-password"), 0);
}

#[test]
fn a_hub_and_a_center_on_one_machine_take_nothing_from_each_other() {
    for names in [["sos-center", "sos-hub"], ["sos-hub", "sos-center"]] {
        let of_the_center = ["etc/sos-hub/broker-password", "etc/sos-hub/broker-client.key"];
        let of_the_hub = ["etc/sos-hub/center.password", "etc/sos-hub/hub.key", "etc/sos-hub/center-client.key"];
        // Another's, and what the setup writes down for Home Assistant, in root's hand.
        let of_others = ["etc/sos-hub/another.key", "etc/sos-hub/client-homeassistant.password"];
        let before = [&of_the_center[..], &of_the_hub, &of_others].concat();
        let Some(home) = installed(&names, &before) else { return };
        assert_eq!(mode(&home, "etc/sos-hub"), 0o755);
        let group = |name: &str| fs::metadata(home.path().join(name)).unwrap().gid();
        for (files, theirs) in [
            (&of_the_center[..], group("var/lib/sos-center")),
            (&of_the_hub, group("var/lib/sos-hub")),
            (&of_others, 0),
        ] {
            for file in files {
                assert_eq!(group(file), theirs, "{file} {names:?}");
            }
        }
    }
}

#[test]
fn what_systemd_hands_over_as_a_credential_stays_with_root_at_each_boot_and_upgrade() {
    let secrets = ["etc/sos-hub/hub.key", "etc/sos-hub/app.password", "etc/sos-hub/center.password"];
    let Some(home) = installed(&["sos-hub"], &secrets) else { return };
    let drop_in = fs::read_to_string("packaging/credentials.conf").unwrap();
    let edit = drop_in.lines().find_map(|line| line.strip_prefix("#   sed -E '")?.split('\'').next()).unwrap();
    let edited = Command::new("sed").args(["-E", edit, "systemd/sos-hub.tmpfiles"]).output().unwrap();
    let instead = home.path().join("etc/tmpfiles.d/sos-hub.conf");
    fs::create_dir_all(instead.parent().unwrap()).unwrap();
    fs::write(&instead, &edited.stdout).unwrap();
    let root = format!("--root={}", home.path().display());
    let kept = Command::new("systemd-tmpfiles").args([&root, "--create"]).arg(&instead).output().unwrap();
    assert!(kept.status.success(), "{kept:?}");
    let handed_over: Vec<_> = drop_in.lines().filter_map(|line| line.strip_prefix("LoadCredential=")).collect();
    assert_eq!(handed_over.len(), 2);
    for file in secrets {
        let is_handed_over = handed_over.iter().any(|one| one.ends_with(file));
        let group = fs::metadata(home.path().join(file)).unwrap().gid();
        assert_eq!(
            (mode(&home, file), group == 0),
            if is_handed_over { (0o600, true) } else { (0o640, false) },
            "{file}"
        );
    }
}
