//! Lines through rppal: levels by the chip's registers, edges from the kernel.
//!
//! Its asynchronous interrupts are not used: they report success when the request failed, and their thread dies of a
//! signal. The synchronous ones say what is wrong, and the wait is ours to repeat.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::time::Duration;

use ::rppal::gpio::{Error, Gpio, InputPin, Level, OutputPin, Trigger};

use super::lines::{Lines, Output, Problem};
use super::waker::Waker;

/// rppal's wait can't be ended from another thread, so it has an end: at each one the levels are read again, and pings
/// and the request to stop are seen. One a second keeps the idle machine asleep.
const TICK: Duration = Duration::from_secs(1);

/// How many edges are taken at most before the levels are read: as many as the kernel keeps for a line.
const EDGES_AT_ONCE: usize = 1024;

pub(super) struct RppalLines {
    gpio: Gpio,
    inputs: BTreeMap<usize, InputPin>,
    /// The inputs, by BCM number, that an edge was taken of.
    edged: BTreeSet<u8>,
}

impl RppalLines {
    pub(super) fn open() -> Result<RppalLines, Problem> {
        let gpio = Gpio::new().map_err(|error| {
            let what_to_do = match &error {
                Error::UnknownModel => "run on a Raspberry Pi that it knows, or set gpio.backend to \"cdev\"",
                Error::PermissionDenied(_) => "give the hub's user the group gpio",
                _ => "check that /dev/gpiomem and /dev/gpiochip0 are there, or set gpio.backend to \"cdev\"",
            };
            format!("rppal cannot reach the GPIO: {error}; {what_to_do}")
        })?;
        Ok(RppalLines { gpio, inputs: BTreeMap::new(), edged: BTreeSet::new() })
    }

    fn pin(&self, line: u32) -> Result<::rppal::gpio::Pin, Problem> {
        let pin = u8::try_from(line).map_err(|_| Error::PinNotAvailable(u8::MAX)).and_then(|pin| self.gpio.get(pin));
        pin.map_err(|error| match error {
            Error::PinNotAvailable(_) => {
                format!("this board has no GPIO line {line}: use the BCM number of one it has")
            }
            Error::PinUsed(_) => format!("GPIO line {line} is used twice: give every button and output its own line"),
            error => format!("GPIO line {line} cannot be opened through rppal: {error}"),
        })
    }
}

impl Lines for RppalLines {
    fn name(&self) -> &'static str {
        "rppal"
    }

    fn open_output(&mut self, line: u32, rest: bool) -> Result<Box<dyn Output>, Problem> {
        let pin = self.pin(line)?;
        // Both set the level before they make the line an output.
        let mut pin = if rest { pin.into_output_high() } else { pin.into_output_low() };
        // A line that is let go floats, and a floating siren may sound: leave it driven at rest.
        pin.set_reset_on_drop(false);
        Ok(Box::new(RppalOutput(pin)))
    }

    fn open_input(&mut self, index: usize, line: u32, rest: bool) -> Result<(), Problem> {
        let pin = self.pin(line)?;
        let mut pin = if rest { pin.into_input_pullup() } else { pin.into_input_pulldown() };
        pin.set_reset_on_drop(false);
        pin.set_interrupt(Trigger::Both, None).map_err(|error| {
            format!("GPIO line {line} gives no edges through rppal: {error}; is another program using it?")
        })?;
        self.inputs.insert(index, pin);
        Ok(())
    }

    fn close_input(&mut self, index: usize) {
        if let Some(mut pin) = self.inputs.remove(&index)
            && let Err(error) = pin.clear_interrupt()
        {
            // Dropping the pin alone would keep the old request, and a new one would then be thought to be there.
            tracing::warn!(line = pin.pin(), "rppal did not let go of a line: {error}");
        }
    }

    fn level(&mut self, index: usize) -> Result<bool, Problem> {
        self.inputs.get(&index).map(InputPin::is_high).ok_or_else(|| "the line is not open".into())
    }

    fn take_edges(&mut self, index: usize) -> bool {
        self.inputs.get(&index).is_some_and(|pin| self.edged.remove(&pin.pin()))
    }

    fn wait(&mut self, waker: &Waker, patience: Option<Duration>) -> Result<(), Problem> {
        if self.inputs.is_empty() {
            return waker.wait(&[], patience).map(drop).map_err(|error| format!("poll failed: {error}"));
        }
        let pins: Vec<_> = self.inputs.values().collect();
        let mut patience = patience.unwrap_or(TICK).min(TICK);
        for _ in 0..EDGES_AT_ONCE {
            match self.gpio.poll_interrupts(&pins, false, Some(patience)) {
                Ok(None) => break,
                Ok(Some((pin, _))) => {
                    self.edged.insert(pin.pin());
                    patience = Duration::ZERO;
                }
                Err(Error::Io(error)) if error.kind() == ErrorKind::Interrupted => break,
                Err(error) => return Err(format!("rppal cannot wait for the buttons: {error}; opening them again")),
            }
        }
        Ok(())
    }
}

struct RppalOutput(OutputPin);

impl Output for RppalOutput {
    fn drive(&mut self, level: bool) -> Result<(), Problem> {
        self.0.write(Level::from(level));
        Ok(())
    }
}
