//! `sos-center run`: starts the store, ears and hands, turns the loop, and stops them again.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::callback::CallbackTokens;
use super::console::{self, ConsoleSettings};
use super::desk::Desk;
use super::desk::input::Input;
use super::desk::records::Restored;
use super::desk::words::AccountId;
use super::ears::{HubEar, KeyDirectory};
use super::hands::Hands;
use super::key;
use super::office::{Mail, office};
use super::store::{Ledger, Store, Told};
use super::telephone::{Telephone, TelephoneSettings};
use crate::config::center::CenterConfig;
use crate::controller::moment::Id;
use crate::drivers::clock::{self, Clock};
use crate::drivers::mqtt::{Link, LinkSettings, Room, Subscription};
use crate::drivers::systemd;
use crate::mailbox::{Sender, mailbox_for};
use crate::vigil::Vigil;
use crate::wire::tokens::{Signer, Verifier};
use crate::wiring;

/// How many messages of hubs wait for the loop in each lane; more stay with the broker.
const MAILBOX_ROOM: usize = 4_096;

/// What waits for the broker: seconds of acks at full load.
const LINK_ROOM: Room = Room { under_way: 1_000, waiting: 50_000, waiting_bytes: 32 * 1024 * 1024 };

/// How long a stop waits for what is under way.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why the center could not start, or had to end. Displayed as a sentence.
#[derive(Debug)]
pub enum Failure {
    /// The configuration has to be mended before another start is of use.
    Configuration(String),
    /// The key or the store cannot be used.
    Unusable(String),
    /// The system gave no thread, descriptor or the like.
    System { what: &'static str, error: io::Error },
    /// The console's address cannot be listened on.
    Console { address: std::net::SocketAddr, error: io::Error },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Configuration(problem) | Failure::Unusable(problem) => f.write_str(problem),
            Failure::System { what, error } => write!(f, "The system cannot give {what} to sos-center: {error}."),
            Failure::Console { address, error } => write!(
                f,
                "The console cannot listen on {address}: {error}. End what listens there, or set console.listen to \
                 another address."
            ),
        }
    }
}

impl Failure {
    /// Whether the configuration has to be mended before another start is of use.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Failure::Configuration(_))
    }
}

/// The first word of the store, or the request to end before it came.
enum First {
    Restored(Box<Restored>),
    Fatal(String),
    Stop,
}

/// Runs the center until the process is asked to end. A broker that is away is waited for; the process is ready without.
///
/// # Errors
///
/// Only what keeps the center from existing at all.
pub fn run(config: &CenterConfig) -> Result<(), Failure> {
    let started = Instant::now();
    let system = |what| move |error| Failure::System { what, error };
    let private_key = key::load_or_make(&config.key_file).map_err(Failure::Unusable)?.private_pem;
    let unusable = |problem| Failure::Configuration(format!("{} {problem}.", config.key_file.display()));
    let signer = Arc::new(Signer::from_pem(private_key.as_bytes(), &config.id).map_err(unusable)?);
    let callbacks = Arc::new(CallbackTokens::from_pem(private_key.as_bytes()).map_err(unusable)?);

    let (sender, mailbox) = mailbox_for(MAILBOX_ROOM);
    let (first, first_word) = channel();
    let (stop, stop_first) = (sender.clone(), first.clone());
    let on_shutdown = move || {
        // Nobody waits for it once the store has spoken.
        let _ = stop_first.send(First::Stop);
        stop.urgent(Mail::Stop);
    };
    systemd::listen_for_shutdown(on_shutdown).map_err(system("a thread for shutdown requests"))?;

    let keys = KeyDirectory::default();
    let store_answered = Arc::new(AtomicBool::new(false));
    let ear = StoreEar { first, sender: sender.clone(), keys: keys.clone(), answered: Arc::clone(&store_answered) };
    let store = Store::start(&config.state_dir, move |told| ear.hear(told)).map_err(system("a thread"))?;
    let Some(restored) = memory(&first_word, config)? else {
        store.stop();
        return Ok(());
    };

    let mut desk = Desk::new(config.settings());
    let (office, bell) = office(sender.clone());
    let is_callback = Arc::clone(&callbacks);
    let console = console::start(
        console_settings(config),
        office,
        store.archive(),
        Arc::new(move |call: Id, token: &str| is_callback.is_token(call, token)),
    )
    .map_err(|error| Failure::Console { address: config.console.listen, error })?;
    let address = console.local_addr();
    let answers = sender.clone();
    let tell = move |input| answers.urgent(Mail::Input(input));
    let telephone =
        Telephone::new(telephone_settings(config, address), Arc::clone(&signer), callbacks, clock::wall, tell);
    let link = Link::start(link(config), HubEar::new(sender.clone(), keys)).map_err(system("a thread for the link"))?;
    let accounts = restored.accounts.len();
    let vigil = Vigil::new(systemd::watchdog_period(), clock::boottime());
    let clock = Clock::new(false);
    let mut hands = Hands { clock, mailbox, sender, vigil, store_answered, signer, store, link, telephone, bell };

    take(&mut desk, &mut hands, Input::Restored(restored));
    let took = started.elapsed().as_millis();
    info!(
        topic = "started",
        "sos-center {} watches over {accounts} accounts after {took} ms; the console is at http://{address}/.",
        env!("CARGO_PKG_VERSION")
    );
    systemd::ready("Running.");

    turn(&mut desk, &mut hands);

    systemd::stopping();
    info!(topic = "stopping", "sos-center stops.");
    let Hands { store, link, .. } = hands;
    std::thread::scope(|scope| {
        scope.spawn(|| console.stop(FAREWELL));
        link.stop(FAREWELL);
    });
    // What was decided is on disk; an ack that did not leave any more is asked for again.
    store.stop();
    Ok(())
}

