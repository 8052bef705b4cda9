//! Any rows in the center's database, and any damage to its bytes: the center says what is wrong with it, or starts,
//! goes on with what it found, and can be started again on what it wrote.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use sos_hub::center::desk::input::{Input, StoreReport};
use sos_hub::center::store::{Ledger, Store, Told};

use super::bytes::Bytes;
use super::desk::{Center, settings};

/// What stands in columns of text: names of accounts first, then words that some column knows.
const WORDS: [&str; 28] = [
    "a-1",
    "a-2",
    "police",
    "fire",
    "waiting",
    "calling_first",
    "dispatch_due",
    "dispatched",
    "cancelled",
    "closed",
    "confirmed",
    "no_answer",
    "wrong_password",
    "no_contact",
    "answered",
    "accepted",
    "no_monitoring",
    "unknown_account",
    "calling_first_contact",
    "cancelled_by_contact",
    "calling_other_contacts",
    "contact,address",
    "password",
    "protect_plus",
    "none",
    "storage",
    "{}",
    "",
];

pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mut center = Center::new(settings(&mut bytes));
    let dir = super::scratch();
    let database = dir.path().join("center.db");
    fs::write(&database, &empty().database).expect("write");
    put_rows(&database, &mut bytes);
    super::stored_rows::damage(&database, &mut bytes);

    if start_and_keep(dir.path(), &mut center) {
        let mut again = Center::new(settings(&mut Bytes::new(data)));
        assert!(start_and_keep(dir.path(), &mut again), "what the center has written it can read");
    }
}

/// A database as the store makes it, and the types of its tables' columns.
struct Empty {
    database: Vec<u8>,
    tables: Vec<(String, Vec<String>)>,
}

fn empty() -> &'static Empty {
    static EMPTY: OnceLock<Empty> = OnceLock::new();
    EMPTY.get_or_init(|| {
        let dir = super::scratch();
        let (store, told) = start(dir.path());
        assert!(matches!(next(&told), Told::Restored(..)));
        store.stop();
        let path = dir.path().join("center.db");
        let connection = Connection::open(&path).expect("open");
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = connection.prepare(sql).expect("prepare");
            let rows = statement.query_map([], |row| row.get(0)).expect("query");
            rows.map(|row| row.expect("text")).collect()
        };
        let tables = texts("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").into_iter();
        let columns = |table: &str| texts(&format!("SELECT type FROM pragma_table_info('{table}')"));
        let tables = tables.map(|table| (columns(&table), table)).map(|(columns, table)| (table, columns)).collect();
        Empty { database: fs::read(path).expect("read"), tables }
    })
}

fn put_rows(database: &Path, bytes: &mut Bytes) {
    let connection = Connection::open(database).expect("open");
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN").expect("begin");
    for _ in 0..bytes.byte() & 15 {
        let (table, columns) = &empty().tables[usize::from(bytes.byte()) % empty().tables.len()];
        let mut row: Vec<Value> = columns.iter().map(|column| fitting_value(column, bytes)).collect();
        if bytes.byte() & 3 == 3 {
            let column = usize::from(bytes.byte()) % row.len();
            row[column] = any_value(bytes);
        }
        let places = vec!["?"; row.len()].join(", ");
        // The table itself refuses what is of another type, or was there before.
        let _ = connection.execute(&format!("INSERT INTO {table} VALUES ({places})"), rusqlite::params_from_iter(row));
    }
    connection.execute_batch("COMMIT").expect("commit");
    connection.close().expect("close");
}

fn fitting_value(column: &str, bytes: &mut Bytes) -> Value {
    match column {
        // Few, so that rows are about each other.
        "BLOB" => Value::Blob(u128::from(bytes.byte() & 3).to_be_bytes().to_vec()),
        "INTEGER" => Value::Integer((bytes.number() >> 1).cast_signed()),
        _ => Value::Text(bytes.pick(&WORDS).to_owned()),
    }
}

fn any_value(bytes: &mut Bytes) -> Value {
    match bytes.byte() % 4 {
        0 => Value::Null,
        1 => Value::Integer(bytes.number().cast_signed()),
        2 => Value::Text(bytes.text()),
        _ => Value::Blob(bytes.text().into_bytes()),
    }
}

/// One life of a center on this directory: whether it started.
fn start_and_keep(state_dir: &Path, center: &mut Center) -> bool {
    let (store, told) = start(state_dir);
    let restored = match next(&told) {
        Told::Restored(restored, _) => restored,
        Told::Fatal(problem) => {
            assert!(problem.contains("center.db") && problem.ends_with('.'), "{problem}");
            return false;
        }
        other => panic!("it begins with {other:?}"),
    };
    let mut ticket = 0;
    for input in [Input::Restored(restored), Input::Elapsed] {
        for batch in center.step(input) {
            ticket = batch.ticket;
            store.persist(batch);
        }
    }
    center.quiet();
    if ticket > 0 {
        loop {
            match next(&told) {
                Told::Report(StoreReport::Committed { tickets }) if tickets.contains(&ticket) => break,
                // Damage that shows only when something is written.
                Told::Report(StoreReport::Failing { problem }) => {
                    assert!(problem.contains("center.db"), "{problem}");
                    return false;
                }
                _ => {}
            }
        }
    }
    store.stop();
    true
}

fn start(state_dir: &Path) -> (Store, Receiver<Told>) {
    let (sender, told) = channel();
    (Store::start(state_dir, move |one| drop(sender.send(one))).expect("a thread"), told)
}

fn next(told: &Receiver<Told>) -> Told {
    told.recv_timeout(Duration::from_secs(30)).expect("the store answers")
}
