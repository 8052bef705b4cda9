//! Any rows in the database, and any damage to its bytes: the hub starts, goes on with what can be understood, and keeps
//! what it writes.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use sos_hub::controller::effect::Restored;
use sos_hub::controller::input::{Input, StoreReport};
use sos_hub::store::{Store, Told, history};

use super::bytes::Bytes;
use super::controller::Hub;

/// A table's columns with a good row.
struct Table {
    name: &'static str,
    columns: &'static [(&'static str, Good)],
}

#[derive(Clone, Copy)]
enum Good {
    Id,
    Number(i64),
    Word(&'static str),
    Nothing,
}

const TABLES: [Table; 7] = [
    Table {
        name: "incident",
        columns: &[
            ("id", Good::Id),
            ("ordinal", Good::Number(1)),
            ("service", Good::Word("police")),
            ("source", Good::Word("app")),
            ("user", Good::Nothing),
            ("stage", Good::Word("countdown")),
            ("alarm", Good::Id),
            ("boot", Good::Id),
            ("accepted_boot_ns", Good::Number(60_000_000_000)),
            ("deadline_boot_ns", Good::Number(62_000_000_000)),
            ("accepted_wall_ms", Good::Number(1_795_000_000_000)),
            ("clock", Good::Word("synced")),
            ("resumed", Good::Number(0)),
            ("update_seq", Good::Number(0)),
            ("taken", Good::Number(0)),
            ("ended_wall_ms", Good::Nothing),
        ],
    },
    Table {
        name: "step",
        columns: &[
            ("incident", Good::Id),
            ("seq", Good::Number(1)),
            ("stage", Good::Word("countdown")),
            ("wall_ms", Good::Number(1_795_000_000_000)),
            ("clock", Good::Word("synced")),
            ("message", Good::Word("It runs.")),
        ],
    },
    Table {
        name: "signal",
        columns: &[
            ("jti", Good::Id),
            ("ordinal", Good::Number(2)),
            ("settled", Good::Number(0)),
            ("kind", Good::Word("alarm")),
            ("code", Good::Nothing),
            ("event_code", Good::Nothing),
            ("message", Good::Nothing),
            ("incident", Good::Id),
            ("service", Good::Word("police")),
            ("source", Good::Word("app")),
            ("user", Good::Nothing),
            ("resumed", Good::Number(0)),
            ("repeat", Good::Number(0)),
            ("plan", Good::Nothing),
            ("seq", Good::Number(1)),
            ("boot", Good::Id),
            ("raised_boot_ns", Good::Number(60_000_000_000)),
            ("raised_wall_ms", Good::Number(1_795_000_000_000)),
            ("clock", Good::Word("synced")),
            ("age_base_ms", Good::Number(0)),
            ("age_ms", Good::Number(0)),
            ("sent_wall_ms", Good::Number(1_795_000_000_000)),
        ],
    },
    Table {
        name: "reply",
        columns: &[
            ("id", Good::Word("a1")),
            ("serial", Good::Number(1)),
            ("command", Good::Word("request")),
            ("service", Good::Word("police")),
            ("named_incident", Good::Nothing),
            ("incident", Good::Id),
            ("durable", Good::Number(1)),
            ("message", Good::Word("Accepted.")),
            ("boot", Good::Id),
            ("accepted_boot_ns", Good::Number(60_000_000_000)),
            ("accepted_wall_ms", Good::Number(1_795_000_000_000)),
            ("clock", Good::Word("synced")),
        ],
    },
    Table {
        name: "sounding",
        columns: &[
            ("incident", Good::Id),
            ("pattern", Good::Word("steady")),
            ("boot", Good::Id),
            ("until_boot_ns", Good::Number(62_000_000_000)),
            ("left_ms", Good::Number(2_000)),
        ],
    },
    Table {
        name: "counters",
        columns: &[
            ("one", Good::Number(1)),
            ("event_seq", Good::Number(3)),
            ("signal_seq", Good::Number(1_000)),
            ("ack_seq", Good::Number(4)),
            ("periodic_test_wall_ms", Good::Nothing),
        ],
    },
    Table {
        name: "plan",
        columns: &[("one", Good::Number(1)), ("serial", Good::Number(1)), ("token", Good::Word("a.b.c"))],
    },
];

const WORDS: [&str; 14] = [
    "police",
    "fire",
    "siren",
    "countdown",
    "aborted",
    "sounding",
    "requested",
    "closed",
    "cancel_request",
    "periodic_test",
    "fault",
    "restore",
    "unsynced",
    "",
];

pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let dir = super::scratch();
    let database = dir.path().join("hub.db");
    fs::write(&database, empty_database()).expect("write");
    put_rows(&database, &mut bytes);
    damage(&database, &mut bytes);

