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
use super::dialogue::{Dialogue, Question};
use super::files::{self, Access, Changes, Owner};

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

/// What is asked of the local broker.
pub struct LocalBroker<'a> {
    pub mosquitto_dir: &'a Path,
    pub port: u16,
    /// The topic levels of the hub, and of Home Assistant's discovery.
    pub topic_prefix: &'a str,
    pub discovery_prefix: &'a str,
    /// Each user with its password.
    pub users: BTreeMap<String, String>,
}

impl LocalBroker<'_> {
    /// Whether mosquitto is installed.
    pub fn is_installed(mosquitto_dir: &Path) -> bool {
        mosquitto_dir.is_dir()
    }

    /// Writes configuration, rights and passwords. What a person has changed is replaced only if they say so.
    pub fn write(&self, dialogue: &Dialogue, changes: &mut Changes) -> Result<(), Failure> {
        if !LocalBroker::is_installed(self.mosquitto_dir) {
            return Err(Failure::Usage(format!(
                "There is no mosquitto in {}: install it with `sudo apt-get install mosquitto`, or name another \
                 broker with --broker HOST.",
                self.mosquitto_dir.display()
            )));
        }
        if let Some(other) = settings_of_others(self.mosquitto_dir) {
            return Err(Failure::Usage(format!(
                "mosquitto has settings of its own in {}, beside which those for the hub would keep it from starting: name \
                 it as one that is there (--broker 127.0.0.1) and give it the users and lines of sos-home.acl, or take \
                 that file away.",
                other.display()
            )));
        }
        let conf_dir = self.mosquitto_dir.join("conf.d");
        files::directory(&conf_dir, 0o755, None)?;
        let mosquitto = files::owner("mosquitto");
        self.write_file(&conf_dir.join("sos-home.conf"), &self.conf(), Access::Open, dialogue, changes)?;
        let private = Access::Private(mosquitto);
        self.write_file(&self.mosquitto_dir.join("sos-home.acl"), &self.acl(), private, dialogue, changes)?;
        self.write_passwords(mosquitto, changes)
    }

    fn write_file(
        &self,
        path: &Path,
        content: &str,
        access: Access,
        dialogue: &Dialogue,
        changes: &mut Changes,
    ) -> Result<(), Failure> {
        let is_other = fs::read_to_string(path).is_ok_and(|there| there != content);
        if is_other {
            let question = format!("{} is not what this version would write. Replace it?", path.display());
            let question = Question {
                question: &question,
                why: "Somebody has changed it, or it is of another version. A copy is kept.",
                option: "--yes",
            };
            if !dialogue.whether(&question, None, false)? {
                dialogue.say(format_args!("{} stays as it is.", path.display()));
                return Ok(());
            }
            files::keep_copy(path)?;
        }
        changes.write(path, content.as_bytes(), access)
    }

    fn conf(&self) -> String {
        let dir = format!("{}/", self.mosquitto_dir.display());
        CONF.replace(LISTENER, &format!("listener {} 127.0.0.1", self.port)).replace(DIRECTORY, &dir)
    }

    fn acl(&self) -> String {
        ACL.lines().fold(String::new(), |text, line| {
            let line = match line.split_once(" sos/") {
                Some((rule, topic)) if rule.starts_with("topic ") => format!("{rule} {}/{topic}", self.topic_prefix),
                _ => match line.split_once(" homeassistant/") {
                    Some((rule, topic)) if rule.starts_with("topic ") => {
                        format!("{rule} {}/{topic}", self.discovery_prefix)
                    }
                    _ => line.to_owned(),
                },
            };
            text + &line + "\n"
        })
    }

    /// Other users of the file stay.
    fn write_passwords(&self, mosquitto: Option<Owner>, changes: &mut Changes) -> Result<(), Failure> {
        let path = self.mosquitto_dir.join("sos-home.passwd");
        let there = fs::read_to_string(&path).unwrap_or_default();
        let is_ours = |line: &&str| line.split_once(':').is_some_and(|(name, _)| self.users.contains_key(name));
        let mut text = String::new();
        for line in there.lines().filter(|line| !is_ours(line)) {
            let _ = writeln!(text, "{line}");
        }
        for (name, password) in &self.users {
            let _ = writeln!(text, "{name}:{}", hash(password)?);
        }
        changes.write(&path, text.as_bytes(), Access::Private(mosquitto))
    }
}

/// A file of somebody else that says what ours says as well: the broker refuses to start with both.
fn settings_of_others(mosquitto_dir: &Path) -> Option<PathBuf> {
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
