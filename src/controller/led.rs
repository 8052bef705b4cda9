//! The LED: steady when the hub is ready, slow blink with a fault, fast in a countdown, solid with the siren.

use core::time::Duration;

use super::moment::Boottime;

const FAST: Duration = Duration::from_millis(125);
const SLOW: Duration = Duration::from_millis(1_000);

/// What the LED is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    Solid,
    Blink(Blink),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blink {
    Slow,
    Fast,
}

impl Show {
    pub const FAULT: Show = Show::Blink(Blink::Slow);
    pub const COUNTDOWN: Show = Show::Blink(Blink::Fast);
}

#[derive(Debug, Default)]
pub(super) struct Led {
    shown: Option<(Show, Boottime)>,
    lit: Option<bool>,
    next_edge: Option<Boottime>,
}

impl Led {
    /// The level to drive, where it has to change.
    pub fn settle(&mut self, show: Show, now: Boottime) -> Option<bool> {
        let since = match self.shown {
            Some((shown, since)) if shown == show => since,
            _ => now,
        };
        self.shown = Some((show, since));
        let lit;
        (lit, self.next_edge) = match show {
            Show::Solid => (true, None),
            Show::Blink(blink) => {
                let half = match blink {
                    Blink::Slow => SLOW,
                    Blink::Fast => FAST,
                };
                let halves = u32::try_from(now.since(since).as_nanos() / half.as_nanos()).unwrap_or(u32::MAX - 1);
                (halves % 2 == 0, Some(since + half * (halves + 1)))
            }
        };
        (self.lit.replace(lit) != Some(lit)).then_some(lit)
    }

    pub fn deadline(&self) -> Option<Boottime> {
        self.next_edge
    }
}
