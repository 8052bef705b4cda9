//! The least that each figure could be with these brokers, this disk and this machine.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rumqttc::QoS;
use rusqlite::Connection;

use super::center::ONE_WAY;
use super::clock::Instant;
use super::peer::Peer;
use super::rig::{HUB, Surroundings};

const PING: &str = "bench/ping";
pub const PONG: &str = "bench/pong";

/// Answers a ping with a pong, and does nothing else: what the hub would be without a hub in it.
pub fn echo(port: u16) -> Peer {
    Peer::answering(port, "echo", &[PING], |client, heard| {
        client.publish(PONG, QoS::AtLeastOnce, false, heard.payload.clone()).expect("an echo");
    })
}

/// There and back through the broker, for a peer that is subscribed to [`PONG`].
pub fn round_trip_ms(peer: &Peer) -> f64 {
    let sent = peer.publish(PING, "x".repeat(200), false);
    peer.wait_for(PONG).at.ms_since(sent)
}

/// Through the broker of the center to the center, for a peer of that broker.
pub fn one_way_ms(peer: &Peer, around: &Surroundings) -> f64 {
    // As large as a signed alarm.
    let sent = peer.publish(ONE_WAY, "x".repeat(700), false);
    around.center.wait_for_one_way().ms_since(sent)
}

/// One commit that is on the disk when it returns.
pub struct Commits(Connection);

impl Commits {
    pub fn beside(state: &Path) -> Commits {
        let database = Connection::open(state.with_file_name("floor.db")).expect("a database");
        let setup = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
             CREATE TABLE floor (content TEXT);";
        database.execute_batch(setup).expect("a table");
        Commits(database)
    }

    pub fn commit_ms(&self) -> f64 {
        let begun = Instant::now();
        let mut insert = self.0.prepare_cached("INSERT INTO floor VALUES (?1)").expect("a statement");
        insert.execute(["x".repeat(300)]).expect("a commit");
        Instant::now().ms_since(begun)
    }
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
