//! What was committed is there again, exactly, and of the rest nothing or all of a batch.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use proptest::prelude::*;
use sos_hub::controller::effect::{Batch, Record, Restored, SignalKind, StepRecord};
use sos_hub::controller::input::StoreReport;
use sos_hub::controller::words::Stage;
use sos_hub::store::{Store, Told, history};
use tempfile::tempdir;

use crate::hub::{Hub, found_in};
use crate::records::*;

/// What a store without a disk would remember: records applied one by one.
#[derive(Default)]
struct Model {
    restored: Restored,
    steps: Vec<StepRecord>,
    plan: Option<String>,
}

fn put<T, K: PartialEq>(all: &mut Vec<T>, one: T, key: impl Fn(&T) -> K) {
    match all.iter_mut().find(|known| key(known) == key(&one)) {
        Some(known) => *known = one,
        None => all.push(one),
    }
}

impl Model {
    fn apply(&mut self, record: Record) {
        let restored = &mut self.restored;
        match record {
            Record::Incident(incident) => put(&mut restored.incidents, incident, |one| one.id),
            Record::Step(step) => put(&mut self.steps, step, |one| (one.incident, one.seq)),
            Record::Signal(signal) => put(&mut restored.signals, signal, |one| one.signal.jti),
            Record::Reply(reply) => put(&mut restored.replies, reply, |one| one.id.clone()),
            Record::ForgetRepliesBefore { serial } => restored.replies.retain(|reply| reply.serial >= serial),
            Record::Sounding(sounding) => put(&mut restored.sounding, sounding, |one| one.incident),
            Record::Silenced { incident } => restored.sounding.retain(|sounding| sounding.incident != incident),
            Record::Counters(counters) => restored.counters = counters,
            Record::Plan { token, .. } => self.plan = Some(token),
        }
    }

    /// The steps that the history should show of this incident.
    fn steps_of(&self, id: &str) -> Vec<(u64, Stage, String)> {
        let mut steps: Vec<_> = self.steps.iter().filter(|step| step.incident.to_string() == id).collect();
        steps.sort_by_key(|step| step.seq);
        steps.into_iter().map(|step| (step.seq, step.stage, step.message.clone())).collect()
    }
}

