//! What was committed is there again, exactly, and of the rest nothing or all of a batch.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sos_hub::center::desk::records::*;
use sos_hub::center::desk::words::Verdict;
use sos_hub::controller::moment::{Id, Wall};
use sos_hub::controller::words::CallStage;
use tempfile::tempdir;

use crate::center::{Center, database, restored_in};
use crate::records::*;

#[test]
fn a_restart_gives_back_exactly_what_was_persisted() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    let steps = [
        StepRecordState::Waiting,
        StepRecordState::CallingFirst { call: Id(7), answered: true },
        StepRecordState::DispatchDue { reason: DispatchReason::WrongPassword },
        StepRecordState::Dispatched { called: 3, call: Some(Id(u128::MAX)) },
        StepRecordState::Dispatched { called: 1, call: None },
        StepRecordState::Cancelled,
        StepRecordState::Closed,
    ];
    let mut expected = Vec::new();
    for (step_state, number) in steps.into_iter().zip(1..) {
        let stored = StoredIncident {
            incident: IncidentRecord {
                step: step_state,
                first_call_wall: Some(Wall(-1)),
                user: Some("Ann \0 '\"".to_owned()),
                ..incident(number)
            },
            updates: vec![
                update(number, 1, CallStage::CallingFirstContact, Some((1, "Ann".to_owned()))),
                update(number, 2, CallStage::NoAnswer, None),
            ],
            steps: vec![step(number, 1), StepRecord { operator: None, ..step(number, 2) }],
            calls: vec![call(number, 2, None), call(number, 1, Some("wrong_password"))],
        };
        // A call is placed first and has its outcome later, and keeps its place.
        center.persist(vec![Record::Incident(incident(number)), Record::Call(call(number, 2, None))]);
        center.persist(vec![Record::Call(call(number, 1, None))]);
        center.persist(
            std::iter::once(Record::Incident(stored.incident.clone()))
                .chain(stored.updates.iter().cloned().map(Record::Update))
                .chain(stored.steps.iter().cloned().map(Record::Step))
                .chain(stored.calls.iter().cloned().map(Record::Call))
                .collect(),
        );
        expected.push(stored);
    }
    let refused = SignalRecord { verdict: Verdict::NoMonitoring, incident: None, kind: "test", ..signal(2) };
    let fault = |code: &str| Record::HubFault {
        account: account(1),
        code: code.to_owned(),
        message: "The siren is broken.".to_owned(),
        since_wall: Wall(NOON),
    };
    center.persist(vec![Record::Signal(signal(1)), Record::Signal(refused.clone()), Record::Hub(hub(1, 5))]);
    center.persist(vec![fault("siren"), fault("storage"), Record::Token(token(1, 5)), Record::Token(token(2, 1))]);
    let restored = Record::HubRestored { account: account(1), code: "siren".to_owned() };
    center.persist(vec![restored, Record::Token(token(1, 6)), Record::Security(rejected(1)), Record::Audit(audit(1))]);
    center.stop();

    let restored = restored_in(dir.path());
    assert_eq!(restored.incidents, expected);
    assert_eq!(restored.signals, [past(&signal(1)), past(&refused)]);
    assert_eq!(restored.hubs, [hub(1, 5)]);
    let faults: Vec<_> = restored.faults.iter().map(|(account, code, ..)| (account.clone(), code.as_str())).collect();
    assert_eq!(faults, [(account(1), "storage")]);
    assert_eq!(restored.tokens, [token(1, 6), token(2, 1)]);
    assert_eq!(restored.security, [rejected(1)]);
    assert!(restored.accounts.is_empty());
}

#[test]
fn of_what_is_over_the_newest_is_read_at_a_start() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    center.persist(vec![Record::Incident(incident(1))]);
    for number in 2..=300 {
        center.persist(vec![Record::Incident(ended(number)), Record::Security(rejected(number))]);
    }
    for number in 1..=10_001 {
        center.persist(vec![Record::Signal(signal(number))]);
    }
    center.stop();
    let restored = restored_in(dir.path());
    let incidents: Vec<u128> = restored.incidents.iter().map(|one| one.incident.id.0).collect();
    assert_eq!(incidents, std::iter::once(1).chain(101..=300).collect::<Vec<_>>());
    assert_eq!(restored.signals.len(), 10_000);
    assert_eq!((restored.signals[0], restored.signals[9_999]), (past(&signal(2)), past(&signal(10_001))));
    let security: Vec<u64> = restored.security.iter().map(|one| one.number).collect();
    assert_eq!(security, (101..=300).collect::<Vec<_>>());
}

#[test]
fn of_what_was_rejected_the_newest_ten_thousand_are_kept() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    for number in 1..=10_005 {
        center.persist(vec![Record::Security(rejected(number))]);
    }
    center.persist(vec![Record::Security(SecurityRecord { count: 9, ..rejected(10_005) })]);
    center.stop();
    let kept: (i64, i64, i64) = database(dir.path())
        .query_row("SELECT count(*), min(number), max(count) FROM security", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(kept, (10_000, 6, 9));
}

