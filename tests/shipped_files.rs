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
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client, Event, MqttOptions};
use sos_hub::config::center::CenterConfig;
use sos_hub::config::{Config, Problems};
use sos_hub::drivers::mqtt::{LinkSettings, Subscription};

const HUB_TOML: &str = include_str!("../config/hub.toml");
const CENTER_TOML: &str = include_str!("../config/center.toml");

/// What a test waits for at most; what it waits for comes at once.
const PATIENCE: Duration = Duration::from_secs(20);

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

#[test]
fn at_the_center_no_hub_takes_the_centers_place_and_acks_may_go_out_in_numbers() {
    let home = Home::new_empty();
    let broker = Broker::start("center", &["sos-center", "a-1"], home.path());
    let settings = |user: &str| LinkSettings {
        client_id: "sos-center-center".into(),
        username: Some(user.into()),
        password_file: Some(home.write(&format!("{user}.word"), user)),
        will: None,
        on_up: Vec::new(),
        last_words: Vec::new(),
        subscriptions: vec![Subscription { topic: "center/+/signal".into(), wants_retained: false }],
        ..support::link::settings(broker.port)
    };
    let (_center, heard) = support::link::start(settings("sos-center"));
    heard.up();
    let mut options = MqttOptions::new("sos-center-center", "127.0.0.1", broker.port);
    options.set_credentials("a-1", "a-1");
    let (client, mut connection) = Client::new(options, 10);
    let is_granted = |event| match event {
        Ok(Event::Incoming(Packet::ConnAck(granted))) => Some(granted),
        Ok(_) => None,
        Err(error) => panic!("{error}"),
    };
    let granted = connection.iter().find_map(is_granted).unwrap();
    assert_eq!(granted.properties.unwrap().receive_max, Some(1000));
    client.publish("center/a-1/signal", QoS::AtLeastOnce, false, "alarm").unwrap();
    std::thread::spawn(move || connection.iter().all(|event| event.is_ok()));
    // The link is the first one still: what comes next is the message, not a change.
    assert_eq!(heard.message().payload, b"alarm");
    heard.has_not_changed();
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
    // One that nobody has set up yet waits; it has not failed.
    let hub = fs::read_to_string("systemd/sos-hub.service").unwrap();
    assert!(hub.contains("\nExecCondition=/usr/bin/sos-hub configured --config /etc/sos-hub/hub.toml\n"));
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
        let before = ["etc/sos-hub/broker-password", "etc/sos-hub/center.password", "etc/sos-hub/hub.key"];
        let Some(home) = installed(&names, &before) else { return };
        assert_eq!(mode(&home, "etc/sos-hub"), 0o755);
        let group = |name: &str| fs::metadata(home.path().join(name)).unwrap().gid();
        assert_eq!(group("etc/sos-hub/broker-password"), group("var/lib/sos-center"), "{names:?}");
        for of_the_hub in &before[1..] {
            assert_eq!(group(of_the_hub), group("var/lib/sos-hub"), "{of_the_hub} {names:?}");
        }
    }
}
