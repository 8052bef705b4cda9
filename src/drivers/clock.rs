//! The only place that reads a clock or the kernel's randomness: everything else gets a [`Moment`] handed in.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;
use std::sync::Once;
use std::time::{Duration, SystemTime};

use ring::rand::{SecureRandom, SystemRandom};

use crate::controller::moment::{BootId, Boottime, ClockStanding, Moment, Wall};

/// Whether NTP has set the clock does not change faster than a person would notice.
const STANDING_LASTS: Duration = Duration::from_secs(1);

/// systemd-timesyncd makes it, and sets its times, whenever it has synchronised the clock.
const TIMESYNCD_FILE: &str = "/run/systemd/timesync/synchronized";
/// As long as the kernel itself goes on calling a clock synchronised that nobody has set again: until it may be wrong by
/// 16 s, which it counts at 500 µs a second.
const TIMESYNCD_LASTS: Duration = Duration::from_secs(32_000);

const BOOT_ID_FILE: &str = "/proc/sys/kernel/random/boot_id";

/// The machine's clocks, for the loop. Cheap enough to be asked for each of 20,000 inputs a second.
pub struct Clock {
    standing: Standing,
    randomness: Randomness,
    boot: BootId,
}

impl Clock {
    /// `trusted` is `hub.clock = "trusted"`: the wall clock counts as synchronised whatever the kernel says.
    pub fn new(trusted: bool) -> Clock {
        let mut randomness = Randomness::new();
        let boot = boot_id(fs::read_to_string(BOOT_ID_FILE).ok(), &mut randomness);
        let ask = if trusted {
            || ClockStanding::Synced
        } else {
            || kernel_standing().unwrap_or_else(|_| timesyncd_standing(Path::new(TIMESYNCD_FILE)))
        };
        if !trusted && let Err(error) = kernel_standing() {
            static TOLD: Once = Once::new();
            TOLD.call_once(|| {
                tracing::info!(
                    "this service may not ask the kernel whether the clock is synchronised ({error}): systemd-timesyncd \
                     is taken at its word; with another time service allow it in the unit, or set hub.clock = \"trusted\""
                );
            });
        }
        Clock { standing: Standing { ask, known: None }, randomness, boot }
    }

    /// The time now, with 128 random bits of its own.
    pub fn moment(&mut self) -> Moment {
        let now = boottime();
        Moment { now, wall: wall(), clock: self.standing.at(now), random: self.randomness.draw() }
    }

    /// Whether the wall clock may be believed, as known at most a second ago.
    pub fn synced(&mut self) -> bool {
        self.standing.at(boottime()) == ClockStanding::Synced
    }

    /// The boot that the values of [`boottime`] belong to.
    pub fn boot_id(&self) -> BootId {
        self.boot
    }
}

/// `CLOCK_BOOTTIME` now.
pub fn boottime() -> Boottime {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec for the call to fill. The call cannot fail: every kernel since 2.6.39 has
    // this clock.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    unsafe {
        libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut time);
    }
    Boottime(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// The wall clock now, before 1970 as a negative number.
pub fn wall() -> Wall {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    let now = SystemTime::now();
    let milliseconds = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Wall(match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => milliseconds(since),
        Err(before) => -milliseconds(before.duration()),
    })
}

/// What the kernel says of the wall clock.
fn kernel_standing() -> io::Result<ClockStanding> {
    // SAFETY: all-zero bytes are a valid `timex`, and `modes` = 0 makes the call a question that changes nothing.
    let (answer, status) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&mut timex), timex.status)
    };
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else if answer == libc::TIME_ERROR || status & libc::STA_UNSYNC != 0 {
        Ok(ClockStanding::Unsynced)
    } else {
        Ok(ClockStanding::Synced)
    }
}

/// What systemd-timesyncd says of it, for a service that may not ask the kernel.
fn timesyncd_standing(mark: &Path) -> ClockStanding {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    let now = SystemTime::now();
    let age = |set: SystemTime| now.duration_since(set).unwrap_or_else(|later| later.duration());
    match fs::metadata(mark).and_then(|mark| mark.modified()) {
        Ok(set) if age(set) < TIMESYNCD_LASTS => ClockStanding::Synced,
        _ => ClockStanding::Unsynced,
    }
}

/// A random id stands in for one that cannot be read: then every boot time that was stored is of another boot.
fn boot_id(text: Option<String>, randomness: &mut Randomness) -> BootId {
    let read = text.and_then(|text| u128::from_str_radix(&text.trim().replace('-', ""), 16).ok());
    BootId(read.unwrap_or_else(|| randomness.draw()))
}

/// Asks the kernel at most once in [`STANDING_LASTS`].
struct Standing {
    ask: fn() -> ClockStanding,
    known: Option<(Boottime, ClockStanding)>,
}

