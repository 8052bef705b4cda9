//! The shipped monitoring center of one home: its process, its configuration, and its way to the broker.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::center::{Answers, PRIVATE};
use crate::hub_process::{HubProcess, service};
use crate::installation::{ACCOUNT, Installation};
use crate::support::DEADLINE;
use crate::support::mosquitto::free_port;
use crate::support::proxy::Proxy;

pub const OPERATOR: &str = "olivia";
pub const PASSWORD: &str = "correct horse battery";

/// Who works the incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nobody until an operator presses the console's buttons.
    Operator,
    /// The center by itself: every contact answers like this.
    Simulated(&'static str),
}

impl Work {
    pub const ALL: [Work; 6] = [
        Work::Operator,
        Work::Simulated("no_answer"),
        Work::Operator,
        Work::Simulated("confirmed"),
        Work::Simulated("cancelled"),
        Work::Simulated("cancelled_wrong_password"),
    ];

    /// What the hub is told of an incident from the first call to its end, each stage once.
    pub fn stages(self) -> &'static [&'static str] {
        match self {
            Work::Operator | Work::Simulated("no_answer") => {
                &["calling_first_contact", "no_answer", "dispatched", "calling_other_contacts", "closed"]
            }
            Work::Simulated("confirmed") => {
                &["calling_first_contact", "confirmed", "dispatched", "calling_other_contacts", "closed"]
            }
            Work::Simulated("cancelled") => &["calling_first_contact", "cancelled_by_contact"],
            Work::Simulated(_) => &["calling_first_contact", "dispatched", "calling_other_contacts", "closed"],
        }
    }

    /// Where an alarm comes to rest by itself.
    pub fn rests_at(self) -> &'static str {
        match self {
            Work::Operator => "acknowledged",
            Work::Simulated(_) => self.stages().last().copied().unwrap_or_default(),
        }
    }

    fn calls(self) -> String {
        match self {
            Work::Operator => "mode = \"operator\"\nring_seconds = 600".to_owned(),
            Work::Simulated(answer) => format!("mode = \"simulated\"\nring_seconds = 1\nanswers = [\"{answer}\"]"),
        }
    }
}

/// Ends with the value.
pub struct Office {
    process: Option<HubProcess>,
    /// Between the center and its broker.
    proxy: Proxy,
    pub work: Work,
    console_port: u16,
    dir: TempDir,
}

impl Office {
    /// Takes the place of the center of the tests, which says no word from now on and hears all that is said. The hub
    /// must not run yet.
    pub fn open(home: &Installation, work: Work) -> Office {
        home.center.answer(Answers::Nothing);
        let (dir, console_port) = (TempDir::new().expect("a directory"), free_port());
        let proxy = Proxy::to(home.center_broker.port());
        fs::write(dir.path().join("center.key"), home.center.key.private_pem()).expect("the center's key");
        let toml = format!(
            "[center]\nstate_dir = \"state\"\nkey_file = \"center.key\"\n[broker]\nhost = \"127.0.0.1\"\nport = {}\n\
             [console]\nlisten = \"127.0.0.1:{console_port}\"\n[call]\n{}\n",
            proxy.port(),
            work.calls()
        );
        fs::write(dir.path().join("center.toml"), toml).expect("center.toml");
        let mut office = Office { process: None, proxy, work, console_port, dir };
        office.add_account(home);
        office.add_operator();
        office.start_without_waiting();
        office
    }

    fn add_account(&self, home: &Installation) {
        let (key, out) = (home.dir().join("hub.pub"), self.dir.path().join("bundle"));
        let mut command = self.sos_center(&["account", "add", ACCOUNT, "--plan=protect_plus"]);
        command.args([&format!("--name=Family {PRIVATE}"), "--address=1 Elm Street", "--password=blue whale"]);
        command.args(["Ann", "Ben"].map(|name| format!("--contact={name} {PRIVATE}:+44 1")));
        command.arg("--hub-key").arg(key).arg("--out").arg(out);
        let added = command.output().expect("sos-center runs");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }

    fn add_operator(&self) {
        let mut command = self.sos_center(&["operator", "add", OPERATOR]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("sos-center runs");
        writeln!(child.stdin.take().expect("its input"), "{PASSWORD}").expect("the password is read");
        assert!(child.wait().expect("sos-center ends").success());
    }

    pub fn start_without_waiting(&mut self) {
        let (config, log) = (self.config(), self.log_path());
        let command = service(env!("CARGO_BIN_EXE_sos-center"), &["run", "--config"]);
        self.process = Some(HubProcess::start_service(command, &config, &log, true));
    }

    /// Starts it and waits until its console answers.
    pub fn start(&mut self) {
        self.start_without_waiting();
        self.process().ready_within(DEADLINE);
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.take().expect("a center").kill();
        self.proxy.cut();
    }

    /// As `systemctl stop` does.
    pub fn terminate(&mut self) -> ExitStatus {
        let status = self.process.take().expect("a center").terminate();
        self.proxy.cut();
        status
    }

    pub fn process(&self) -> &HubProcess {
        self.process.as_ref().expect("a center")
    }

    /// Whether what it says is lost on the way, while it hears everything. What it owes it has to say on a new
    /// connection.
    pub fn lose_what_it_says(&self, lost: bool) {
        self.proxy.set_loses(lost);
        if !lost {
            self.proxy.cut();
        }
    }

    pub fn console_port(&self) -> u16 {
        self.console_port
    }

    pub fn database(&self) -> PathBuf {
        self.dir.path().join("state/center.db")
    }

    fn sos_center(&self, arguments: &[&str]) -> Command {
        let mut command = service(env!("CARGO_BIN_EXE_sos-center"), arguments);
        command.arg("--config").arg(self.config());
        command
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("center.toml")
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join("center.log")
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.process = None;
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        if thread::panicking() {
            eprintln!("The center's log:\n{log}");
            return;
        }
        let is_bad = |line: &&str| line.contains(" ERROR ") || line.contains("panicked") || line.contains(PRIVATE);
        let bad: Vec<&str> = log.lines().filter(is_bad).collect();
        assert!(bad.is_empty(), "an error or personal data in the log:\n{}", bad.join("\n"));
    }
}