#[test]
fn signals_and_the_audit_trail_are_only_ever_added_to() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    center.commit(vec![Record::Signal(signal(1)), Record::Audit(audit(1))]);
    center.stop();
    let database = database(dir.path());
    for attempt in [
        "UPDATE audit SET who = 'nobody'",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit (ordinal, wall_ms, who, what) VALUES (1, 0, 'nobody', '')",
        "UPDATE signal SET verdict = 'no_monitoring'",
        "DELETE FROM signal",
        "INSERT OR REPLACE INTO signal (ordinal, jti, account, kind, received_wall_ms, verdict, ack_seq, claims)
         VALUES (1, x'00', '', '', 0, '', 0, '')",
    ] {
        let error = database.execute(attempt, []).unwrap_err().to_string();
        assert!(error.contains("never"), "{attempt}: {error}");
    }
    let rows: (String, String) =
        database.query_row("SELECT who, verdict FROM audit, signal", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(rows, ("operator ann".to_owned(), "accepted".to_owned()));
}

#[test]
fn what_comes_a_second_time_changes_nothing_and_stops_nothing() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    let first = || vec![Record::Signal(signal(1)), Record::Step(step(1, 1)), Record::Incident(incident(1))];
    center.commit(first());
    let other = SignalRecord { ack_seq: 99, ..signal(1) };
    center
        .commit(vec![Record::Signal(other.clone()), Record::Step(StepRecord { text: "Other.".into(), ..step(1, 1) })]);
    // Another account may have said the same id.
    center.commit(vec![Record::Signal(SignalRecord { account: account(2), ..other.clone() })]);
    center.stop();
    let restored = restored_in(dir.path());
    assert_eq!(restored.signals, [past(&signal(1)), past(&other)]);
    assert_eq!(restored.incidents[0].steps, [step(1, 1)]);
}

#[test]
fn the_database_of_the_version_before_is_taken_over_with_all_that_it_holds() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    center.commit(vec![Record::Signal(signal(2))]);
    center.stop();
    // That version did not write down which update a cry had undone.
    let step_back = "ALTER TABLE signal DROP COLUMN reopened_after; ALTER TABLE hub DROP COLUMN ahead_from_wall_ms;
        ALTER TABLE hub DROP COLUMN ahead_to_wall_ms; PRAGMA user_version = 1;";
    database(dir.path()).execute_batch(step_back).unwrap();
    let center = Center::started(dir.path());
    center.commit(vec![Record::Signal(signal(4))]);
    center.stop();
    let before = PastSignal { reopened_after: None, ..past(&signal(2)) };
    assert_eq!(restored_in(dir.path()).signals, [before, past(&signal(4))]);
}

#[test]
fn numbers_beyond_what_a_column_holds_do_not_block_the_store() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    center.commit(vec![Record::Hub(HubRecord { signal_seq: u64::MAX, ..hub(1, 1) })]);
    center.stop();
    assert_eq!(restored_in(dir.path()).hubs[0].signal_seq, i64::MAX as u64);
}

/// Not a test of its own: the process that the next one kills.
#[test]
fn writer_process() {
    let Some(dir) = std::env::var_os("CENTER_STORE_WRITER_DIR") else { return };
    let center = Center::started(Path::new(&dir));
    for number in 1.. {
        center.commit(vec![
            Record::Incident(incident(number)),
            Record::Signal(signal(number)),
            Record::Step(step(number, 1)),
        ]);
        println!("committed {number}");
    }
}

#[test]
fn a_kill_loses_nothing_that_was_committed_and_leaves_no_half_batch() {
    let dir = tempdir().unwrap();
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keeping::writer_process", "--nocapture"])
        .env("CENTER_STORE_WRITER_DIR", dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut committed = lines.filter_map(|line| line.unwrap().split("committed ").nth(1)?.parse::<u64>().ok());
    assert!(committed.by_ref().any(|number| number == 40));
    writer.kill().unwrap();
    let last = committed.last().unwrap_or(40);
    writer.wait().unwrap();

    let restored = restored_in(dir.path());
    let count = restored.incidents.len() as u64;
    assert!(count >= last, "{last} were committed, {count} are there");
    assert_eq!(restored.signals, (1..=count).map(|number| past(&signal(number))).collect::<Vec<_>>());
    assert!(restored.incidents.iter().all(|one| one.steps.len() == 1));
}

#[test]
fn only_the_center_can_read_its_files_and_the_end_leaves_nothing_in_the_log() {
    let dir = tempdir().unwrap();
    let state_dir = dir.path().join("var/center");
    let center = Center::started(&state_dir);
    center.commit(vec![Record::Incident(incident(1))]);
    let mode = |name: &str| state_dir.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    assert_eq!((mode("center.db"), mode("center.db-wal"), mode("center.db-shm")), (0o600, 0o600, 0o600));
    center.stop();
    assert_eq!(state_dir.join("center.db-wal").metadata().map_or(0, |file| file.len()), 0);
    assert!(!state_dir.join("center.sock").exists());
}
