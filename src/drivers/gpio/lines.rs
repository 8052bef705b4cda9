//! What every backend can do, and the choice between them.

use std::time::Duration;

use super::waker::Waker;
use super::{Backend, GpioSettings, cdev, mock, rppal};

/// A sentence for a person: what is wrong, where, and what to do.
pub(super) type Problem = String;

/// One way to reach the lines. Levels are electrical: `true` is high.
pub(super) trait Lines: Send {
    /// The backend's name in the configuration.
    fn name(&self) -> &'static str;

    /// Opens an output so that it never has another level than `rest`, whatever it had before.
    fn open_output(&mut self, line: u32, rest: bool) -> Result<Box<dyn Output>, Problem>;

    /// Opens an input, pulled to `rest`, under the caller's number for it.
    fn open_input(&mut self, index: usize, line: u32, rest: bool) -> Result<(), Problem>;

    /// Lets go of an input; nothing if it is not open.
    fn close_input(&mut self, index: usize);

    /// The level of an open input as it is now.
    fn level(&mut self, index: usize) -> Result<bool, Problem>;

    /// Whether an edge of an open input was taken since this was last asked. A line that is back at its level has left
    /// it in between, and no press may be thought to last through that.
    fn take_edges(&mut self, index: usize) -> bool;

    /// Blocks until a line may have changed, `waker` rang, or `patience` (for ever if `None`) is over, and takes
    /// every edge that has come: the levels are read afterwards, so that no missed edge can leave a wrong belief. It
    /// may return for no reason. An error means that no input can be heard any more.
    fn wait(&mut self, waker: &Waker, patience: Option<Duration>) -> Result<(), Problem>;
}

/// An output that is open. Dropping it leaves it at its level as far as the system allows.
pub(super) trait Output: Send {
    /// Puts the line to this electrical level. Again for the level that it has: repairs what was disturbed.
    fn drive(&mut self, level: bool) -> Result<(), Problem>;
}

/// Picks the backend that the settings ask for.
pub(super) fn open(settings: &GpioSettings) -> Result<Box<dyn Lines>, Problem> {
    Ok(match settings.backend {
        Backend::Rppal => Box::new(rppal::RppalLines::open()?),
        Backend::Cdev => Box::new(cdev::CdevLines::new(None)),
        Backend::Mock => match &settings.mock_dir {
            Some(dir) => Box::new(mock::MockLines::open(dir)?),
            None => return Err("gpio.backend is \"mock\" but there is no gpio.mock_dir: set it to a directory".into()),
        },
        Backend::Auto => match rppal::RppalLines::open() {
            Ok(lines) => Box::new(lines),
            Err(problem) => Box::new(cdev::CdevLines::new(Some(problem))),
        },
    })
}
