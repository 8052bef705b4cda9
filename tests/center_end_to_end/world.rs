//! A home with a hub, and the center that watches over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::App;
use crate::client::{self, Client, Heard};
use crate::hub_process::{HubProcess, service};
use crate::lines::{Lines, SIREN};
use crate::support::mosquitto::{Mosquitto, free_port};
use crate::support::{DEADLINE, wait_until};
use crate::tokens::{self, Key};

pub const ACCOUNT: &str = "a-1234";
/// The bundle names the hub after its account.
pub const HUB: &str = ACCOUNT;
/// Part of every name of a person: no line of a log may have it.
pub const PRIVATE: &str = "Privatus";
pub const CONTACTS: [&str; 3] = ["Ann Privatus", "Ben Privatus", "Cid Privatus"];

/// What differs from one test to the next.
pub struct Setup {
    /// The tables `[call]` and what follows.
    pub calls: String,
    pub plan: &'static str,
    /// Where the center keeps its memory, if not in the test's own directory.
    pub state_dir: Option<PathBuf>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup { calls: simulated("\"no_answer\""), plan: "protect_plus", state_dir: None }
    }
}

/// Calls that nobody makes, with these outcomes.
pub fn simulated(answers: &str) -> String {
    format!("[call]\nmode = \"simulated\"\nring_seconds = 1\nanswers = [{answers}]\n")
}

/// Ends all of it when it is dropped.
pub struct World {
    center: Option<HubProcess>,
    hub: Option<HubProcess>,
    pub app: App,
    pub lines: Lines,
    /// Hears all that passes the center's broker.
    pub spy: Client,
    pub home: Mosquitto,
    pub broker: Mosquitto,
    state_dir: PathBuf,
    dir: TempDir,
}

impl World {
    /// Brokers, the center's configuration, and an account with its bundle; neither hub nor center runs.
    pub fn new(setup: &Setup) -> World {
        let dir = TempDir::new().expect("a directory");
        let (home, broker) = (Mosquitto::start(""), Mosquitto::start(""));
        let state_dir = setup.state_dir.clone().unwrap_or_else(|| dir.path().join("center"));
        let toml = format!(
            "[center]\nstate_dir = \"{}\"\n[broker]\nhost = \"127.0.0.1\"\nport = {}\n[console]\nlisten = \"127.0.0.1:0\"\n{}",
            state_dir.display(),
            broker.port(),
            setup.calls
        );
        fs::write(dir.path().join("center.toml"), toml).expect("center.toml");
        let world = World {
            center: None,
            hub: None,
            app: App::connect(home.port(), None),
            lines: Lines::new(&dir.path().join("gpio")),
            spy: Client::connect(client::options("spy", broker.port()), "center/#"),
            home,
            broker,
            state_dir,
            dir,
        };
        world.add_account(ACCOUNT, setup.plan);
        world.complete_hub_toml();
        world
    }

    /// Both run, and the hub is in use.
    pub fn running(setup: &Setup) -> World {
        let mut world = World::new(setup);
        world.start_center();
        world.start_hub();
        world
    }

    /// Makes an account whose bundle lies in the directory of its name.
    pub fn add_account(&self, account: &str, plan: &str) {
        let contacts = CONTACTS.map(|name| format!("--contact={name}:+44 1"));
        let out = self.bundle(account).display().to_string();
        let mut arguments = vec!["add", account, "--name=Family Privatus", "--address=1 Elm Street"];
        let plan = format!("--plan={plan}");
        arguments.extend([plan.as_str(), "--password=blue whale", "--out", out.as_str()]);
        arguments.extend(contacts.iter().map(String::as_str));
        let added = self.account(&arguments);
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }

    /// `sos-center account …`
    pub fn account(&self, arguments: &[&str]) -> Output {
        let mut command = sos_center(&["account"]);
        command.args(arguments).arg("--config").arg(self.center_toml());
        command.output().expect("sos-center runs")
    }

    pub fn start_center(&mut self) {
        self.start_center_without_waiting().ready_within(DEADLINE);
    }

    pub fn start_center_without_waiting(&mut self) -> &mut HubProcess {
        let (config, log) = (self.center_toml(), self.dir.path().join("center-log/log"));
        fs::create_dir_all(log.parent().expect("a directory")).expect("the log's directory");
        let process = HubProcess::start_service(sos_center(&["run", "--config"]), &config, &log, true);
        self.center.insert(process)
    }

