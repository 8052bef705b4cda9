//! The panel without the rest of the hub: in its place stands one that does what a test wants, a loop that hangs and a
//! disk that is slow among it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sos_hub::config::{Camera, PanelTls};
use sos_hub::controller::input::{Received, ReplyTo};
use sos_hub::controller::moment::{Boottime, Wall};
use sos_hub::drivers::clock;
use sos_hub::panel::{Board, Hub, Panel, PanelSettings};
use tempfile::TempDir;

use crate::installation::PANEL_PIN;
use crate::support::mosquitto::free_port;

/// What the hub does, and what it was asked for.
pub struct Double {
    pub board: Arc<Board>,
    pub loop_turns: AtomicBool,
    pub commands: Mutex<Vec<Received>>,
    /// Whoever holds it holds up every read of the history.
    pub history: Mutex<()>,
    pub histories: AtomicUsize,
    /// Ahead of the real time.
    pub days_ahead: AtomicI64,
    pub is_clock_set: AtomicBool,
    /// How often somebody wanted the time since the boot; and how often after the wall clock's was wanted, once more.
    nows: AtomicUsize,
    nows_after_wall: AtomicUsize,
    began: Instant,
}

impl Double {
    pub fn clock(&self) -> Boottime {
        Boottime(0) + Duration::from_secs(1000) + self.began.elapsed()
    }

    /// Sets the clock; returns once the panel has looked at its certificate, which asks for both times, this one last.
    pub fn set_the_clock(&self) {
        self.nows_after_wall.store(usize::MAX, Ordering::SeqCst);
        self.days_ahead.store(0, Ordering::SeqCst);
        self.is_clock_set.store(true, Ordering::SeqCst);
        let has_looked = || self.nows.load(Ordering::SeqCst) >= self.nows_after_wall.load(Ordering::SeqCst);
        crate::support::wait_until("a look at the certificate", has_looked);
    }

    /// Shows a state that was true this long ago.
    pub fn state(&self, json: &str, ago: Duration) {
        self.board.state(json.as_bytes(), self.clock() - ago);
    }
}

#[derive(Clone)]
struct Handle(Arc<Double>);

impl Hub for Handle {
    fn now(&self) -> Boottime {
        self.0.nows.fetch_add(1, Ordering::SeqCst);
        self.0.clock()
    }

    fn wall(&self) -> Wall {
        self.0.nows_after_wall.store(self.0.nows.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
        Wall(clock::wall().0 + self.0.days_ahead.load(Ordering::SeqCst) * 24 * 60 * 60 * 1000)
    }

    fn is_clock_set(&self) -> bool {
        self.0.is_clock_set.load(Ordering::SeqCst)
    }

    fn ask_for_life(&self) {
        if self.0.loop_turns.load(Ordering::SeqCst) {
            self.0.board.lives(self.0.clock());
        }
    }

    async fn command(&self, received: Received) {
        if let Some(ReplyTo::Page(page)) = received.reply_to {
            self.0.board.reply(page, br#"{"outcome":"accepted"}"#.to_vec());
        }
        self.0.commands.lock().expect("the commands").push(received);
    }

    fn history(&self, limit: usize) -> Result<Vec<String>, String> {
        self.0.histories.fetch_add(1, Ordering::SeqCst);
        drop(self.0.history.lock());
        Ok((0..limit.min(9)).map(|number| format!(r#"{{"id":"{number}"}}"#)).collect())
    }

    fn panel_standing(&self, problem: Option<String>) {
        assert_eq!(problem, None, "the panel listens");
    }
}

/// A panel, which is stopped when this is dropped.
pub struct Alone {
    pub hub: Arc<Double>,
    pub address: SocketAddr,
    panel: Option<Panel>,
    dir: TempDir,
    tls: PanelTls,
}

impl Alone {
    pub fn start() -> Alone {
        Alone::with(Vec::new(), PanelTls::Off)
    }

    pub fn with(cameras: Vec<Camera>, tls: PanelTls) -> Alone {
        let dir = TempDir::new().expect("a directory");
        std::fs::write(dir.path().join("panel.pin"), PANEL_PIN).expect("the PIN");
        std::fs::create_dir(dir.path().join("state")).expect("a directory");
        Alone::within(dir, cameras, tls, None)
    }

    /// One that makes its certificate, on a machine whose clock nobody has set: it says that it is so many days later, or
    /// earlier. Something was done to its directory.
    pub fn unset(days_ahead: i64, prepare: impl FnOnce(&Path)) -> Alone {
        let dir = TempDir::new().expect("a directory");
        std::fs::write(dir.path().join("panel.pin"), PANEL_PIN).expect("the PIN");
        prepare(dir.path());
        Alone::within(dir, Vec::new(), PanelTls::SelfMade, Some(days_ahead))
    }

    /// Stops it, has something happen, and starts it again.
    pub fn again(mut self, meanwhile: impl FnOnce(&Path)) -> Alone {
        self.stop();
        let dir = std::mem::replace(&mut self.dir, TempDir::new().expect("a directory"));
        meanwhile(dir.path());
        Alone::within(dir, Vec::new(), self.tls.clone(), None)
    }

    fn within(dir: TempDir, cameras: Vec<Camera>, tls: PanelTls, unset: Option<i64>) -> Alone {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let hub = Arc::new(Double {
            board: Arc::default(),
            loop_turns: AtomicBool::new(true),
            commands: Mutex::default(),
            history: Mutex::default(),
            histories: AtomicUsize::new(0),
            days_ahead: AtomicI64::new(unset.unwrap_or(0)),
            is_clock_set: AtomicBool::new(unset.is_none()),
            nows: AtomicUsize::new(0),
            nows_after_wall: AtomicUsize::new(0),
            began: Instant::now(),
        });
        hub.state(r#"{"phase":"idle"}"#, Duration::ZERO);
        let settings = PanelSettings {
            listen: address,
            hosts: Vec::new(),
            tls: tls.clone(),
            pin_file: Some(dir.path().join("panel.pin")),
            cameras,
            state_dir: dir.path().join("state"),
            name: "home".to_owned(),
        };
        let panel = Panel::start(settings, Arc::clone(&hub.board), Handle(Arc::clone(&hub))).expect("a panel");
        crate::support::wait_until("the panel listens", || std::net::TcpStream::connect(address).is_ok());
        Alone { hub, address, panel: Some(panel), dir, tls }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn stop(&mut self) {
        if let Some(panel) = self.panel.take() {
            panel.stop(Duration::from_secs(1));
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.stop();
    }
}
