//! What is written, who may read it, and what is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rcgen::{CertificateParams, KeyPair};

use crate::machine::{ACCOUNT, Machine, files_below};

#[test]
fn no_secret_is_readable_to_others() {
    let machine = Machine::new();
    let pin = machine.path("pin");
    fs::write(&pin, "4711\n").unwrap();
    let done = machine.unasked(&[
        "--pin-file",
        &pin.display().to_string(),
        "--home-assistant=yes",
        "--no-test",
        "--no-services",
    ]);
    assert!(done.status.success(), "{done:?}");
    let open: Vec<_> = ["etc", "state", "mosquitto"]
        .iter()
        .flat_map(|dir| files_below(&machine.path(dir)))
        .filter(|path| fs::metadata(path).unwrap().permissions().mode() & 0o007 != 0)
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut open: Vec<&str> = open.iter().map(String::as_str).collect();
    open.sort_unstable();
    assert_eq!(open, ["center.pub", "hub.toml", "mosquitto.conf", "sos-home.conf"]);
    assert_eq!(machine.mode("state"), 0o700);
    let passwords = machine.read("mosquitto/sos-home.passwd");
    let own = machine.read("etc/app.password");
    assert!(!passwords.contains(own.trim()), "a password is in plain text: {passwords}");
    assert!(!machine.read("etc/hub.toml").contains("4711"));
}

/// Each file with what tells whether it was replaced since, and each directory.
fn seen(machine: &Machine) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    let mut directories = vec![machine.dir.path().to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                seen.insert(format!("{}/", path.display()), 0);
                directories.push(path);
            } else {
                seen.insert(path.display().to_string(), fs::symlink_metadata(&path).unwrap().ino());
            }
        }
    }
    seen
}

/// What was listed before anything was written.
fn listed(said: &str) -> BTreeSet<String> {
    let list = said.split("This is written:\n").nth(1).expect("a list");
    let lines = list.lines().map_while(|line| line.strip_prefix("  "));
    lines.map(|line| line.split(" (").next().unwrap().to_owned()).collect()
}

#[test]
fn what_is_listed_beforehand_and_what_is_written_are_the_same() {
    let machine = Machine::new();
    let list_and_changes = |arguments: &[&str]| {
        let before = seen(&machine);
        let done = machine.unasked(&[arguments, &["--no-test", "--no-services"]].concat());
        let after = seen(&machine);
        assert!(done.status.success(), "{done:?}");
        let written = after.iter().filter(|(path, inode)| before.get(*path) != Some(inode));
        let gone = before.iter().filter(|(path, _)| !after.contains_key(*path));
        let changed: BTreeSet<String> = written.chain(gone).map(|(path, _)| path.clone()).collect();
        assert_eq!(listed(&String::from_utf8_lossy(&done.stdout)), changed);
        changed
    };
    let first = list_and_changes(&["--home-assistant=yes"]);
    for name in ["mosquitto/conf.d/", "mosquitto/conf.d/sos-home.conf", "mosquitto/sos-home.passwd", "state/plan.jwt"] {
        assert!(first.contains(&machine.path(name).display().to_string()), "{name}: {first:?}");
    }
    // Somebody has changed a file, a user goes, and other keys take the place of what is there.
    fs::write(machine.path("mosquitto/sos-home.acl"), "user doorbell\n").unwrap();
    fs::write(machine.path("etc/center.pub"), "another").unwrap();
    let second = list_and_changes(&["--home-assistant=no", "--siren-line=18", "--panel=network"]);
    for name in [
        "mosquitto/sos-home.acl.old-1",
        "etc/center.pub.old-1",
        "etc/hub.toml.old-1",
        "etc/client-homeassistant.password",
    ] {
        assert!(second.contains(&machine.path(name).display().to_string()), "{name}: {second:?}");
    }
}

