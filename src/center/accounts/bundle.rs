//! What a hub is given: its key, the center's public key, its first plan token and a complete `hub.toml`.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::center::desk::words::{AccountId, PlanToken};
use crate::center::store::books::Entry;
use crate::center::wire::said;
use crate::config::center::CenterConfig;
use crate::wire::tokens::Signer;

/// The configuration that a hub is shipped with.
const HUB_TOML: &str = include_str!("../../../config/hub.toml");

const CA_FILE: &str = "center-ca.pem";

/// A directory that was empty or missing.
pub struct Bundle {
    dir: PathBuf,
    was_there: bool,
}

impl Bundle {
    pub fn prepare(dir: &Path) -> Result<Bundle, Failure> {
        let shown = dir.display();
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries.count(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Bundle { dir: dir.to_path_buf(), was_there: false });
            }
            Err(error) => {
                return Err(Failure::Usage(format!("--out {shown} cannot be used ({error}): name a new directory.")));
            }
        };
        if entries > 0 {
            let problem =
                format!("{shown} is not empty, and keys are not overwritten: name a new directory with --out.");
            return Err(Failure::Usage(problem));
        }
        Ok(Bundle { dir: dir.to_path_buf(), was_there: true })
    }

    /// Writes everything. `hub_key` is absent where the hub has made its own.
    pub fn fill(
        &self,
        config: &CenterConfig,
        account: &AccountId,
        hub_key: Option<&str>,
        center_pub: &str,
        plan: &str,
    ) -> Result<(), String> {
        let in_words = |error: io::Error| {
            format!("{} cannot be written ({error}): name another directory with --out.", self.dir.display())
        };
        if !self.was_there {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).map_err(in_words)?;
        }
        let ca = config.hubs.ca_file.as_deref().map(|path| {
            let problem = |error| format!("{} cannot be read ({error}): check its owner and mode.", path.display());
            fs::read_to_string(path).map_err(problem)
        });
        let ca = ca.transpose()?;
        let hub_toml = hub_toml(config, account);
        let files = [
            ("hub.key", hub_key),
            ("center.pub", Some(center_pub)),
            ("plan.jwt", Some(plan)),
            (CA_FILE, ca.as_deref()),
            ("hub.toml", Some(hub_toml.as_str())),
        ];
        for (name, text) in files {
            if let Some(text) = text {
                self.write(name, text).map_err(in_words)?;
            }
        }
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.dir.join(name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// Takes back what was written for an account that was not added.
    pub fn remove(&self) {
        for name in ["hub.key", "center.pub", "plan.jwt", CA_FILE, "hub.toml"] {
            let _ = fs::remove_file(self.dir.join(name));
        }
        if !self.was_there {
            let _ = fs::remove_dir(&self.dir);
        }
    }

    /// What the person at the keyboard does now.
    pub fn next_commands(&self, config: &CenterConfig, entry: &Entry) -> String {
        let id = &entry.account.id;
        let dir = self.dir.display();
        let is_within_tls = config.hubs.ca_file.is_some();
        let broker = if is_within_tls {
            format!(
                "The broker knows a hub by a certificate whose common name is the account. Where the authority's key is:\n  \
                 openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN={id} \\\n    \
                 -CA center-ca.pem -CAkey center-ca.key -addext basicConstraints=critical,CA:FALSE \\\n    \
                 -keyout center-client.key -out center-client.pem\n\
                 Put both into {dir}. (A broker that asks hubs for a password instead: mosquitto_passwd.)\n"
            )
        } else {
            format!(
                "At the center's broker, choose a password for the hub:\n  \
                 sudo mosquitto_passwd /etc/mosquitto/sos-center.passwd {id} && sudo systemctl reload mosquitto\n"
            )
        };
        let host = &config.hubs.host;
        let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let elsewhere = if is_here {
            format!(
                "Its hub.toml names the broker as {host}, which only this machine reaches: for a hub elsewhere correct \
                 host, port and ca_file of its [center], and for the next account have broker.hub_host say how hubs \
                 reach it.\n\n"
            )
        } else {
            String::new()
        };
        let password = if is_within_tls { "" } else { ", the password that was chosen" };
        let own_key = if self.dir.join("hub.key").exists() {
            ""
        } else {
            "The hub's own key, which stays with it, has to be at /etc/sos-hub/hub.key.\n"
        };
        format!(
            "What its hub needs is in {dir}; hand it over in person, as who has hub.key can speak for this home.\n\n\
             {elsewhere}{broker}\n\
             On the hub, with a copy of that directory:\n  \
             sudo sos-hub setup --center DIRECTORY\n\
             {own_key}It asks for siren, buttons{password} and what else has no default, starts the hub, and tests all of it. Then \
             remove the copy."
        )
    }
}

/// The signed token; the error is a sentence.
pub fn plan(token: &PlanToken, signer: &Signer) -> Result<String, String> {
    // To the letter what the running center says: with another text of the same serial it would pass for a forgery.
    let signed = signer.sign(&said::plan(token));
    signed.map_err(|problem| format!("The plan cannot be signed, as its token {problem}: shorten the plan's name."))
}

/// The shipped file with the center filled in. What names a file that is not in the bundle is not set.
fn hub_toml(config: &CenterConfig, account: &AccountId) -> String {
    let hubs = &config.hubs;
    let ca = if hubs.ca_file.is_some() { "ca_file = \"center-ca.pem\"" } else { "#ca_file = \"center-ca.pem\"" };
    let hub = account.as_str().to_lowercase();
    let changes = [
        ("id = \"home\"", format!("id = \"{hub}\"")),
        ("username = \"sos-hub\"", "#username = \"sos-hub\"".to_owned()),
        ("password_file = \"app.password\"", "#password_file = \"app.password\"".to_owned()),
        ("host = \"center.example.org\"", format!("host = \"{}\"", hubs.host)),
        ("port = 8883", format!("port = {}", hubs.port)),
        ("account = \"a-1234\"", format!("account = \"{account}\"")),
        ("ca_file = \"center-ca.pem\"", ca.to_owned()),
        ("#username = \"a-1234\"", format!("username = \"{account}\"")),
    ];
    let change = |line: &str| {
        let changed = changes.iter().find(|(shipped, _)| *shipped == line);
        changed.map_or_else(|| line.to_owned(), |(_, ours)| ours.clone()) + "\n"
    };
    HUB_TOML.lines().map(change).collect()
}
