//! A computer with mosquitto, the package and a monitoring center on it, on which nothing is set up yet.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use crate::hub_process::{HubProcess, service, sos_hub};
use crate::support::mosquitto::{Mosquitto, free_port};
use crate::support::{DEADLINE, wait_until};

pub const ACCOUNT: &str = "a-1234";

/// `systemctl` as far as the setup needs it: it writes down what it is asked for, and does it.
const SYSTEMCTL: &str = r#"#!/bin/sh
dir=$(dirname "$0")
case $1 in
show | cat) cat "$dir/$1" 2>/dev/null; exit 0 ;;
is-active) kill -0 "$(cat "$dir/$3.pid" 2>/dev/null)" 2>/dev/null; exit ;;
stop)
    case $2 in
    *.timer) rm "$dir/guards/${2%.timer}" 2>/dev/null; exit ;;
    sos-hub.service) [ -n "$(ls "$dir/guards" 2>/dev/null)" ] && guarded=" guarded" ;;
    esac ;;
esac
echo "$1 $2$guarded" >>"$dir/calls"
pid=$dir/$2.pid
case $1 in
stop | restart)
    if [ -f "$pid" ]; then
        kill "$(cat "$pid")" 2>/dev/null
        while kill -0 "$(cat "$pid")" 2>/dev/null; do sleep 0.02; done
        rm -f "$pid"
    fi ;;
start) [ -f "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null && exit 0 ;;
esac
case $1 in
start | restart)
    case $2 in
    mosquitto.service) set -- "$(PATH=$PATH:/usr/sbin command -v mosquitto)" -c "$dir/mosquitto/mosquitto.conf" ;;
    sos-hub.service) set -- "$dir/sos-hub" run --config "$dir/etc/hub.toml" ;;
    esac
    "$@" </dev/null >>"$dir/log" 2>&1 &
    echo $! >"$pid" ;;
esac
"#;

