//! The demo's own directory: keys, plan, `hub.toml`, the hub's memory and the files that stand for its lines.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;
use uuid::Uuid;

use super::broker::Ports;
use crate::drivers::clock;
use crate::wire::keys::{KeyPair, key_pair};
use crate::wire::tokens::Signer;

/// The account at the stand-in center.
pub const ACCOUNT: &str = "demo";
/// The line of the button in the hallway (police). All lines are BCM numbers.
pub const HALLWAY: u8 = 4;
/// The line of the button in the kitchen (fire).
pub const KITCHEN: u8 = 5;
const SIREN: u8 = 17;
const CANCEL: u8 = 6;
const LED: u8 = 27;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The directory; dropping it removes it.
pub struct Files {
    dir: PathBuf,
    /// The stand-in center's key.
    pub center_key: KeyPair,
    pub hub_key: KeyPair,
    /// Of the panel.
    pub pin: String,
}

impl Files {
    /// Makes everything that a hub finds on its disk before its first start.
    pub fn make(ports: Ports, panel_port: u16) -> io::Result<Files> {
        let name = format!("sos-hub-demo-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let dir = std::path::absolute(std::env::temp_dir())?.join(name);
        let (center_key, hub_key) = (new_key()?, new_key()?);
        DirBuilder::new().mode(0o700).create(&dir)?;
        let files = Files { dir, center_key, hub_key, pin: new_pin()? };
        files.fill(ports, panel_port)?;
        Ok(files)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn config(&self) -> PathBuf {
        self.dir.join("hub.toml")
    }

    /// The file that stands for the electrical level of a button's line.
    pub fn input(&self, line: u8) -> PathBuf {
        self.dir.join("gpio/in").join(line.to_string())
    }

    /// The file that stands for the electrical level of the siren's line.
    pub fn siren(&self) -> PathBuf {
        self.dir.join("gpio/out").join(SIREN.to_string())
    }

    fn fill(&self, ports: Ports, panel_port: u16) -> io::Result<()> {
        self.write("center.pub", &self.center_key.public_pem)?;
        self.write("hub.key", &self.hub_key.private_pem)?;
        self.write("panel.pin", &self.pin)?;
        fs::create_dir(self.dir.join("state"))?;
        self.write("state/plan.jwt", &self.plan()?)?;
        self.write("hub.toml", &config(ports, panel_port))
    }

    /// What the center would have given the account: a plan with professional monitoring.
    fn plan(&self) -> io::Result<String> {
        let now = clock::wall().0.div_euclid(1000);
        let claims = json!({
            "account": ACCOUNT,
            "plan": "protect_plus",
            "professional_monitoring": true,
            "missing": [],
            "serial": 1,
            "iat": now,
            "exp": now + 365 * DAY_SECONDS,
        });
        let signer = Signer::from_pem(self.center_key.private_pem.as_bytes(), "center").map_err(io::Error::other)?;
        signer.sign(claims.to_string().as_bytes()).map_err(io::Error::other)
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.dir.join(name))?;
        file.write_all(text.as_bytes())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What cannot be removed is small, and where the system tidies up by itself.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn new_key() -> io::Result<KeyPair> {
    let mut secret = [0; 32];
    let filled = SystemRandom::new().fill(&mut secret);
    filled.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(key_pair(&secret))
}

/// Four digits.
fn new_pin() -> io::Result<String> {
    let mut random = [0; 4];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(format!("{:04}", u32::from_le_bytes(random) % 10_000))
}

/// Paths in it begin at its own directory.
fn config(Ports { v5: port, .. }: Ports, panel_port: u16) -> String {
    format!(
        r#"# The hub of `sos-hub demo`, which removes this file when it ends.

[hub]
id = "home"
state_dir = "state"

[gpio]
backend = "mock"
mock_dir = "gpio"

[siren]
line = {SIREN}

[led]
line = {LED}

[[button]]
name = "hallway"
line = {HALLWAY}
service = "police"

[[button]]
name = "kitchen"
line = {KITCHEN}
service = "fire"

[[button]]
name = "cancel"
line = {CANCEL}
service = "cancel"
hold_ms = 100

[app]
port = {port}

[center]
host = "127.0.0.1"
port = {port}
account = "{ACCOUNT}"
hub_key_file = "hub.key"
center_key_file = "center.pub"

[panel]
listen = "127.0.0.1:{panel_port}"
pin_file = "panel.pin"
"#
    )
}
