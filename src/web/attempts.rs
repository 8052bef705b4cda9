//! How long somebody has to wait after wrong passwords: per name, and over all names. The waits grow and end; and a
//! browser that was let in before has a lane of its own, so that nobody can lock its operator out by guessing.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::controller::moment::Boottime;

const LONGEST: Duration = Duration::from_secs(60);
/// Without a further failure they are forgotten after this.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);
/// Failures that cost nothing: people mistype.
const FREE_OF_A_NAME: u32 = 3;
const FREE_OVER_ALL: u32 = 30;
const MOST_NAMES: usize = 1024;

/// Who tries. `N` names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lane<N> {
    /// Anybody who gives this name.
    Name(N),
    /// A browser that was let in before.
    Known(N),
}

/// The attempts of one site.
pub struct Attempts<N> {
    failures: Mutex<Failures<N>>,
}

struct Failures<N> {
    lanes: HashMap<Lane<N>, Count>,
    over_all: Count,
}

#[derive(Clone, Copy, Default)]
struct Count {
    failures: u32,
    last: Boottime,
}

impl Count {
    fn wait(&self, free: u32, now: Boottime) -> Duration {
        let beyond = self.failures.saturating_sub(free);
        if beyond == 0 || now.since(self.last) >= REMEMBERED {
            return Duration::ZERO;
        }
        let delay = Duration::from_secs(1 << (beyond - 1).min(6)).min(LONGEST);
        delay.saturating_sub(now.since(self.last))
    }

    fn add(&mut self, now: Boottime) {
        if now.since(self.last) >= REMEMBERED {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.last = now;
    }
}

impl<N: Clone + Eq + Hash> Default for Attempts<N> {
    fn default() -> Self {
        Attempts { failures: Mutex::new(Failures { lanes: HashMap::new(), over_all: Count::default() }) }
    }
}

impl<N: Clone + Eq + Hash> Attempts<N> {
    /// Whether an attempt may be made now. It counts as a failure until [`Attempts::succeeded`], so that many at once
    /// are no way around the wait.
    ///
    /// # Errors
    ///
    /// How long to wait, rounded up to whole seconds.
    pub fn begin(&self, lane: &Lane<N>, now: Boottime) -> Result<(), Duration> {
        let mut failures = self.failures();
        let of_lane = failures.lanes.get(lane).copied().unwrap_or_default().wait(FREE_OF_A_NAME, now);
        let over_all = match lane {
            Lane::Name(_) => failures.over_all.wait(FREE_OVER_ALL, now),
            Lane::Known(_) => Duration::ZERO,
        };
        let wait = of_lane.max(over_all);
        if !wait.is_zero() {
            return Err(Duration::from_secs(wait.as_millis().div_ceil(1000) as u64));
        }
        failures.make_room(now);
        failures.lanes.entry(lane.clone()).or_default().add(now);
        if matches!(lane, Lane::Name(_)) {
            failures.over_all.add(now);
        }
        Ok(())
    }

    /// The password was right.
    pub fn succeeded(&self, lane: &Lane<N>) {
        let mut failures = self.failures();
        failures.lanes.remove(lane);
        if matches!(lane, Lane::Name(_)) {
            failures.over_all.failures = failures.over_all.failures.saturating_sub(1);
        }
    }

    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn failures(&self) -> MutexGuard<'_, Failures<N>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<N: Clone + Eq + Hash> Failures<N> {
    /// Made-up names push each other out; what they cost over all stays.
    fn make_room(&mut self, now: Boottime) {
        if self.lanes.len() < MOST_NAMES {
            return;
        }
        self.lanes.retain(|_, count| now.since(count.last) < REMEMBERED);
        if self.lanes.len() >= MOST_NAMES
            && let Some(oldest) = self.lanes.iter().min_by_key(|(_, count)| count.last).map(|(lane, _)| lane.clone())
        {
            self.lanes.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Boottime {
        Boottime(seconds * 1_000_000_000)
    }

    fn name(name: &str) -> Lane<String> {
        Lane::Name(name.to_owned())
    }

    #[test]
    fn the_wait_grows_to_a_minute_and_no_further() {
        let attempts = Attempts::default();
        let mut now = 1000;
        let mut waits = Vec::new();
        for _ in 0..13 {
            let wait = attempts.begin(&name("ann"), at(now)).err().map_or(0, |wait| wait.as_secs());
            waits.push(wait);
            now += wait;
            if wait > 0 {
                attempts.begin(&name("ann"), at(now)).unwrap();
            }
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn the_right_password_ends_the_wait() {
        let attempts = Attempts::default();
        for _ in 0..3 {
            attempts.begin(&name("ann"), at(1000)).unwrap();
        }
        attempts.begin(&name("ann"), at(1000)).unwrap();
        attempts.succeeded(&name("ann"));
        assert_eq!(attempts.begin(&name("ann"), at(1000)), Ok(()));
    }

    #[test]
    fn many_names_are_slowed_together_and_fill_no_memory() {
        let attempts = Attempts::default();
        let taken = (0..10_000).filter(|guess| attempts.begin(&name(&guess.to_string()), at(1000)).is_ok()).count();
        assert_eq!(taken, 31);
        let mut now = 1000;
        for guess in 0..3 * MOST_NAMES {
            while let Err(wait) = attempts.begin(&name(&format!("guess {guess}")), at(now)) {
                now += wait.as_secs();
            }
        }
        assert!(attempts.failures().lanes.len() <= MOST_NAMES);
    }

    #[test]
    fn guessing_keeps_no_known_browser_out() {
        let attempts = Attempts::default();
        for guess in 0..100 {
            let _ = attempts.begin(&name("ann"), at(1000 + guess));
        }
        assert!(attempts.begin(&name("ann"), at(1100)).is_err());
        assert_eq!(attempts.begin(&Lane::Known("ann".to_owned()), at(1100)), Ok(()));
    }

    #[test]
    fn a_known_browser_that_guesses_is_slowed_too() {
        let attempts = Attempts::default();
        let known = Lane::Known("ann".to_owned());
        let taken = (0..100).filter(|_| attempts.begin(&known, at(1000)).is_ok()).count();
        assert_eq!(taken, 4);
    }

    #[test]
    fn failures_are_forgotten() {
        let attempts = Attempts::default();
        for _ in 0..4 {
            attempts.begin(&name("ann"), at(1000)).unwrap();
        }
        for _ in 0..4 {
            assert_eq!(attempts.begin(&name("ann"), at(1000 + REMEMBERED.as_secs())), Ok(()));
        }
    }
}
