//! What is owed to the center: sent again until its ack, alarms before everything else.

use sos_hub::controller::effect::{Signal, SignalKind};
use sos_hub::controller::input::{AckResult, Input};
use sos_hub::controller::moment::ClockStanding;
use sos_hub::controller::report::EventKind;
use sos_hub::controller::words::{CallStage, Service, Stage, TestKind};

use crate::hub::{DiskMood, Hub, millis, seconds};
use crate::seen::{is_alarm, is_cancel_request, is_heartbeat};

#[test]
fn an_alarm_is_sent_again_after_five_seconds_and_then_every_ten_until_its_ack() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    let start = hub.at.now;
    hub.after(seconds(40));
    assert_eq!(hub.sent_since(start, is_alarm), [0, 5_000, 15_000, 25_000, 35_000]);
    hub.center_acks_everything();
    hub.after(seconds(100));
    assert_eq!(hub.alarms().len(), 5);
}

#[test]
fn every_copy_has_the_same_jti_and_a_growing_age() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    hub.after(seconds(15));
    let copies = hub.alarms();
    assert!(copies.iter().all(|copy| copy.jti == copies[0].jti && copy.seq == copies[0].seq && !copy.repeat));
    assert_eq!(copies.iter().map(|copy| copy.age_ms).collect::<Vec<_>>(), [0, 5_000, 15_000]);
    assert!(copies.iter().all(|copy| copy.raised_wall == copies[0].raised_wall));
    assert_eq!(copies[2].sent_wall.0 - copies[0].sent_wall.0, 15_000);
}

#[test]
fn an_owed_alarm_goes_out_at_once_on_a_new_connection() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    hub.alarm(Service::Police);
    hub.after(seconds(3_600));
    assert!(hub.alarms().is_empty());
    assert!(hub.siren_line() || hub.state().siren.stops_at.is_none(), "the siren did not wait for it");
    let start = hub.at.now;
    hub.center_link_up();
    hub.after(seconds(15));
    assert_eq!(hub.sent_since(start, is_alarm), [0, 5_000, 15_000]);
    assert_eq!(hub.alarms()[0].age_ms, 3_600_000);
    hub.center_link_down();
    hub.after(seconds(1));
    hub.center_link_up();
    assert_eq!(hub.alarms().len(), 4);
}

#[test]
fn what_the_broker_took_and_lost_is_owed_until_the_signed_ack() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.after(seconds(86_400));
    assert_eq!(hub.state().center.owed, 2, "the alarm, and the periodic test of that day");
    assert_eq!(hub.stage(id), Stage::Requested);
    assert!(hub.alarms().len() > 8_000);
}

#[test]
fn alarms_go_before_everything_else() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    hub.test(TestKind::Center);
    hub.press(0);
    hub.after(seconds(70));
    hub.request(Service::Fire);
    hub.after(seconds(5));
    hub.request(Service::Police);
    hub.after(seconds(5));
    let before = hub.seen.transmitted.len();
    hub.center_link_up();
    let sent: Vec<&Signal> = hub.seen.transmitted[before..].iter().map(|(_, signal)| signal).collect();
    assert!(sent.len() >= 5, "{sent:?}");
    let alarms = sent.iter().take_while(|signal| is_alarm(signal)).count();
    assert_eq!(alarms, sent.iter().filter(|signal| is_alarm(signal)).count());
    assert!(alarms >= 2);
}

#[test]
fn neither_an_alarm_nor_the_wish_to_cancel_it_queues_behind_signals_that_the_center_never_acks() {
    let mut hub = Hub::installed();
    an_outage_of_twelve_days(&mut hub);
    hub.center_link_up();
    hub.after(seconds(60));
    assert!(hub.state().center.owed >= 12);
    let start = hub.at.now;
    hub.request(Service::Police);
    hub.after(seconds(5));
    assert_eq!(hub.sent_since(start, is_alarm), [5_000]);
    hub.cancel();
    assert_eq!(hub.sent_since(start, is_cancel_request), [5_000]);
}

#[test]
fn an_alarm_of_an_incident_that_ended_is_owed_until_its_ack_all_the_same() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.center_updates(id, 1, CallStage::Closed);
    assert_eq!(hub.state().center.owed, 1);
    let jti = hub.alarms()[0].jti;
    hub.center_acks(jti, AckResult::Accepted);
    assert_eq!(hub.state().center.owed, 0);
}