fn check(dir: &Path, model: &mut Model) {
    let found = found_in(dir);
    assert_eq!(found.put_aside, []);
    // Their order says nothing.
    model.restored.sounding.sort_by_key(|one| one.incident);
    model.restored.replies.sort_by(|a, b| (a.serial, &a.id).cmp(&(b.serial, &b.id)));
    let mut replies = found.restored.replies;
    replies.sort_by(|a, b| (a.serial, &a.id).cmp(&(b.serial, &b.id)));
    assert_eq!(found.restored.incidents, model.restored.incidents);
    assert_eq!(found.restored.signals, model.restored.signals);
    assert_eq!(replies, model.restored.replies);
    assert_eq!(found.restored.sounding, model.restored.sounding);
    assert_eq!(found.restored.counters, model.restored.counters);
    let stored = found.plan_tokens.first().cloned();
    assert_eq!(stored, model.plan);
    let past = history::read(dir, usize::MAX).unwrap();
    assert_eq!(past.len(), model.restored.incidents.len());
    for (entry, incident) in past.iter().rev().zip(&model.restored.incidents) {
        assert_eq!(entry.id, incident.id.to_string());
        let steps: Vec<_> = entry.steps.iter().map(|step| (step.seq, step.stage, step.message.clone())).collect();
        let expected: Vec<_> =
            model.steps_of(&entry.id).into_iter().map(|(seq, stage, text)| (seq, stage.as_str(), text)).collect();
        assert_eq!(steps, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_gives_back_exactly_what_was_persisted(life in any_life(), wait_for_each in any::<bool>()) {
        let dir = tempdir().unwrap();
        let mut model = Model::default();
        for sitting in life {
            let hub = Hub::started(dir.path());
            for batch in sitting {
                batch.iter().cloned().for_each(|record| model.apply(record));
                let ticket = hub.persist(batch);
                if wait_for_each {
                    hub.committed(ticket);
                }
            }
            hub.stop();
            check(dir.path(), &mut model);
        }
    }
}

#[test]
fn what_waits_together_is_committed_together_and_a_stalled_thread_holds_nobody_up() {
    let dir = tempdir().unwrap();
    let (sender, told) = mpsc::channel();
    let (release, stall) = mpsc::channel::<()>();
    // The store's thread stands still in its first word, as in a write to a disk that hangs.
    let store = Store::start(dir.path(), move |one| {
        let is_first = matches!(one, Told::Restored { .. });
        sender.send(one).unwrap();
        if is_first {
            stall.recv().unwrap();
        }
    })
    .unwrap();
    told.recv().unwrap();
    for ticket in 1..=5000 {
        store.persist(Batch {
            ticket,
            records: vec![event_seq(ticket), Record::Incident(incident(ticket as u128 % 3))],
        });
    }
    store.ping(1);
    store.ping(2);
    assert!(told.try_recv().is_err());
    release.send(()).unwrap();
    assert!(matches!(told.recv().unwrap(), Told::Report(StoreReport::Committed { ticket: 5000 })));
    assert!(matches!(told.recv().unwrap(), Told::Pong(2)));
    store.stop();
    assert!(told.recv().is_err(), "nothing else was told");
    let restored = found_in(dir.path()).restored;
    assert_eq!((restored.counters.event_seq, restored.incidents.len()), (5000, 3));
}

#[test]
fn a_long_stall_costs_old_history_but_never_the_end_of_what_is_open_on_disk() {
    let dir = tempdir().unwrap();
    let hub = Hub::started(dir.path());
    hub.commit(vec![Record::Incident(incident(1)), Record::Signal(alarm(1))]);
    hub.stop();

    let (sender, told) = mpsc::channel();
    let (release, stall) = mpsc::channel::<()>();
    let store = Store::start(dir.path(), move |one| {
        let is_first = matches!(one, Told::Restored { .. });
        sender.send(one).unwrap();
        if is_first {
            stall.recv().unwrap();
        }
    })
    .unwrap();
    told.recv().unwrap();
    let mut settled = alarm(1);
    settled.settled = true;
    store.persist(Batch { ticket: 1, records: vec![Record::Incident(ended(1)), Record::Signal(settled.clone())] });
    store.persist(Batch { ticket: 2, records: vec![Record::Incident(incident(2))] });
    for number in 3..10_000u64 {
        let records = vec![Record::Step(step(2, number, Stage::Requested)), Record::Incident(ended(number.into()))];
        store.persist(Batch { ticket: number, records });
    }
    release.send(()).unwrap();
    store.stop();

    let past = history::read(dir.path(), usize::MAX).unwrap();
    let kept = &past.iter().find(|entry| entry.id == incident(2).id.to_string()).unwrap().steps;
    assert!((500..2100).contains(&kept.len()), "{} steps were kept in memory", kept.len());
    assert_eq!((past[0].id.as_str(), kept[kept.len() - 1].seq), (ended(9_999).id.to_string().as_str(), 9_999));
    let restored = found_in(dir.path()).restored;
    let open: Vec<_> = restored.incidents.iter().filter(|one| one.ended_wall.is_none()).collect();
    assert_eq!(open, [&incident(2)]);
    assert_eq!(restored.signals, [settled]);
}

/// Not a test of its own: the process that the next one kills.
#[test]
fn writer_process() {
    let Some(dir) = std::env::var_os("STORE_WRITER_DIR") else { return };
    let hub = Hub::started(Path::new(&dir));
    for number in 1.. {
        let records = vec![Record::Incident(incident(number)), Record::Signal(alarm(number)), event_seq(number as u64)];
        hub.commit(records);
        println!("committed {number}");
    }
}

#[test]
fn a_kill_loses_nothing_that_was_committed_and_leaves_no_half_batch() {
    let dir = tempdir().unwrap();
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keeping::writer_process", "--nocapture"])
        .env("STORE_WRITER_DIR", dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut committed = lines.filter_map(|line| line.unwrap().split("committed ").nth(1)?.parse::<u64>().ok());
    assert!(committed.by_ref().any(|number| number == 40));
    writer.kill().unwrap();
    let last = committed.last().unwrap_or(40);
    writer.wait().unwrap();

    assert!(history::read(dir.path(), usize::MAX).unwrap().len() as u64 >= last, "the history needs no hub to recover");
    let hub = Hub::start(dir.path());
    let found = hub.found();
    assert_eq!(found.put_aside, []);
    let restored = found.restored;
    // The log of a killed process may not have been synced: what is built upon must be.
    hub.ping(1);
    hub.wait("Pong", |told| matches!(told, Told::Pong(1)).then_some(()));
    assert_eq!(dir.path().join("hub.db-wal").metadata().unwrap().len(), 0);
    let count = restored.incidents.len() as u64;
    assert!(count >= last, "{last} were committed, {count} are there");
    assert_eq!((restored.signals.len() as u64, restored.counters.event_seq), (count, count));
    assert_eq!(restored.incidents, (1..=u128::from(count)).map(incident).collect::<Vec<_>>());
}

#[test]
fn only_the_hub_can_read_its_files_and_the_end_leaves_one_database_file() {
    let dir = tempdir().unwrap();
    let state_dir = dir.path().join("var/hub");
    let hub = Hub::started(&state_dir);
    hub.commit(vec![Record::Incident(incident(1)), plan(1, "a.b.c")]);
    let mode = |name: &str| state_dir.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    assert_eq!((mode("hub.db"), mode("hub.db-wal"), mode("hub.db-shm")), (0o600, 0o600, 0o600));
    hub.stop();
    let mut names: Vec<_> =
        state_dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["hub.db", "plan.jwt"]);
    assert_eq!(std::fs::read_to_string(state_dir.join("plan.jwt")).unwrap(), "a.b.c");
}

#[test]
fn numbers_beyond_what_a_column_holds_do_not_block_the_store() {
    let dir = tempdir().unwrap();
    let hub = Hub::started(dir.path());
    let mut strange = incident(1);
    strange.update_seq = u64::MAX;
    hub.commit(vec![Record::Incident(strange)]);
    hub.stop();
    assert_eq!(found_in(dir.path()).restored.incidents[0].update_seq, i64::MAX as u64);
}

#[test]
fn heartbeats_are_never_kept() {
    let dir = tempdir().unwrap();
    let hub = Hub::started(dir.path());
    let mut heartbeat = alarm(1);
    heartbeat.signal.kind = SignalKind::Heartbeat { interval_seconds: 60, open: vec![] };
    hub.commit(vec![Record::Signal(heartbeat), Record::Incident(incident(1))]);
    hub.stop();
    let found = found_in(dir.path());
    assert_eq!(
        (found.restored.signals, found.put_aside, found.restored.incidents),
        (vec![], vec![], vec![incident(1)])
    );
}

#[test]
fn old_ends_are_forgotten_and_what_is_open_or_owed_never() {
    let dir = tempdir().unwrap();
    let hub = Hub::started(dir.path());
    hub.commit(vec![Record::Incident(incident(1)), Record::Signal(alarm(1))]);
    for number in 2..=1300u128 {
        let mut settled = alarm(number);
        settled.settled = true;
        let step = step(number, 1, Stage::Closed);
        hub.persist(vec![Record::Incident(ended(number)), Record::Step(step), Record::Signal(settled)]);
        if number % 100 == 0 {
            hub.commit(vec![]);
        }
    }
    hub.stop();
    let past = history::read(dir.path(), usize::MAX).unwrap();
    assert_eq!(past.len(), 1001);
    assert_eq!(
        (past[0].id.as_str(), past[999].id.as_str()),
        (ended(1300).id.to_string().as_str(), ended(301).id.to_string().as_str())
    );
    let connection = rusqlite::Connection::open(dir.path().join("hub.db")).unwrap();
    let count = |table: &str| -> i64 {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("step"), count("signal")), (1000, 1001));
    let restored = found_in(dir.path()).restored;
    assert_eq!((restored.incidents.len(), restored.signals.len()), (201, 201));
    assert_eq!((&restored.incidents[0], &restored.signals[0]), (&incident(1), &alarm(1)));
    assert_eq!(restored.incidents[1], ended(1101));
}
