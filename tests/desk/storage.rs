//! A store that takes its time, or fails.

use sos_hub::center::desk::effect::Changed;
use sos_hub::center::desk::words::{Order, SignalKind};
use sos_hub::controller::moment::Id;

use crate::center::{Mood, millis, seconds};
use crate::people::{CONFIRMED, alarmed, center};

#[test]
fn what_helps_people_does_not_wait_for_a_store_that_fails() {
    let (mut center, incident) = alarmed();
    center.store_is(Mood::Failing);
    center.works(incident, &[Order::CallFirstContact, Order::Outcome(CONFIRMED), Order::Dispatch]);
    assert_eq!(center.told(incident), ["calling_first_contact 1", "confirmed 1", "dispatched"]);
    let health = center.desk.queue().health;
    assert!(health.store.is_some_and(|problem| problem.contains("no space left on device")));
    center.store_is(Mood::Well);
    assert_eq!(center.desk.queue().health.store, None);
    assert_eq!(center.paper.updates.len(), 3);
}

#[test]
fn what_was_waiting_when_the_store_began_to_fail_leaves_at_once() {
    let (mut center, incident) = alarmed();
    center.store_is(Mood::Slow);
    let step = center.view(incident).step;
    let order = center.gives_order(incident, step, Order::CallFirstContact);
    assert_eq!(center.told(incident).len(), 0);
    center.store_is(Mood::Failing);
    assert_eq!((center.told(incident).len(), center.answer(order)), (1, Some(Ok(()))));
}

#[test]
fn updates_keep_their_order_whatever_the_store_does() {
    let (mut center, incident) = alarmed();
    center.store_is(Mood::Slow);
    for order in [Order::CallFirstContact, Order::Outcome(CONFIRMED), Order::Dispatch, Order::Close] {
        let step = center.view(incident).step;
        center.gives_order(incident, step, order);
        center.after(millis(400));
    }
    center.after(seconds(2));
    let seqs: Vec<u64> = center.seen.updates.iter().map(|(_, update)| update.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
}

#[test]
fn a_store_that_says_nothing_for_five_seconds_is_said_to_be_silent() {
    let mut center = center();
    center.store_is(Mood::Slow);
    center.alarm("A1", 1);
    center.seen.changed.clear();
    center.after(millis(4_999));
    assert_eq!(center.desk.queue().health.store, None);
    center.after(millis(1));
    let silent = "The disk does not answer, so hubs are not answered.";
    assert_eq!(center.desk.queue().health.store.as_deref(), Some(silent));
    assert!(center.seen.changed.contains(&Changed::Health));
    center.store_is(Mood::Well);
    assert_eq!(center.desk.queue().health.store, None);
}

#[test]
fn a_store_that_is_far_behind_is_given_alarms_alone() {
    let mut center = center();
    center.store_is(Mood::Failing);
    for jti in 0..20_000 {
        center.other("A1", 1_000 + jti, SignalKind::Test { periodic: false });
    }
    let given = center.seen.batches.len();
    center.other("A1", 500, SignalKind::Test { periodic: false });
    center.heartbeat("A1", &[]);
    assert_eq!(center.seen.batches.len(), given);
    assert_eq!(center.desk.hubs(None).page[0].standing, sos_hub::center::desk::view::HubStanding::Online);
    center.alarm("A1", 1);
    assert_eq!(center.seen.batches.len(), given + 1);
    center.store_is(Mood::Well);
    assert_eq!((center.acks_of(10).len(), center.acks_of(500).len()), (1, 0));
    center.other("A1", 500, SignalKind::Test { periodic: false });
    assert_eq!(center.acks_of(500).len(), 1, "it comes again, and is taken");
}

#[test]
fn an_alarm_waits_three_seconds_for_a_disk_that_hangs_and_counts_once() {
    let mut center = center();
    center.archive_hangs = true;
    center.alarm("A1", 1);
    center.other("A1", 500, SignalKind::Test { periodic: false });
    center.after(millis(2_999));
    assert_eq!(center.desk.queue().open.len(), 0);
    center.after(millis(1));
    assert_eq!(center.desk.queue().open.len(), 1);
    assert_eq!(center.acks_of(500).len(), 0, "nobody's life hangs on it");
    let before = center.view(Id(1));
    center.alarm("A1", 1);
    center.archive_answers();
    assert_eq!(center.view(Id(1)), before);
    assert_eq!(center.acks_of(500).len(), 1);
    center.alarm("A1", 2);
    center.after(seconds(3));
    assert_eq!(center.seen.log.iter().filter(|line| line.text.contains("worked on as a new one")).count(), 1);
}