#[test]
fn further_cries_that_the_center_does_not_ack_do_not_fill_the_outbox() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    for _ in 0..2_000 {
        assert_eq!(hub.request(Service::Police).incident, Some(id));
    }
    assert_eq!(hub.state().center.owed, 1 + 8);
    hub.center_acks_everything();
    hub.request(Service::Police);
    assert_eq!(hub.state().center.owed, 1, "and the next one goes out again");
}

#[test]
fn no_step_of_the_wall_clock_makes_an_alarm_look_old_or_young() {
    for step in [315_360_000_000, -315_360_000_000] {
        let mut hub = Hub::installed();
        hub.alarm(Service::Police);
        hub.step_wall(step);
        hub.after(seconds(5));
        assert_eq!(hub.alarms()[1].age_ms, 5_000);
    }
}

#[test]
fn the_age_goes_on_growing_over_a_reboot() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    hub.alarm(Service::Police);
    hub.after(seconds(100));
    let hub = hub.rebooted(seconds(30));
    let alarm = &hub.alarms()[0];
    assert_eq!((alarm.age_ms, alarm.clock), (130_000, ClockStanding::Synced));
}

#[test]
fn without_a_trusted_clock_the_age_is_a_lower_bound_and_is_said_to_be_one() {
    let mut hub = Hub::installed();
    hub.at.clock = ClockStanding::Unsynced;
    hub.alarm(Service::Police);
    hub.after(seconds(100));
    hub.at.clock = ClockStanding::Synced;
    hub.step_wall(315_360_000_000);
    let mut hub = hub.rebooted(seconds(30));
    let uptime_ms = hub.at.now.0 / 1_000_000;
    assert_eq!((hub.alarms()[0].age_ms, hub.alarms()[0].clock), (uptime_ms, ClockStanding::Unsynced));
    hub.after(seconds(5));
    assert_eq!(hub.alarms()[1].age_ms, uptime_ms + 5_000);
}

#[test]
fn a_signal_leaves_only_when_it_is_on_disk_or_the_disk_took_too_long() {
    let mut hub = Hub::installed();
    hub.request(Service::Police);
    hub.disk_is(DiskMood::Stalled);
    let start = hub.at.now;
    hub.after(seconds(5) + millis(249));
    assert!(hub.siren_line(), "the siren waits for nothing");
    assert!(hub.alarms().is_empty());
    hub.after(millis(1));
    assert_eq!(hub.sent_since(start, is_alarm), [5_250]);
}

#[test]
fn a_signal_leaves_as_soon_as_the_disk_has_it() {
    let mut hub = Hub::installed();
    hub.request(Service::Police);
    hub.after(seconds(4));
    hub.disk_is(DiskMood::Stalled);
    hub.after(millis(1_100));
    assert!(hub.alarms().is_empty());
    hub.disk_recovers();
    assert_eq!(hub.alarms()[0].age_ms, 100);
}

#[test]
fn the_seq_of_signals_grows_over_restarts() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    let mut last = 0;
    for _ in 0..5 {
        hub.after(seconds(200));
        let seqs: Vec<u64> = hub.signals(|signal| !is_alarm(signal)).iter().map(|signal| signal.seq).collect();
        assert!(seqs.iter().all(|&seq| seq > last), "{seqs:?} after {last}");
        last = *seqs.iter().max().expect("heartbeats were sent");
        hub = hub.killed(seconds(1));
    }
}

#[test]
fn a_test_of_the_center_goes_out_and_its_confirmation_is_an_event() {
    let mut hub = Hub::installed();
    assert_eq!(hub.test(TestKind::Center).refused, None);
    let test = hub.signals(|signal| signal.kind == SignalKind::Test { periodic: false }).remove(0);
    assert_eq!(hub.state().center.owed, 1);
    hub.center_acks(test.jti, AckResult::Accepted);
    let (_, told) = hub.seen.events.last().expect("an event");
    assert_eq!(told.kind, EventKind::Test { subject: "center", confirmed: Some(true) });
    assert!(told.message.contains("has confirmed"), "{}", told.message);
}

