//! The files that are shipped are accepted by the programs that read them, and do what they promise.

#[path = "support/home.rs"]
mod home;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use home::Home;
use sos_hub::config::Config;

const HUB_TOML: &str = include_str!("../config/hub.toml");

/// What a test waits for at most; what it waits for comes at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// A setting that is shipped unset: "#key = value", with nothing between the sign and the key.
fn unset(line: &str) -> Option<&str> {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase() || first == '['))
}

fn everything_set() -> String {
    HUB_TOML.lines().map(|line| format!("{}\n", unset(line).unwrap_or(line))).collect()
}

#[test]
fn hub_toml_is_accepted_as_it_is_and_with_everything_set() {
    let home = Home::new();
    for text in [HUB_TOML, &everything_set()] {
        let (_, warnings) = home.load(text).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(warnings.is_empty(), "{warnings}");
    }
}

#[test]
fn hub_toml_names_every_key_and_no_other() {
    let text = everything_set();
    let mut shipped = BTreeSet::new();
    let mut table = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            table = line.trim_matches(['[', ']']);
            shipped.insert(table.to_owned());
        } else if let Some((key, _)) = line.split_once(" = ") {
            shipped.insert(format!("{table}.{key}"));
        }
    }
    assert_eq!(shipped, Config::keys().into_iter().collect());
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

#[test]
fn the_values_that_hub_toml_shows_unset_are_the_defaults() {
    let home = Home::new();
    let config = |text: &str| format!("{:?}", home.load(text).unwrap_or_else(|problems| panic!("{problems}")).0);
    let shipped = config(HUB_TOML);
    let mut table_is_set = true;
    let mut compared = 0;
    for line in HUB_TOML.lines() {
        let setting = unset(line).unwrap_or(line);
        if setting.starts_with('[') {
            table_is_set = unset(line).is_none();
        }
        let Some((key, _)) = unset(line).and_then(|setting| setting.split_once(" = ")) else { continue };
        if table_is_set && !WITHOUT_DEFAULT.contains(&key) {
            assert_eq!(
                config(&HUB_TOML.replacen(&format!("\n{line}\n"), &format!("\n{setting}\n"), 1)),
                shipped,
                "{line}"
            );
            compared += 1;
        }
    }
    assert!(compared >= 15, "{compared}");
}

/// A broker with a shipped configuration, on a port of its own; ended with the value.
struct Broker {
    process: Child,
    port: u16,
}

