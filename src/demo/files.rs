//! The demo's own directory: the center with an account and an operator, what that gives its hub, `hub.toml`, both
//! memories, and the files that stand for lines.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::Failure;
use super::broker::Ports;
use crate::center::accounts::{self, NewAccount};
use crate::config::center::CenterConfig;

/// The account at the center.
const ACCOUNT: &str = "demo";
/// Who logs in to the center's console.
pub const OPERATOR: &str = "operator";
/// The line of the button in the hallway (police). All lines are BCM numbers.
pub const HALLWAY: u8 = 4;
/// The line of the button in the kitchen (fire).
pub const KITCHEN: u8 = 5;
const SIREN: u8 = 17;
const CANCEL: u8 = 6;
const LED: u8 = 27;

/// The directory; dropping it removes it.
pub struct Files {
    dir: PathBuf,
    /// Of the operator.
    pub password: String,
    /// Of the panel: six digits.
    pub pin: String,
}

impl Files {
    /// Makes everything that center and hub find on their disk before their first start.
    pub fn make(ports: Ports, panel_port: u16) -> Result<Files, Failure> {
        let random = Uuid::new_v4().as_u128();
        let hex = format!("{random:032x}");
        let temporary = std::path::absolute(std::env::temp_dir()).map_err(Failure::Directory)?;
        let dir = temporary.join(format!("sos-hub-demo-{}", &hex[..8]));
        DirBuilder::new().mode(0o700).create(&dir).map_err(Failure::Directory)?;
        let pin = format!("{:06}", random % 1_000_000);
        let files = Files { dir, password: hex[20..].to_owned(), pin };
        files.write("center.toml", &center_config(ports)).map_err(Failure::Directory)?;
        files.open_account()?;
        let plan = files.dir.join("bundle/plan.jwt");
        let state = files.dir.join("state");
        fs::create_dir(&state)
            .and_then(|()| fs::rename(plan, state.join("plan.jwt")))
            .and_then(|()| files.write("panel.pin", &files.pin))
            .and_then(|()| files.write("hub.toml", &hub_config(ports, panel_port)))
            .map_err(Failure::Directory)?;
        Ok(files)
    }

    /// As somebody who runs a center does it.
    fn open_account(&self) -> Result<(), Failure> {
        let config = self.center()?;
        let account = NewAccount {
            id: ACCOUNT.to_owned(),
            name: "The demo household".to_owned(),
            address: "1 Example Street".to_owned(),
            plan: "protect_plus".to_owned(),
            contacts: ["Ann:+1 555 0101", "Ben:+1 555 0102"].map(str::to_owned).into(),
            password: Some("demo".to_owned()),
            out: self.dir.join("bundle"),
            hub_key: None,
        };
        let failed = |failure: accounts::Failure| Failure::Center(failure.to_string());
        accounts::add(&config, account).map_err(failed)?;
        accounts::add_operator(&config, OPERATOR, &self.password).map_err(failed)?;
        Ok(())
    }

    /// The center's configuration.
    pub fn center(&self) -> Result<CenterConfig, Failure> {
        let loaded = CenterConfig::load(&self.dir.join("center.toml"));
        loaded.map(|(config, _)| config).map_err(|problems| Failure::Configuration(problems.render(false)))
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

/// Each alarm walks through the call by itself: the first contact does not answer, the second one does.
fn center_config(Ports { v5: port, .. }: Ports) -> String {
    format!(
        r#"# The monitoring center of `sos-hub demo`, which removes this file when it ends.

[center]
state_dir = "center"

[broker]
host = "127.0.0.1"
port = {port}

[call]
mode = "simulated"
ring_seconds = 8
answers = ["no_answer", "confirmed"]
"#
    )
}

/// Paths in it begin at its own directory.
fn hub_config(Ports { v5: port, .. }: Ports, panel_port: u16) -> String {
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
hub_key_file = "bundle/hub.key"
center_key_file = "bundle/center.pub"

[panel]
listen = "127.0.0.1:{panel_port}"
pin_file = "panel.pin"
"#
    )
}
