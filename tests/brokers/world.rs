//! A broker with the shipped files, installed as Debian does it, and its clients.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sos_hub::drivers::mqtt::{ClientCertificate, Keep, Link, LinkSettings, Publication, Subscription, TlsSettings};
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::support::link::{self, Heard, publication};
use crate::support::mosquitto::{free_port, program};
use crate::support::wait_until;

/// Who may do all. The tests add it to the shipped rules.
pub const EYE: &str = "eye";

/// What everybody who reads may read at home, and every hub of these tests at the center: the last of what was said.
const LAST: &str = "the last";

/// As Debian installs it, but for the directories.
const DEBIANS_CONF: &str = "pid_file DIR/mosquitto.pid\n\
    persistence true\npersistence_location DIR/\nlog_dest file DIR/mosquitto.log\ninclude_dir DIR/conf.d\n";

pub struct Broker {
    process: Child,
    dir: TempDir,
    pub plain: u16,
    pub tls: u16,
    /// Who signs certificates for it.
    pub authority: Authority,
}

impl Broker {
    /// `config/mosquitto-FILE.conf` of each of these, and `config/mosquitto-RULES.acl`. Every user's password is the
    /// user's name.
    pub fn start(files: &[&str], rules: &str, users: &[&str]) -> Broker {
        let dir = TempDir::new().expect("a directory");
        let (plain, tls, authority) = (free_port(), free_port(), Authority::new());
        let path = |name: &str| dir.path().join(name);
        for made in ["conf.d", "certs"] {
            fs::create_dir(path(made)).expect("a directory of the broker");
        }
        authority.write(&path(&format!("certs/{rules}-ca.pem")));
        authority.issue("the broker", &path("certs"), &format!("{rules}-server"));
        let here = |text: &str| text.replace("/etc/mosquitto/", &format!("{}/", dir.path().display()));
        for file in files {
            let shipped = fs::read_to_string(format!("config/mosquitto-{file}.conf")).expect("a shipped file");
            // The ports, and with them nothing else.
            let text = shipped
                .replace("\nlistener 1883 127.0.0.1\n", &format!("\nlistener {plain} 127.0.0.1\n"))
                .replace("\nlistener 8883\n", &format!("\nlistener {tls} 127.0.0.1\n"));
            assert_ne!(text, shipped, "{file} opens no port");
            fs::write(path(&format!("conf.d/sos-{file}.conf")), here(&text)).expect("a broker's file");
        }
        let acl = fs::read_to_string(format!("config/mosquitto-{rules}.acl")).expect("the shipped rules");
        fs::write(path(&format!("sos-{rules}.acl")), format!("{acl}\nuser {EYE}\ntopic readwrite #\n"))
            .expect("the rules");
        let passwords = path(&format!("sos-{rules}.passwd"));
        let lines: String = users.iter().chain([&EYE]).map(|user| format!("{user}:{user}\n")).collect();
        fs::write(&passwords, lines).expect("the passwords");
        let hashed = Command::new(program("mosquitto_passwd")).arg("-U").arg(&passwords).status();
        assert!(hashed.expect("mosquitto_passwd runs").success());
        // Started by root, it becomes a user who may not look into this directory.
        let main = DEBIANS_CONF.replace("DIR", &dir.path().display().to_string()) + "user root\n";
        fs::write(path("mosquitto.conf"), main).expect("mosquitto.conf");

        let errors = File::create(path("errors")).expect("a file");
        let mut command = Command::new(program("mosquitto"));
        command.arg("-c").arg(path("mosquitto.conf")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let mut process = command.spawn().expect("mosquitto starts");
        let said =
            || ["errors", "mosquitto.log"].map(|name| fs::read_to_string(path(name)).unwrap_or_default()).concat();
        wait_until("mosquitto listens", || {
            let ended = process.try_wait().expect("mosquitto's state");
            assert!(ended.is_none(), "mosquitto refused its configuration: {}", said());
            TcpStream::connect(("127.0.0.1", plain)).is_ok()
        });
        Broker { process, dir, plain, tls, authority }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir().join("mosquitto.log")).unwrap_or_default()
    }

