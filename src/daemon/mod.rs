//! `sos-hub run`: starts ears, hands and the store, turns the loop, and stops them again.

mod announced;
mod ears;
mod hands;
pub mod turns;
mod unset;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::config::{self, Config, Outputs};
use crate::controller::Controller;
use crate::controller::effect::Restored;
use crate::controller::input::{HardwareReport, Input};
use crate::drivers::clock::{self, Clock};
use crate::drivers::gpio::{Gpio, GpioEvent};
use crate::drivers::mqtt::{LARGEST_PAYLOAD, Link};
use crate::drivers::systemd;
use crate::mailbox::{Mailbox, Sender, mailbox};
use crate::panel::{Board, Panel};
use crate::store::Store;
use crate::vigil::Vigil;
use crate::wire::tokens::{Signer, Verifier};
use crate::wiring;
use ears::{AppEar, CenterEar, PanelEar, StoreEar};
use hands::Hands;
pub use unset::{is_new, wait_until_set_up};

/// How long the start waits for what the disk holds. Then the hub is there without it: a broken disk must not keep the
/// button and the siren from working.
const DISK_PATIENCE: Duration = Duration::from_millis(2_500);
/// How long the brokers are given for the last words.
const FAREWELL: Duration = Duration::from_secs(1);

/// What lands in the loop's mailbox.
pub(crate) enum Mail {
    Input(Input),
    /// The store's thread, or the button's, is alive.
    Pong(Organ, u64),
    /// The panel asks whether the loop turns.
    Life,
    /// It wants to be told again what there is.
    HomeAssistantStarted,
    /// Topics on which Home Assistant may still find what is no more.
    NoMoreAnnounced(Vec<String>),
    Stop,
}

/// A part of the hub that has to answer for the watchdog to be fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Organ {
    Store,
    Buttons,
}

/// Why the daemon could not start, or had to end.
#[derive(Debug)]
pub enum Failure {
    /// A key file became unusable after the configuration was checked.
    Key(String),
    /// A line cannot be driven: which, and why.
    Line(String),
    /// The configuration is gone or empty, and the trace that the hub has left shows that it was not always so.
    Lost { config: PathBuf, trace: PathBuf },
    /// The system gave no thread, descriptor or the like.
    System { what: &'static str, error: io::Error },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Key(problem) => f.write_str(problem),
            Failure::Line(problem) => write!(f, "A line cannot be driven to rest: the {problem}."),
            Failure::Lost { config, trace } => write!(
                f,
                "{} sets nothing, yet this hub was set up, as {} shows: restore the file from a copy, or run `sudo sos-hub setup`.",
                config.display(),
                trace.display()
            ),
            Failure::System { what, error } => write!(f, "The system cannot give {what} to sos-hub: {error}."),
        }
    }
}

impl Failure {
    /// Whether the configuration has to be mended before another start is of use.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Failure::Key(_))
    }
}