    pub fn start_hub(&mut self) {
        let since = self.app.mark();
        let hub = HubProcess::start(&self.bundle(ACCOUNT).join("hub.toml"), &self.dir.path().join("log"), true);
        hub.ready_within(DEADLINE);
        self.hub = Some(hub);
        self.app.state_within(DEADLINE, since, "in use", |state| state["center"]["link"] == "up");
        self.app.availability(since, "online");
    }

    pub fn kill_center(&mut self) {
        self.center.take().expect("a center").kill();
    }

    /// `systemctl stop`, which must end well.
    pub fn stop_center(&mut self) {
        let status = self.center.take().expect("a center").terminate();
        assert_eq!(status.code(), Some(0), "{}", self.center_log());
    }

    pub fn kill_hub(&mut self) {
        self.hub.take().expect("a hub").kill();
    }

    /// An SOS from the app; gives the incident.
    pub fn sos(&self, service: &str) -> String {
        self.app.accepted("request", service)
    }

    /// Waits until the app has been told this stage of the incident.
    pub fn stage(&self, incident: &str, stage: &str) -> Value {
        self.app.event_that(0, stage, |event| event["incident"] == incident)
    }

    /// The stages that the app was told of since the request, in order.
    pub fn stages(&self, incident: &str) -> Vec<String> {
        let is_stage = |kind: &str| STAGES.contains(&kind);
        let events = self.app.events(0).into_iter().filter(|event| event["incident"] == incident);
        events.map(|event| event["type"].as_str().expect("a type").to_owned()).filter(|kind| is_stage(kind)).collect()
    }

    /// The acks of a signal that the center has sent so far.
    pub fn acks(&self, jti: &str) -> Vec<Value> {
        self.said(0, "ack").into_iter().filter(|ack| ack["signal"] == jti).collect()
    }

    /// Waits for an ack of this signal.
    pub fn acked(&self, jti: &str) -> Value {
        let key = self.center_public();
        self.spy.wait(&format!("an ack of {jti}"), 0, |heard| {
            of_center(heard, "ack", &key).into_iter().find(|ack| ack["signal"] == jti)
        })
    }

    /// What the center has said on this topic of any account since the mark.
    pub fn said(&self, since: usize, last_level: &str) -> Vec<Value> {
        of_center(&self.spy.heard(since), last_level, &self.center_public())
    }

    /// Waits for a signal of the hub of this kind; gives its token.
    pub fn signal(&self, since: usize, kind: &str) -> (String, Value) {
        self.spy.wait(&format!("a signal of kind {kind}"), since, |heard| {
            let signals = heard.iter().filter(|one| one.topic == topic("signal"));
            signals.map(|one| (one.text(), unverified(&one.payload))).find(|(_, claims)| claims["kind"] == kind)
        })
    }

    /// Waits until the center has taken all that it was sent so far: it hears in order, and the hub's next heartbeat
    /// but one is acked.
    pub fn center_has_all(&self) {
        for _ in 0..2 {
            let (_, claims) = self.signal(self.spy.mark(), "heartbeat");
            self.acked(claims["jti"].as_str().expect("a jti"));
        }
    }

    /// As somebody who has got into the broker.
    pub fn say(&self, account: &str, payload: &str, retain: bool) {
        self.spy.publish(&format!("center/{account}/signal"), payload, retain);
    }

    /// The key of this account's hub.
    pub fn hub_key(&self, account: &str) -> Key {
        Key::from_pem(&fs::read_to_string(self.bundle(account).join("hub.key")).expect("hub.key"))
    }

