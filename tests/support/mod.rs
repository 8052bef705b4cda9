//! What the tests start around the hub.

// Each test file is a program of its own and uses its part of this.
#![allow(dead_code)]

pub mod disk;
pub mod link;
pub mod mosquitto;
pub mod peer;
pub mod provider;
pub mod proxy;
pub mod script;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest that a test waits for something that must come.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds; panics with `what` if it does not within the deadline.
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_and_look(Duration::from_millis(5), what, condition);
}

/// The same, for what takes the machine as much time to look at as that.
pub fn wait_and_look(every: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "waited in vain: {what}");
        std::thread::sleep(every);
    }
}

/// Tells whoever goes on until then that it is over, where a test fails as well.
pub struct End<'a>(pub &'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Spreads over time what a test sends, so that it is no single burst. Not for waiting on an effect.
pub fn pace(gap: Duration) {
    std::thread::sleep(gap);
}
