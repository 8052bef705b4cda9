//! The broker of this machine: mosquitto with the shipped configuration, a user for each client, and their rights.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::pbkdf2;
use ring::rand::{SecureRandom, SystemRandom};

use super::Failure;
use super::files::Access;
use super::plan::Plan;
use super::users;

const CONF: &str = include_str!("../../config/mosquitto-home.conf");
const ACL: &str = include_str!("../../config/mosquitto-home.acl");

/// The lines of the shipped files that a home may want otherwise.
const LISTENER: &str = "listener 1883 127.0.0.1";
const DIRECTORY: &str = "/etc/mosquitto/";

/// What may stand in one place of mosquitto's configuration only, or has it serve others than the hub's clients.
const CLASHES: [&str; 6] =
    ["listener", "port", "allow_anonymous", "password_file", "acl_file", "per_listener_settings"];

/// The user that the hub is at the broker.
pub const HUB_USER: &str = "sos-hub";
/// The user that apps are.
pub const APP_USER: &str = "sos-app";
/// As `mosquitto_passwd` does. The passwords are random: more turns would only hold the broker up.
const TURNS: NonZeroU32 = NonZeroU32::new(101).expect("not zero");
const SALT_BYTES: usize = 12;
const HASH_BYTES: usize = 64;

/// The user that Home Assistant is.
const HOME_ASSISTANT: &str = "homeassistant";
/// Where the rights of that user begin and end in the shipped file.
const ITS_RIGHTS: &str = "# Home Assistant is an app";

/// What is asked of the local broker.
pub struct LocalBroker {
    pub mosquitto_dir: PathBuf,
    pub port: u16,
    /// Where it listens so far, as far as the hub knows.
    pub former_port: Option<u16>,
    /// The topic levels of the hub, and of Home Assistant's discovery.
    pub topic_prefix: String,
    pub discovery_prefix: String,
    /// Whether Home Assistant gets in.
    pub home_assistant: bool,
}

/// A client of the local broker.
pub struct Client {
    pub user: &'static str,
    /// Where its password is written down, beside `hub.toml`.
    pub file: &'static str,
    pub is_let_in: bool,
}

impl LocalBroker {
    /// Whoever talks to the hub through it.
    pub fn clients(&self) -> [Client; 2] {
        [
            Client { user: APP_USER, file: "client-app.password", is_let_in: true },
            Client { user: HOME_ASSISTANT, file: "client-homeassistant.password", is_let_in: self.home_assistant },
        ]
    }

    fn conf_file(&self) -> PathBuf {
        conf_file(&self.mosquitto_dir)
    }

    fn acl_file(&self) -> PathBuf {
        self.mosquitto_dir.join("sos-home.acl")
    }

    /// What somebody else has written or changed, and what would take its place: no setup of this version wrote it.
    pub fn changed_by_others(&self) -> Vec<PathBuf> {
        let ports = [Some(self.port), self.former_port];
        let confs: Vec<_> = ports.into_iter().flatten().map(|port| self.conf(port)).collect();
        let acls = [true, false].map(|home_assistant| self.acl(home_assistant)).to_vec();
        let is_other = |(path, ours): &(PathBuf, Vec<String>)| {
            fs::read(path).is_ok_and(|there| ours.iter().all(|ours| ours.as_bytes() != there))
        };
        let files = [(self.conf_file(), confs), (self.acl_file(), acls)];
        files.into_iter().filter(is_other).map(|(path, _)| path).collect()
    }

    /// Plans configuration, rights and the passwords of these users; a copy is kept of what others have changed, and the
    /// names of the copies are returned. Home Assistant's user goes if it is not let in, all others stay.
    pub fn write(&self, users: &BTreeMap<String, String>, plan: &mut Plan) -> Result<Vec<PathBuf>, Failure> {
        let copies = self.changed_by_others();
        let copies = copies.iter().map(|path| plan.keep_copy(path)).collect::<Result<Vec<_>, _>>()?;
        let conf = self.conf_file();
        plan.directory(conf.parent().unwrap_or(&self.mosquitto_dir), 0o755, None);
        let mosquitto = users::owner("mosquitto");
        plan.write(&conf, self.conf(self.port).as_bytes(), Access::Open);
        let acl = self.acl(self.home_assistant);
        plan.write(&self.acl_file(), acl.as_bytes(), Access::Private(mosquitto));
        let passwords = self.passwords(users)?;
        plan.write(&passwords_file(&self.mosquitto_dir), passwords.as_bytes(), Access::Private(mosquitto));
        Ok(copies)
    }

