//! The disk fails, is full or is not there, and comes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use sos_hub::center::desk::effect::Urgency;
use sos_hub::center::desk::records::Record;
use sos_hub::center::store::{Ledger, Told};
use tempfile::{TempDir, tempdir};

use crate::center::{Center, database, restored_in};
use crate::records::*;

/// A small disk of its own, which ends with it. Needs root.
struct Disk {
    dir: TempDir,
}

impl Disk {
    fn mount() -> Option<Disk> {
        let dir = tempdir().unwrap();
        let outcome = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(dir.path()).output();
        let mounted = outcome.is_ok_and(|output| output.status.success());
        if !mounted {
            println!("skipped: no tmpfs can be mounted");
        }
        mounted.then_some(Disk { dir })
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Takes all the space that is left.
    fn fill(&self) -> PathBuf {
        use std::io::Write;
        let path = self.path().join("ballast");
        let mut ballast = fs::File::create(&path).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}

/// Another program that holds the database so that no commit succeeds.
fn hold(state_dir: &Path) -> Connection {
    let holder = database(state_dir);
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    holder
}

#[test]
fn a_full_disk_is_said_once_and_everything_is_written_in_order_when_there_is_space() {
    let Some(disk) = Disk::mount() else { return };
    let center = Center::started(disk.path());
    center.commit(vec![Record::Signal(signal(1))]);
    let ballast = disk.fill();
    let large = |number| {
        let mut large = signal(number);
        large.claims = "x".repeat(20_000);
        Record::Signal(large)
    };
    let first = center.persist(vec![large(2), Record::Incident(incident(2))]);
    let problem = center.failing();
    assert!(problem.contains("center.db") && problem.contains("free some space"), "{problem}");
    let second = center.persist(vec![Record::Incident(ended(2)), Record::Hub(hub(2, 7))]);
    let late = center.put(Urgency::Soon, vec![Record::Hub(hub(2, 8))]);
    // The file can be opened again and again, and not be written: that is no news.
    assert!(center.silent_for(Duration::from_millis(2_500)));
    fs::remove_file(ballast).unwrap();
    center.working();
    center.until_committed(&[first, second, late]);
    center.stop();
    let restored = restored_in(disk.path());
    assert_eq!(restored.signals, [past(&signal(1)), past(&signal(2))]);
    assert_eq!(restored.incidents[0].incident, ended(2));
    assert_eq!(restored.hubs, [hub(2, 8)]);
}

#[test]
fn a_failed_commit_is_tried_again_before_what_came_later() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    let holder = hold(dir.path());
    let first = center.persist(vec![Record::Incident(incident(1)), Record::Hub(hub(1, 1))]);
    let beat = center.put(Urgency::Soon, vec![Record::Hub(hub(2, 1))]);
    let problem = center.failing();
    assert!(problem.contains("end the other program"), "{problem}");
    let second = center.persist(vec![Record::Incident(ended(1)), Record::Hub(hub(1, 2))]);
    center.store.ping(4);
    center.wait("Pong in the outage", |told| matches!(told, Told::Pong(4)).then_some(()));
    drop(holder);
    center.working();
    assert_eq!(center.committed(), [first, second]);
    center.until_committed(&[beat]);
    center.stop();
    let restored = restored_in(dir.path());
    assert_eq!((restored.incidents[0].incident.clone(), restored.hubs), (ended(1), vec![hub(1, 2), hub(2, 1)]));
}

#[test]
fn a_heartbeat_that_failed_does_not_set_back_what_came_since() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    let holder = hold(dir.path());
    let early = center.put(Urgency::Soon, vec![Record::Hub(hub(1, 1))]);
    center.failing();
    let later = center.put(Urgency::Soon, vec![Record::Hub(hub(1, 2))]);
    let alarm = center.persist(vec![Record::Hub(hub(1, 3)), Record::Signal(signal(1))]);
    drop(holder);
    center.working();
    center.until_committed(&[early, later, alarm]);
    center.stop();
    assert_eq!(restored_in(dir.path()).hubs, [hub(1, 3)]);
}

#[test]
fn a_stop_in_an_outage_tries_once_more() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    let holder = hold(dir.path());
    center.persist(vec![Record::Incident(incident(1))]);
    center.put(Urgency::Soon, vec![Record::Hub(hub(1, 1))]);
    center.failing();
    drop(holder);
    center.stop();
    let restored = restored_in(dir.path());
    assert_eq!((restored.incidents.len(), restored.hubs), (1, vec![hub(1, 1)]));
}

#[test]
fn a_database_that_vanishes_is_waited_for_and_not_replaced_by_an_empty_one() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    center.commit(vec![Record::Incident(incident(1))]);
    let holder = hold(dir.path());
    let ticket = center.persist(vec![Record::Incident(incident(2))]);
    center.failing();
    let aside = dir.path().join("aside");
    fs::create_dir(&aside).unwrap();
    let files = ["center.db", "center.db-wal", "center.db-shm"];
    let move_all = |from: &Path, to: &Path| files.map(|name| fs::rename(from.join(name), to.join(name)).unwrap());
    move_all(dir.path(), &aside);
    drop(holder);
    let problem = center.failing();
    assert!(problem.contains("is gone"), "{problem}");
    move_all(&aside, dir.path());
    center.working();
    center.until_committed(&[ticket]);
    center.stop();
    assert_eq!(restored_in(dir.path()).incidents.len(), 2);
}
