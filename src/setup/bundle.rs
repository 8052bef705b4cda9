//! What the monitoring center gave out: read from its directory and judged, then brought to its places.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::wire::center::plan_token;
use crate::wire::tokens::{Signer, Verifier};

/// Larger files are none of a bundle.
const LIMIT: u64 = 1024 * 1024;

/// A bundle whose parts belong together.
pub struct Bundle {
    pub host: String,
    pub port: u16,
    pub account: String,
    /// The name that the center gave the hub.
    pub hub_id: String,
    /// The user at the center's broker.
    pub username: Option<String>,
    /// `None`: the hub has made its key itself.
    pub hub_key: Option<Vec<u8>>,
    pub center_pub: Vec<u8>,
    pub ca: Option<Vec<u8>>,
    pub plan: Vec<u8>,
    /// What the center's broker lets the hub in by: a certificate and its key.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

/// As the center's own instructions name them.
pub const CLIENT_CERT: &str = "center-client.pem";
pub const CLIENT_KEY: &str = "center-client.key";

/// The first plan that a hub is given, and how new it is.
pub struct Plan {
    pub serial: u64,
}

impl Bundle {
    /// The sentence of a refusal says what is wrong with the directory.
    pub fn read(dir: &Path) -> Result<Bundle, String> {
        let text = String::from_utf8(needed(dir, "hub.toml")?).map_err(|_| not_a_bundle(dir, "hub.toml is no text"))?;
        let file: toml::Table = text.parse().map_err(|_| not_a_bundle(dir, "hub.toml is not valid TOML"))?;
        let center = file.get("center").and_then(|center| center.as_table());
        let value = |key: &str| center.and_then(|center| center.get(key));
        let word = |key: &str| value(key).and_then(|value| value.as_str()).map(str::to_owned);
        let missing = |key: &str| not_a_bundle(dir, &format!("hub.toml has no {key} in [center]"));
        let port = value("port").and_then(|port| port.as_integer()).and_then(|port| u16::try_from(port).ok());
        let account = word("account").ok_or_else(|| missing("account"))?;
        let hub_id = file.get("hub").and_then(|hub| hub.get("id")).and_then(|id| id.as_str());
        let bundle = Bundle {
            host: word("host").ok_or_else(|| missing("host"))?,
            port: port.ok_or_else(|| missing("port"))?,
            hub_id: hub_id.unwrap_or(&account).to_owned(),
            username: word("username"),
            hub_key: optional(dir, "hub.key")?,
            center_pub: needed(dir, "center.pub")?,
            ca: word("ca_file").map(|name| needed(dir, beside(dir, &name)?)).transpose()?,
            plan: needed(dir, "plan.jwt")?,
            client: match (optional(dir, CLIENT_CERT)?, optional(dir, CLIENT_KEY)?) {
                (Some(cert), Some(key)) => Some((cert, key)),
                (None, None) => None,
                (Some(_), None) => {
                    return Err(not_a_bundle(dir, &format!("{CLIENT_CERT} is there without {CLIENT_KEY}")));
                }
                (None, Some(_)) => {
                    return Err(not_a_bundle(dir, &format!("{CLIENT_KEY} is there without {CLIENT_CERT}")));
                }
            },
            account,
        };
        if let Some(key) = &bundle.hub_key {
            Signer::from_pem(key, &bundle.account)
                .map_err(|problem| not_a_bundle(dir, &format!("hub.key {problem}")))?;
        }
        bundle.plan_in(&bundle.plan).map_err(|problem| not_a_bundle(dir, &problem))?;
        Ok(bundle)
    }

    /// A plan of this center for this account.
    pub fn plan_in(&self, token: &[u8]) -> Result<Plan, String> {
        let verifier = Verifier::from_pem(&self.center_pub).map_err(|problem| format!("center.pub {problem}"))?;
        let text = str::from_utf8(token).map_err(|_| "plan.jwt is no text".to_owned())?;
        let plan =
            plan_token(text, &self.account, &verifier).map_err(|problem| format!("plan.jwt: the token {problem}"))?;
        Ok(Plan { serial: plan.serial })
    }

    /// Whether the plan that lies in the hub's memory is at least as new.
    pub fn is_older_than(&self, there: &Path) -> bool {
        let there = fs::read(there).ok().and_then(|token| self.plan_in(&token).ok());
        match (there, self.plan_in(&self.plan)) {
            (Some(there), Ok(ours)) => there.serial >= ours.serial,
            _ => false,
        }
    }
}

/// A file of the bundle itself: root must not be led to another one, as what is read is put where everybody reads it.
fn beside<'a>(dir: &Path, name: &'a str) -> Result<&'a str, String> {
    if Path::new(name).file_name().is_some_and(|plain| plain == name) {
        return Ok(name);
    }
    Err(not_a_bundle(dir, &format!("ca_file in its hub.toml is no plain name but {name:?}")))
}

fn needed(dir: &Path, name: &str) -> Result<Vec<u8>, String> {
    optional(dir, name)?.ok_or_else(|| not_a_bundle(dir, &format!("there is no {name} in it")))
}

fn optional(dir: &Path, name: &str) -> Result<Option<Vec<u8>>, String> {
    let path = dir.join(name);
    match read_plain(&path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            Err(not_a_bundle(dir, &format!("{name} is a link to another file")))
        }
        Err(error) => Err(format!("{} cannot be read ({error}): try with sudo, or correct the path.", path.display())),
    }
}

/// A link would lead root elsewhere too, and a pipe would keep it waiting.
fn read_plain(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    let mut content = Vec::new();
    if file.take(LIMIT + 1).read_to_end(&mut content)? as u64 > LIMIT {
        return Err(io::Error::other("it is too large"));
    }
    Ok(content)
}

fn not_a_bundle(dir: &Path, problem: &str) -> String {
    format!(
        "{} is not what a monitoring center gives out ({problem}): name the directory of `sos-center account add --out`.",
        dir.display()
    )
}
