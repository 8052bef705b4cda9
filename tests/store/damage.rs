//! Files that are no use: put aside, never destroyed, never a reason not to start.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use sos_hub::controller::effect::Record;
use sos_hub::controller::moment::Wall;
use sos_hub::controller::words::Stage;
use sos_hub::store::Told;
use tempfile::{TempDir, tempdir};

use crate::hub::{Hub, found_in};
use crate::records::*;

/// A database with enough in it to have a middle.
fn fill(state_dir: &Path) {
    let hub = Hub::started(state_dir);
    for number in 1..=200u128 {
        hub.persist(vec![Record::Incident(incident(number)), Record::Step(step(number, 1, Stage::Requested))]);
    }
    hub.persist(vec![plan(1, "a.b.c"), event_seq(400)]);
    hub.stop();
}

/// Starts on what `ruin` leaves: it must be put aside, and a new database work.
fn put_aside_after(ruin: impl Fn(&Path)) -> String {
    let dir = tempdir().unwrap();
    fill(dir.path());
    let database = dir.path().join("hub.db");
    ruin(&database);
    let ruined = fs::read(&database).ok();

    let hub = Hub::start(dir.path());
    let found = hub.found();
    let [(aside, problem)] = found.put_aside.as_slice() else { panic!("put aside: {:?}", found.put_aside) };
    assert_eq!(*aside, dir.path().join("hub.db.corrupt-1"));
    assert_eq!(fs::read(aside).ok(), ruined, "what was put aside is as it was found");
    assert!(found.restored.incidents.is_empty());
    assert_eq!(found.plan_tokens, ["a.b.c"], "the plan outlives the database");
    hub.commit(vec![Record::Incident(incident(7))]);
    hub.stop();

    let again = found_in(dir.path());
    assert_eq!((again.restored.incidents, again.put_aside), (vec![incident(7)], vec![]));
    assert!(problem.contains("hub.db could not be used"), "{problem}");
    problem.clone()
}

#[test]
fn a_truncated_file() {
    put_aside_after(|path| {
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    });
}

#[test]
fn a_file_cut_within_its_first_page() {
    put_aside_after(|path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(60).unwrap());
}

#[test]
fn a_garbage_header() {
    put_aside_after(|path| overwrite(path, 0, 100));
}

#[test]
fn garbage_in_the_middle() {
    put_aside_after(|path| {
        let length = fs::metadata(path).unwrap().len() as usize;
        overwrite(path, length / 2 / 4096 * 4096, 4096);
    });
}

#[test]
fn garbage_where_nothing_is_read_at_start() {
    put_aside_after(|path| {
        let database = Connection::open(path).unwrap();
        let leaf = "SELECT pageno FROM dbstat WHERE name = 'step' AND pagetype = 'leaf' ORDER BY pageno DESC LIMIT 1";
        let page: usize = database.query_row(leaf, [], |row| row.get::<_, u32>(0)).unwrap() as usize;
        database.close().unwrap();
        overwrite(path, (page - 1) * 4096, 4096);
    });
}

#[test]
fn a_file_of_length_zero() {
    let problem = put_aside_after(|path| fs::write(path, "").unwrap());
    assert!(problem.contains("empty"), "{problem}");
}

#[test]
fn a_directory_in_its_place() {
    put_aside_after(|path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
        fs::write(path.join("something"), "in it").unwrap();
    });
}

#[test]
fn a_database_without_one_of_our_tables() {
    put_aside_after(|path| Connection::open(path).unwrap().execute_batch("DROP TABLE step").unwrap());
}

#[test]
fn another_programs_database() {
    let problem = put_aside_after(|path| {
        fs::remove_file(path).unwrap();
        let foreign = Connection::open(path).unwrap();
        foreign.execute_batch("PRAGMA user_version = 1; CREATE TABLE incident (a)").unwrap();
    });
    assert!(problem.contains("another program"), "{problem}");
}

