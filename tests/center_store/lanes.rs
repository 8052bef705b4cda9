//! What goes together, and what goes first.

use sos_hub::center::desk::effect::Urgency;
use sos_hub::center::desk::records::Record;
use sos_hub::center::store::{Ledger, Told};
use tempfile::tempdir;

use crate::center::{Center, restored_in};
use crate::records::*;

#[test]
fn what_waits_together_is_committed_together_and_in_order() {
    let dir = tempdir().unwrap();
    let center = Center::stalled(dir.path());
    let tickets: Vec<u64> = (1..=1_000).map(|number| center.persist(vec![Record::Signal(signal(number))])).collect();
    center.store.ping(1);
    center.store.ping(2);
    assert!(center.told_already().is_empty(), "a stalled store holds nobody up, and tells nothing");
    center.release();
    assert_eq!(center.committed(), tickets);
    assert!(matches!(center.next(), Told::Pong(2)));
    center.stop();
    assert_eq!(restored_in(dir.path()).signals, (1..=1_000).map(|number| past(&signal(number))).collect::<Vec<_>>());
}

#[test]
fn an_alarm_waits_for_one_group_of_heartbeats_at_most() {
    let dir = tempdir().unwrap();
    let center = Center::stalled(dir.path());
    let mut tickets: Vec<u64> =
        (1..=500).map(|number| center.put(Urgency::Soon, vec![Record::Hub(hub(number, 1))])).collect();
    let alarm = center.persist(vec![Record::Signal(signal(1)), Record::Hub(hub(1, 2))]);
    tickets.push(alarm);
    center.release();
    let reports = center.until_committed(&tickets);
    let before = reports.iter().position(|report| report.contains(&alarm)).unwrap();
    assert_eq!((before, reports[before].as_slice()), (0, [alarm].as_slice()), "{reports:?}");
    assert!(reports.iter().all(|report| report.len() <= 64), "{reports:?}");
    center.stop();
    assert_eq!(restored_in(dir.path()).hubs.len(), 500);
}

#[test]
fn a_heartbeat_that_is_overtaken_does_not_set_its_hub_back() {
    let dir = tempdir().unwrap();
    let center = Center::stalled(dir.path());
    let early = center.put(Urgency::Soon, vec![Record::Hub(hub(1, 1))]);
    let alarm = center.persist(vec![Record::Signal(signal(1)), Record::Hub(hub(1, 2))]);
    center.release();
    center.until_committed(&[early, alarm]);
    center.stop();
    assert_eq!(restored_in(dir.path()).hubs, [hub(1, 2)]);
}

#[test]
fn heartbeats_of_one_hub_are_one_row_and_each_has_its_answer() {
    let dir = tempdir().unwrap();
    let center = Center::stalled(dir.path());
    let tickets: Vec<u64> =
        (1..=10_000).map(|beat| center.put(Urgency::Soon, vec![Record::Hub(hub(beat % 10, beat))])).collect();
    center.release();
    let reports = center.until_committed(&tickets);
    assert_eq!(reports.len(), 1, "one commit for all of them");
    center.stop();
    let hubs = restored_in(dir.path()).hubs;
    assert_eq!(
        hubs,
        (0..10).map(|number| hub(number, if number == 0 { 10_000 } else { 9_990 + number })).collect::<Vec<_>>()
    );
}

#[test]
fn a_few_heartbeats_are_written_without_anything_else_to_wake_the_store() {
    let dir = tempdir().unwrap();
    let center = Center::started(dir.path());
    let ticket = center.put(Urgency::Soon, vec![Record::Hub(hub(1, 1))]);
    center.until_committed(&[ticket]);
    center.stop();
}

#[test]
fn what_is_in_no_hurry_but_is_no_heartbeat_keeps_its_order() {
    let dir = tempdir().unwrap();
    let center = Center::stalled(dir.path());
    let soon = center.put(Urgency::Soon, vec![Record::Token(token(1, 1)), Record::Hub(hub(1, 1))]);
    let now = center.persist(vec![Record::Token(token(1, 2))]);
    center.release();
    assert_eq!(center.committed(), [soon, now]);
    center.stop();
    assert_eq!(restored_in(dir.path()).tokens, [token(1, 2)]);
}
