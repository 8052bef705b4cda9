//! What is written, who may read it, and what is kept.

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
    assert_eq!(owner("etc/client-app.password"), (0, 0, 0o600));
    assert_eq!(owner("state/plan.jwt").2, 0o600);
    assert_ne!(owner("state/plan.jwt").0, 0);
}

#[test]
fn the_broker_files_that_somebody_has_changed_stay() {
    let machine = Machine::new();
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    let conf = machine.read("mosquitto/conf.d/sos-home.conf") + "max_connections 7\n";
    fs::write(machine.path("mosquitto/conf.d/sos-home.conf"), &conf).unwrap();
    let mut passwords = machine.read("mosquitto/sos-home.passwd");
    passwords.push_str("doorbell:$7$101$abc$def\n");
    fs::write(machine.path("mosquitto/sos-home.passwd"), &passwords).unwrap();
    let done = machine.unasked(&["--no-test", "--no-services"]);
    assert!(done.status.success(), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).contains("sos-home.conf stays as it is"), "{done:?}");
    assert_eq!(machine.read("mosquitto/conf.d/sos-home.conf"), conf);
    assert!(machine.read("mosquitto/sos-home.passwd").contains("doorbell:$7$101$abc$def\n"));
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
fn a_broker_that_serves_others_is_neither_changed_nor_stopped() {
    let machine = Machine::new();
    fs::create_dir(machine.path("mosquitto/conf.d")).unwrap();
    fs::write(machine.path("mosquitto/conf.d/lamps.conf"), "# for the lamps\nlistener 1884\n").unwrap();
    let refused = machine.unasked(&["--broker=local"]);
    assert_eq!(refused.status.code(), Some(64), "{refused:?}");
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("lamps.conf") && errors.contains("--broker 127.0.0.1"), "{errors}");
    assert!(machine.calls().is_empty() && !machine.path("etc/hub.toml").exists());
}

#[test]
fn a_broker_that_does_not_start_with_it_is_put_back_as_it_was() {
    let machine = Machine::new();
    // It fails where it is to serve the hub, and starts without.
    let systemctl = machine.read("systemctl").replacen(
        "pid=$dir",
        "[ \"$1 $2\" = \"restart mosquitto.service\" ] && [ -f \"$dir/mosquitto/conf.d/sos-home.conf\" ] && exit 1\npid=$dir",
        1,
    );
    fs::write(machine.path("systemctl"), systemctl).unwrap();
    let failed = machine.unasked(&[]);
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    let errors = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(errors.contains("has been taken back; it runs as before"), "{errors}");
    assert_eq!(machine.calls(), ["restart mosquitto.service", "restart mosquitto.service"]);
    assert!(!machine.path("mosquitto/conf.d/sos-home.conf").exists() && !machine.path("etc/hub.toml").exists());
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
