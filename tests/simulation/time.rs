//! The true time, which no hub can see: nanoseconds since the run began. And the two clocks that a hub sees.

use sos_hub::controller::moment::{BootId, Boottime, ClockStanding, Moment, Wall};

use crate::rng::Rng;

pub type At = u64;

pub const MS: u64 = 1_000_000;
pub const S: u64 = 1_000 * MS;

/// The true wall clock when a run begins, in milliseconds since 1970.
pub const BEGINNING_MS: i64 = 1_795_000_000_000;
/// How long a machine has been up when its daemon starts after a boot.
const UPTIME: u64 = 8 * S;

/// The machine's clocks.
pub struct Clock {
    pub boot: BootId,
    booted: At,
    /// How far the wall clock is off the true time.
    pub off_ms: i64,
    pub synced: bool,
}

impl Clock {
    pub fn new() -> Clock {
        Clock { boot: BootId(1), booted: 0, off_ms: 0, synced: true }
    }

    /// The machine boots, and the hub is about to start.
    pub fn reboot(&mut self, now: At) {
        self.boot = BootId(self.boot.0 + 1);
        self.booted = now;
    }

    pub fn boottime(&self, now: At) -> Boottime {
        Boottime(now - self.booted + UPTIME)
    }

    /// When this clock shows that.
    pub fn at(&self, boottime: Boottime) -> At {
        (boottime.0 + self.booted).saturating_sub(UPTIME)
    }

    pub fn wall_ms(&self, now: At) -> i64 {
        true_wall_ms(now) + self.off_ms
    }

    pub fn moment(&self, now: At, rng: &mut Rng) -> Moment {
        let clock = if self.synced { ClockStanding::Synced } else { ClockStanding::Unsynced };
        Moment { now: self.boottime(now), wall: Wall(self.wall_ms(now)), clock, random: rng.wide() }
    }
}

pub fn true_wall_ms(now: At) -> i64 {
    BEGINNING_MS + (now / MS).cast_signed()
}

/// For people who read of a failure.
pub fn show(at: At) -> String {
    format!("{}.{:06} s", at / S, at % S / 1_000)
}
