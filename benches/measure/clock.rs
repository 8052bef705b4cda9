//! `CLOCK_MONOTONIC`, which the mock GPIO stamps its edges with.

use std::time::Duration;

/// A point on `CLOCK_MONOTONIC`, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i64);

impl Instant {
    pub fn now() -> Instant {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid timespec for the call to fill; every kernel has this clock.
        #[expect(clippy::disallowed_methods, reason = "the edges of the mock GPIO are stamped with this clock")]
        unsafe {
            libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time);
        }
        Instant(time.tv_sec * 1_000_000_000 + time.tv_nsec)
    }

    /// Milliseconds from `earlier` to here; negative if this is before it.
    pub fn ms_since(self, earlier: Instant) -> f64 {
        (self.0 - earlier.0) as f64 / 1e6
    }

    pub fn plus(self, span: Duration) -> Instant {
        Instant(self.0 + span.as_nanos() as i64)
    }

    /// Sleeps until here; not at all if this has passed.
    pub fn sleep(self) {
        let left = self.0 - Instant::now().0;
        if left > 0 {
            std::thread::sleep(Duration::from_nanos(left as u64));
        }
    }
}