#[test]
fn a_newer_versions_database_is_put_aside_whole() {
    let dir = tempdir().unwrap();
    fill(dir.path());
    let newer = Connection::open(dir.path().join("hub.db")).unwrap();
    newer.execute_batch("PRAGMA user_version = 99; CREATE TABLE of_the_future (a)").unwrap();
    // Its last words are still in its log: they belong to it.
    let database = dir.path().join("hub.db");
    let (main, log) = (fs::read(&database).unwrap(), fs::read(dir.path().join("hub.db-wal")).unwrap());
    newer.close().unwrap();
    fs::write(&database, &main).unwrap();
    fs::write(dir.path().join("hub.db-wal"), &log).unwrap();

    let found = found_in(dir.path());
    assert!(found.put_aside[0].1.contains("newer"), "{}", found.put_aside[0].1);
    let aside = &found.put_aside[0].0;
    assert!(fs::read(aside).unwrap() == main, "the database is as it was");
    assert!(fs::read(aside.with_file_name("hub.db.corrupt-1-wal")).unwrap() == log, "its log is as it was");
    let aside = Connection::open(aside).unwrap();
    let count: i64 = aside
        .query_row("SELECT count(*) FROM incident, (SELECT count(*) FROM of_the_future)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 200);
}

/// Any damage at all: it starts, and works.
#[test]
fn bytes_flipped_anywhere_never_stop_it() {
    let pristine = tempdir().unwrap();
    fill(pristine.path());
    let whole = fs::read(pristine.path().join("hub.db")).unwrap();
    let stride = whole.len() / 97;
    for position in (0..whole.len()).step_by(stride) {
        let dir = tempdir().unwrap();
        let mut flipped = whole.clone();
        flipped[position] ^= 0x55;
        fs::write(dir.path().join("hub.db"), flipped).unwrap();
        let hub = Hub::start(dir.path());
        hub.found();
        hub.commit(vec![Record::Incident(incident(1000))]);
        hub.stop();
        assert!(found_in(dir.path()).restored.incidents.contains(&incident(1000)), "byte {position}");
    }
}

#[test]
fn a_ruined_log_costs_its_content_only_and_is_told() {
    let dir = tempdir().unwrap();
    fill(dir.path());
    fs::write(dir.path().join("hub.db-wal"), "rubbish ".repeat(2000)).unwrap();
    fs::write(dir.path().join("hub.db-shm"), "rubbish ".repeat(4096)).unwrap();
    let found = found_in(dir.path());
    assert_eq!((found.restored.incidents.len(), found.put_aside.len()), (200, 1));
}

/// The files of a hub that was killed after these commits, each an incident: another process finds the log as it is.
fn killed_after(commits: u128) -> TempDir {
    let (running, killed) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::started(running.path());
    for number in 1..=commits {
        hub.commit(vec![Record::Incident(incident(number))]);
    }
    for name in ["hub.db", "hub.db-wal"] {
        fs::copy(running.path().join(name), killed.path().join(name)).unwrap();
    }
    hub.stop();
    killed
}

#[test]
fn commits_that_the_log_has_lost_are_told() {
    const FRAME: usize = 24 + 4096;
    for (what, position) in [("the header", 20), ("a frame's header", 32 + FRAME + 10), ("a page", 32 + FRAME + 2000)] {
        let dir = killed_after(9);
        overwrite(&dir.path().join("hub.db-wal"), position, 4);
        let found = found_in(dir.path());
        let [(path, problem)] = found.put_aside.as_slice() else { panic!("{what}: {:?}", found.put_aside) };
        assert_eq!(*path, dir.path().join("hub.db"), "the file stays in use");
        assert!(problem.contains("hub.db-wal is damaged"), "{problem}");
        assert!(found.restored.incidents.len() < 9, "{what}");
        assert_eq!(found_in(dir.path()).put_aside, [], "it is told once");
    }
}

#[test]
fn a_commit_that_a_power_cut_interrupted_is_no_damage() {
    for (what, kept) in [("half of it", 2000), ("all but its middle", 4000)] {
        let dir = killed_after(9);
        let log = dir.path().join("hub.db-wal");
        let length = fs::metadata(&log).unwrap().len();
        match what {
            "half of it" => fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(length - kept).unwrap(),
            _ => overwrite(&log, (length - kept) as usize, 100),
        }
        let found = found_in(dir.path());
        assert_eq!((found.restored.incidents.len(), found.put_aside), (8, vec![]), "{what}");
    }
}

#[test]
fn what_the_log_keeps_of_an_earlier_use_is_no_damage() {
    // The log goes into the database after 256 records, and is begun anew over its old content.
    for commits in [255, 258, 300] {
        let dir = killed_after(commits);
        let found = found_in(dir.path());
        assert_eq!((found.restored.incidents.len() as u128, found.put_aside), (commits, vec![]), "{commits}");
    }
}

#[test]
fn a_creation_that_was_interrupted_is_finished() {
    let dir = tempdir().unwrap();
    let begun = Connection::open(dir.path().join("hub.db")).unwrap();
    begun.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    begun.close().unwrap();
    assert!(fs::metadata(dir.path().join("hub.db")).unwrap().len() > 0);
    let hub = Hub::start(dir.path());
    assert_eq!(hub.found().put_aside, []);
    hub.commit(vec![Record::Incident(incident(1))]);
    hub.stop();
    assert_eq!(found_in(dir.path()).restored.incidents, [incident(1)]);
}

#[test]
fn a_row_that_cannot_be_understood_does_not_cost_the_others() {
    let dir = tempdir().unwrap();
    fill(dir.path());
    let database = Connection::open(dir.path().join("hub.db")).unwrap();
    for change in [
        "UPDATE incident SET stage = 'sleeping' WHERE ordinal = 3",
        "UPDATE incident SET id = x'0102' WHERE ordinal = 5",
        "UPDATE incident SET update_seq = -1 WHERE ordinal = 7",
        "UPDATE incident SET source = CAST(x'ff' AS TEXT) WHERE ordinal = 9",
    ] {
        assert_eq!(database.execute(change, []).unwrap(), 1, "{change}");
    }
    database.close().unwrap();
    let found = found_in(dir.path());
    assert_eq!(found.restored.incidents.len(), 196);
    let [(path, problem)] = found.put_aside.as_slice() else { panic!("told: {:?}", found.put_aside) };
    assert_eq!(*path, dir.path().join("hub.db"), "the file stays in use");
    assert!(problem.contains("sleeping") && problem.contains("incident 0102"), "{problem}");
    assert_eq!(sos_hub::store::history::read(dir.path(), 1000).unwrap().len(), 196);
}

#[test]
fn a_row_with_the_last_ordinal_of_all_does_not_stop_the_store() {
    let dir = tempdir().unwrap();
    fill(dir.path());
    let database = Connection::open(dir.path().join("hub.db")).unwrap();
    let change = "UPDATE incident SET ordinal = 9223372036854775807 WHERE ordinal = 3";
    assert_eq!(database.execute(change, []).unwrap(), 1);
    database.close().unwrap();
    let hub = Hub::started(dir.path());
    hub.commit(vec![Record::Incident(incident(1000)), Record::Incident(incident(1001))]);
    hub.commit(vec![Record::Incident(incident(1002))]);
    hub.stop();
    let found = found_in(dir.path());
    assert_eq!((found.restored.incidents.len(), found.put_aside), (203, vec![]));
}

#[test]
fn a_card_that_ruins_every_file_is_not_filled_with_them() {
    let dir = tempdir().unwrap();
    for round in 0..12 {
        fs::write(dir.path().join("hub.db"), format!("rubbish {round}")).unwrap();
        assert_eq!(found_in(dir.path()).put_aside.len(), 1);
    }
    let asides = dir
        .path()
        .read_dir()
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("corrupt"));
    assert_eq!(asides.count(), 8);
    assert_eq!(fs::read_to_string(dir.path().join("hub.db.corrupt-1")).unwrap(), "rubbish 0");
    assert_eq!(fs::read_to_string(dir.path().join("hub.db.corrupt-8")).unwrap(), "rubbish 11");
}

