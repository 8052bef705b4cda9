//! The least that a figure could be with this broker, this disk and this machine.

use std::path::Path;

use rumqttc::QoS;
use rusqlite::Connection;

use super::clock::Instant;
use super::peer::Peer;

const PING: &str = "bench/ping";
pub const PONG: &str = "bench/pong";

/// Answers a ping with a pong, and does nothing else: what a program would be without a program in it.
pub fn echo(port: u16) -> Peer {
    Peer::answering(port, "echo", &[PING], |client, heard| {
        client.publish(PONG, QoS::AtLeastOnce, false, heard.payload.clone()).expect("an echo");
    })
}

/// There and back through the broker with this many bytes, for a peer that is subscribed to [`PONG`].
pub fn round_trip_ms(peer: &Peer, bytes: usize) -> f64 {
    let sent = peer.publish(PING, "x".repeat(bytes), false);
    peer.wait_for(PONG).at.ms_since(sent)
}

/// One commit that is on the disk when it returns.
pub struct Commits(Connection);

impl Commits {
    /// On the file system of `state`, in a database of its own.
    pub fn beside(state: &Path) -> Commits {
        let database = Connection::open(state.with_file_name("floor.db")).expect("a database");
        let setup = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
             CREATE TABLE IF NOT EXISTS floor (content TEXT);";
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
