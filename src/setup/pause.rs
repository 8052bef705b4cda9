//! The hub stands still while its buttons are tried, and never longer: whatever becomes of the setup, it starts again.

use std::cell::Cell;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;

use super::Failure;
use super::services::{HUB, Services};

/// When systemd starts the hub although nobody has asked for it any more: longer than any answer may take, and counted
/// anew with each question.
const GUARD: &str = "3min";
/// Two, so that the next one is there before the last one goes.
const GUARDS: [&str; 2] = ["sos-hub-resume-1", "sos-hub-resume-2"];

/// The exit code of what was ended by Ctrl-C, as shells give it.
const INTERRUPTED: i32 = 130;

/// While it lives the hub is stopped.
pub struct Pause {
    services: Services,
    resumed: Arc<AtomicBool>,
    guard: Cell<usize>,
    patience: Duration,
}

impl Pause {
    /// Stops the hub until this is over; `patience` is how long a question may stay open meanwhile. Nobody is left
    /// without a hub because a person has pressed Ctrl-C or gone away, or because the setup was killed.
    ///
    /// # Errors
    ///
    /// The hub is not stopped where nothing outside this process would start it again.
    pub fn begin(services: &Services, patience: Duration) -> Result<Pause, Failure> {
        let resumed = Arc::new(AtomicBool::new(false));
        start_it_when_interrupted(services.clone(), Arc::clone(&resumed))?;
        // They may be there still from a setup that was killed, and would start the hub in the middle of this one.
        no_guards(services);
        if let Err(failure) = services.start_hub_later(GUARDS[0], GUARD) {
            resumed.store(true, Ordering::SeqCst);
            return Err(Failure::Failed(format!(
                "nothing would start the hub again if the setup were killed: {failure}"
            )));
        }
        let pause = Pause { services: services.clone(), resumed, guard: Cell::new(0), patience };
        services.stop(HUB)?;
        Ok(pause)
    }

    /// The next question may be asked: until when it must be answered.
    pub fn go_on(&self) -> Result<Instant, Failure> {
        let last = self.guard.get();
        let next = (last + 1) % GUARDS.len();
        let deadline = Instant::now() + self.patience;
        self.services.start_hub_no_more(GUARDS[next]);
        self.services.start_hub_later(GUARDS[next], GUARD)?;
        self.guard.set(next);
        self.services.start_hub_no_more(GUARDS[last]);
        Ok(deadline)
    }

    /// Starts the hub again, with what its configuration says now.
    ///
    /// # Errors
    ///
    /// [`Failure::NotStarted`]; systemd will try it once more.
    pub fn end(self) -> Result<(), Failure> {
        self.resume()
    }

    /// Once only, and not for done before it is.
    fn resume(&self) -> Result<(), Failure> {
        if self.resumed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let started = start_now(&self.services);
        self.resumed.store(true, Ordering::SeqCst);
        started
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        if let Err(failure) = self.resume() {
            eprintln!("{failure}");
        }
    }
}

fn start_now(services: &Services) -> Result<(), Failure> {
    services.restart_hub()?;
    no_guards(services);
    Ok(())
}

fn no_guards(services: &Services) {
    for guard in GUARDS {
        services.start_hub_no_more(guard);
    }
}

fn start_it_when_interrupted(services: Services, resumed: Arc<AtomicBool>) -> Result<(), Failure> {
    let no_thread = |error| Failure::Failed(format!("the system gives no thread to the setup ({error})"));
    // Ctrl-C, Ctrl-\ and Ctrl-Z, a terminal that is closed, a machine that goes down.
    let mut signals = Signals::new([SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGTERM]).map_err(no_thread)?;
    // It stays to the end of the process: a signal that nobody listens for any more would be ignored.
    let listen = move || {
        if signals.forever().next().is_some() {
            if !resumed.load(Ordering::SeqCst)
                && let Err(failure) = start_now(&services)
            {
                eprintln!("{failure}");
            }
            process::exit(INTERRUPTED);
        }
    };
    thread::Builder::new().name("interrupted".to_owned()).spawn(listen).map_err(no_thread)?;
    Ok(())
}
