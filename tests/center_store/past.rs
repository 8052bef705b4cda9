//! Questions to the archive, and accounts that change beside a running center.

use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

use sos_hub::center::desk::input::Past;
use sos_hub::center::desk::records::{HubRecord, Record};
use sos_hub::center::desk::words::{Account, Contact, Signal, SignalKind};
use sos_hub::center::nudge::nudge;
use sos_hub::center::store::books::{Books, Entry, Hand};
use sos_hub::center::store::{Archive, Ledger, Operator};
use sos_hub::controller::moment::{ClockStanding, Id, Wall};
use sos_hub::controller::words::CallStage;
use tempfile::tempdir;

use crate::center::{Center, DEADLINE, database, plans, restored_in};
use crate::records::*;

fn wait_for<T>(answer: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(DEADLINE, answer).await.expect("an answer in time") })
}

fn heard(number: u64) -> Box<Signal> {
    Box::new(Signal {
        jti: signal(number).jti,
        account: account(number),
        kind: SignalKind::CancelRequest { incident: Id(number.into()) },
        source: None,
        user: None,
        raised_wall: None,
        sent_wall: None,
        age: Duration::ZERO,
        clock: ClockStanding::Synced,
        seq: 1,
        claims: String::new(),
    })
}

fn look_up(center: &Center, signal: Box<Signal>, incidents: Vec<Id>) -> (Box<Signal>, Past) {
    let (sender, answer) = mpsc::channel();
    center.store.look_up(signal, incidents, move |signal, past| drop(sender.send((signal, past))));
    let (signal, past) = answer.recv_timeout(Duration::from_secs(60)).unwrap();
    (signal, past.unwrap())
}

#[test]
fn a_signal_and_its_incidents_are_found_however_old() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    let known = update(1, 1, CallStage::Closed, None);
    center.commit(vec![Record::Signal(signal(1)), Record::Incident(ended(1)), Record::Update(known.clone())]);
    let (asked, past_of_it) = look_up(&center, heard(1), vec![Id(5), Id(1)]);
    assert_eq!(asked, heard(1));
    assert_eq!(past_of_it.signal, Some(past(&signal(1))));
    assert_eq!(past_of_it.incidents.len(), 1);
    assert_eq!((&past_of_it.incidents[0].incident, &past_of_it.incidents[0].updates), (&ended(1), &vec![known]));

    // The same id from another account is another signal.
    let mut of_another = heard(1);
    of_another.account = account(2);
    assert_eq!(look_up(&center, of_another, vec![]).1.signal, None);
    center.stop();
}

#[test]
fn the_past_is_read_page_by_page() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    for number in 1..=25 {
        let mut one = ended(number);
        // Some at the same moment.
        one.received_wall = Wall(NOON + number as i64 / 3);
        center.persist(vec![Record::Incident(one), Record::Audit(audit(number))]);
    }
    center.commit(vec![Record::Step(step(25, 1))]);
    let archive = center.archive();
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = wait_for(archive.past_incidents(before, 10)).unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.received_wall, last.id));
        seen.extend(page.iter().map(|one| one.id.0));
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());

    let newest = wait_for(archive.audit(None, 20)).unwrap();
    let older = wait_for(archive.audit(Some(newest[19].0), 20)).unwrap();
    let lines: Vec<_> = newest.into_iter().chain(older).map(|(_, line)| line).collect();
    assert_eq!(lines, (1..=25).rev().map(audit).collect::<Vec<_>>());

    let whole = wait_for(archive.incident(Id(25))).unwrap().unwrap();
    assert_eq!(whole.steps, [step(25, 1)]);
    assert_eq!(wait_for(archive.incident(Id(99))).unwrap(), None);
    center.stop();
}

#[test]
fn a_disk_that_hangs_keeps_nobody_waiting() {
    let dir = tempdir().unwrap();
    let center = Center::start(dir.path());
    let archive = center.archive();
    let (release, held) = mpsc::channel::<()>();
    archive.look_up(heard(1), Vec::new(), move |_, _| {
        let _ = held.recv();
    });
    assert_eq!(wait_for(archive.operator("ann")), Err("The disk does not answer.".to_owned()));
    release.send(()).unwrap();
    assert_eq!(wait_for(archive.operator("ann")), Ok(None));
    center.stop();
}

