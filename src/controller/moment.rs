//! Time and identity as plain values: the controller never asks a clock or a random source for them.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A point on the machine's `CLOCK_BOOTTIME`, in nanoseconds since boot. No time step, zone or NTP moves it; it starts
/// again at every boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Boottime(pub u64);

impl Boottime {
    /// How long it is from `earlier` to this point; zero if it is not later.
    pub fn since(self, earlier: Boottime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Boottime {
    type Output = Boottime;
    fn add(self, span: Duration) -> Boottime {
        Boottime(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Boottime {
    type Output = Boottime;
    fn sub(self, span: Duration) -> Boottime {
        Boottime(self.0.saturating_sub(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Wall-clock time in milliseconds since 1970-01-01 UTC: a label for people, never what a deadline hangs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wall(pub i64);

/// Whether the wall clock may be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockStanding {
    /// The kernel says that it is synchronised, or the configuration says that it is to be trusted.
    Synced,
    /// It may be off by decades: a Pi without a clock chip starts in the past.
    #[default]
    Unsynced,
}

/// The time of one step of the controller, and the randomness that it may use up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    pub now: Boottime,
    pub wall: Wall,
    pub clock: ClockStanding,
    /// Fresh for every step, from the system's random source (or a simulation's seed).
    pub random: u128,
}

impl Moment {
    /// An id that no other moment and no other `draw` of this one gives.
    pub fn fresh_id(&self, draw: u64) -> Id {
        let (high, low) = ((self.random >> 64) as u64, self.random as u64);
        let bits = (mix(high.wrapping_add(draw)) as u128) << 64 | mix(low ^ draw.rotate_left(32)) as u128;
        Id::v7(self.wall, bits)
    }
}

/// The finalizer of SplitMix64: spreads every bit of its argument over the result.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The kernel's `boot_id`: tells whether a [`Boottime`] that was stored still means anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootId(pub u128);

/// A UUID of version 7 (RFC 9562): names an incident or a signal (`jti`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub u128);

impl Id {
    /// The UUID of this wall time and these random bits.
    pub fn v7(wall: Wall, random: u128) -> Id {
        let milliseconds = (wall.0.max(0) as u128) & 0xffff_ffff_ffff;
        let random_bits = random & 0x0000_0000_0000_0fff_3fff_ffff_ffff_ffff;
        Id(milliseconds << 80 | 0x7000_8000_0000_0000_0000 | random_bits)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (bits >> 96) as u32,
            (bits >> 80) as u16,
            (bits >> 64) as u16,
            (bits >> 48) as u16,
            bits & 0xffff_ffff_ffff
        )
    }
}
