//! Heartbeats, the periodic test, and a center that does not answer.

use std::collections::BTreeSet;

use sos_hub::controller::effect::{Signal, SignalKind};
use sos_hub::controller::input::{Ack, AckResult, CenterMessage};
use sos_hub::controller::moment::Id;
use sos_hub::controller::settings::Settings;
use sos_hub::controller::words::{CallStage, Service};

use crate::disk::Disk;
use crate::hub::{Hub, millis, plan, seconds, settings};
use crate::seen::is_heartbeat;

#[test]
fn heartbeats_go_out_on_connecting_and_every_interval() {
    for interval in [10, 60] {
        let settings = Settings { heartbeat: seconds(interval), ..settings() };
        let mut hub = Hub::installed_with(Disk::with_plan(plan(true, 1)), settings);
        let start = hub.at.now;
        hub.after(seconds(3 * interval));
        let ms = u128::from(interval) * 1_000;
        assert_eq!(hub.sent_since(start, is_heartbeat), [0, ms, 2 * ms, 3 * ms]);
        let beat = hub.signals(is_heartbeat).remove(0);
        let interval_seconds = u32::try_from(interval).expect("short");
        assert_eq!(beat.kind, SignalKind::Heartbeat { interval_seconds, open: Vec::new() });
    }
}

#[test]
fn a_heartbeat_names_each_open_incident_and_the_last_update_seen() {
    let mut hub = Hub::installed();
    let police = hub.acknowledged_alarm();
    hub.center_updates(police, 7, CallStage::Dispatched);
    let fire = hub.alarm(Service::Fire);
    hub.alarm(Service::Siren);
    assert_eq!(open(&next_heartbeat(&mut hub)), [(police, 7), (fire, 0)]);
    hub.center_updates(police, 8, CallStage::Closed);
    hub.request(Service::Police);
    hub.after(seconds(4));
    assert_eq!(open(&next_connection(&mut hub)), [(fire, 0)], "no ended one, and no countdown");
}

#[test]
fn what_was_lost_of_the_updates_is_asked_for_over_a_restart_too() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.center_updates(id, 3, CallStage::Dispatched);
    let mut hub = hub.killed(seconds(1)).rebooted(seconds(60));
    assert_eq!(open(&hub.signals(is_heartbeat)[0]), [(id, 3)]);
    hub.center_updates(id, 9, CallStage::Closed);
    assert_eq!(open(&next_connection(&mut hub)), []);
}

#[test]
fn heartbeats_are_not_owed_not_kept_and_not_sent_again() {
    let mut hub = Hub::installed();
    hub.after(seconds(300));
    assert_eq!(hub.state().center.owed, 0);
    let mut jtis: Vec<Id> = hub.signals(is_heartbeat).iter().map(|beat| beat.jti).collect();
    let sent = jtis.len();
    jtis.sort();
    jtis.dedup();
    assert_eq!(jtis.len(), sent, "each once");
    let batches = hub.seen.batches;
    hub.after(seconds(60));
    hub.center_acks_everything();
    assert!(hub.disk.restored().signals.iter().all(|record| !is_heartbeat(&record.signal)));
    assert!(hub.seen.batches <= batches + 1, "a heartbeat costs no write");
}

#[test]
fn no_heartbeat_is_sent_while_the_link_is_down() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    let sent = hub.seen.transmitted.len();
    hub.after(seconds(600));
    assert_eq!(hub.seen.transmitted.len(), sent);
}

#[test]
fn a_center_that_does_not_answer_two_heartbeats_is_silent_until_it_is_heard() {
    let mut hub = Hub::installed();
    hub.after(seconds(125) - millis(1));
    assert!(!hub.has_fault("center_silent"));
    hub.after(millis(1));
    assert!(hub.has_fault("center_silent"));
    assert!(!hub.state().ready);
    hub.center_acks_everything();
    assert!(!hub.has_fault("center_silent"));
    assert!(hub.state().ready);
}