#[test]
fn what_cannot_be_read_is_said_and_tried_anew_at_the_next_question() {
    let dir = tempdir().unwrap();
    let archive = Archive::start(dir.path()).unwrap();
    let problem = wait_for(archive.operator("ann")).unwrap_err();
    assert!(problem.contains("center.db cannot be read"), "{problem}");
    let center = Center::started(dir.path());
    assert_eq!(wait_for(archive.operator("ann")), Ok(None));
    database(dir.path()).execute_batch("ALTER TABLE operator RENAME TO people").unwrap();
    assert!(wait_for(archive.operator("ann")).is_err());
    database(dir.path()).execute_batch("ALTER TABLE people RENAME TO operator").unwrap();
    assert_eq!(wait_for(archive.operator("ann")), Ok(None));
    center.stop();
}

fn entry(number: u64) -> Entry {
    let contact = |name: &str| Contact { name: name.to_owned(), phone: "112".to_owned() };
    let account = Account {
        id: account(number),
        name: "The Smiths".to_owned(),
        address: String::new(),
        plan: "protect_plus".to_owned(),
        contacts: vec![contact("Zoe"), contact("Ann")],
        has_password: true,
        closed: false,
    };
    Entry { account, password_hash: Some("$hash".to_owned()), key_pem: format!("key {number}") }
}

fn hand() -> Hand {
    Hand { who: "command line (ann)".to_owned(), wall: Wall(NOON) }
}

#[test]
fn accounts_that_change_beside_a_running_center_are_told_after_a_nudge() {
    let dir = tempdir().unwrap();
    let mut books = Books::open(dir.path()).unwrap();
    books.add(&entry(1), &plans(), &hand(), |_| Ok(())).unwrap();
    let center = Center::start(dir.path());
    let found = center.found();
    assert_eq!(found.restored.accounts, [entry(1).account]);
    assert_eq!(found.keys, [(account(1), "key 1".to_owned())]);
    assert_eq!(found.restored.tokens.len(), 1);

    books.add(&entry(3), &plans(), &hand(), |_| Ok(())).unwrap();
    books.add(&entry(2), &plans(), &hand(), |_| Ok(())).unwrap();
    assert!(nudge(dir.path()));
    let both = [2, 3].map(|number| (entry(number).account, format!("key {number}")));
    assert_eq!(center.accounts(), both);
    // A nudge without a change is no news.
    assert!(nudge(dir.path()));
    books.set_plan(&account(2), "none", &plans(), &hand()).unwrap();
    assert!(nudge(dir.path()));
    let mut changed = entry(2).account;
    changed.plan = "none".to_owned();
    assert_eq!(center.accounts(), [(changed, "key 2".to_owned())]);

    let archive = center.archive();
    assert_eq!(wait_for(archive.password_hash(&account(1))), Ok(Some("$hash".to_owned())));
    assert_eq!(wait_for(archive.password_hash(&account(9))), Ok(None));
    assert_eq!(wait_for(archive.has_operators()), Ok(false));
    books.add_operator("ann", "$hash", &hand()).unwrap();
    assert_eq!(wait_for(archive.has_operators()), Ok(true));
    let ann = Operator { name: "ann".to_owned(), hash: "$hash".to_owned() };
    assert_eq!(wait_for(archive.operator("ann")), Ok(Some(ann)));
    center.stop();
    assert!(!nudge(dir.path()), "nobody is left to hear it");
}

#[test]
fn an_account_that_is_opened_again_has_forgotten_the_heartbeats_of_its_hub() {
    let dir = tempdir().unwrap();
    let mut books = Books::open(dir.path()).unwrap();
    books.add(&entry(1), &plans(), &hand(), |_| Ok(())).unwrap();
    let center = Center::started(dir.path());
    let heard = HubRecord { sent_wall: Some(Wall(NOON)), ahead: Some((Wall(NOON + 1), Wall(NOON + 2))), ..hub(1, 7) };
    center.commit(vec![Record::Hub(heard.clone())]);
    center.stop();
    assert_eq!(restored_in(dir.path()).hubs[0], heard);
    books.close_account(&account(1), &plans(), &hand()).unwrap();
    books.add(&entry(1), &plans(), &hand(), |_| Ok(())).unwrap();
    let forgotten = HubRecord { signal_seq: 0, sent_wall: None, ahead: None, ..heard };
    assert_eq!(restored_in(dir.path()).hubs, [forgotten]);
}

#[test]
fn an_account_whose_bundle_fails_is_not_added() {
    let dir = tempdir().unwrap();
    let mut books = Books::open(dir.path()).unwrap();
    let refused = books.add(&entry(1), &plans(), &hand(), |_| Err("No space.".to_owned()));
    assert_eq!(refused, Err("No space.".to_owned()));
    assert!(books.accounts().unwrap().is_empty());
    let count: i64 = database(dir.path()).query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 0);
}
