//! The least that some figures of the hub could be with these brokers and this machine.

use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::center::ONE_WAY;
use super::measure::clock::Instant;
use super::measure::peer::Peer;
use super::rig::{HUB, Surroundings};

/// Through the broker of the center to the center, for a peer of that broker.
pub fn one_way_ms(peer: &Peer, around: &Surroundings) -> f64 {
    // As large as a signed alarm.
    let sent = peer.publish(ONE_WAY, "x".repeat(700), false);
    around.center.wait_for_one_way().ms_since(sent)
}

/// How late a bare sleep of this length ends, measured on a thread of its own.
pub fn sleep_late_ms(length: Duration) -> JoinHandle<f64> {
    thread::spawn(move || {
        let until = Instant::now().plus(length);
        until.sleep();
        Instant::now().ms_since(until)
    })
}

/// The program loaded, and ended at once.
pub fn program_start_ms() -> f64 {
    let started = Instant::now();
    let done = Command::new(HUB).arg("--version").stdout(Stdio::null()).status();
    assert!(done.is_ok_and(|status| status.success()), "{HUB} --version failed");
    Instant::now().ms_since(started)
}
