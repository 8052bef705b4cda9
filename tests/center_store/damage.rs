//! Files that are no use: a center does not start without its accounts, and changes nothing.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use sos_hub::center::desk::records::Record;
use tempfile::tempdir;

use crate::center::{Center, restored_in};
use crate::records::*;

/// Starts on what `ruin` leaves: a sentence says what to do, and the file is as it was found.
fn fatal_after(ruin: impl Fn(&Path)) -> String {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    for number in 1..=300 {
        center.persist(vec![Record::Incident(incident(number)), Record::Signal(signal(number))]);
    }
    center.stop();
    let path = dir.path().join("center.db");
    ruin(&path);
    let ruined = fs::read(&path).unwrap();
    let center = Center::start(dir.path());
    let problem = center.fatal();
    center.persist(vec![Record::Incident(incident(9))]);
    assert!(center.told_already().is_empty());
    center.stop();
    assert!(fs::read(&path).unwrap() == ruined, "the file is as it was found");
    assert!(problem.contains("center.db cannot be used") && problem.contains("restore a copy"), "{problem}");
    problem
}

#[test]
fn a_truncated_file() {
    fatal_after(|path| {
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    });
}

#[test]
fn garbage_in_the_middle() {
    fatal_after(|path| {
        let mut content = fs::read(path).unwrap();
        let middle = content.len() / 2 / 4096 * 4096;
        content[middle..middle + 4096].fill(0xa5);
        fs::write(path, content).unwrap();
    });
}

#[test]
fn no_database_at_all() {
    fatal_after(|path| fs::write(path, "rubbish ".repeat(1000)).unwrap());
}

#[test]
fn a_file_of_length_zero() {
    let problem = fatal_after(|path| fs::write(path, "").unwrap());
    assert!(problem.contains("empty"), "{problem}");
}

#[test]
fn another_programs_database() {
    let problem = fatal_after(|path| {
        fs::remove_file(path).unwrap();
        Connection::open(path).unwrap().execute_batch("PRAGMA user_version = 1; CREATE TABLE incident (a)").unwrap();
    });
    assert!(problem.contains("another program"), "{problem}");
}

#[test]
fn a_newer_versions_database() {
    let problem =
        fatal_after(|path| Connection::open(path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap());
    assert!(problem.contains("a newer sos-center wrote it"), "{problem}");
}

#[test]
fn a_word_that_nobody_knows() {
    let problem = fatal_after(|path| {
        let database = Connection::open(path).unwrap();
        assert_eq!(database.execute("UPDATE incident SET step = 'asleep' WHERE id = ?1", [incident(3).id]).unwrap(), 1);
    });
    assert!(problem.contains("asleep"), "{problem}");
}

#[test]
fn a_directory_that_cannot_be_made() {
    let dir = tempdir().unwrap();
    let state_dir = dir.path().join("state");
    fs::write(&state_dir, "in the way").unwrap();
    let center = Center::start(&state_dir);
    let problem = center.fatal();
    assert!(problem.contains("state/center.db") && problem.contains("check that its directory"), "{problem}");
}

#[test]
fn a_second_center_on_the_same_directory_does_not_start() {
    let dir = tempdir().unwrap();
    let first = Center::started(dir.path());
    let second = Center::start(dir.path());
    let problem = second.fatal();
    assert!(problem.contains("Another sos-center runs"), "{problem}");
    second.stop();
    first.commit(vec![Record::Incident(incident(1))]);
    first.stop();
    assert_eq!(restored_in(dir.path()).incidents.len(), 1);
}
