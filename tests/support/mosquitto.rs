//! A real mosquitto on a loopback port of its own.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use super::wait_until;

/// Below are the ports of well-known services.
const LOWEST_PORT: u16 = 10_000;

/// A broker that ends when this is dropped.
pub struct Mosquitto {
    child: Option<Child>,
    dir: TempDir,
    port: u16,
}

impl Mosquitto {
    /// Anybody may connect and do all; `lines` are added to the configuration.
    pub fn start(lines: &str) -> Mosquitto {
        Mosquitto::start_with(|_| format!("allow_anonymous true\n{lines}"))
    }

    /// `lines` gets the directory that the broker's files (passwords, certificates) can be written to. All it returns
    /// belongs to the one listener.
    pub fn start_with(lines: impl FnOnce(&Path) -> String) -> Mosquitto {
        let dir = TempDir::new().expect("a directory for mosquitto");
        let port = free_port();
        // Started by root it would change to a user who cannot read the directory.
        let user = if unsafe { libc::geteuid() } == 0 { "user root\n" } else { "" };
        let log = dir.path().join("log").display().to_string();
        let text = format!(
            "{user}listener {port} 127.0.0.1\nlog_dest file {log}\nlog_type all\nset_tcp_nodelay true\n{}\n",
            lines(dir.path())
        );
        fs::write(dir.path().join("mosquitto.conf"), text).expect("mosquitto's configuration");
        let mut broker = Mosquitto { child: None, dir, port };
        broker.restart();
        broker
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its configuration, log and other files are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Ends it if it runs, starts it with the same configuration on the same port, and waits until it answers.
    pub fn restart(&mut self) {
        self.kill();
        let mut child = Command::new(program("mosquitto"))
            .arg("-c")
            .arg(self.dir.path().join("mosquitto.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto starts");
        wait_until("mosquitto answers", || {
            let ended = child.try_wait().expect("mosquitto's state");
            assert!(ended.is_none(), "mosquitto ended at once: {}", self.log());
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        self.child = Some(child);
    }

    /// Ends it the way systemd does.
    pub fn stop(&mut self) {
        self.signal(libc::SIGTERM);
        self.wait();
    }

    /// Ends it without a word to its clients.
    pub fn kill(&mut self) {
        self.signal(libc::SIGKILL);
        self.wait();
    }

    /// It keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.signal(libc::SIGSTOP);
    }

    pub fn resume(&self) {
        self.signal(libc::SIGCONT);
    }

    /// A line of configuration: only these names and passwords get in. For [`Mosquitto::start_with`].
    pub fn password_lines(dir: &Path, users: &[(&str, &str)]) -> String {
        let path = dir.join("passwords");
        let mut file = fs::File::create(&path).expect("the password file");
        for (name, password) in users {
            writeln!(file, "{name}:{password}").expect("the password file");
        }
        drop(file);
        let hashed = Command::new(program("mosquitto_passwd")).arg("-U").arg(&path).status();
        assert!(hashed.is_ok_and(|status| status.success()), "mosquitto_passwd failed");
        format!("allow_anonymous false\npassword_file {}", path.display())
    }

    fn signal(&self, signal: libc::c_int) {
        if let Some(child) = &self.child {
            let pid = child.id().try_into().expect("a process id");
            // It is a child that was not waited for yet, so the id is still its own.
            unsafe { libc::kill(pid, signal) };
        }
    }

    fn wait(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.wait().expect("mosquitto ends");
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on, also later: it is none of those that the system gives to outgoing connections, so that
/// what is restarted on it finds it free, and who dials it meanwhile is not connected to itself.
pub fn free_port() -> u16 {
    static LATEST: AtomicU16 = AtomicU16::new(0);
    let ports = LOWEST_PORT..first_outgoing_port();
    // Programs that look at the same time begin at different places.
    let begin = RandomState::new().hash_one(process::id());
    let _ = LATEST.compare_exchange(0, begin as u16 | 1, Ordering::SeqCst, Ordering::SeqCst);
    let free = ports.clone().find_map(|_| {
        let port = LOWEST_PORT + LATEST.fetch_add(1, Ordering::SeqCst) % (ports.end - LOWEST_PORT);
        TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
    });
    free.expect("a free port")
}

fn first_outgoing_port() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let first = range.split_whitespace().next().and_then(|first| first.parse().ok());
    first.filter(|first| *first > LOWEST_PORT + 1_000).unwrap_or(32_768)
}

/// Debian puts the broker where an ordinary user's PATH does not look.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: run `sudo apt-get install mosquitto mosquitto-clients`"))
}