#[test]
fn a_test_that_the_center_refuses_is_told_as_refused() {
    let mut hub = Hub::installed();
    hub.test(TestKind::Center);
    let test = hub.signals(|signal| signal.kind == SignalKind::Test { periodic: false }).remove(0);
    hub.center_acks(test.jti, AckResult::NoMonitoring);
    let told = hub.events(|event| event.message.contains("has refused the test signal"));
    assert_eq!(told.len(), 1, "{:?}", hub.seen.events);
    assert_eq!(told[0].kind, EventKind::Test { subject: "center", confirmed: Some(false) });
    assert_eq!(hub.state().center.owed, 0);
}

#[test]
fn of_what_piled_up_eight_are_under_way_at_a_time_until_all_have_gone() {
    let mut hub = Hub::installed();
    an_outage_of_twelve_days(&mut hub);
    let is_test = |signal: &Signal| signal.kind == SignalKind::Test { periodic: true };
    hub.center_link_up();
    assert_eq!(hub.signals(is_test).len(), 8);
    hub.center_acks_everything();
    hub.after(seconds(1));
    assert_eq!(hub.signals(is_test).len(), 12);
}

/// The link goes down, and a daily test of each day stays owed.
fn an_outage_of_twelve_days(hub: &mut Hub) {
    hub.center_link_down();
    hub.after(seconds(12 * 86_400));
}

#[test]
fn tests_that_are_asked_for_in_an_outage_do_not_pile_up() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    for nth in 0..100 {
        let reply = hub.test(TestKind::Center);
        assert_eq!(reply.refused, None);
        assert!(reply.message.starts_with("There is no connection"), "{}", reply.message);
        assert_eq!(reply.message.contains("asked for before"), nth > 0, "{}", reply.message);
        hub.after(seconds(11));
    }
    assert_eq!(hub.state().center.owed, 1);
    let mut hub = hub.killed(seconds(1));
    hub.after(seconds(11));
    assert!(hub.test(TestKind::Center).message.contains("on its way to the monitoring center already"));
    assert_eq!(hub.state().center.owed, 1);
    hub.center_acks_everything();
    assert_eq!(hub.count(|kind| *kind == EventKind::Test { subject: "center", confirmed: Some(true) }), 1);
    hub.after(seconds(11));
    hub.test(TestKind::Center);
    let is_test = |signal: &Signal| signal.kind == SignalKind::Test { periodic: false };
    let tests = hub.signals(is_test);
    assert_ne!(tests[0].jti, tests[tests.len() - 1].jti, "the next one is a signal of its own");
}

#[test]
fn an_alarm_says_what_its_clock_is_worth_when_it_is_sent() {
    let mut hub = Hub::installed();
    hub.at.clock = ClockStanding::Unsynced;
    hub.alarm(Service::Police);
    assert_eq!(hub.alarms()[0].clock, ClockStanding::Unsynced);
    hub.at.clock = ClockStanding::Synced;
    hub.after(seconds(5));
    assert_eq!(hub.alarms()[1].clock, ClockStanding::Synced, "the age is by the boot clock alone");
}

#[test]
fn an_alarm_that_is_sent_after_a_reboot_by_a_clock_that_nobody_trusts_is_no_older_than_is_known() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    hub.at.clock = ClockStanding::Unsynced;
    let mut hub = hub.rebooted(seconds(3_600));
    hub.after(seconds(1));
    let alarm = hub.alarms().remove(0);
    assert_eq!(alarm.clock, ClockStanding::Unsynced);
    assert!(alarm.age_ms < 60_000, "{} ms", alarm.age_ms);
}

#[test]
fn an_alarm_that_the_loop_was_late_for_was_raised_at_the_end_of_its_countdown() {
    let mut hub = Hub::installed();
    let start = hub.at.wall;
    hub.request(Service::Police);
    hub.hangs(seconds(15));
    hub.input(Input::Elapsed);
    assert_eq!(hub.alarms()[0].raised_wall.0 - start.0, 5_000);
}

#[test]
fn a_heartbeat_costs_no_write() {
    let mut hub = Hub::installed();
    hub.after(seconds(60));
    hub.center_acks_everything();
    let batches = hub.seen.batches;
    let beats = hub.signals(is_heartbeat).len();
    hub.after(seconds(300));
    assert!(hub.signals(is_heartbeat).len() >= beats + 5);
    assert!(hub.seen.batches <= batches + 2, "{} writes", hub.seen.batches - batches);
}