impl Broker {
    /// `name`: of `config/mosquitto-NAME.conf`. Every user's password is the user's name.
    fn start(name: &str, users: &[&str], dir: &Path) -> Broker {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let shipped = fs::read_to_string(format!("config/mosquitto-{name}.conf")).unwrap();
        assert_eq!(shipped.matches("\nlistener 1883 127.0.0.1\n").count(), 1);
        let mut config = shipped
            .replace("\nlistener 1883 ", &format!("\nlistener {port} "))
            .replace("/etc/mosquitto/", &format!("{}/", dir.display()));
        // Started by root, it becomes a user who may not look into this directory.
        config.push_str("\nuser root\n");
        fs::write(dir.join("broker.conf"), config).unwrap();
        fs::copy(format!("config/mosquitto-{name}.acl"), dir.join(format!("sos-{name}.acl"))).unwrap();
        let passwords = dir.join(format!("sos-{name}.passwd"));
        fs::write(&passwords, users.iter().map(|user| format!("{user}:{user}\n")).collect::<String>()).unwrap();
        assert!(program("mosquitto_passwd").arg("-U").arg(&passwords).status().unwrap().success());

        let log = fs::File::create(dir.join("broker.log")).unwrap();
        let mut process = program("mosquitto")
            .arg("-c")
            .arg(dir.join("broker.conf"))
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        support::wait_until("mosquitto listens", || {
            let log = || fs::read_to_string(dir.join("broker.log")).unwrap_or_default();
            assert!(process.try_wait().unwrap().is_none(), "mosquitto refused its configuration: {}", log());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Broker { process, port }
    }

    fn client(&self, program_name: &str, user: &str) -> Command {
        let mut command = program(program_name);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-V", "5", "-u", user, "-P", user]);
        command
    }

    /// Publishes retained and waits for the broker's answer; what is forbidden is answered, too.
    fn publish(&self, user: &str, topic: &str, payload: &str) {
        let mut publisher = self.client("mosquitto_pub", user);
        let mut publisher = publisher.args(["-q", "1", "-r", "-t", topic, "-s"]).stdin(Stdio::piped()).spawn().unwrap();
        publisher.stdin.take().unwrap().write_all(payload.as_bytes()).unwrap();
        assert!(publisher.wait().unwrap().success(), "{user} may not even connect");
    }

    /// The first retained message that the user gets of these topics, in their order, as "topic payload".
    fn first(&self, user: &str, topics: &[&str]) -> String {
        let mut subscriber = self.client("mosquitto_sub", user);
        subscriber.args(["-v", "-C", "1", "-W", &PATIENCE.as_secs().to_string()]);
        subscriber.args(topics.iter().flat_map(|topic| ["-t", topic]));
        let Output { stdout, .. } = subscriber.output().unwrap();
        String::from_utf8(stdout).unwrap().trim_end().to_owned()
    }

    /// Whether `user` gets a message through to `topic`, seen by `reader`, when `owner` has said another thing before.
    fn may_publish(&self, user: &str, topic: &str, owner: &str, reader: &str) -> bool {
        self.publish(owner, topic, "of the owner");
        self.publish(user, topic, "of another");
        let got = self.first(reader, &[topic]);
        assert!(got.starts_with(topic), "{reader} gets nothing of {topic}: {got}");
        got.ends_with("of another")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Debian keeps the broker where an ordinary user's PATH does not look.
fn program(name: &str) -> Command {
    let sbin = Path::new("/usr/sbin").join(name);
    if sbin.exists() { Command::new(sbin) } else { Command::new(name) }
}

#[test]
fn at_home_apps_ask_and_the_hub_answers_and_neither_speaks_for_the_other() {
    let home = Home::new_empty();
    let broker = Broker::start("home", &["sos-hub", "app", "homeassistant"], home.path());
    for app in ["app", "homeassistant"] {
        for command in ["request", "cancel", "silence", "test"] {
            let topic = format!("sos/home/{command}");
            broker.publish(app, &topic, app);
            assert_eq!(broker.first("sos-hub", &[&topic]), format!("{topic} {app}"));
        }
        for report in ["availability", "state", "event", "reply"] {
            let topic = format!("sos/home/{report}");
            assert!(!broker.may_publish(app, &topic, "sos-hub", app), "{app} forges {topic}");
        }
    }
    assert!(broker.may_publish("sos-hub", "sos/home/request", "app", "sos-hub"), "its command line cannot ask");
    broker.publish("sos-hub", "sos/home/reply/phone", "accepted");
    assert_eq!(broker.first("app", &["sos/home/reply/phone"]), "sos/home/reply/phone accepted");
    broker.publish("sos-hub", "homeassistant/device/home/config", "{}");
    assert_eq!(broker.first("homeassistant", &["homeassistant/#"]), "homeassistant/device/home/config {}");
}

#[test]
fn at_home_junk_is_dropped_and_nobody_comes_in_without_a_password() {
    let home = Home::new_empty();
    let broker = Broker::start("home", &["sos-hub", "app"], home.path());
    broker.publish("app", "sos/home/request", "police");
    broker.publish("app", "sos/home/request", &"x".repeat(8193));
    assert_eq!(broker.first("sos-hub", &["sos/home/request"]), "sos/home/request police");
    broker.publish("app", "sos/home/request", &"x".repeat(8192));
    assert_eq!(broker.first("sos-hub", &["sos/home/request"]).len(), "sos/home/request ".len() + 8192);

    let port = broker.port.to_string();
    let anonymous =
        program("mosquitto_pub").args(["-p", &port, "-t", "sos/home/request", "-m", "police"]).output().unwrap();
    assert!(!anonymous.status.success());
}

#[test]
fn at_the_center_each_hub_has_its_own_account_alone() {
    let home = Home::new_empty();
    let broker = Broker::start("center", &["sos-center", "a-1", "a-2"], home.path());
    broker.publish("a-1", "center/a-1/signal", "alarm");
    assert_eq!(broker.first("sos-center", &["center/a-1/signal"]), "center/a-1/signal alarm");
    assert!(!broker.may_publish("a-1", "center/a-2/signal", "a-2", "sos-center"));
    assert!(!broker.may_publish("a-1", "center/a-2/link", "a-2", "sos-center"));
    for order in ["ack", "update", "plan"] {
        let (own, other) = (format!("center/a-1/{order}"), format!("center/a-2/{order}"));
        assert!(!broker.may_publish("a-1", &own, "sos-center", "a-1"), "a hub forges its own {order}");
        broker.publish("sos-center", &other, "secret");
        // Were the first one readable, it would come first.
        assert_eq!(broker.first("a-1", &[&other, &own]), format!("{own} of the owner"));
    }
}

/// Whether the tool is there to be asked; says so when it is not.
fn can_ask(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: there is no {tool} on this machine");
    }
    there
}

#[test]
fn systemd_accepts_the_unit() {
    if !can_ask("systemd-analyze") {
        return;
    }
    let home = Home::new_empty();
    // It also looks for the program, which need not be installed here.
    let unit = fs::read_to_string("systemd/sos-hub.service").unwrap().replace("/usr/bin/sos-hub", "/bin/true");
    let path = home.write("sos-hub.service", unit);
    let verified = Command::new("systemd-analyze").arg("verify").arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !said.contains("sos-hub.service:"), "{said}");
}

#[test]
fn systemd_never_gives_up_but_on_a_bad_configuration() {
    let unit = fs::read_to_string("systemd/sos-hub.service").unwrap();
    for line in
        ["Restart=always", "RestartSec=1", "StartLimitIntervalSec=0", "RestartPreventExitStatus=78", "WatchdogSec=9"]
    {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    assert!(!unit.contains("network-online"));
}

#[test]
fn systemd_makes_the_user_and_keeps_the_keys_to_it() {
    if !can_ask("systemd-sysusers") || !can_ask("systemd-tmpfiles") {
        return;
    }
    let home = Home::new_empty();
    let etc = home.path().join("etc");
    fs::create_dir_all(etc.join("sos-hub")).unwrap();
    fs::write(etc.join("passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    fs::write(etc.join("group"), "root:x:0:\n").unwrap();
    fs::write(etc.join("sos-hub/hub.key"), "").unwrap();
    let root = format!("--root={}", home.path().display());
    let here = std::env::current_dir().unwrap();
    let made = Command::new("systemd-sysusers").arg(&root).arg(here.join("systemd/sos-hub.sysusers")).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    assert!(fs::read_to_string(etc.join("passwd")).unwrap().contains("\nsos-hub:"));
    let groups = fs::read_to_string(etc.join("group")).unwrap();
    assert!(groups.lines().any(|group| group.starts_with("gpio:") && group.ends_with(":sos-hub")), "{groups}");

    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: only root may give files to another user");
        return;
    }
    let kept = Command::new("systemd-tmpfiles")
        .args([&root, "--create"])
        .arg(here.join("systemd/sos-hub.tmpfiles"))
        .output()
        .unwrap();
    assert!(kept.status.success(), "{kept:?}");
    let mode = |name: &str| fs::metadata(home.path().join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("etc/sos-hub"), mode("etc/sos-hub/hub.key")), (0o750, 0o640));
    assert_eq!(mode("var/lib/sos-hub"), 0o700);
}
