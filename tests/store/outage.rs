//! The disk fails, is full or is not there, and comes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use sos_hub::controller::effect::Record;
use sos_hub::controller::input::StoreReport;
use sos_hub::store::Told;
use tempfile::{TempDir, tempdir};

use crate::hub::{Hub, found_in};
use crate::records::*;

/// A small disk of its own, which ends with it. Needs root.
struct Disk {
    dir: TempDir,
}

impl Disk {
    fn mount() -> Option<Disk> {
        let dir = tempdir().unwrap();
        let outcome = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(dir.path()).output();
        match outcome {
            Ok(output) if output.status.success() => Some(Disk { dir }),
            Ok(output) => {
                println!("skipped, no tmpfs can be mounted: {}", String::from_utf8_lossy(&output.stderr));
                None
            }
            Err(error) => {
                println!("skipped, there is no mount command: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn remount(&self, how: &str) {
        let status = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(self.path()).status();
        assert!(status.unwrap().success());
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

#[test]
fn a_full_disk_fails_each_batch_at_once_and_has_all_of_them_when_there_is_space_again() {
    let Some(disk) = Disk::mount() else { return };
    let hub = Hub::started(disk.path());
    hub.commit(vec![Record::Incident(incident(1)), event_seq(1)]);
    let ballast = disk.fill();
    let long_text = "x".repeat(20_000);
    let big = |number: u128| {
        Record::Incident({
            let mut one = incident(number);
            one.source = long_text.clone();
            one
        })
    };
    let first = hub.persist(vec![big(2), event_seq(2)]);
    let problem = hub.failed(first);
    assert!(problem.contains("hub.db") && problem.contains("free some space"), "{problem}");
    let second = hub.persist(vec![Record::Incident(incident(3)), event_seq(3), plan(3, "a.b.c")]);
    hub.failed(second);
    fs::remove_file(ballast).unwrap();
    hub.committed(second);
    hub.commit(vec![Record::Incident(incident(4))]);
    hub.stop();
    let found = found_in(disk.path());
    let ids: Vec<u128> = found.restored.incidents.iter().map(|one| one.id.0).collect();
    assert_eq!((ids, found.restored.counters.event_seq), (vec![1, 2, 3, 4], 3));
    assert_eq!(found.restored.incidents[1].source, long_text);
    assert_eq!((found.plan_tokens, found.put_aside), (vec!["a.b.c".to_owned()], vec![]));
}

#[test]
fn a_disk_that_is_full_from_the_start_is_no_damage() {
    let Some(disk) = Disk::mount() else { return };
    let ballast = disk.fill();
    let hub = Hub::start(disk.path());
    hub.unavailable();
    let ticket = hub.persist(vec![Record::Incident(incident(1))]);
    hub.failed(ticket);
    fs::remove_file(ballast).unwrap();
    assert_eq!(hub.found().put_aside, []);
    hub.committed(ticket);
    hub.stop();
    assert_eq!(found_in(disk.path()).restored.incidents, [incident(1)]);
}

#[test]
fn a_read_only_disk_at_start_is_used_as_soon_as_it_can_be_written() {
    let Some(disk) = Disk::mount() else { return };
    let hub = Hub::started(disk.path());
    hub.commit(vec![Record::Incident(incident(1)), event_seq(10), plan(1, "a.b.c")]);
    hub.stop();
    disk.remount("ro");
    let hub = Hub::start(disk.path());
    hub.unavailable();
    // The plan is known all the same: without it every request would be refused.
    assert!(matches!(hub.next(), Told::PlanToken(token) if token == "a.b.c"));
    let ticket = hub.persist(vec![Record::Incident(incident(2)), event_seq(3)]);
    hub.failed(ticket);
    disk.remount("rw");
    let found = hub.found();
    assert_eq!((found.restored.incidents, found.put_aside), (vec![incident(1)], vec![]));
    hub.committed(ticket);
    hub.stop();
    let restored = found_in(disk.path()).restored;
    assert_eq!(restored.incidents, [incident(1), incident(2)]);
    assert_eq!(restored.counters.event_seq, 10, "counters begun in ignorance do not set back those on the disk");
}

#[test]
fn a_path_that_cannot_be_a_directory_is_tried_until_it_is_mended() {
    let dir = tempdir().unwrap();
    let obstacle = dir.path().join("state");
    fs::write(&obstacle, "in the way").unwrap();
    let state_dir = obstacle.join("hub");
    let hub = Hub::start(&state_dir);
    let problem = hub.unavailable();
    assert!(problem.contains("state/hub/hub.db") && problem.contains("check"), "{problem}");
    let ticket = hub.persist(vec![Record::Incident(incident(1))]);
    hub.failed(ticket);
    hub.ping(9);
    hub.wait("Pong", |told| matches!(told, Told::Pong(9)).then_some(()));
    fs::remove_file(&obstacle).unwrap();
    let found = hub.found();
    assert_eq!((found.restored.incidents, found.put_aside), (vec![], vec![]));
    hub.committed(ticket);
    hub.stop();
    assert_eq!(found_in(&state_dir).restored.incidents, [incident(1)]);
}

#[test]
fn a_stop_in_an_outage_tries_once_more() {
    let dir = tempdir().unwrap();
    let state_dir = dir.path().join("state");
    fs::write(&state_dir, "in the way").unwrap();
    let hub = Hub::start(&state_dir);
    let ticket = hub.persist(vec![Record::Incident(incident(1))]);
    hub.failed(ticket);
    fs::remove_file(&state_dir).unwrap();
    hub.stop();
    assert_eq!(found_in(&state_dir).restored.incidents, [incident(1)]);
}

/// Another program that holds the database so that no commit succeeds.
fn hold(state_dir: &Path) -> Connection {
    let holder = Connection::open(state_dir.join("hub.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    holder
}

/// Persists the incidents 10, 11, … while the commit of a ticket is being tried, until that fails. Returns the number
/// after the last, its ticket, and the problem.
fn persist_while_failing(hub: &Hub, failing: u64) -> (u128, u64, String) {
    for number in 10.. {
        let last = hub.persist(vec![Record::Incident(incident(number))]);
        if let Some(Told::Report(StoreReport::Failed { ticket, problem })) = hub.told_within(Duration::from_millis(10))
        {
            assert_eq!(ticket, failing);
            return (number + 1, last, problem);
        }
    }
    unreachable!()
}

#[test]
fn after_a_failed_commit_the_latest_record_of_each_key_is_written() {
    let dir = tempdir().unwrap();
    let hub = Hub::started(dir.path());
    hub.commit(vec![Record::Incident(incident(1))]);
    let holder = hold(dir.path());
    let first = hub.persist(vec![Record::Incident(incident(2)), event_seq(2)]);
    let (number, _, problem) = persist_while_failing(&hub, first);
    assert!(problem.contains("end the other program"), "{problem}");
    let second = hub.persist(vec![Record::Incident(ended(2)), Record::Incident(ended(1))]);
    hub.failed(second);
    let third = hub.persist(vec![event_seq(3)]);
    hub.failed(third);
    drop(holder);
    let ticket = hub.wait("Committed", |told| match told {
        Told::Report(StoreReport::Committed { ticket }) => Some(*ticket),
        _ => None,
    });
    assert_eq!(ticket, third);
    hub.stop();
    let restored = found_in(dir.path()).restored;
    let expected: Vec<_> = [ended(1), ended(2)].into_iter().chain((10..number).map(incident)).collect();
    assert_eq!((restored.incidents, restored.counters.event_seq), (expected, 3));
}

#[test]
fn a_database_lost_while_the_hub_runs_is_written_anew_with_all_that_is_live() {
    let dir = tempdir().unwrap();
    let hub = Hub::started(dir.path());
    let mut settled = alarm(2);
    settled.settled = true;
    hub.commit(vec![Record::Incident(incident(1)), Record::Signal(alarm(1)), Record::Incident(incident(2))]);
    hub.commit(vec![Record::Incident(ended(2)), Record::Signal(settled), event_seq(5), plan(1, "a.b.c")]);
    let holder = hold(dir.path());
    let ticket = hub.persist(vec![Record::Incident(incident(3))]);
    let (number, last, _) = persist_while_failing(&hub, ticket);
    drop(holder);
    fs::write(dir.path().join("hub.db"), "rubbish ".repeat(1000)).unwrap();
    hub.committed(last);
    hub.stop();
    let found = found_in(dir.path());
    let expected: Vec<_> = [incident(1), incident(3)].into_iter().chain((10..number).map(incident)).collect();
    assert_eq!(found.restored.incidents, expected);
    assert_eq!((found.restored.signals, found.restored.counters.event_seq), (vec![alarm(1)], 5));
    assert_eq!(found.plan_tokens, ["a.b.c"]);
    assert!(dir.path().join("hub.db.corrupt-1").exists());
}
