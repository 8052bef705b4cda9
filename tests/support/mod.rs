//! What the tests start around the hub.

// Each test file is a program of its own and uses its part of this.
#![allow(dead_code)]

pub mod browser;
pub mod disk;
pub mod link;
pub mod mosquitto;
pub mod peer;
pub mod provider;
pub mod proxy;
pub mod script;

use std::time::{Duration, Instant};

/// The longest that a test waits for something that must come.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds; panics with `what` if it does not within the deadline.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Spreads over time what a test sends, so that it is no single burst. Not for waiting on an effect.
pub fn pace(gap: Duration) {
    std::thread::sleep(gap);
}

/// What a future comes to.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
