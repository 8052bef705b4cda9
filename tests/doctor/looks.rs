//! What the doctor sees.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use sos_hub::doctor::Holder;

use crate::found::Found;
use crate::home::Home;
use crate::hub_process::sos_hub;
use crate::machine::Machine;
use crate::support::mosquitto::{Mosquitto, free_port};
use crate::support::wait_until;

/// The properties that systemd shows of a service that is well.
const WELL: &str = "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNRestarts=0\n\
                    Result=success\nExecMainStatus=0\nWatchdogUSec=9s\n";

fn doctor(machine: &Machine) -> Command {
    let mut command = sos_hub(&["doctor", "--config"]);
    command.arg(machine.path("etc/hub.toml")).arg("--service-manager").arg(machine.path("systemctl"));
    command.arg("--sys-dir").arg(machine.path("sys")).arg("--mosquitto-dir").arg(machine.path("mosquitto"));
    command
}

/// A machine with a hub that is ready.
fn well() -> Machine {
    let mut machine = Machine::new();
    machine.start_center();
    let done = machine.unasked(&["--id=home", "--button=hallway:22:police"]);
    assert!(done.status.success(), "{done:?}");
    fs::write(machine.path("show"), WELL).unwrap();
    wait_until("the hub is ready", || {
        let status = machine.sos_hub(&["status", "--json"]).stdout;
        serde_json::from_slice::<serde_json::Value>(&status).is_ok_and(|state| state["ready"] == true)
    });
    machine
}

#[test]
fn a_hub_that_is_well_is_left_alone_and_nothing_fails() {
    let machine = well();
    let found = Found::of(doctor(&machine));
    assert_eq!(found.code, 0, "{:?}", found.checks());
    assert_ne!(found.verdict(), "fail");
    let order = [
        "configuration",
        "secrets",
        "service",
        "broker",
        "guests",
        "hub",
        "center",
        "plan",
        "certificates",
        "lines",
        "clock",
        "power",
        "disk",
        "memory",
    ];
    assert_eq!(found.checks(), order);
    found.has("broker", "ok", "lets the hub in and takes its subscriptions");
    found.has("guests", "ok", "lets nobody in without a password");
    found.has("hub", "ok", "is ready");
    found.has("center", "ok", "The center is connected");
    found.has("plan", "ok", "protect_plus has professional monitoring. Its confirmation is good until");
    found.has("service", "ok", "never had to be started again");
    found.has("secrets", "ok", "closed to other users");
    found.has("memory", "ok", "is whole");
    let log = machine.read("log");
    assert_eq!(log.matches(" as sos-hub-home (").count(), 1, "the hub's own connection was disturbed: {log}");

    let text = String::from_utf8(doctor(&machine).output().unwrap().stdout).unwrap();
    assert!(text.contains("ok    hub            The hub runs"), "{text}");
}

