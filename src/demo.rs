//! `sos-hub demo`: the hub as it is shipped, with everything around it in the same process — a broker, files in place
//! of lines, the monitoring center with simulated calls — so that it can be tried on any computer. Nobody is called.

mod broker;
mod files;
mod screen;
mod welcome;

use std::fmt;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::center;
use crate::config::Config;
use crate::daemon;
use crate::drivers::{clock, logging};
use files::Files;
use screen::Screen;

/// Where the panel is, if nobody has that port.
const USUAL_PANEL_PORT: u16 = 8080;

/// How long the hub may take to stop.
const PATIENCE: Duration = Duration::from_millis(1_500);

#[derive(clap::Args, Debug)]
pub struct Options {
    /// The port for a plain mosquitto_pub (MQTT 3.1.1), 0 for any that is free [default: 1883, if it is free]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// The port of the web panel, 0 for any that is free [default: 8080, if it is free]
    #[arg(long, value_name = "N")]
    panel_port: Option<u16>,
}

/// Why there is no demo.
#[derive(Debug)]
pub enum Failure {
    /// A port that nobody could be given.
    Port {
        port: u16,
        /// Names another one.
        option: &'static str,
        error: io::Error,
    },
    Broker(String),
    /// The directory of its own could not be made or filled.
    Directory(io::Error),
    /// What the demo wrote itself is refused.
    Configuration(String),
    /// The monitoring center could not be made or started. A sentence.
    Center(String),
    Hub(daemon::Failure),
    System {
        what: &'static str,
        error: io::Error,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Port { port, option, error } if error.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "Port {port} is taken by another program: name another one with {option}, or 0 for any.")
            }
            Failure::Port { port, option, error } => {
                write!(f, "Port {port} cannot be used ({error}): name another one with {option}, or 0 for any.")
            }
            Failure::Broker(problem) => write!(f, "The broker of the demo cannot start ({problem}): try again."),
            Failure::Directory(error) => write!(
                f,
                "The demo cannot make its files in {} ({error}): set TMPDIR to a directory that can be written to.",
                std::env::temp_dir().display()
            ),
            Failure::Configuration(problem) | Failure::Center(problem) => f.write_str(problem),
            Failure::Hub(failure) => failure.fmt(f),
            Failure::System { what, error } => write!(f, "The system cannot give {what} to sos-hub: {error}."),
        }
    }
}

/// Why the demo ends.
enum Ending {
    /// Ctrl-C and the like, or nobody reads what it shows.
    Asked,
    Hub(Result<(), daemon::Failure>),
    /// The center could not go on: a sentence.
    Center(String),
}

/// Runs the demo until it is interrupted or nobody reads its output any more.
///
/// # Errors
///
/// When a part of it cannot start.
pub fn run(options: &Options) -> Result<(), Failure> {
    let system = |what| move |error| Failure::System { what, error };
    // The screen tells the story; the log is for whoever asks for it.
    let log = std::env::var_os("SOS_LOG").map(|_| logging::init(clock::wall)).transpose();
    let _log = log.map_err(system("a thread for the log"))?;
    let (sender, endings) = channel();
    listen_for_interrupts(sender.clone()).map_err(system("a thread for interrupts"))?;

    let ports = broker::start(options.port)?;
    let panel = match options.panel_port {
        Some(port) => broker::free_port(port, "--panel-port")?,
        None => {
            broker::free_port(USUAL_PANEL_PORT, "--panel-port").or_else(|_| broker::free_port(0, "--panel-port"))?
        }
    };
    let files = Files::make(ports, panel)?;
    let (config, _) =
        Config::load(&files.config()).map_err(|problems| Failure::Configuration(problems.render(false)))?;
    let console = start_center(&files, sender.clone())?;
    let on_deaf = sender.clone();
    let screen = Screen::start(&config, welcome::welcome(&files, ports, panel, console), move || ask(&on_deaf));
    let screen = screen.map_err(system("a thread for the screen"))?;
    watch_reader(sender.clone()).map_err(system("a thread for the screen"))?;
    let hub = Builder::new().name("hub".into()).spawn(move || {
        // It is no matter to the hub whether anybody waits for its end.
        let _ = sender.send(Ending::Hub(daemon::run(&config)));
    });
    hub.map_err(system("a thread for the hub"))?;

    let outcome = match endings.recv() {
        Ok(Ending::Hub(outcome)) => outcome.map_err(Failure::Hub),
        Ok(Ending::Center(problem)) => stop_hub(&endings).map_err(Failure::Hub).and(Err(Failure::Center(problem))),
        Ok(Ending::Asked) | Err(_) => stop_hub(&endings).map_err(Failure::Hub),
    };
    let dir = files.dir().display().to_string();
    drop(files);
    // The terminal has written ^C there.
    let start = if io::stdout().is_terminal() { "\n" } else { "" };
    screen.end(format!("{start}The demo has ended and removed {dir}.\n"));
    outcome
}