/// THE loop: waits for one input or the next deadline, hands it to the desk, carries out its effects. Questions are
/// answered in between.
fn turn(desk: &mut Desk, hands: &mut Hands) {
    loop {
        match hands.wait(desk.deadline()) {
            Some(Mail::Input(input)) => take(desk, hands, input),
            Some(Mail::Question(question)) => question(desk, clock::boottime()),
            Some(Mail::Stop) => return,
            None => take(desk, hands, Input::Elapsed),
        }
    }
}

fn take(desk: &mut Desk, hands: &mut Hands, input: Input) {
    let moment = hands.moment();
    for effect in desk.step(moment, input) {
        hands.carry_out(effect);
    }
}

/// What the store holds, once it is read; `None` if the process is to end first.
fn memory(first_word: &Receiver<First>, config: &CenterConfig) -> Result<Option<Box<Restored>>, Failure> {
    let restored = match first_word.recv() {
        Ok(First::Restored(restored)) => restored,
        Ok(First::Fatal(problem)) => return Err(Failure::Unusable(problem)),
        // The store's thread ends without a word only together with the process.
        Ok(First::Stop) | Err(_) => return Ok(None),
    };
    let is_unknown = |plan: &str| !config.plans.contains_key(plan);
    match restored.accounts.iter().find(|account| !account.closed && is_unknown(&account.plan)) {
        None => Ok(Some(restored)),
        Some(account) => Err(Failure::Configuration(format!(
            "The account {} has the plan {}, which is not in [plans]: add the plan, or change the account's with \
             `sos-center account plan {} PLAN`.",
            account.id, account.plan, account.id
        ))),
    }
}

/// From the store to the loop.
struct StoreEar {
    first: std::sync::mpsc::Sender<First>,
    sender: Sender<Mail>,
    keys: KeyDirectory,
    answered: Arc<AtomicBool>,
}

impl StoreEar {
    fn hear(&self, told: Told) {
        match told {
            Told::Restored(restored, keys) => {
                self.learn(keys);
                self.begin(First::Restored(restored));
            }
            Told::Fatal(problem) => self.begin(First::Fatal(problem)),
            Told::Accounts(accounts) => {
                let (accounts, keys): (Vec<_>, Vec<_>) = accounts
                    .into_iter()
                    .map(|(account, key)| {
                        let id = account.id.clone();
                        (account, (id, key))
                    })
                    .unzip();
                self.learn(keys);
                self.sender.urgent(Mail::Input(Input::Accounts(accounts)));
            }
            Told::Report(report) => self.sender.urgent(Mail::Input(Input::Store(report))),
            Told::Pong(_) => self.answered.store(true, Ordering::Relaxed),
        }
    }

    fn begin(&self, first: First) {
        // Nobody waits for it if the process is ending.
        let _ = self.first.send(first);
    }

    /// An account whose key cannot be used is heard as one that there is not.
    fn learn(&self, keys: Vec<(AccountId, String)>) {
        self.keys.learn(keys.into_iter().filter_map(|(account, pem)| match Verifier::from_pem(pem.as_bytes()) {
            Ok(verifier) => Some((account, verifier)),
            Err(problem) => {
                warn!("The hub of the account {account} is not heard: its key in the store {problem}.");
                None
            }
        }));
    }
}

fn link(config: &CenterConfig) -> LinkSettings {
    let subscription = |topic: &str, wants_retained| Subscription { topic: topic.into(), wants_retained };
    LinkSettings {
        name: "link-hubs",
        client_id: format!("sos-center-{}", config.id),
        // An old signal is none; the last word on a hub's connection is the present one.
        subscriptions: vec![subscription("center/+/signal", false), subscription("center/+/link", true)],
        room: LINK_ROOM,
        ..wiring::link(&config.broker, false)
    }
}

fn console_settings(config: &CenterConfig) -> ConsoleSettings {
    ConsoleSettings {
        listen: config.console.listen,
        hosts: config.console.hosts.clone(),
        callback_url: config.call.callback_url.clone(),
    }
}

fn telephone_settings(config: &CenterConfig, console: std::net::SocketAddr) -> TelephoneSettings {
    TelephoneSettings {
        call_url: config.call.url.clone(),
        dispatch_url: config.dispatch.url.clone(),
        alert_url: config.alert_url.clone(),
        callback_url: config.call.callback_url.clone().unwrap_or_else(|| format!("http://{console}")),
    }
}