/// `systemd-run` as far as the setup needs it: it writes down, under the timer's name, when and what it would start.
const SYSTEMD_RUN: &str = r#"#!/bin/sh
dir=$(dirname "$0")
while [ "$1" != -- ]; do
    case $1 in
    --unit=*) name=${1#--unit=} ;;
    --on-active=*) after=${1#--on-active=} ;;
    esac
    shift
done
shift
mkdir -p "$dir/guards"
echo "$after $*" >"$dir/guards/$name"
"#;

/// Ends all of it when it is dropped.
pub struct Machine {
    pub dir: TempDir,
    pub port: u16,
    pub panel_port: u16,
    pub center_broker: Mosquitto,
    center: Option<HubProcess>,
}

impl Machine {
    pub fn new() -> Machine {
        let dir = TempDir::new().expect("a directory");
        let machine = Machine {
            port: free_port(),
            panel_port: free_port(),
            center_broker: Mosquitto::start(""),
            center: None,
            dir,
        };
        // The service's user reads the configuration that is in there.
        fs::set_permissions(machine.dir.path(), fs::Permissions::from_mode(0o755)).expect("the directory");
        for (name, script) in [("systemctl", SYSTEMCTL), ("systemd-run", SYSTEMD_RUN)] {
            let path = machine.path(name);
            fs::write(&path, script).expect(name);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect(name);
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sos-hub"), machine.path("sos-hub")).expect("sos-hub");
        fs::create_dir(machine.path("mosquitto")).expect("mosquitto's directory");
        // As Debian has it; started by root it would change to a user who cannot read the directory.
        let user = if unsafe { libc::geteuid() } == 0 { "user root\n" } else { "" };
        let conf = format!("{user}include_dir {}\n", machine.path("mosquitto/conf.d").display());
        fs::write(machine.path("mosquitto/mosquitto.conf"), conf).expect("mosquitto.conf");
        let toml = format!(
            "[center]\nstate_dir = \"{}\"\n[broker]\nhost = \"127.0.0.1\"\nport = {}\n[console]\nlisten = \
             \"127.0.0.1:0\"\n[call]\nmode = \"simulated\"\n",
            machine.path("center").display(),
            machine.center_broker.port()
        );
        fs::write(machine.path("center.toml"), toml).expect("center.toml");
        machine.add_account(ACCOUNT, "bundle");
        machine
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).expect(name).permissions().mode() & 0o7777
    }

    /// What the center gives out for an account, in this directory.
    pub fn add_account(&self, account: &str, out: &str) {
        self.add_account_with(account, out, &["--contact=Ann:+44 1"]);
    }

    /// The same with these contacts.
    pub fn add_account_with(&self, account: &str, out: &str, contacts: &[&str]) {
        let mut command = service(env!("CARGO_BIN_EXE_sos-center"), &["account", "add", account]);
        command.args(["--plan=protect_plus", "--address=1 Elm Street", "--name=Family"]).args(contacts);
        command.arg("--password=blue whale").arg("--out").arg(self.path(out));
        let added = command.arg("--config").arg(self.path("center.toml")).output().expect("sos-center runs");
        assert!(added.status.success(), "{added:?}");
    }

    pub fn close_account(&self, account: &str) {
        let mut command = service(env!("CARGO_BIN_EXE_sos-center"), &["account", "close", account, "--config"]);
        let closed = command.arg(self.path("center.toml")).output().expect("sos-center runs");
        assert!(closed.status.success(), "{closed:?}");
    }

    pub fn start_center(&mut self) {
        let log = self.path("center-log");
        fs::create_dir_all(&log).expect("the log's directory");
        let command = service(env!("CARGO_BIN_EXE_sos-center"), &["run", "--config"]);
        let center = HubProcess::start_service(command, &self.path("center.toml"), &log.join("log"), true);
        center.ready_within(DEADLINE);
        self.center = Some(center);
    }

    /// `sos-hub setup` on this machine.
    pub fn setup(&self, arguments: &[&str]) -> Command {
        let mut command = sos_hub(&["setup", "--config"]);
        command.arg(self.path("etc/hub.toml"));
        for (option, name) in [
            ("--state-dir", "state"),
            ("--mock-dir", "gpio"),
            ("--mosquitto-dir", "mosquitto"),
            ("--service-manager", "systemctl"),
        ] {
            command.arg(option).arg(self.path(name));
        }
        command.args(["--broker-port", &self.port.to_string(), "--panel-port", &self.panel_port.to_string()]);
        command.args(arguments);
        command
    }

    /// The same without questions, with the center's files.
    pub fn unasked(&self, arguments: &[&str]) -> Output {
        let bundle = self.path("bundle").display().to_string();
        let mut all = vec!["--yes", "--center", &bundle];
        all.extend(arguments);
        self.setup(&all).output().expect("sos-hub runs")
    }

    /// Any other command of `sos-hub`, with the configuration of this machine.
    pub fn sos_hub(&self, arguments: &[&str]) -> Output {
        sos_hub(arguments).arg("--config").arg(self.path("etc/hub.toml")).output().expect("sos-hub runs")
    }

    /// What systemctl was asked for.
    pub fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.path("calls")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The timers that would start something, as `3min /path/to/systemctl start sos-hub.service`.
    pub fn guards(&self) -> Vec<String> {
        let dir = self.path("guards");
        if !dir.exists() {
            return Vec::new();
        }
        files_below(&dir).iter().map(|file| fs::read_to_string(file).expect("a timer").trim().to_owned()).collect()
    }

    /// The levels that a line had, in order.
    pub fn levels(&self, line: u32) -> Vec<String> {
        let text = fs::read_to_string(self.path("gpio/edges.csv")).unwrap_or_default();
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        let fields = complete.lines().map(|edge| edge.split(',').collect::<Vec<_>>());
        fields.filter(|edge| edge[1] == line.to_string()).map(|edge| edge[2].to_owned()).collect()
    }

    /// Presses a button and lets it go, once each has been seen.
    pub fn press(&self, line: u32) {
        for level in ["0", "1"] {
            let before = self.levels(line).len();
            fs::write(self.path(&format!("gpio/in/{line}")), level).expect("a button");
            wait_until("the button is seen", || self.levels(line).len() > before);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for unit in ["sos-hub.service", "mosquitto.service"] {
            let stopped = Command::new(self.path("systemctl")).args(["stop", unit]).status();
            assert!(stopped.is_ok_and(|status| status.success()) || thread::panicking());
        }
        if thread::panicking() {
            eprintln!("The services' log:\n{}", fs::read_to_string(self.path("log")).unwrap_or_default());
        }
    }
}

/// Somebody at the terminal of a command.
pub struct Person {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    read: usize,
}

impl Person {
    pub fn start(mut command: Command) -> Person {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (stdin, mut stdout) = (child.stdin.take().expect("stdin"), child.stdout.take().expect("stdout"));
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                heard.lock().expect("text").push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        Person { child, stdin: Some(stdin), said, reader: Some(reader), read: 0 }
    }

    /// The same at a real terminal, which also shows what is typed and what goes to standard error.
    pub fn at_a_terminal(command: &Command) -> Person {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words.map(|word| format!("'{}'", word.to_str().expect("text"))).collect();
        let mut terminal = Command::new("script");
        terminal.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]).env("SHELL", "/bin/sh");
        for (name, _) in command.get_envs().filter(|(_, value)| value.is_none()) {
            terminal.env_remove(name);
        }
        Person::start(terminal)
    }

    /// All that was said so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("text").clone()
    }

    /// Waits for the question that has these words.
    pub fn asked(&mut self, words: &str) {
        let mut found = None;
        wait_until(&format!("the question {words:?}"), || {
            let said = self.said();
            let prompt = said[self.read..].find(words).and_then(|at| {
                let at = self.read + at;
                said[at..].find("> ").map(|end| at + end)
            });
            found = prompt;
            found.is_some()
        });
        self.read = found.expect("a place");
    }

    /// Waits for the question and answers it.
    pub fn answers(&mut self, words: &str, answer: &str) {
        self.asked(words);
        self.types(answer);
    }

    pub fn types(&mut self, answer: &str) {
        let stdin = self.stdin.as_mut().expect("the terminal");
        writeln!(stdin, "{answer}").expect("somebody listens");
    }

    /// Sends the process a signal (Ctrl-C is `SIGINT`), after which it ends.
    pub fn sends(mut self, signal: i32) -> (ExitStatus, String, String) {
        let pid = self.child.id().try_into().expect("a process id");
        // SAFETY: the child was not waited for yet, so the id is still its own.
        unsafe { libc::kill(pid, signal) };
        wait_until("it ends", || self.child.try_wait().expect("its state").is_some());
        self.ends()
    }

    /// Waits for the end: how it ended, and what it wrote to standard error.
    pub fn ends(mut self) -> (ExitStatus, String, String) {
        self.stdin = None;
        let status = self.child.wait().expect("the end");
        self.reader.take().map(JoinHandle::join).expect("a reader").expect("all was read");
        let mut errors = String::new();
        let _ = self.child.stderr.take().expect("stderr").read_to_string(&mut errors);
        let said = self.said.lock().expect("text").clone();
        (status, said, errors)
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // It has ended, but for a test that failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every file below a directory.
pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
