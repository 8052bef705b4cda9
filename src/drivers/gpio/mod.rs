//! GPIO: the siren, the LED and the buttons.
//!
//! *settings → [`lines`] picks a backend → [`outputs`] drives, [`listener`] hears → [`GpioEvent`]s.*
//!
//! Outputs are driven on the caller's thread, as levels, so that the siren waits for nobody. One thread named `gpio`
//! hears the buttons and opens again whatever could not be opened or was lost: a line that fails never ends the hub.
//! Below [`lines::Lines`] all levels are electrical; `active_low` is dealt with once, above it.

mod cdev;
mod lines;
mod listener;
mod mock;
mod outputs;
mod rppal;
mod waker;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use self::listener::Listener;
use self::outputs::{Outputs, Role};
use self::waker::Waker;
use crate::controller::input::HardwareReport;

/// The thread does little and calls shallowly.
const STACK_BYTES: usize = 128 * 1024;

/// Which lines there are and how to reach them. Lines are BCM numbers.
#[derive(Clone, Debug)]
pub struct GpioSettings {
    pub backend: Backend,
    /// Where the mock's files are; only [`Backend::Mock`] needs it.
    pub mock_dir: Option<PathBuf>,
    pub siren: OutputLine,
    pub led: Option<OutputLine>,
    pub buttons: Vec<InputLine>,
}

/// How the lines are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// rppal where it works, else the character device; never the mock.
    Auto,
    Rppal,
    Cdev,
    /// Files in a directory instead of lines.
    Mock,
}

/// A line that the hub drives. At rest it is low, or high if it is active low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLine {
    pub line: u32,
    pub active_low: bool,
}

/// A button's line. It is pulled to its rest level: low, or high if it is active low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLine {
    pub line: u32,
    pub active_low: bool,
}

/// What the driver has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpioEvent {
    /// The level of a button: its first one, and each change after that. `index` is the place in
    /// [`GpioSettings::buttons`].
    Button { index: usize, asserted: bool },
    /// A button cannot be heard any more. When it can be again, its level is told as at a start.
    ButtonLost { index: usize },
    /// Something failed, or works again. Nothing is said of what worked from the start.
    Hardware(HardwareReport),
    /// The button thread is alive: the answer to [`Gpio::ping`].
    Pong(u64),
}

/// Who holds a line of the header, by the name that a program gives the kernel; `None`: nobody. It is not opened.
///
/// # Errors
///
/// Why it cannot be seen, in a sentence for a person.
pub fn holder(line: u32) -> Result<Option<String>, String> {
    cdev::CdevLines::new(None).holder(line)
}

/// The open lines. Dropping it does what [`Gpio::stop`] does.
pub struct Gpio {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the callers' threads and the button thread both reach.
struct Shared {
    settings: GpioSettings,
    tell: Arc<Tell>,
    outputs: Outputs,
    waker: Waker,
    requests: Mutex<Requests>,
}

type Tell = dyn Fn(GpioEvent) + Send + Sync;

/// What the button thread is asked for.
#[derive(Default)]
struct Requests {
    ping: Option<u64>,
    stop: bool,
}

impl Gpio {
    /// Returns when the first attempt to open every line is done: then the level of each button that could be opened
    /// has been told, the siren's line is driven at rest, and what failed has been told and will be tried again.
    ///
    /// `tell` is called on this thread, on those of the later callers and on the button thread. It must only pass on
    /// what it is given: calling back into the driver from it would block for ever.
    ///
    /// # Errors
    /// Only when the system has no file descriptor or no thread left; never for a line.
    pub fn start(settings: GpioSettings, tell: impl Fn(GpioEvent) + Send + Sync + 'static) -> io::Result<Gpio> {
        let tell: Arc<Tell> = Arc::new(tell);
        let shared = Arc::new(Shared {
            outputs: Outputs::new(&settings, Arc::clone(&tell)),
            settings,
            tell,
            waker: Waker::new()?,
            requests: Mutex::default(),
        });
        let mut listener = Listener::new(Arc::clone(&shared));
        listener.open_missing();
        listener.report();
        let thread =
            std::thread::Builder::new().name("gpio".into()).stack_size(STACK_BYTES).spawn(move || listener.run())?;
        Ok(Gpio { shared, thread: Some(thread) })
    }

    /// Drives the siren's line, at once and on this thread. If the line cannot be driven that is told once, and the
    /// wanted level is applied as soon as it can.
    pub fn siren(&self, asserted: bool) {
        self.drive(Role::Siren, asserted);
    }

    /// Drives the LED's line, in the same way; nothing if there is no LED.
    pub fn led(&self, lit: bool) {
        self.drive(Role::Led, lit);
    }

    /// Asks the button thread to answer with [`GpioEvent::Pong`]: within a second, most often at once. A later ping
    /// takes the place of one that has not been answered.
    pub fn ping(&self, n: u64) {
        self.shared.requests().ping = Some(n);
        self.shared.waker.ring();
    }

    /// De-asserts siren and LED, ends the button thread and leaves the lines at rest.
    pub fn stop(self) {}

    fn drive(&self, role: Role, asserted: bool) {
        if !self.shared.outputs.set(role, asserted) {
            self.shared.waker.ring();
        }
    }
}

impl Drop for Gpio {
    fn drop(&mut self) {
        self.shared.outputs.set(Role::Siren, false);
        self.shared.outputs.set(Role::Led, false);
        self.shared.requests().stop = true;
        self.shared.waker.ring();
        if let Some(thread) = self.thread.take() {
            // It fails only if the thread panicked, and that has been reported on standard error.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
