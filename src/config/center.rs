//! The keys of `center.toml`: where each is, what it may be, what it is when it is not there.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::broker::{self, Broker};
use super::reader::{self, Table, Value};
use super::{Problems, files, rules};
use crate::center::desk::settings::{CallMode, DispatchMode, Settings, SimulatedAnswer};

/// Where the installed center has its configuration.
pub const DEFAULT_PATH: &str = "/etc/sos-hub/center.toml";

/// The plan that every center has: nothing is monitored.
pub const NO_PLAN: &str = "none";

/// The plans of a file that names none.
const USUAL_PLANS: [(&str, bool); 2] = [("protect_plus", true), ("protect_basic", false)];

const ANSWERS: &[(&str, SimulatedAnswer)] = &[
    ("confirmed", SimulatedAnswer::Confirmed),
    ("cancelled", SimulatedAnswer::Cancelled),
    ("cancelled_wrong_password", SimulatedAnswer::CancelledWrongPassword),
    ("no_answer", SimulatedAnswer::NoAnswer),
];

const CALL_MODES: &[(&str, CallWord)] =
    &[("operator", CallWord::Operator), ("webhook", CallWord::Webhook), ("simulated", CallWord::Simulated)];

const DISPATCH_MODES: &[(&str, DispatchMode)] =
    &[("operator", DispatchMode::Operator), ("webhook", DispatchMode::Webhook)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum CallWord {
    Operator,
    Webhook,
    Simulated,
}

/// A configuration in which every value keeps its rules and every file named was there and held what it must. Paths are
/// whole: a relative one began at the directory of the configuration file.
#[derive(Clone, Debug)]
pub struct CenterConfig {
    /// Names the center's key (`kid`) and its connection; 1 to 64 letters, digits, `-` and `_`.
    pub id: String,
    /// Made if missing.
    pub state_dir: PathBuf,
    /// Ed25519, PKCS#8 in PEM; made if missing.
    pub key_file: PathBuf,
    pub broker: Broker,
    /// The same broker as the hubs reach it.
    pub hubs: HubsWay,
    pub console: Console,
    pub call: Call,
    pub dispatch: Dispatch,
    /// Where an alarm is told of that no operator takes.
    pub alert_url: Option<String>,
    /// Whether each plan includes professional monitoring; [`NO_PLAN`] is among them.
    pub plans: BTreeMap<String, bool>,
}

/// How a hub reaches the broker.
#[derive(Clone, Debug)]
pub struct HubsWay {
    pub host: String,
    pub port: u16,
    /// `None`: plain TCP.
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Console {
    /// Port 0 takes any that is free.
    pub listen: SocketAddr,
    /// Further names under which a browser may reach it, without port.
    pub hosts: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub mode: CallMode,
    pub ring: Duration,
    /// The telephony provider's; present in mode `webhook`.
    pub url: Option<String>,
    /// Where the provider reaches the console, without a `/` at its end; `None`: `http://` and the console's address.
    pub callback_url: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Dispatch {
    pub mode: DispatchMode,
    /// The dispatch service's; present in mode `webhook`.
    pub url: Option<String>,
}

impl CenterConfig {
    /// Reads a `center.toml` and looks into the files that it names. The problems of a success are warnings, if any.
    pub fn load(path: &Path) -> Result<(CenterConfig, Problems), Problems> {
        reader::read(path, schema)
    }

    /// Every key that a `center.toml` may hold, as `table.key`, sorted; tables are among them. `*` stands for a name
    /// that the file chooses.
    pub fn keys() -> Vec<String> {
        reader::keys(schema)
    }

    /// What the desk has to know of it.
    pub fn settings(&self) -> Settings {
        Settings {
            calls: self.call.mode.clone(),
            ring: self.call.ring,
            dispatch: self.dispatch.mode,
            plans: self.plans.clone(),
        }
    }
}

fn schema(file: &Table) -> CenterConfig {
    let (id, state_dir, key_file) = file.table("center", center);
    let (broker, hubs) = file.table("broker", broker_and_hubs);
    let console = file.table("console", console);
    CenterConfig {
        id,
        state_dir,
        key_file,
        broker,
        hubs,
        call: file.table("call", |table| call(table, &console)),
        console,
        dispatch: file.table("dispatch", dispatch),
        alert_url: file.table("alert", |table| table.optional("url", rules::web_service)),
        plans: plans(file),
    }
}

fn center(table: &Table) -> (String, PathBuf, PathBuf) {
    let id = table.or("id", "center".to_owned(), rules::topic_word);
    let state_dir = table.or("state_dir", PathBuf::from("/var/lib/sos-center"), |value| value.file_path());
    if files::is_no_directory(&state_dir) {
        let problem = format!("names {}, which is a file: name a directory, or one to be made", state_dir.display());
        table.error("state_dir", problem);
    }
    let key_file = table.or("key_file", state_dir.join("center.key"), key_file);
    broker::warn_if_open_to_all(table, "key_file", &key_file);
    (id, state_dir, key_file)
}

/// One that is there must be a key; one that is not is made.
fn key_file(value: &Value) -> Result<PathBuf, String> {
    let path = value.file_path()?;
    let is_missing = path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    if is_missing { Ok(path) } else { files::ed25519_private_key(value) }
}

fn broker_and_hubs(table: &Table) -> (Broker, HubsWay) {
    let broker = broker::remote(table);
    let own_ca = broker.tls.as_ref().map(|tls| tls.ca_file.clone());
    let hubs = HubsWay {
        host: table.or("hub_host", broker.host.clone(), rules::host),
        port: table.or("hub_port", broker.port, rules::port),
        ca_file: table.optional("hub_ca_file", files::authorities).or(own_ca),
    };
    if table.has("hub_host") && table.lacks("ca_file") {
        broker::warn_of_plain_tcp(table, "hub_host", &hubs.host, "hub_ca_file");
    }
    (broker, hubs)
}

fn console(table: &Table) -> Console {
    let console = Console {
        listen: table.or("listen", SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8090), rules::listen_or_any_port),
        hosts: table.or("hosts", Vec::new(), |value| value.list(rules::host)),
    };
    if !console.listen.ip().is_loopback() {
        table.warn(
            "listen",
            "shows the console to the whole network by plain HTTP, passwords included: listen on 127.0.0.1 and put a \
             web server with HTTPS before it",
        );
    }
    console
}

fn call(table: &Table, console: &Console) -> Call {
    let word = table.or("mode", CallWord::Operator, rules::one_of(CALL_MODES));
    let url = table.optional("url", rules::web_service);
    let callback_url = table.optional("callback_url", rules::web_service);
    let answers = table.or("answers", vec![SimulatedAnswer::NoAnswer], |value| {
        let answers = value.list(rules::one_of(ANSWERS))?;
        if answers.is_empty() { Err("must hold at least one answer: [\"no_answer\"]".to_owned()) } else { Ok(answers) }
    });
    if word == CallWord::Webhook {
        require_url(table, "a telephony provider's");
        let is_far = url.as_deref().is_some_and(|url| !rules::is_on_this_machine(url));
        if is_far && console.listen.ip().is_loopback() && table.lacks("callback_url") {
            table.warn("url", "is of another machine, which cannot say what came of a call: set callback_url for it");
        }
    }
    Call {
        mode: match word {
            CallWord::Operator => CallMode::Operator,
            CallWord::Webhook => CallMode::Webhook,
            CallWord::Simulated => CallMode::Simulated { answers },
        },
        ring: table.or("ring_seconds", Duration::from_secs(30), rules::seconds(1..=600)),
        url,
        callback_url: callback_url.map(|url| url.trim_end_matches('/').to_owned()),
    }
}

fn dispatch(table: &Table) -> Dispatch {
    let dispatch = Dispatch {
        mode: table.or("mode", DispatchMode::Operator, rules::one_of(DISPATCH_MODES)),
        url: table.optional("url", rules::web_service),
    };
    if dispatch.mode == DispatchMode::Webhook {
        require_url(table, "a dispatch service's");
    }
    dispatch
}

fn require_url(table: &Table, whose: &str) {
    if table.lacks("url") {
        table.error("mode", format!("is \"webhook\", which needs url beside it: name {whose} address"));
    }
}

fn plans(file: &Table) -> BTreeMap<String, bool> {
    let name = |word: &str| match word {
        NO_PLAN => Err("is always a plan, without monitoring: remove the line".to_owned()),
        _ => rules::is_topic_word(word)
            .then_some(())
            .ok_or_else(|| "is no name for a plan: use 1 to 64 letters (a-z), digits, - and _".to_owned()),
    };
    let monitoring = |table: &Table| table.required("professional_monitoring", "true", rules::flag);
    let set = file.named_tables("plans", "{ professional_monitoring = true }", name, monitoring);
    let usual = || USUAL_PLANS.into_iter().map(|(name, monitored)| (name.to_owned(), monitored)).collect();
    let mut plans: BTreeMap<String, bool> = set.unwrap_or_else(usual).into_iter().collect();
    plans.insert(NO_PLAN.to_owned(), false);
    plans
}