#[test]
fn a_plan_file_that_cannot_be_written_does_not_fail_the_commit() {
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join("plan.jwt")).unwrap();
    let hub = Hub::started(dir.path());
    hub.commit(vec![plan(1, "a.b.c")]);
    hub.ping(1);
    hub.wait("Pong", |told| matches!(told, Told::Pong(1)).then_some(()));
    fs::remove_dir(dir.path().join("plan.jwt")).unwrap();
    let mut later = ended(1);
    later.ended_wall = Some(Wall(0));
    hub.commit(vec![Record::Incident(later)]);
    hub.stop();
    assert_eq!(fs::read_to_string(dir.path().join("plan.jwt")).unwrap(), "a.b.c", "it is tried again");
    assert_eq!(found_in(dir.path()).plan_tokens, ["a.b.c"]);
}

#[test]
fn a_plan_file_brought_by_the_user_is_told_beside_the_one_in_the_database() {
    let dir = tempdir().unwrap();
    fill(dir.path());
    fs::write(dir.path().join("plan.jwt"), "d.e.f\n").unwrap();
    assert_eq!(found_in(dir.path()).plan_tokens, ["a.b.c", "d.e.f"]);
}

fn overwrite(path: &Path, from: usize, length: usize) {
    let mut content = fs::read(path).unwrap();
    content[from..from + length].fill(0xa5);
    fs::write(path, content).unwrap();
}
