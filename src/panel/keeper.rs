//! The thread that has the panel listen. Where it cannot (another program has the port, the certificate is gone), that
//! is told and tried again, and nothing else of the hub waits for it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::browsers::Browsers;
use super::cameras::Cameras;
use super::certificate::{Certificate, Now};
use super::gate::Gate;
use super::history::History;
use super::{Board, Hub, PanelSettings, Site, commands, routes, updates};
use crate::config::PanelTls;
use crate::web::hosts::Hosts;
use crate::web::server::{Server, ServerSettings};

const AGAIN: Duration = Duration::from_secs(5);
/// How often it is seen whether the certificate comes to its end.
const CERTIFICATE_EACH: Duration = Duration::from_secs(60 * 60);
/// How often it is seen whether the clock is set by now: a certificate that was made before may be one of 1970.
const CLOCK_EACH: Duration = Duration::from_secs(10);
/// Connections of browsers that know the PIN, and of all others. With TLS each takes some 40 KiB.
const MOST_KNOWN: usize = 288;
const MOST_STRANGERS: usize = 96;
/// One thread each for PINs, the history, and the cameras' names and files: none of them waits for another.
const BLOCKING: usize = 3;
const STACK_BYTES: usize = 512 * 1024;

pub struct Keeper {
    stop: Sender<Duration>,
    thread: JoinHandle<()>,
}

impl Keeper {
    pub fn start(settings: PanelSettings, board: Arc<Board>, hub: impl Hub) -> io::Result<Keeper> {
        let (stop, stopped) = channel();
        let work = move || keep(&settings, &board, &Arc::new(hub), &stopped);
        let thread = Builder::new().name("panel-keeper".into()).stack_size(STACK_BYTES).spawn(work)?;
        Ok(Keeper { stop, thread })
    }

    pub fn stop(self, within: Duration) {
        // It runs until it is told this.
        let _ = self.stop.send(within);
        // If the thread panicked, that has been told already.
        let _ = self.thread.join();
    }
}

fn keep<H: Hub>(settings: &PanelSettings, board: &Arc<Board>, hub: &Arc<H>, stopped: &Receiver<Duration>) {
    let browsers = Arc::<Browsers>::default();
    let mut gate = None;
    loop {
        match listen(settings, board, hub, &browsers, &mut gate) {
            Ok((server, certificate)) => {
                let scheme = if settings.tls == PanelTls::Off { "http" } else { "https" };
                tracing::info!(topic = "panel", "The panel is at {scheme}://{}.", server.local_addr());
                hub.panel_standing(None);
                let within = watch(certificate.as_deref(), &**hub, stopped);
                server.stop(within);
                return browsers.end(within);
            }
            Err(problem) => hub.panel_standing(Some(problem)),
        }
        match stopped.recv_timeout(AGAIN) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return,
        }
    }
}

/// Waits for the end, and keeps the certificate good until then; says how long the end may take.
fn watch(certificate: Option<&Certificate>, hub: &impl Hub, stopped: &Receiver<Duration>) -> Duration {
    let Some(certificate) = certificate else { return stopped.recv().unwrap_or(Duration::ZERO) };
    let mut was_set = hub.is_clock_set();
    let mut seen = hub.now();
    loop {
        match stopped.recv_timeout(if was_set { CERTIFICATE_EACH } else { CLOCK_EACH }) {
            Ok(within) => return within,
            Err(RecvTimeoutError::Timeout) => {
                let is_set = hub.is_clock_set();
                if is_set != was_set || hub.now().since(seen) >= CERTIFICATE_EACH {
                    certificate.renew(now(hub));
                    seen = hub.now();
                }
                was_set = is_set;
            }
            Err(RecvTimeoutError::Disconnected) => return Duration::ZERO,
        }
    }
}

fn now(hub: &impl Hub) -> Now {
    Now { wall: hub.wall(), is_set: hub.is_clock_set() }
}

/// The error ends a sentence. `gate` is kept from one attempt to the next.
fn listen<H: Hub>(
    settings: &PanelSettings,
    board: &Arc<Board>,
    hub: &Arc<H>,
    browsers: &Arc<Browsers>,
    gate: &mut Option<Arc<Gate>>,
) -> Result<(Server, Option<Arc<Certificate>>), String> {
    let PanelSettings { listen, ref tls, ref hosts, ref state_dir, .. } = *settings;
    let certificate = Certificate::new(tls, listen, hosts, state_dir, now(&**hub))?;
    let tls = certificate.as_ref().map(Certificate::server_config).transpose()?;
    let gate = match gate {
        Some(gate) => Arc::clone(gate),
        None => {
            let started = Gate::start(settings.pin_file.clone(), state_dir, Arc::clone(browsers), tls.is_some());
            let started = started.map_err(|error| format!("the system gives it no thread ({error})"))?;
            Arc::clone(gate.insert(Arc::new(started)))
        }
    };
    let server = ServerSettings {
        name: "panel",
        listen,
        most_known: MOST_KNOWN,
        most_strangers: MOST_STRANGERS,
        most_blocking: BLOCKING,
    };
    let names = names(hosts);
    let (board, hub, settings) = (Arc::clone(board), Arc::clone(hub), settings.clone());
    let shown = certificate.clone();
    let site = move |shutdown| {
        yield_to_the_loop();
        let hosts = Hosts::new(settings.listen, &names);
        let site = Arc::new(Site {
            hub,
            board,
            name: settings.name,
            gate,
            commands: Semaphore::new(commands::MOST_AT_ONCE),
            streams: updates::Streams::new(),
            cameras: Cameras::new(settings.cameras),
            history: History::default(),
            certificate: shown,
            shutdown,
        });
        tokio::spawn(updates::pulse(Arc::clone(&site)));
        routes(site, hosts)
    };
    let server = Server::start_with(server, tls, site).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program has the port of {listen}; stop it, or set another panel.listen and restart the hub"
        ),
        _ => format!("{listen} cannot be listened on ({error}); set panel.listen to an address of this machine"),
    })?;
    Ok((server, certificate))
}

/// The names from the configuration and the machine's own, which nobody on the internet can have lead here.
fn names(configured: &[String]) -> Vec<String> {
    let mut names = configured.to_vec();
    if let Some(name) = machine_name() {
        names.push(format!("{name}.local"));
        names.push(name);
    }
    names
}

/// What this machine calls itself, if that is a single word.
pub(super) fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    (!name.is_empty() && !name.contains('.')).then(|| name.to_owned())
}

/// Under load the pages wait for the hub's other threads, never the other way round. Threads that this one starts
/// follow it.
fn yield_to_the_loop() {
    const NICE: libc::c_int = 10;
    // SAFETY: it changes a number of this thread alone. Where it fails, all threads are served alike.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, NICE);
    }
}