    /// On the port of this machine, with the user's name as the password.
    pub fn client(&self, user: &str) -> Client {
        self.client_called(user, user)
    }

    pub fn client_called(&self, user: &str, client_id: &str) -> Client {
        Client::connect(LinkSettings { client_id: client_id.into(), ..self.login(user, self.plain) })
    }

    /// What logs in as `user` on a port.
    pub fn login(&self, user: &str, port: u16) -> LinkSettings {
        let password_file = self.dir().join(format!("{user}.word"));
        fs::write(&password_file, user).expect("a password");
        LinkSettings { username: Some(user.into()), password_file: Some(password_file), ..greedy(port) }
    }

    /// With TLS by the authority, and a certificate of one's own or none.
    pub fn within_tls(&self, settings: LinkSettings, client: Option<ClientCertificate>) -> LinkSettings {
        let ca_file = self.authority.write(&self.dir().join("ca.pem"));
        LinkSettings { port: self.tls, tls: Some(TlsSettings { ca_file, client }), ..settings }
    }

    /// A certificate with this common name, by this authority.
    pub fn certificate(&self, common_name: &str) -> ClientCertificate {
        self.authority.issue(common_name, self.dir(), &format!("client-{}", common_name.len()))
    }

    /// Of these topics, those on which `speaker` gets a message through to anybody. It ends with one that it may say.
    pub fn heard_of(&self, speaker: &Client, topics: &[&str], allowed: &str) -> BTreeSet<String> {
        let eye = self.client(EYE);
        for topic in topics {
            speaker.say(topic, "something");
        }
        speaker.say(allowed, LAST);
        eye.until_the_last()
    }

    /// Of these topics, those of which `listener` gets anything, stored or live; `readable` is one of them.
    pub fn read_by(&self, listener: impl FnOnce() -> Client, topics: &[&str], readable: &str) -> BTreeSet<String> {
        let eye = self.client(EYE);
        let say_all = |retain| {
            for topic in topics {
                eye.link.publish(Publication { retain, ..publication(topic, "something") }, Keep::Queue);
            }
        };
        say_all(true);
        // The broker has them when it gives this one back.
        eye.say("stored", LAST);
        eye.until_the_last();
        let listener = listener();
        say_all(false);
        eye.say(readable, LAST);
        listener.until_the_last()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Subscribes to all there is, the stored messages too.
fn greedy(port: u16) -> LinkSettings {
    let subscription = |topic: &str| Subscription { topic: topic.into(), wants_retained: true };
    LinkSettings {
        will: None,
        on_up: Vec::new(),
        last_words: Vec::new(),
        subscriptions: vec![subscription("#"), subscription("$SYS/#")],
        ..link::settings(port)
    }
}

/// One who is logged in and listens to all that the broker gives.
pub struct Client {
    link: Link,
    heard: Heard,
}

impl Client {
    pub fn connect(settings: LinkSettings) -> Client {
        let (link, heard) = link::start(settings);
        heard.up();
        Client { link, heard }
    }

    /// Why the broker does not let one in.
    pub fn refused(settings: LinkSettings) -> String {
        let (_link, heard) = link::start(settings);
        heard.down().detail
    }

    pub fn say(&self, topic: &str, text: &str) {
        self.link.publish(publication(topic, text), Keep::Queue);
    }

    /// Topics of what comes, until the last of what was said.
    fn until_the_last(&self) -> BTreeSet<String> {
        let mut topics = BTreeSet::new();
        loop {
            let message = self.heard.message();
            if message.payload == LAST.as_bytes() {
                return topics;
            }
            topics.insert(message.topic);
        }
    }

    /// Nothing was told of the connection since it came up.
    pub fn is_still_connected(&self) {
        self.heard.has_not_changed();
    }

    /// The next message's topic and payload.
    pub fn next(&self) -> (String, String) {
        let message = self.heard.message();
        (message.topic, String::from_utf8_lossy(&message.payload).into_owned())
    }
}

pub fn set(topics: &[&str]) -> BTreeSet<String> {
    topics.iter().map(|&topic| topic.to_owned()).collect()
}