    /// What the store's database says.
    pub fn count(&self, sql: &str) -> i64 {
        let path = self.state_dir.join("center.db");
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database");
        database.busy_timeout(DEADLINE).expect("patience");
        database.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Waits until the list of what was rejected has a row with this problem.
    pub fn rejected(&self, problem: &str) {
        let sql = format!("SELECT count(*) FROM security WHERE problem LIKE '%{problem}%'");
        wait_until(&format!("a security row: {problem}"), || self.count(&sql) > 0);
    }

    /// What the center wrote to standard output and standard error.
    pub fn center_log(&self) -> String {
        fs::read_to_string(self.dir.path().join("center-log/log")).unwrap_or_default()
    }

    pub fn center(&mut self) -> &mut HubProcess {
        self.center.as_mut().expect("a center")
    }

    pub fn center_toml(&self) -> PathBuf {
        self.dir.path().join("center.toml")
    }

    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    pub fn bundle(&self, account: &str) -> PathBuf {
        self.dir.path().join(account)
    }

    pub fn center_public(&self) -> Vec<u8> {
        public_key(&fs::read_to_string(self.bundle(ACCOUNT).join("center.pub")).expect("center.pub"))
    }

    /// What the person who installs the hub does: lines, and where the hub's memory is. `[center]` stays as it came.
    fn complete_hub_toml(&self) {
        let bundle = self.bundle(ACCOUNT);
        let text = fs::read_to_string(bundle.join("hub.toml")).expect("hub.toml");
        let center = text.split("\n[center]\n").nth(1).and_then(|rest| rest.split("\n[").next()).expect("[center]");
        let center = center.replace("#heartbeat_seconds = 60", "heartbeat_seconds = 1");
        assert!(center.contains("heartbeat_seconds = 1"), "{center}");
        let (dir, home, panel) = (self.dir.path().display(), self.home.port(), free_port());
        let toml = format!(
            "[hub]\nid = \"{HUB}\"\nstate_dir = \"{dir}/hub\"\n[gpio]\nbackend = \"mock\"\nmock_dir = \"{dir}/gpio\"\n\
             [siren]\nline = {SIREN}\n[countdown]\nseconds = 1\n[app]\nport = {home}\n\
             [panel]\nlisten = \"127.0.0.1:{panel}\"\n[center]\n{center}\n"
        );
        fs::write(bundle.join("hub.toml"), toml).expect("hub.toml");
        fs::create_dir_all(self.dir.path().join("hub")).expect("the hub's memory");
        fs::copy(bundle.join("plan.jwt"), self.dir.path().join("hub/plan.jwt")).expect("the first plan");
    }
}

/// The stages that come from the center.
const STAGES: [&str; 9] = [
    "acknowledged",
    "calling_first_contact",
    "confirmed",
    "cancelled_by_contact",
    "no_answer",
    "dispatched",
    "calling_other_contacts",
    "closed",
    "refused_by_center",
];

impl Drop for World {
    fn drop(&mut self) {
        (self.hub, self.center) = (None, None);
        let log = self.center_log();
        if thread::panicking() {
            let hub = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            eprintln!("The center's log:\n{log}\nThe hub's log:\n{hub}");
            return;
        }
        // Whatever a test does to the center: the world is to blame, so nothing of it is the center's own error.
        let is_bad = |line: &&str| line.contains(" ERROR ") || line.contains("panicked") || line.contains(PRIVATE);
        let bad: Vec<&str> = log.lines().filter(is_bad).collect();
        assert!(bad.is_empty(), "an error or personal data in the log:\n{}", bad.join("\n"));
    }
}

/// The shipped binary with these arguments.
fn sos_center(arguments: &[&str]) -> Command {
    service(env!("CARGO_BIN_EXE_sos-center"), arguments)
}

/// A signal as the account's hub would say it.
pub fn alarm(account: &str, jti: &str, incident: &str) -> Value {
    json!({
        "jti": jti, "account": account, "hub": HUB, "kind": "alarm", "incident": incident, "service": "police",
        "raised_at": "2026-11-22T10:00:00.000Z", "sent_at": "2026-11-22T10:00:01.000Z", "age_ms": 1_000,
        "clock": "synced", "resumed": false, "repeat": false, "event_code": "120", "seq": 1_000_000,
    })
}

/// A fresh UUID.
pub fn fresh_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

pub fn topic(last_level: &str) -> String {
    format!("center/{ACCOUNT}/{last_level}")
}

/// The center's words on this topic; panics if one is not signed by it.
fn of_center(heard: &[Heard], last_level: &str, key: &[u8]) -> Vec<Value> {
    let is_it = |one: &&Heard| one.topic.starts_with("center/") && one.topic.ends_with(&format!("/{last_level}"));
    let verified = |one: &Heard| {
        tokens::verify(&one.payload, key).unwrap_or_else(|problem| panic!("not the center's word: {problem}"))
    };
    heard.iter().filter(is_it).map(verified).collect()
}

fn unverified(token: &[u8]) -> Value {
    let text = String::from_utf8_lossy(token).into_owned();
    let claims = text.split('.').nth(1).unwrap_or_default();
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
    serde_json::from_slice(&claims).unwrap_or_default()
}

/// The last 32 bytes of an SPKI in PEM.
fn public_key(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64_STANDARD.decode(body).expect("a PEM file");
    der[der.len() - 32..].to_vec()
}
