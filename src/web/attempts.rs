//! How long somebody has to wait after wrong passwords: per name (or address), where the waits grow and end, and over all
//! of them, where only so many are taken in an hour. A browser that was let in before has a lane of its own, so that
//! nobody can lock its owner out by guessing.

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
/// Failures of all names together that may come at once. One more may follow each time that one is forgotten.
const AT_ONCE_OVER_ALL: u32 = 30;
const MOST_NAMES: usize = 1024;

/// Who tries. `N` names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lane<N> {
    /// Anybody who gives this name, or comes from this address.
    Name(N),
    /// A browser that was let in before.
    Known(N),
}

/// The attempts of one site.
pub struct Attempts<N> {
    failures: Mutex<Failures<N>>,
    /// How long it takes until one failure of those over all is forgotten.
    one_each: Duration,
}

struct Failures<N> {
    lanes: HashMap<Lane<N>, Count>,
    /// Of all names together.
    recent: u32,
    /// Since when the oldest of these is waiting to be forgotten.
    since: Boottime,
}

#[derive(Clone, Copy, Default)]
struct Count {
    failures: u32,
    last: Boottime,
}

impl Count {
    fn wait(&self, now: Boottime) -> Duration {
        let beyond = self.failures.saturating_sub(FREE_OF_A_NAME);
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

impl<N: Clone + Eq + Hash> Attempts<N> {
    /// Once many guesses were wrong, whoever guesses: one more each time that `one_each` has passed.
    pub fn new(one_each: Duration) -> Attempts<N> {
        let failures = Failures { lanes: HashMap::new(), recent: 0, since: Boottime::default() };
        Attempts { failures: Mutex::new(failures), one_each }
    }

    /// Whether an attempt may be made now. It counts as a failure until [`Attempts::succeeded`], so that many at once
    /// are no way around the wait.
    ///
    /// # Errors
    ///
    /// How long to wait, rounded up to whole seconds.
    pub fn begin(&self, lane: &Lane<N>, now: Boottime) -> Result<(), Duration> {
        let mut failures = self.failures();
        failures.forget(self.one_each, now);
        let of_lane = failures.lanes.get(lane).copied().unwrap_or_default().wait(now);
        let over_all = match lane {
            Lane::Name(_) if failures.recent >= AT_ONCE_OVER_ALL => {
                self.one_each.saturating_sub(now.since(failures.since))
            }
            _ => Duration::ZERO,
        };
        let wait = of_lane.max(over_all);
        if !wait.is_zero() {
            return Err(Duration::from_secs(wait.as_millis().div_ceil(1000) as u64));
        }
        failures.make_room(now);
        failures.lanes.entry(lane.clone()).or_default().add(now);
        if matches!(lane, Lane::Name(_)) {
            failures.recent += 1;
        }
        Ok(())
    }

    /// Nobody could say whether the password was right, so it was no guess.
    pub fn not_judged(&self, lane: &Lane<N>) {
        let mut failures = self.failures();
        if let Some(count) = failures.lanes.get_mut(lane) {
            count.failures = count.failures.saturating_sub(1);
        }
        failures.one_fewer(lane);
    }

    /// The password was right.
    pub fn succeeded(&self, lane: &Lane<N>) {
        let mut failures = self.failures();
        failures.lanes.remove(lane);
        failures.one_fewer(lane);
    }

    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn failures(&self) -> MutexGuard<'_, Failures<N>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<N: Clone + Eq + Hash> Failures<N> {
    fn forget(&mut self, one_each: Duration, now: Boottime) {
        while self.recent > 0 && now.since(self.since) >= one_each {
            self.recent -= 1;
            self.since = self.since + one_each;
        }
        if self.recent == 0 {
            self.since = now;
        }
    }

    fn one_fewer<L>(&mut self, lane: &Lane<L>) {
        if matches!(lane, Lane::Name(_)) {
            self.recent = self.recent.saturating_sub(1);
        }
    }

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

    fn attempts() -> Attempts<String> {
        Attempts::new(Duration::from_secs(600))
    }

    fn name(name: &str) -> Lane<String> {
        Lane::Name(name.to_owned())
    }

    #[test]
    fn the_wait_grows_to_a_minute_and_no_further() {
        let attempts = attempts();
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
        let attempts = attempts();
        for _ in 0..3 {
            attempts.begin(&name("ann"), at(1000)).unwrap();
        }
        attempts.begin(&name("ann"), at(1000)).unwrap();
        attempts.succeeded(&name("ann"));
        assert_eq!(attempts.begin(&name("ann"), at(1000)), Ok(()));
    }

    #[test]
    fn what_nobody_could_judge_is_no_guess() {
        let attempts = attempts();
        for attempt in 0..100 {
            for lane in [name("ann"), name(&attempt.to_string())] {
                attempts.begin(&lane, at(1000)).unwrap();
                attempts.not_judged(&lane);
            }
        }
    }

    #[test]
    fn many_names_are_slowed_together_and_fill_no_memory() {
        let attempts = attempts();
        let taken = (0..10_000).filter(|guess| attempts.begin(&name(&guess.to_string()), at(1000)).is_ok()).count();
        assert_eq!(taken, 30);
        let mut now = 1000;
        for guess in 0..3 * MOST_NAMES {
            while let Err(wait) = attempts.begin(&name(&format!("guess {guess}")), at(now)) {
                now += wait.as_secs();
            }
        }
        assert!(attempts.failures().lanes.len() <= MOST_NAMES);
    }

    #[test]
    fn whoever_guesses_from_everywhere_gets_one_guess_each_ten_minutes() {
        let attempts = attempts();
        let day = 24 * 60 * 60;
        let taken = (0..day).filter(|now| attempts.begin(&name(&now.to_string()), at(1000 + now)).is_ok()).count();
        assert_eq!(taken, 30 + 143);
    }

    #[test]
    fn guessing_keeps_no_known_browser_out() {
        let attempts = attempts();
        for guess in 0..100 {
            let _ = attempts.begin(&name("ann"), at(1000 + guess));
        }
        assert!(attempts.begin(&name("ann"), at(1100)).is_err());
        assert_eq!(attempts.begin(&Lane::Known("ann".to_owned()), at(1100)), Ok(()));
    }

    #[test]
    fn a_known_browser_that_guesses_is_slowed_too() {
        let attempts = attempts();
        let known = Lane::Known("ann".to_owned());
        let taken = (0..100).filter(|_| attempts.begin(&known, at(1000)).is_ok()).count();
        assert_eq!(taken, 4);
    }

    #[test]
    fn failures_are_forgotten() {
        let attempts = attempts();
        for _ in 0..4 {
            attempts.begin(&name("ann"), at(1000)).unwrap();
        }
        for _ in 0..4 {
            assert_eq!(attempts.begin(&name("ann"), at(1000 + REMEMBERED.as_secs())), Ok(()));
        }
    }
}