impl Standing {
    fn at(&mut self, now: Boottime) -> ClockStanding {
        match self.known {
            Some((asked, standing)) if now.since(asked) < STANDING_LASTS => standing,
            _ => {
                let standing = (self.ask)();
                self.known = Some((now, standing));
                standing
            }
        }
    }
}

/// The kernel's random numbers, fetched a block at a time.
struct Randomness {
    source: SystemRandom,
    block: [u8; Randomness::BLOCK],
    used: usize,
}

impl Randomness {
    const BLOCK: usize = 1024;
    const DRAW: usize = size_of::<u128>();

    fn new() -> Randomness {
        Randomness { source: SystemRandom::new(), block: [0; Randomness::BLOCK], used: Randomness::BLOCK }
    }

    fn draw(&mut self) -> u128 {
        if self.used == Randomness::BLOCK {
            if self.source.fill(&mut self.block).is_err() {
                return unique();
            }
            self.used = 0;
        }
        let mut bytes = [0; Randomness::DRAW];
        bytes.copy_from_slice(&self.block[self.used..self.used + Randomness::DRAW]);
        self.used += Randomness::DRAW;
        u128::from_ne_bytes(bytes)
    }
}

/// For a kernel that gives no random numbers: an id must still be unique, and an alarm must still have one.
fn unique() -> u128 {
    let now = (boottime().0, wall().0);
    let half = || u128::from(RandomState::new().hash_one(now));
    half() << 64 | half()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn boot_time_never_runs_backwards_and_counts_from_the_boot() {
        let uptime = fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        let mut last = boottime();
        assert!(last.0 as f64 / 1e9 >= uptime, "{last:?} is before the uptime of {uptime} s");
        for _ in 0..10_000 {
            let now = boottime();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn no_two_steps_get_the_same_random_bits() {
        let mut clock = Clock::new(false);
        let drawn: HashSet<u128> = (0..10_000).map(|_| clock.moment().random).collect();
        assert_eq!(drawn.len(), 10_000);
        let ones: u32 = drawn.iter().map(|bits| bits.count_ones()).sum();
        assert!((630_000..650_000).contains(&ones), "{ones} of 1,280,000 bits are set");
    }

    #[test]
    fn a_unique_number_is_drawn_without_the_kernel() {
        let drawn: HashSet<u128> = (0..1_000).map(|_| unique()).collect();
        assert_eq!(drawn.len(), 1_000);
    }

    #[test]
    fn a_trusted_clock_is_synced_whatever_the_kernel_says() {
        let mut clock = Clock::new(true);
        assert!(clock.synced());
        assert_eq!(clock.moment().clock, ClockStanding::Synced);
    }

    #[test]
    fn timesyncd_is_believed_as_long_as_the_kernel_would_believe_it() {
        let mark = tempfile::NamedTempFile::new().unwrap();
        let set = |time: SystemTime| {
            mark.as_file().set_modified(time).unwrap();
            timesyncd_standing(mark.path())
        };
        let now = fs::metadata(mark.path()).unwrap().modified().unwrap();
        assert_eq!(set(now), ClockStanding::Synced);
        assert_eq!(set(now - Duration::from_secs(31_000)), ClockStanding::Synced);
        assert_eq!(set(now - Duration::from_secs(33_000)), ClockStanding::Unsynced);
        assert_eq!(set(now + Duration::from_secs(33_000)), ClockStanding::Unsynced);
        let nowhere = mark.path().with_extension("missing");
        assert_eq!(timesyncd_standing(&nowhere), ClockStanding::Unsynced);
    }

    #[test]
    fn the_kernel_is_asked_at_most_once_a_second() {
        thread_local!(static ASKED: Cell<u32> = const { Cell::new(0) });
        let ask = || {
            ASKED.set(ASKED.get() + 1);
            if ASKED.get() == 1 { ClockStanding::Unsynced } else { ClockStanding::Synced }
        };
        let mut standing = Standing { ask, known: None };
        for ms in 5_000..6_000 {
            assert_eq!(standing.at(Boottime(ms * 1_000_000)), ClockStanding::Unsynced);
        }
        assert_eq!(ASKED.get(), 1);
        assert_eq!(standing.at(Boottime(6_000_000_000)), ClockStanding::Synced);
        assert_eq!(ASKED.get(), 2);
    }

    #[test]
    fn the_boot_id_is_the_kernels() {
        let file = fs::read_to_string(BOOT_ID_FILE).unwrap();
        let BootId(id) = Clock::new(false).boot_id();
        assert_eq!(format!("{id:032x}"), file.trim().replace('-', ""));
        assert_eq!(Clock::new(true).boot_id(), BootId(id));
    }

    #[test]
    fn a_boot_id_that_cannot_be_read_is_like_no_other() {
        let mut randomness = Randomness::new();
        for text in [None, Some(String::new()), Some("unknown\n".to_owned())] {
            let first = boot_id(text.clone(), &mut randomness);
            assert_ne!(first, boot_id(text, &mut randomness));
        }
    }
}
