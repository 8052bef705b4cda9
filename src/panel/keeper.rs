//! The thread that has the panel listen. Where it cannot (another program has the port, the certificate is gone), that
//! is told and tried again, and nothing else of the hub waits for it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::browsers::Gate;
use super::cameras::Cameras;
use super::{Board, Hub, PanelSettings, Site, certificate, commands, routes, updates};
use crate::config::PanelTls;
use crate::web::hosts::Hosts;
use crate::web::server::{Server, ServerSettings};

const AGAIN: Duration = Duration::from_secs(5);
const MOST_CONNECTIONS: usize = 512;
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
    loop {
        match listen(settings, board, hub) {
            Ok(server) => {
                let scheme = if settings.tls == PanelTls::Off { "http" } else { "https" };
                tracing::info!(topic = "panel", "The panel is at {scheme}://{}.", server.local_addr());
                hub.panel_standing(None);
                let within = stopped.recv().unwrap_or(Duration::ZERO);
                return server.stop(within);
            }
            Err(problem) => hub.panel_standing(Some(problem)),
        }
        match stopped.recv_timeout(AGAIN) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return,
        }
    }
}

/// The error ends a sentence.
fn listen<H: Hub>(settings: &PanelSettings, board: &Arc<Board>, hub: &Arc<H>) -> Result<Server, String> {
    let tls = certificate::server_config(&settings.tls, settings.listen, &settings.hosts, &settings.state_dir)?;
    let (tls, certificate) = tls.map_or((None, None), |tls| (Some(tls.config), Some(tls.fingerprint)));
    let server =
        ServerSettings { name: "panel", listen: settings.listen, most_connections: MOST_CONNECTIONS, most_blocking: 2 };
    let names = names(&settings.hosts);
    let (board, hub, settings) = (Arc::clone(board), Arc::clone(hub), settings.clone());
    let listen = settings.listen;
    let is_secure = tls.is_some();
    let site = move |shutdown| {
        yield_to_the_loop();
        let hosts = Hosts::new(settings.listen, &names);
        let site = Site {
            hub,
            board,
            name: settings.name,
            gate: Gate::new(settings.pin_file, &settings.state_dir, is_secure),
            commands: Semaphore::new(commands::MOST_AT_ONCE),
            streams: Arc::new(Semaphore::new(updates::MOST_STREAMS)),
            cameras: Cameras::new(settings.cameras),
            certificate,
            shutdown,
        };
        routes(Arc::new(site), hosts)
    };
    Server::start_with(server, tls, site).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program has the port of {listen}; stop it, or set another panel.listen and restart the hub"
        ),
        _ => format!("{listen} cannot be listened on ({error}); set panel.listen to an address of this machine"),
    })
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