/// Runs the hub until the process is asked to end.
///
/// # Errors
///
/// Only what keeps the hub from existing at all. Brokers, lines and disks that fail are faults, and are tried again.
pub fn run(config: &Config) -> Result<(), Failure> {
    let started = Instant::now();
    let system = |what| move |error| Failure::System { what, error };
    let signer = Signer::from_pem(&read_key(&config.center.hub_key_file)?, &config.center.account)
        .map_err(|problem| unusable(&config.center.hub_key_file, problem))?;
    let verifier = Verifier::from_pem(&read_key(&config.center.center_key_file)?)
        .map_err(|problem| unusable(&config.center.center_key_file, problem))?;
    let verifier = Arc::new(verifier);

    let (sender, mailbox) = mailbox();
    let stop = sender.clone();
    systemd::listen_for_shutdown(move || stop.urgent(Mail::Stop)).map_err(system("a thread for shutdown requests"))?;

    let is_clock_trusted = config.hub.clock == config::Clock::Trusted;
    let mut clock = Clock::new(is_clock_trusted);
    let mut controller = Controller::new(config.settings(), clock.boot_id(), clock.moment());

    let store_ear = StoreEar::new(sender.clone(), config.center.account.clone(), Arc::clone(&verifier));
    let store = Store::start(&config.hub.state_dir, move |told| store_ear.hear(told)).map_err(system("a thread"))?;
    // Before the disk is waited for: a siren that was left on is put right at once.
    let gpio = start_gpio(config, sender.clone()).map_err(system("a thread for the lines"))?;
    let memory = first_memory(&mailbox);

    let (app_topics, center_topics) = (wiring::app_topics(config), wiring::center_topics(config));
    let discovery = wiring::discovery(config);
    let bytes = discovery.as_ref().map(|discovery| discovery.publication(&[]).payload.len());
    if let Some(large) = bytes.filter(|&bytes| bytes > LARGEST_PAYLOAD) {
        warn!(
            "The announcement to Home Assistant has {large} bytes, and brokers may drop it: shorten hub.id or app.topic_prefix."
        );
    }
    let obsolete = sender.clone();
    let current = discovery.as_ref().map(|discovery| discovery.topic.clone());
    let taken_back = announced::recall(&config.hub.state_dir, current, move |topics| {
        obsolete.urgent(Mail::NoMoreAnnounced(topics));
    })
    .map_err(system("a thread"))?;
    let status_topic = discovery.map(|discovery| discovery.status_topic);
    let app_ear = AppEar::new(sender.clone(), app_topics.clone(), status_topic, taken_back);
    let app_link = Link::start(wiring::app_link(config), app_ear).map_err(system("a thread for a link"))?;
    let board = Arc::<Board>::default();
    let panel_ear = PanelEar::new(sender.clone(), config.hub.state_dir.clone(), Clock::new(is_clock_trusted));
    let panel =
        Panel::start(wiring::panel(config), Arc::clone(&board), panel_ear).map_err(system("a thread for the panel"))?;
    let center_ear = CenterEar::new(sender, center_topics.clone(), verifier);
    let center_link = Link::start(wiring::center_link(config), center_ear).map_err(system("a thread for a link"))?;

    let vigil = Vigil::new(systemd::watchdog_period(), clock::boottime());
    let memory = memory.into_iter();
    let hub = config.hub.id.clone();
    let mut hands = Hands {
        clock,
        mailbox,
        memory,
        vigil,
        hub,
        app_topics,
        center_topics,
        signer,
        gpio,
        store,
        app_link,
        center_link,
        board,
    };
    info!(
        topic = "started",
        "sos-hub {} is running after {} ms.",
        env!("CARGO_PKG_VERSION"),
        started.elapsed().as_millis()
    );
    systemd::ready("Running.");

    turns::turn(&mut controller, &mut hands);

    systemd::stopping();
    info!(topic = "stopping", "sos-hub stops.");
    let Hands { gpio, store, app_link, center_link, .. } = hands;
    // The siren first: a stop never leaves it on, and never waits for a broker.
    gpio.stop();
    std::thread::scope(|scope| {
        scope.spawn(|| center_link.stop(FAREWELL));
        scope.spawn(|| panel.stop(FAREWELL));
        app_link.stop(FAREWELL);
    });
    store.stop();
    Ok(())
}

/// Drives siren and LED to rest and ends: for the service manager, after a process that could not do it itself.
///
/// # Errors
///
/// When the system gives no thread, or a line cannot be driven.
pub fn rest(outputs: &Outputs) -> Result<(), Failure> {
    let (sender, failures) = channel();
    let gpio = Gpio::start(wiring::outputs(outputs), move |event| {
        let what = match event {
            GpioEvent::Hardware(HardwareReport::SirenFailed { problem }) => format!("siren: {problem}"),
            GpioEvent::Hardware(HardwareReport::LedFailed { problem }) => format!("LED: {problem}"),
            _ => return,
        };
        // The receiver outlives the lines.
        let _ = sender.send(what);
    });
    gpio.map_err(|error| Failure::System { what: "a thread for the lines", error })?.stop();
    failures.into_iter().next().map_or(Ok(()), |problem| Err(Failure::Line(problem)))
}

fn start_gpio(config: &Config, sender: Sender<Mail>) -> io::Result<Gpio> {
    Gpio::start(wiring::gpio(config), move |event| {
        sender.urgent(match event {
            GpioEvent::Button { index, asserted } => {
                Mail::Input(Input::Button { index, asserted, at: clock::boottime() })
            }
            GpioEvent::ButtonLost { index } => Mail::Input(Input::ButtonLost { index }),
            GpioEvent::Hardware(report) => Mail::Input(Input::Hardware(report)),
            GpioEvent::Pong(number) => Mail::Pong(Organ::Buttons, number),
        });
    })
}

/// What the disk holds, which has to be the first input of all, and what came before it. The links do not send yet.
fn first_memory(mailbox: &Mailbox<Mail>) -> Vec<Mail> {
    let deadline = Instant::now() + DISK_PATIENCE;
    let mut held = Vec::new();
    while let Some(mail) = mailbox.next(Some(deadline.saturating_duration_since(Instant::now()))) {
        if matches!(mail, Mail::Input(Input::Restored(_))) {
            held.insert(0, mail);
            return held;
        }
        held.push(mail);
    }
    held.insert(0, Mail::Input(Input::Restored(Box::<Restored>::default())));
    held
}

fn read_key(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::Key(format!("The key file {} cannot be read: {error}.", path.display())))
}

fn unusable(path: &Path, problem: impl fmt::Display) -> Failure {
    Failure::Key(format!("The key file {} cannot be used: {problem}.", path.display()))
}
