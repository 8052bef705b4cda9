//! A service's process, the hub's or another's: how it is started as systemd does, watched and ended.

use std::fs::{self, File, OpenOptions};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::support::wait_until;

/// Started as a service: notifications go to a socket of the test's.
pub struct HubProcess {
    child: Child,
    manager: UnixDatagram,
}

/// The shipped binary with these arguments.
pub fn sos_hub(arguments: &[&str]) -> Command {
    service(env!("CARGO_BIN_EXE_sos-hub"), arguments)
}

/// A program with these arguments, and nothing of the environment that a service manager would set.
pub fn service(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    for variable in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "JOURNAL_STREAM", "SOS_LOG"] {
        command.env_remove(variable);
    }
    command
}

impl HubProcess {
    /// `may_ask_the_clock`: whether the process is allowed to ask the kernel if the clock is synchronised.
    pub fn start(config: &Path, log: &Path, may_ask_the_clock: bool) -> HubProcess {
        HubProcess::start_service(sos_hub(&["run", "--config"]), config, log, may_ask_the_clock)
    }

    /// The same of a command whose last argument, the configuration, is yet to come.
    pub fn start_service(mut command: Command, config: &Path, log: &Path, may_ask_the_clock: bool) -> HubProcess {
        let socket = log.with_file_name("notify");
        // It is there from an earlier start.
        let _ = fs::remove_file(&socket);
        let manager = UnixDatagram::bind(&socket).expect("the manager's socket");
        let output = open_log(log);
        command.arg(config).env("NOTIFY_SOCKET", &socket);
        command.stdout(output.try_clone().expect("the log")).stderr(output);
        if !may_ask_the_clock {
            // SAFETY: only system calls are made between fork and exec, on data of the function's own stack.
            unsafe { command.pre_exec(forbid_asking_the_clock) };
        }
        HubProcess { child: command.spawn().expect("the program starts"), manager }
    }

    /// Waits until the hub says that it does its work.
    pub fn ready_within(&self, time: Duration) {
        self.manager.set_read_timeout(Some(time)).expect("a time-out");
        let mut buffer = [0; 1024];
        loop {
            let length = self.manager.recv(&mut buffer).expect("READY=1 from the service");
            if String::from_utf8_lossy(&buffer[..length]).lines().any(|line| line == "READY=1") {
                return;
            }
        }
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the service ends", || {
            status = self.child.try_wait().expect("the service's state");
            status.is_some()
        });
        status.expect("an exit status")
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the hub's state").is_none()
    }

    /// As a power button or the OOM killer would.
    pub fn kill(mut self) {
        self.child.kill().expect("the hub can be killed");
        self.child.wait().expect("the hub ends");
    }

    /// As `systemctl stop` does.
    pub fn terminate(mut self) -> ExitStatus {
        let pid = self.child.id().try_into().expect("a process id");
        // SAFETY: the child was not waited for yet, so the id is still its own.
        unsafe { libc::kill(pid, libc::SIGTERM) };
        self.ended()
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open_log(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("the log")
}

/// Lets `adjtimex` fail with EPERM, as a unit's sandbox may: then nobody knows whether the clock is right.
fn forbid_asking_the_clock() -> std::io::Result<()> {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut filter = [
        // The number of the system call is the first field of the data.
        step(LOAD, 0, 0, 0),
        step(JUMP, 2, 0, libc::SYS_adjtimex as u32),
        step(JUMP, 1, 0, libc::SYS_clock_adjtime as u32),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program and its steps live through the calls.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    if done { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}