#[test]
fn the_services_user_and_nobody_else_reads_its_secrets() {
    // Only root can give files away.
    if unsafe { libc::geteuid() } != 0 {
        return;
    }
    let machine = Machine::new();
    // A user that every Debian has stands for the service's.
    let done = machine.unasked(&["--service-user=mail", "--no-test", "--no-services"]);
    assert!(done.status.success(), "{done:?}");
    let owner = |name: &str| {
        let found = fs::metadata(machine.path(name)).unwrap();
        (found.uid(), found.gid(), found.permissions().mode() & 0o7777)
    };
    let (_, mail, _) = owner("state");
    assert_ne!(mail, 0);
    for name in ["etc/hub.key", "etc/app.password", "etc/panel.pin"] {
        assert_eq!(owner(name), (0, mail, 0o640), "{name}");
    }
    // One that was made here by hand stays, and the service comes to read it.
    fs::set_permissions(machine.path("etc/hub.key"), fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::chown(machine.path("etc/hub.key"), Some(0), Some(0)).unwrap();
    fs::remove_file(machine.path("bundle/hub.key")).unwrap();
    let again = machine.unasked(&["--service-user=mail", "--no-test", "--no-services"]);
    assert!(again.status.success(), "{again:?}");
    assert_eq!(owner("etc/hub.key"), (0, mail, 0o640));
    assert_eq!(owner("etc/client-app.password"), (0, 0, 0o600));
    assert_eq!(owner("state/plan.jwt").2, 0o600);
    assert_ne!(owner("state/plan.jwt").0, 0);
}

#[test]
fn keys_that_others_take_the_place_of_are_kept() {
    let machine = Machine::new();
    fs::create_dir_all(machine.path("etc")).unwrap();
    for name in ["etc/hub.key", "etc/center.pub"] {
        fs::write(machine.path(name), name).unwrap();
    }
    for _ in 0..2 {
        assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    }
    for name in ["etc/hub.key", "etc/center.pub"] {
        assert_eq!(machine.read(&format!("{name}.old-1")), name);
        assert!(!machine.path(&format!("{name}.old-2")).exists(), "the same once more is no other");
        assert_ne!(machine.read(name), name);
    }
}

#[test]
fn a_newer_plan_in_the_hubs_memory_is_not_rolled_back() {
    let machine = Machine::new();
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    let first = machine.read("state/plan.jwt");
    assert_eq!(first, machine.read("bundle/plan.jwt"));
    // Nothing that the center has signed: the bundle's is better.
    fs::write(machine.path("state/plan.jwt"), "nonsense").unwrap();
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    assert_eq!(machine.read("state/plan.jwt"), first);
    // The same account again has a plan of a higher serial.
    machine.close_account(ACCOUNT);
    machine.add_account(ACCOUNT, "bundle-2");
    let newer = machine.path("bundle-2").display().to_string();
    assert!(
        machine.setup(&["--yes", "--center", &newer, "--no-test", "--no-services"]).output().unwrap().status.success()
    );
    let second = machine.read("state/plan.jwt");
    assert_ne!(second, first);
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    assert_eq!(machine.read("state/plan.jwt"), second);
}

#[test]
fn the_certificate_for_the_centers_broker_comes_with_the_centers_files() {
    let machine = Machine::new();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![ACCOUNT.to_owned()]).unwrap().self_signed(&key).unwrap();
    let toml = machine.read("bundle/hub.toml").replace("#ca_file = \"center-ca.pem\"", "ca_file = \"center-ca.pem\"");
    fs::write(machine.path("bundle/hub.toml"), toml).unwrap();
    for name in ["center-ca.pem", "center-client.pem"] {
        fs::write(machine.path("bundle").join(name), certificate.pem()).unwrap();
    }
    let refused = machine.unasked(&["--no-test", "--no-services"]);
    assert_eq!(refused.status.code(), Some(64), "{refused:?}");
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("center-client.pem is there without center-client.key"), "{errors}");
    fs::write(machine.path("bundle/center-client.key"), key.serialize_pem()).unwrap();
    let done = machine.unasked(&["--no-test", "--no-services"]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(machine.mode("etc/center-client.key") & 0o007, 0);
    let center = machine.read("etc/hub.toml").parse::<toml::Table>().unwrap()["center"].clone();
    assert_eq!(center["client_cert_file"].as_str(), Some("center-client.pem"));
    assert_eq!(center["client_key_file"].as_str(), Some("center-client.key"));
    assert_eq!(center["ca_file"].as_str(), Some("center-ca.pem"));
    assert!(machine.sos_hub(&["check"]).status.success());
}