/// Starts the shipped center, which ends at a signal as the hub does. Returns where its console is: at the usual port, or
/// at any that is free if somebody has that already.
fn start_center(files: &Files, sender: Sender<Ending>) -> Result<SocketAddr, Failure> {
    let mut config = files.center()?;
    let (ready, address) = channel();
    let center = Builder::new().name("center".into()).spawn(move || {
        // Whoever waits for one of these words may have ended.
        let tell = |address| {
            let _ = ready.send(Ok(address));
        };
        let mut outcome = center::run::run(&config, tell);
        if matches!(outcome, Err(center::run::Failure::Console { .. })) {
            config.console.listen.set_port(0);
            outcome = center::run::run(&config, tell);
        }
        if let Err(failure) = outcome {
            let _ = ready.send(Err(Failure::Center(failure.to_string())));
            let _ = sender.send(Ending::Center(failure.to_string()));
        }
    });
    center.map_err(|error| Failure::System { what: "a thread for the center", error })?;
    address.recv().unwrap_or_else(|_| Err(Failure::Center("The monitoring center has ended at its start.".to_owned())))
}

/// The hub ends like any daemon, at a signal. It may not have listened yet when the first one came, so it is sent again
/// until the hub has ended.
fn stop_hub(endings: &Receiver<Ending>) -> Result<(), daemon::Failure> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        // It fails for forbidden signals alone.
        let _ = signal_hook::low_level::raise(SIGTERM);
        let again = Instant::now() + PATIENCE / 10;
        while let Ok(ending) = endings.recv_timeout(again.saturating_duration_since(Instant::now())) {
            if let Ending::Hub(outcome) = ending {
                return outcome;
            }
        }
    }
    Ok(())
}

fn ask(sender: &Sender<Ending>) {
    // Nobody listens any more once the demo ends.
    let _ = sender.send(Ending::Asked);
}

/// From here on no signal ends the process before its directory is removed; also not that of a terminal that is closed.
fn listen_for_interrupts(sender: Sender<Ending>) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    Builder::new().name("interrupts".into()).spawn(move || signals.forever().for_each(|_| ask(&sender)))?;
    Ok(())
}

/// Ends the demo when the reader of its output is gone (`sos-hub demo | head`), also while there is nothing to write.
fn watch_reader(sender: Sender<Ending>) -> io::Result<()> {
    let stdout = io::stdout().as_raw_fd();
    Builder::new().name("reader".into()).spawn(move || {
        // Asked for nothing, the kernel still tells of errors and hang-ups.
        let mut watched = libc::pollfd { fd: stdout, events: 0, revents: 0 };
        // SAFETY: `watched` is one valid pollfd, and lives through the call.
        while unsafe { libc::poll(&raw mut watched, 1, -1) } < 0 {
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return;
            }
        }
        ask(&sender);
    })?;
    Ok(())
}
