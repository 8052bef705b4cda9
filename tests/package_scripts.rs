//! What the package's scripts do to the services, with everything that they call played by a program that writes down how
//! it was called. `tests/systemd/lifecycle` sees the same with a real systemd.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Output};

use tempfile::TempDir;

const UPGRADE: [&str; 2] = ["configure", "0.0.9"];

/// A machine on which systemd runs and these services are in that state: `active`, `inactive`, `failed 78`.
struct Machine {
    dir: TempDir,
}

impl Machine {
    fn new(hub: &str, center: &str) -> Machine {
        let machine = Machine { dir: tempfile::tempdir().unwrap() };
        for dir in ["systemd", "bin"] {
            fs::create_dir(machine.dir.path().join(dir)).unwrap();
        }
        for program in ["systemd-sysusers", "systemd-tmpfiles", "deb-systemd-helper", "deb-systemd-invoke", "udevadm"] {
            machine.plays(program, "");
        }
        machine.plays("runuser", "");
        machine.plays("sos-hub", "");
        let states = format!(
            "case \"$*\" in\n*ActiveState*hub*|*is-active*hub*) set -- {hub}; echo $1;;\n*ExecMainStatus*hub*) set -- {hub}; echo $2;;\n\
             *ActiveState*center*) set -- {center}; echo $1;;\n*ExecMainStatus*center*) set -- {center}; echo $2;;\n\
             *StatusText*hub*) read -r status <{} && echo \"$status\";;\nesac",
            machine.dir.path().join("status").display()
        );
        machine.plays("systemctl", &states);
        machine.hub_says("Running.");
        symlink("/bin/rm", machine.dir.path().join("bin/rm")).unwrap();
        machine
    }

    fn plays(&self, program: &str, then: &str) {
        let path = self.dir.path().join("bin").join(program);
        let log = self.dir.path().join("log");
        fs::write(&path, format!("#!/bin/sh\necho \"{program} $*\" >>{}\n{then}\n", log.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Its status, as `tests/start.rs` hears it from a hub.
    fn hub_says(&self, status: &str) {
        fs::write(self.dir.path().join("status"), format!("{status}\n")).unwrap();
    }

    /// `hub.toml` sets nothing.
    fn is_not_configured(&self) {
        self.plays("sos-hub", "[ \"$1\" != configured ]");
        self.plays("runuser", "echo siren.line is missing\nexit 78");
    }

    /// Runs a script of the package, and returns what came of it and what it had called.
    fn run(&self, script: &str, arguments: &[&str]) -> (Output, String) {
        let text = fs::read_to_string(format!("packaging/debian/{script}")).unwrap();
        let systemd = self.dir.path().join("systemd").display().to_string();
        let mark = self.dir.path().join("installation").display().to_string();
        let text = text.replace("/run/systemd/system", &systemd).replace("/run/sos-hub.installation", &mark);
        let _ = fs::remove_file(self.dir.path().join("log"));
        let path = self.dir.path().join(script);
        fs::write(&path, text).unwrap();
        let output =
            Command::new("/bin/sh").arg(path).args(arguments).env("PATH", self.dir.path().join("bin")).output();
        (output.unwrap(), fs::read_to_string(self.dir.path().join("log")).unwrap_or_default())
    }
}

/// What it told systemd to do with the services.
fn invoked(called: &str) -> Vec<&str> {
    called.lines().filter_map(|line| line.strip_prefix("deb-systemd-invoke ")).collect()
}

#[test]
fn an_upgrade_starts_no_hub_that_was_stopped_and_restarts_one_that_runs() {
    for (hub, center, done) in [
        ("active", "inactive", &["try-restart sos-hub.service"][..]),
        ("active", "active", &["try-restart sos-hub.service", "try-restart sos-center.service"]),
        ("activating", "inactive", &["try-restart sos-hub.service"]),
        ("inactive", "inactive", &[]),
        // Refused by the old version; or somebody stopped it, and it had to be killed.
        ("failed 78", "inactive", &["start sos-hub.service"]),
        ("failed 9", "failed 0", &[]),
    ] {
        let machine = Machine::new(hub, center);
        // First that of the old version: what has failed is not made to look as if somebody had stopped it.
        let (_, called) = machine.run("postrm", &["upgrade", "0.1.0"]);
        assert!(!called.contains("reset-failed"), "{called}");
        let (output, called) = machine.run("postinst", &UPGRADE);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(invoked(&called), done, "{hub} {center}");
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said.contains("is left so"), hub == "inactive", "{said}");
    }
}

#[test]
fn an_installation_starts_the_hub_also_one_after_a_removal() {
    let machine = Machine::new("inactive", "inactive");
    let (_, called) = machine.run("postinst", &["configure", ""]);
    assert_eq!(invoked(&called), ["start sos-hub.service"]);
    machine.run("preinst", &["install", "0.0.9"]);
    let (_, called) = machine.run("postinst", &UPGRADE);
    assert_eq!(invoked(&called), ["start sos-hub.service"]);
    machine.run("preinst", &["upgrade", "0.0.9"]);
    let (_, called) = machine.run("postinst", &UPGRADE);
    assert_eq!(invoked(&called), [""; 0]);
}

#[test]
fn an_upgrade_leaves_the_old_version_at_work_where_the_services_user_finds_the_configuration_refused() {
    let machine = Machine::new("active", "inactive");
    machine.plays("runuser", "echo app.password cannot be read\nexit 78");
    let (output, called) = machine.run("postinst", &UPGRADE);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(invoked(&called), [""; 0]);
    let asked = "runuser -u sos-hub -- env CREDENTIALS_DIRECTORY=/run/credentials/sos-hub.service sos-hub check";
    assert!(called.lines().any(|line| line == asked), "{called}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("app.password cannot be read"), "{said}");
    assert!(said.contains("will not start again after a crash or a reboot until this is mended"), "{said}");
}

#[test]
fn an_upgrade_asks_nothing_of_a_hub_that_waits_to_be_set_up() {
    let machine = Machine::new("active", "inactive");
    machine.is_not_configured();
    machine.hub_says("Not set up yet, and waits for it: run  sudo sos-hub setup");
    let (output, called) = machine.run("postinst", &UPGRADE);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(invoked(&called), ["try-restart sos-hub.service"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("waits to be set up"), "{said}");
}

#[test]
fn an_upgrade_does_not_end_a_hub_that_works_and_has_lost_its_configuration_since() {
    let machine = Machine::new("active", "inactive");
    machine.is_not_configured();
    let (output, called) = machine.run("postinst", &UPGRADE);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(invoked(&called), [""; 0]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("siren.line is missing"), "{said}");
    assert!(said.contains("will not start again after a crash or a reboot until this is mended"), "{said}");
    assert!(said.contains("hub.toml sets nothing: put back what was there"), "{said}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("waits to be set up"), "{output:?}");
}

#[test]
fn a_mount_point_that_cannot_be_deleted_does_not_stop_a_purge() {
    let machine = Machine::new("inactive", "inactive");
    fs::remove_file(machine.dir.path().join("bin/rm")).unwrap();
    machine.plays("rm", "exit 1");
    let (output, called) = machine.run("postrm", &["purge"]);
    assert!(output.status.success(), "{output:?}");
    assert!(called.contains("rm -rf --one-file-system /var/lib/sos-hub /var/lib/sos-center /etc/sos-hub"), "{called}");
    assert!(called.contains("deb-systemd-helper purge sos-hub.service"), "{called}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("look at what is left"), "{output:?}");
}