#[test]
fn recorded_acks_do_not_make_a_dead_center_look_alive() {
    let mut hub = Hub::installed();
    let (jti, seq) = hub.acked.iter().map(|(&jti, &seq)| (jti, seq)).next().expect("a heartbeat was acked");
    let replay = |signal| CenterMessage::Ack(Ack { signal, result: AckResult::Accepted, seq, reopened_after: None });
    for _ in 0..13 {
        hub.after(seconds(10));
        hub.center(replay(jti));
    }
    assert!(hub.has_fault("center_silent"));
    let id = hub.alarm(Service::Police);
    hub.center(replay(id));
    assert!(hub.has_fault("center_silent"));
}

#[test]
fn a_recorded_ack_does_not_take_back_that_the_center_knows_no_account() {
    let mut hub = Hub::installed();
    let old = hub.seen.transmitted[0].1.jti;
    hub.alarm(Service::Police);
    let alarm = hub.alarms()[0].jti;
    hub.center_acks(alarm, AckResult::UnknownAccount);
    hub.center_acks(old, AckResult::Accepted);
    assert!(hub.has_fault("center_refused"));
}

#[test]
fn a_refused_heartbeat_is_word_from_the_center_and_a_fault() {
    let mut hub = Hub::installed();
    for _ in 0..5 {
        let beat = next_heartbeat(&mut hub);
        hub.center(CenterMessage::Ack(Ack {
            signal: beat.jti,
            result: AckResult::UnknownAccount,
            seq: 0,
            reopened_after: None,
        }));
    }
    assert!(hub.has_fault("center_refused") && !hub.has_fault("center_silent"));
    let beat = next_heartbeat(&mut hub);
    hub.center(CenterMessage::Ack(Ack {
        signal: beat.jti,
        result: AckResult::NoMonitoring,
        seq: 2,
        reopened_after: None,
    }));
    assert!(!hub.has_fault("center_refused"), "it knows the account");
}

#[test]
fn a_test_signal_goes_to_the_center_every_day() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    for _ in 0..3 * 24 * 60 {
        hub.after(seconds(60));
        hub.center_acks_everything();
    }
    let day = 24 * 3_600 * 1_000;
    assert_eq!(hub.sent_since(start, is_periodic_test), [day, 2 * day, 3 * day]);
}

#[test]
fn a_hub_that_restarts_every_night_sends_its_daily_test_all_the_same() {
    let mut hub = Hub::installed();
    let mut tests = BTreeSet::new();
    for night in 0..4 {
        hub.after(seconds(20 * 3_600));
        hub.center_acks_everything();
        tests.extend(hub.signals(is_periodic_test).iter().map(|test| test.jti));
        hub = if night % 2 == 0 { hub.rebooted(seconds(60)) } else { hub.killed(seconds(1)) };
    }
    assert_eq!(tests.len(), 3);
}

#[test]
fn a_restart_alone_sends_no_test() {
    let mut hub = Hub::installed();
    for _ in 0..5 {
        hub = hub.killed(seconds(1));
        hub.after(seconds(600));
        assert!(hub.signals(is_periodic_test).is_empty());
    }
}

fn is_periodic_test(signal: &Signal) -> bool {
    signal.kind == SignalKind::Test { periodic: true }
}

fn open(beat: &Signal) -> Vec<(Id, u64)> {
    match &beat.kind {
        SignalKind::Heartbeat { open, .. } => open.clone(),
        other => panic!("{other:?} is no heartbeat"),
    }
}

fn next_heartbeat(hub: &mut Hub) -> Signal {
    let sent = hub.signals(is_heartbeat).len();
    hub.after(seconds(60));
    hub.signals(is_heartbeat).remove(sent)
}

fn next_connection(hub: &mut Hub) -> Signal {
    hub.center_link_down();
    hub.center_link_up();
    hub.signals(is_heartbeat).pop().expect("one on connecting")
}
