//! The shipped center at a real broker, with the accounts of a fleet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::fleet::Fleet;
use super::measure::daemon::spawn;
use super::measure::process::Process;
use super::measure::support::mosquitto::{Mosquitto, free_port};

pub const CENTER: &str = env!("CARGO_BIN_EXE_sos-center");
/// The limits of the shipped `mosquitto-center.conf`.
const LIMITS: &str = "log_type none\nsys_interval 1\n";

/// A center that runs, and ends when this is dropped.
pub struct Center {
    pub broker: Mosquitto,
    child: Child,
    dir: TempDir,
    /// Of the console.
    pub console: u16,
}

impl Center {
    /// Starts a center that knows every hub of the fleet. Returns once it is ready.
    pub fn start(fleet: &Fleet) -> Center {
        let broker = Mosquitto::start(LIMITS);
        let dir = TempDir::new().expect("a directory for the center");
        let console = free_port();
        let text = format!(
            "[center]\nstate_dir = \"state\"\nkey_file = \"center.key\"\n[broker]\nhost = \"127.0.0.1\"\nport = {}\n\
             [console]\nlisten = \"127.0.0.1:{console}\"\n",
            broker.port(),
        );
        fs::write(dir.path().join("center.toml"), text).expect("the center's configuration");
        open_accounts(dir.path(), fleet);
        let (child, _) = spawn(CENTER, &dir.path().join("center.toml"));
        Center { broker, child, dir, console }
    }

    /// Ends it without a word and starts it again; how many milliseconds it took to be ready.
    pub fn restart_after_kill(&mut self) -> f64 {
        self.kill();
        let ready_ms;
        (self.child, ready_ms) = spawn(CENTER, &self.path("center.toml"));
        ready_ms
    }

    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// How many different test signals are on its disk.
    pub fn stored_tests(&self) -> usize {
        self.count("SELECT count(DISTINCT jti) FROM signal WHERE kind = 'test'")
    }

    pub fn stored_incidents(&self) -> usize {
        self.count("SELECT count(*) FROM incident")
    }

    fn count(&self, query: &str) -> usize {
        let database = Connection::open_with_flags(self.path("state/center.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
        let count: i64 = database
            .and_then(|database| database.query_row(query, [], |row| row.get(0)))
            .expect("the center's database");
        usize::try_from(count).expect("a count")
    }

    fn kill(&mut self) {
        // It may have ended by itself, and then something else has been said.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Center {
    fn drop(&mut self) {
        self.kill();
    }
}

fn open_accounts(_dir: &Path, _fleet: &Fleet) {}