#[test]
fn an_ordinary_user_is_told_what_they_may_not_see_and_nothing_fails_for_it() {
    let machine = well();
    let mut command = doctor(&machine);
    if unsafe { libc::geteuid() } == 0 {
        // As somebody who may go there, but reads no secret.
        fs::set_permissions(machine.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = machine.path("sos-hub-for-all");
        fs::copy(env!("CARGO_BIN_EXE_sos-hub"), &program).unwrap();
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = Command::new(program);
        command.args(arguments).uid(65_534).gid(65_534);
    } else {
        for name in ["hub.key", "app.password", "panel.pin"] {
            fs::set_permissions(machine.path("etc").join(name), fs::Permissions::from_mode(0o000)).unwrap();
        }
    }
    let found = Found::of(command);
    found.has("configuration", "warn", "accepted with");
    found.has("broker", "warn", "its login was not tried");
    found.has("hub", "warn", "was not asked for");
    found.has("secrets", "ok", "that were found are closed to other users");
    if unsafe { libc::geteuid() } == 0 {
        found.has("secrets", "warn", "could not be seen");
    }
    assert_eq!(found.code, 0, "{:?} {:?}", found.verdict(), found.checks());
}

#[test]
fn without_a_configuration_the_code_says_so() {
    let home = Home::new_empty();
    let mut command = sos_hub(&["doctor", "--config"]);
    command.arg(home.path().join("hub.toml"));
    let found = Found::of(command);
    assert_eq!(found.code, 78);
    found.has("configuration", "fail", "There is no");
    let mut command = sos_hub(&["doctor", "--config"]);
    command.arg(home.write("hub.toml", "[hub]\nid = 7\n"));
    let found = Found::of(command);
    assert_eq!(found.code, 78);
    found.has("configuration", "fail", "is refused, so the hub does not start");
    let mut command = sos_hub(&["doctor", "--config"]);
    command.arg(home.write("hub.toml", "# As it was installed.\n"));
    let found = Found::of(command);
    assert_eq!(found.code, 78);
    found.has("configuration", "fail", "sets nothing, so there is no hub yet");
}

/// A hub that does not run, with more lines of `[app]`, of `[center]`, and of the rest.
fn at_rest(home: &Home, app: &str, center: &str, rest: &str) -> Found {
    Found::of(at_rest_command(home, app, center, rest))
}

/// What looks at it.
fn at_rest_command(home: &Home, app: &str, center: &str, rest: &str) -> Command {
    let toml = format!(
        "[hub]\nid = \"home\"\nstate_dir = \"state\"\n[gpio]\nbackend = \"mock\"\nmock_dir = \"gpio\"\n[siren]\nline = 17\n\
         [app]\n{app}\n[center]\nhost = \"127.0.0.1\"\naccount = \"a-1234\"\nhub_key_file = \"hub.key\"\n\
         center_key_file = \"center.pub\"\n{center}\n{rest}\n"
    );
    let mut command = sos_hub(&["doctor", "--config"]);
    command.arg(home.write("hub.toml", toml)).arg("--sys-dir").arg(home.path().join("sys"));
    command.arg("--mosquitto-dir").arg(home.path().join("mosquitto"));
    command
}

#[test]
fn a_broker_that_is_away_refuses_or_takes_anybody_is_told_apart() {
    let (home, nobody) = (Home::new(), format!("port = {}", free_port()));
    let login = "username = \"sos-hub\"\npassword_file = \"app.password\"";
    let found = at_rest(&home, &format!("{nobody}\n{login}"), &nobody, "");
    assert_eq!(found.code, 1);
    found.has("broker", "fail", "cannot be reached");
    found.has("center", "fail", "cannot be reached");

    let strict = Mosquitto::start_with(|dir| Mosquitto::password_lines(dir, &[("sos-hub", "another")]));
    let found = at_rest(&home, &format!("port = {}\n{login}", strict.port()), &nobody, "");
    found.has("broker", "fail", "refuses the user name or password");
    found.has("guests", "ok", "lets nobody in");

    let open = Mosquitto::start("");
    let port = format!("port = {}", open.port());
    let found = at_rest(&home, &format!("{port}\n{login}"), &port, "");
    found.has("broker", "ok", "lets the hub in");
    found.has("guests", "warn", "lets clients in without a password");
    found.has("hub", "fail", "The hub is not running");
    found.has("center", "warn", "can be reached; whether it lets this hub in was not seen");
    let found = at_rest(&home, &port, &port, "");
    found.has("guests", "warn", "has no login");
}

#[test]
fn a_hub_that_runs_is_not_blamed_for_a_broker_that_is_dead() {
    let machine = well();
    assert!(Command::new(machine.path("systemctl")).args(["stop", "mosquitto.service"]).status().unwrap().success());
    let found = Found::of(doctor(&machine));
    assert_eq!(found.code, 1);
    found.has("broker", "fail", "The home's broker cannot be used");
    found.has("service", "ok", "The service runs");
    found.has("hub", "warn", "The hub runs, and could not be asked");
    let text = String::from_utf8(doctor(&machine).output().unwrap().stdout).unwrap();
    assert!(text.contains("systemctl restart mosquitto") && !text.contains("start sos-hub"), "{text}");
    // The broker is there, and the hub, which so says systemd runs, is not at it.
    for (verb, unit) in [("stop", "sos-hub.service"), ("restart", "mosquitto.service")] {
        assert!(Command::new(machine.path("systemctl")).args([verb, unit]).status().unwrap().success());
    }
    wait_until("the broker listens", || TcpStream::connect(("127.0.0.1", machine.port)).is_ok());
    Found::of(doctor(&machine)).has("hub", "fail", "The hub runs, and its state cannot be read");
}

#[test]
fn hosts_that_never_answer_hold_nobody_up() {
    let home = Home::new();
    // The kernel takes the connection, and nobody ever says a word on it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("port = {}", silent.local_addr().unwrap().port());
    let login = format!("{port}\nusername = \"sos-hub\"\npassword_file = \"app.password\"");
    let found = at_rest(&home, &login, &format!("{port}\nca_file = \"center-ca.pem\""), "");
    found.has("broker", "fail", "takes no MQTT connection in time");
    found.has("guests", "warn", "was not seen");
    found.has("center", "fail", "did not answer in time");
}

#[test]
fn the_end_of_each_certificate_is_seen() {
    let home = Home::new();
    let key = KeyPair::generate().unwrap();
    let until = |name: &str, year: i32| {
        let mut params = CertificateParams::new(vec!["a-1234".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        home.write(name, params.self_signed(&key).unwrap().pem());
    };
    until("old.pem", 2002);
    until("new.pem", 2200);
    home.write("new.key", key.serialize_pem());
    let nobody = format!("port = {}", free_port());
    let center =
        format!("{nobody}\nca_file = \"new.pem\"\nclient_cert_file = \"old.pem\"\nclient_key_file = \"new.key\"");
    let panel = "[panel]\ntls_cert_file = \"new.pem\"\ntls_key_file = \"new.key\"";
    let found = at_rest(&home, &nobody, &center, panel);
    found.has("certificates", "ok", "The center's authority in");
    found.has("certificates", "fail", "The hub's certificate for the center in");
    found.has("certificates", "ok", "The panel's certificate in");
    assert!(!found.says("certificates").iter().any(|one| one.contains("shows")), "none was met");
    assert!(
        found.says("certificates").iter().any(|one| one.contains("has expired")),
        "{:?}",
        found.says("certificates")
    );
}

#[test]
fn the_certificates_that_brokers_show_are_judged_too() {
    let home = Home::new();
    let key = KeyPair::generate().unwrap();
    let certificate = |year: i32| {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        params.self_signed(&key).unwrap().pem()
    };
    let broker = Mosquitto::start_with(|dir| {
        let (cert, key_file) = (dir.join("server.pem"), dir.join("server.key"));
        fs::write(&cert, certificate(2200)).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        format!("allow_anonymous true\ncertfile {}\nkeyfile {}", cert.display(), key_file.display())
    });
    home.write("ca.pem", certificate(2200));
    let tls = format!("port = {}\nca_file = \"ca.pem\"", broker.port());
    // What this machine's own broker shows to others, where the hub comes by plain TCP.
    fs::create_dir_all(home.path().join("mosquitto/conf.d")).unwrap();
    let of_apps = home.write("home-server.pem", certificate(2002));
    home.write("mosquitto/conf.d/sos-home-tls.conf", format!("# TLS\nlistener 8883\ncertfile {}\n", of_apps.display()));
    let found = at_rest(&home, &tls, &tls, "");
    found.has("certificates", "ok", "The certificate that the home's broker shows is good for");
    found.has("certificates", "ok", "The certificate that the center's broker shows is good for");
    found.has("certificates", "fail", "broker shows to apps in");
}

#[test]
fn a_password_within_the_configuration_and_the_brokers_own_passwords_are_looked_at() {
    let home = Home::new();
    let nobody = format!("port = {}", free_port());
    fs::create_dir(home.path().join("mosquitto")).unwrap();
    let passwords = home.write("mosquitto/sos-home.passwd", "sos-hub:$7$");
    fs::set_permissions(&passwords, fs::Permissions::from_mode(0o644)).unwrap();
    let camera = |url: &str| {
        let command =
            at_rest_command(&home, &nobody, &nobody, &format!("[[camera]]\nname = \"Door\"\nurl = \"{url}\""));
        fs::set_permissions(home.path().join("hub.toml"), fs::Permissions::from_mode(0o644)).unwrap();
        Found::of(command)
    };
    let found = camera("http://viewer:word@127.0.0.1/picture.jpg");
    found.has("secrets", "fail", "sos-home.passwd is open to every user");
    found.has("secrets", "fail", "hub.toml is open to every user");
    fs::set_permissions(&passwords, fs::Permissions::from_mode(0o600)).unwrap();
    camera("http://127.0.0.1/picture.jpg").has("secrets", "ok", "closed to other users");
}

#[test]
fn a_secret_that_is_open_to_all_fails() {
    let home = Home::new();
    let nobody = format!("port = {}", free_port());
    fs::set_permissions(home.path().join("hub.key"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(home.path().join("panel.pin"), fs::Permissions::from_mode(0o620)).unwrap();
    fs::set_permissions(home.write("client-app.password", "secret"), fs::Permissions::from_mode(0o604)).unwrap();
    let found = at_rest(&home, &nobody, &nobody, "[panel]\npin_file = \"panel.pin\"");
    found.has("secrets", "fail", "client-app.password is open to every user");
    found.has("secrets", "fail", "hub.key is open to every user of this machine (mode 0644)");
    found.has("secrets", "warn", "panel.pin can be changed by its whole group");
    assert_eq!(found.code, 1);
}

#[test]
fn too_low_a_voltage_is_seen_now_and_since_the_boot() {
    let home = Home::new();
    let nobody = format!("port = {}", free_port());
    let firmware = home.path().join("sys/devices/platform/soc/soc:firmware");
    fs::create_dir_all(&firmware).unwrap();
    for (bits, verdict, words) in [
        ("50005", "fail", "too low."),
        ("50000", "warn", "since the last boot"),
        ("4", "warn", "too hot"),
        ("0", "ok", "The supply voltage is good."),
    ] {
        fs::write(firmware.join("get_throttled"), format!("{bits}\n")).unwrap();
        at_rest(&home, &nobody, &nobody, "").has("power", verdict, words);
    }
    let monitor = home.path().join("sys/class/hwmon/hwmon1");
    fs::create_dir_all(&monitor).unwrap();
    fs::write(monitor.join("name"), "rpi_volt\n").unwrap();
    fs::write(monitor.join("in0_lcrit_alarm"), "1\n").unwrap();
    at_rest(&home, &nobody, &nobody, "").has("power", "fail", "too low.");
}

#[test]
fn a_damaged_memory_and_what_was_put_aside_are_seen() {
    let machine = well();
    assert!(Command::new(machine.path("systemctl")).args(["stop", "sos-hub.service"]).status().unwrap().success());
    fs::write(machine.path("state/hub.db.corrupt-1"), "").unwrap();
    let found = Found::of(doctor(&machine));
    found.has("memory", "ok", "is whole");
    found.has("memory", "warn", "1 damaged database(s)");
    // The hub does not run, so its own word is missing; the plan's file is believed.
    found.has("plan", "ok", "Its confirmation is good until");
    let path = machine.path("state/hub.db");
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[4096..end].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let found = Found::of(doctor(&machine));
    found.has("memory", "fail", "cannot be used");
    assert_eq!(found.code, 1);
}

#[test]
fn what_systemd_says_of_the_service_is_judged() {
    let machine = Machine::new();
    assert!(machine.unasked(&["--no-test", "--no-services"]).status.success());
    for (from, to, verdict, words) in [
        ("", "", "ok", "never had to be started again"),
        ("NRestarts=0", "NRestarts=3", "warn", "start it again 3 time(s)"),
        ("UnitFileState=enabled", "UnitFileState=disabled", "fail", "not enabled"),
        ("ActiveState=active", "ActiveState=failed", "fail", "does not run (failed"),
        ("ActiveState=active\n", "ActiveState=failed\nExecMainStatus=78\n", "fail", "its configuration was refused"),
        (
            "ActiveState=active\nSubState=running",
            "ActiveState=activating\nSubState=auto-restart",
            "fail",
            "The service ends again and again",
        ),
        ("LoadState=loaded", "LoadState=not-found", "fail", "There is no sos-hub.service"),
        ("WatchdogUSec=9s", "WatchdogUSec=0", "warn", "no watchdog"),
    ] {
        let mut shown =
            WELL.replace("ExecMainStatus=0\n", if to.contains("ExecMainStatus") { "" } else { "ExecMainStatus=0\n" });
        shown = shown.replace(from, to);
        fs::write(machine.path("show"), if from.is_empty() { WELL.to_owned() } else { shown }).unwrap();
        Found::of(doctor(&machine)).has("service", verdict, words);
    }
}

#[test]
fn a_line_that_the_hub_holds_is_known_by_the_name_that_its_library_gives_the_kernel() {
    // rppal calls itself RPPAL.
    for name in ["sos-hub", "RPPAL", "rppal"] {
        assert_eq!(Holder::of(name, true), Holder::Hub, "{name}");
        assert_eq!(Holder::of(name, false), Holder::Namesake, "{name}: it may be the hub, so nobody is told to end it");
    }
    for hub_runs in [true, false] {
        assert_eq!(Holder::of("w1", hub_runs), Holder::Other);
    }
}
