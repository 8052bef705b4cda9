//! One thread of the hub hangs while all the others live: stopped in the middle, as a lock or a driver may stop it.

use std::fs;
use std::ptr;
use std::time::Duration;

use crate::installation::{Installation, Setup};
use crate::lane::RIGHT_AFTER;
use crate::lines::monotonic;
use crate::support::{DEADLINE, wait_until};

/// After this long without food the watchdog would bite.
const WATCHDOG: Duration = Duration::from_secs(2);

const LOOP: &str = "sos-hub";

#[test]
fn a_loop_that_hangs_starves_the_watchdog_and_the_next_process_raises_the_alarm() {
    let mut home = watched(5);
    let before = monotonic();
    let incident = home.app.accepted("request", "police");
    let after = monotonic();
    let hung = hang(&mut home, LOOP);
    starves(&mut home);
    assert!(home.lines.siren_levels().is_empty(), "the loop turned");
    // What systemd does then.
    let started = monotonic();
    home.kill();
    drop(hung);
    home.start();
    let siren = home.lines.siren_edge(0);
    let (countdown, late) = (Duration::from_secs(5), RIGHT_AFTER);
    assert!(siren.at >= before + countdown && siren.at < started.max(after + countdown) + late, "{siren:?}");
    home.app.stage(&incident, "acknowledged");
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 1);
}

#[test]
fn buttons_that_hang_starve_the_watchdog_until_they_live_again() {
    let mut home = watched(1);
    let hung = hang(&mut home, "gpio");
    starves(&mut home);
    // The loop is not what hangs.
    home.app.refused("cancel", "");
    drop(hung);
    is_fed(&mut home);
}

#[test]
fn a_disk_that_hangs_costs_neither_siren_nor_alarm_nor_the_process() {
    let mut home = watched(1);
    let hung = hang(&mut home, "store");
    let reply = home.app.ask("request", r#"{"service": "fire", "id": "f"}"#);
    assert_eq!((reply["outcome"].as_str(), reply["durable"].as_bool()), (Some("accepted"), Some(false)), "{reply}");
    home.lines.siren_is(1);
    let alarm = home.center.alarm(0);
    assert_eq!(alarm["incident"], reply["incident"]);
    let incident = reply["incident"].as_str().expect("an incident");
    home.app.stage(incident, "acknowledged");
    home.app.fault("storage");
    is_fed(&mut home);
    drop(hung);
    home.app.no_fault("storage");
    // All of it is on disk now.
    let mark = home.app.mark();
    home.kill();
    home.start();
    home.in_use_again(mark);
    home.app.stage(incident, "acknowledged");
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 1);
}

#[test]
fn a_service_manager_that_hangs_holds_no_alarm_back() {
    // Its queue is full soon.
    let environment = vec![("WATCHDOG_USEC", "20000".to_owned())];
    let home = Installation::running(Setup { environment, ..Setup::default() });
    wait_until("the manager takes nothing more", || home.log().contains("did not take a notification"));
    let incident = home.app.accepted("request", "police");
    home.lines.siren_is(1);
    home.app.stage(&incident, "acknowledged");
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 1);
}

fn watched(countdown_seconds: u32) -> Installation {
    let environment = vec![("WATCHDOG_USEC", WATCHDOG.as_micros().to_string())];
    let mut home = Installation::running(Setup { countdown_seconds, environment, ..Setup::default() });
    is_fed(&mut home);
    home
}

/// The food comes, and more than what had been on its way.
fn is_fed(home: &mut Installation) {
    for _ in 0..3 {
        let fed = home.hub().notification(DEADLINE);
        assert_eq!(fed.as_deref(), Some("WATCHDOG=1\n"));
    }
}

/// What had been on its way comes, and then nothing for as long as the watchdog waits.
fn starves(home: &mut Installation) {
    let mut fed = 0;
    wait_until("the watchdog starves", || {
        fed += 1;
        assert!(fed < 8, "the watchdog is fed on");
        home.hub().notification(WATCHDOG).is_none()
    });
}

/// A thread that a debugger holds; it goes on when this is dropped, if it still lives.
struct Hung(libc::pid_t);

/// Holds the hub's thread of this name. The thread that calls this is the debugger.
fn hang(home: &mut Installation, name: &str) -> Hung {
    let tasks = format!("/proc/{}/task", home.hub().pid());
    let mut tasks = fs::read_dir(tasks).expect("the hub's threads").flatten().map(|task| task.path());
    let is_it = |task: &std::path::PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
    let task = tasks.find(is_it).expect("a thread of this name");
    let thread: libc::pid_t = task.file_name().and_then(|id| id.to_str()?.parse().ok()).expect("a thread's id");
    let nothing = ptr::null_mut::<libc::c_void>();
    let mut status = 0;
    // SAFETY: the thread is of a child that was not waited for yet, and the status lives through the call.
    let held = unsafe {
        libc::ptrace(libc::PTRACE_SEIZE, thread, nothing, nothing) == 0
            && libc::ptrace(libc::PTRACE_INTERRUPT, thread, nothing, nothing) == 0
            && libc::waitpid(thread, &raw mut status, libc::__WALL) == thread
    };
    assert!(held && libc::WIFSTOPPED(status), "ptrace: {}", std::io::Error::last_os_error());
    Hung(thread)
}

impl Drop for Hung {
    fn drop(&mut self) {
        let nothing = ptr::null_mut::<libc::c_void>();
        // It fails where the process was killed meanwhile.
        // SAFETY: it only takes two numbers.
        unsafe { libc::ptrace(libc::PTRACE_DETACH, self.0, nothing, nothing) };
    }
}