    fn conf(&self, port: u16) -> String {
        let dir = format!("{}/", self.mosquitto_dir.display());
        CONF.replace(LISTENER, &format!("listener {port} 127.0.0.1")).replace(DIRECTORY, &dir)
    }

    fn acl(&self, home_assistant: bool) -> String {
        let prefixes = [(" sos/", &self.topic_prefix), (" homeassistant/", &self.discovery_prefix)];
        let with_prefix = |line: &str| {
            let found = prefixes.iter().find_map(|(shipped, prefix)| {
                let (rule, topic) = line.split_once(shipped).filter(|(rule, _)| rule.starts_with("topic "))?;
                Some(format!("{rule} {prefix}/{topic}"))
            });
            found.unwrap_or_else(|| line.to_owned())
        };
        // The user of Home Assistant is the last one of the file.
        let lines = ACL.lines().take_while(|line| home_assistant || !line.starts_with(ITS_RIGHTS));
        lines.fold(String::new(), |text, line| text + &with_prefix(line) + "\n")
    }

    /// Other users of the file stay.
    fn passwords(&self, users: &BTreeMap<String, String>) -> Result<String, Failure> {
        let there = fs::read_to_string(passwords_file(&self.mosquitto_dir)).unwrap_or_default();
        let goes = |name: &str| users.contains_key(name) || (name == HOME_ASSISTANT && !self.home_assistant);
        let stays = |line: &&str| !line.split_once(':').is_some_and(|(name, _)| goes(name));
        let mut text = String::new();
        for line in there.lines().filter(stays) {
            let _ = writeln!(text, "{line}");
        }
        for (name, password) in users {
            let _ = writeln!(text, "{name}:{}", hash(password)?);
        }
        Ok(text)
    }
}

/// Whether mosquitto is installed.
pub fn is_installed(mosquitto_dir: &Path) -> bool {
    mosquitto_dir.is_dir()
}

/// What the hub needs mosquitto to know.
pub fn conf_file(mosquitto_dir: &Path) -> PathBuf {
    mosquitto_dir.join("conf.d/sos-home.conf")
}

/// Whether Home Assistant has a password there already.
pub fn knows_home_assistant(mosquitto_dir: &Path) -> bool {
    knows(mosquitto_dir, HOME_ASSISTANT)
}

/// Whether this user has a password there already.
pub fn knows(mosquitto_dir: &Path, user: &str) -> bool {
    let there = fs::read_to_string(passwords_file(mosquitto_dir)).unwrap_or_default();
    there.lines().any(|line| line.split_once(':').is_some_and(|(name, _)| name == user))
}

fn passwords_file(mosquitto_dir: &Path) -> PathBuf {
    mosquitto_dir.join("sos-home.passwd")
}

/// A file of somebody else that says what ours says as well: the broker refuses to start with both.
pub fn settings_of_others(mosquitto_dir: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(mosquitto_dir.join("conf.d")).into_iter().flatten().flatten();
    let mut others: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sos-home")))
        .collect();
    others.push(mosquitto_dir.join("mosquitto.conf"));
    others.sort();
    let clashes = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(|line| line.split_whitespace().next()).any(|word| CLASHES.contains(&word))
    };
    others.into_iter().find(clashes)
}

/// The password of a client as its file has it, or a new one.
pub fn password_in(path: &PathBuf) -> Result<String, Failure> {
    match fs::read_to_string(path).map(|text| text.lines().next().unwrap_or_default().to_owned()) {
        Ok(password) if !password.is_empty() => Ok(password),
        _ => new_password(),
    }
}

/// 144 random bits as text.
pub fn new_password() -> Result<String, Failure> {
    Ok(URL_SAFE_NO_PAD.encode(random::<18>()?))
}

/// Six random digits.
pub fn new_pin() -> Result<String, Failure> {
    Ok(format!("{:06}", u64::from_ne_bytes(random::<8>()?) % 1_000_000))
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::Failed("The system gives no random numbers: try again.".to_owned()))?;
    Ok(bytes)
}

/// As mosquitto keeps a password: PBKDF2 with SHA-512.
fn hash(password: &str) -> Result<String, Failure> {
    let salt = random::<SALT_BYTES>()?;
    let mut hash = [0; HASH_BYTES];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, TURNS, &salt, password.as_bytes(), &mut hash);
    Ok(format!("$7${TURNS}${}${}", STANDARD.encode(salt), STANDARD.encode(hash)))
}