    let (restored, _) = start_and_keep(dir.path());
    // What cannot be used is out of the way by now, and what was written is good.
    let (again, put_aside) = start_and_keep(dir.path());
    assert!(again.counters.event_seq >= restored.counters.event_seq, "events are numbered on");
    assert!(!put_aside, "what the hub has left is of use to it");
}

/// A database as the store makes it.
fn empty_database() -> &'static [u8] {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    EMPTY.get_or_init(|| {
        let dir = super::scratch();
        let (store, told) = start(dir.path());
        restored(&told);
        store.stop();
        fs::read(dir.path().join("hub.db")).expect("read")
    })
}

fn put_rows(database: &Path, bytes: &mut Bytes) {
    let connection = Connection::open(database).expect("open");
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN").expect("begin");
    for _ in 0..bytes.byte() & 7 {
        let table = &TABLES[usize::from(bytes.byte()) % TABLES.len()];
        let mut row: Vec<Value> = table.columns.iter().map(|(_, good)| good_value(*good, bytes)).collect();
        for _ in 0..bytes.byte() & 3 {
            let column = usize::from(bytes.byte()) % row.len();
            row[column] = any_value(bytes);
        }
        let places = vec!["?"; row.len()].join(", ");
        let insert = format!("INSERT OR REPLACE INTO {} VALUES ({places})", table.name);
        // The table itself refuses what is of another type.
        let _ = connection.execute(&insert, rusqlite::params_from_iter(row));
    }
    connection.execute_batch("COMMIT").expect("commit");
    connection.close().expect("close");
}

fn good_value(good: Good, bytes: &mut Bytes) -> Value {
    match good {
        // Few, so that rows are about each other; 1 is also the boot that the hub below runs in.
        Good::Id => Value::Blob(u128::from(bytes.byte() & 3).to_be_bytes().to_vec()),
        Good::Number(number) => Value::Integer(number),
        Good::Word(word) => Value::Text(word.to_owned()),
        Good::Nothing => Value::Null,
    }
}

fn any_value(bytes: &mut Bytes) -> Value {
    match bytes.byte() % 5 {
        0 => Value::Null,
        1 => Value::Integer(bytes.number().cast_signed()),
        2 => Value::Text(bytes.pick(&WORDS).to_owned()),
        3 => Value::Text(bytes.text()),
        _ => Value::Blob(bytes.text().into_bytes()),
    }
}

/// Bytes of the file that are not what they were.
pub fn damage(database: &Path, bytes: &mut Bytes) {
    let wounds = bytes.byte();
    if wounds < 192 {
        return;
    }
    let mut content = fs::read(database).expect("read");
    for _ in 0..wounds & 3 {
        let at = usize::from(u16::from_le_bytes([bytes.byte(), bytes.byte()])) % content.len();
        content[at] ^= bytes.byte();
    }
    fs::write(database, content).expect("write");
}

/// One life of a hub on this directory: what it found, and whether it had to put the file aside.
fn start_and_keep(state_dir: &Path) -> (Restored, bool) {
    let (store, told) = start(state_dir);
    let (found, put_aside) = restored(&told);
    let _ = history::read(state_dir, 100).map(|entries| entries.len());
    let mut hub = Hub::new();
    let mut ticket = 0;
    for input in [Input::Restored(Box::new(found.clone())), Input::Elapsed] {
        for batch in hub.step(input) {
            ticket = ticket.max(batch.ticket);
            store.persist(batch);
        }
    }
    hub.quiet();
    let mut committed = 0;
    while committed < ticket {
        match told.recv_timeout(Duration::from_secs(30)).expect("the store answers") {
            Told::Report(StoreReport::Committed { ticket }) => committed = ticket,
            Told::Report(StoreReport::Failed { problem, .. }) => panic!("it cannot be written: {problem}"),
            _ => {}
        }
    }
    store.stop();
    (found, put_aside)
}

fn start(state_dir: &Path) -> (Store, Receiver<Told>) {
    let (sender, told) = channel();
    (Store::start(state_dir, move |one| drop(sender.send(one))).expect("a thread"), told)
}

fn restored(told: &Receiver<Told>) -> (Restored, bool) {
    let mut put_aside = false;
    loop {
        match told.recv_timeout(Duration::from_secs(30)).expect("the store tells what it found") {
            Told::Restored { restored, .. } => return (*restored, put_aside),
            Told::Report(StoreReport::PutAside { path, .. }) => put_aside |= path.contains("corrupt"),
            Told::Report(StoreReport::Unavailable { problem }) => panic!("{problem}"),
            _ => {}
        }
    }
}