#[test]
fn what_the_services_user_could_not_read_is_refused() {
    // Only root can give files away.
    if unsafe { libc::geteuid() } != 0 {
        return;
    }
    let machine = Machine::new();
    let options = ["--service-user=mail", "--no-test", "--no-services"];
    assert!(machine.unasked(&options).status.success());
    let before = machine.read("etc/hub.toml");
    std::os::unix::fs::chown(machine.path("etc/panel.pin"), Some(0), Some(0)).unwrap();
    let again = |more: &[&str]| machine.unasked(&[&options[..], &["--siren-line=18"], more].concat());
    let refused = again(&[]);
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("panel.pin") && errors.contains("Nothing was changed"), "{errors}");
    assert_eq!(machine.read("etc/hub.toml"), before);
    // Where systemd hands the secrets over they stay closed to it.
    let unit =
        "[Service]\nLoadCredential=panel.pin:/etc/sos-hub/panel.pin\nLoadCredential=hub.key:/etc/sos-hub/hub.key\n";
    fs::write(machine.path("cat"), unit).unwrap();
    let done = again(&[]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!((machine.mode("etc/hub.key"), machine.mode("etc/app.password")), (0o600, 0o640));
}

#[test]
fn a_configuration_that_its_owner_has_closed_stays_closed() {
    let machine = Machine::new();
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    assert_eq!(machine.mode("etc/hub.toml"), 0o644);
    fs::set_permissions(machine.path("etc/hub.toml"), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(machine.unasked(&["--siren-line=18", "--no-test", "--no-services"]).status.success());
    assert!(machine.read("etc/hub.toml").contains("\nline = 18\n"));
    assert_eq!(machine.mode("etc/hub.toml") & 0o007, 0);
}

#[test]
fn a_center_names_no_file_outside_of_what_it_gave_out() {
    let machine = Machine::new();
    let toml = machine.read("bundle/hub.toml");
    for name in ["../center.toml", "/etc/hostname"] {
        let hostile = toml.replace("#ca_file = \"center-ca.pem\"", &format!("ca_file = \"{name}\""));
        assert_ne!(hostile, toml);
        fs::write(machine.path("bundle/hub.toml"), hostile).unwrap();
        let refused = machine.unasked(&["--no-test", "--no-services"]);
        assert_eq!(refused.status.code(), Some(64), "{refused:?}");
        let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(errors.contains("is no plain name"), "{errors}");
        assert!(!machine.path("etc").exists());
    }
    // The name is plain, and leads elsewhere.
    let innocent = toml.replace("#ca_file = \"center-ca.pem\"", "ca_file = \"center-ca.pem\"");
    fs::write(machine.path("bundle/hub.toml"), innocent).unwrap();
    std::os::unix::fs::symlink(machine.path("center.toml"), machine.path("bundle/center-ca.pem")).unwrap();
    let refused = machine.unasked(&["--no-test", "--no-services"]);
    assert_eq!(refused.status.code(), Some(64), "{refused:?}");
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("center-ca.pem is a link to another file"), "{errors}");
    assert!(!machine.path("etc").exists());
    // A pipe that nobody writes to.
    fs::remove_file(machine.path("bundle/center-ca.pem")).unwrap();
    let pipe = machine.path("bundle/center-ca.pem").display().to_string();
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let refused = machine.unasked(&["--no-test", "--no-services"]);
    assert_eq!(refused.status.code(), Some(64), "{refused:?}");
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("no plain file"), "{errors}");
    assert!(!machine.path("etc").exists());
}
