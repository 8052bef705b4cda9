//! A restart keeps the deadline; after a reboot one countdown starts afresh; what sounded goes on.

use sos_hub::controller::effect::Signal;
use sos_hub::controller::input::{AckResult, CenterMessage, Input};
use sos_hub::controller::moment::Boottime;
use sos_hub::controller::report::{EventKind, Phase};
use sos_hub::controller::words::{CallStage, Pattern, PlanStanding, Service, Stage};

use crate::disk::Disk;
use crate::hub::{DiskMood, Hub, millis, plan, seconds};
use crate::seen::is_alarm;

const UPTIME_MS: u64 = 8_000;

#[test]
fn a_restart_in_the_countdown_keeps_incident_and_deadline() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Police).incident.expect("accepted");
    let start = hub.at.now;
    hub.after(seconds(2));
    let mut hub = hub.killed(seconds(1));
    let incident = hub.incident(id);
    assert_eq!((incident.stage, incident.remaining_ms, incident.resumed), (Stage::Countdown, 2_000, false));
    hub.after(seconds(10));
    assert_eq!(hub.siren_edges_since(start), [(5_000, true)]);
    assert_eq!(hub.sent_since(start, is_alarm)[0], 5_000);
    assert_eq!(hub.count(|kind| matches!(kind, EventKind::CountdownStarted { .. })), 0);
}

#[test]
fn a_restart_past_the_deadline_is_the_alarm_at_once() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Police).incident.expect("accepted");
    hub.after(seconds(4));
    let hub = hub.killed(seconds(3));
    assert_eq!(hub.seen.siren, [(hub.at.now, true)]);
    assert_eq!(hub.stages(id), [Stage::Requested]);
    assert_eq!(hub.alarms()[0].age_ms, 2_000);
}

#[test]
fn a_restart_every_second_does_not_move_the_alarm() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    hub.request(Service::Police);
    for _ in 0..4 {
        hub.after(millis(800));
        hub = hub.killed(millis(200));
    }
    hub.after(seconds(5));
    assert_eq!(hub.siren_edges_since(start), [(5_000, true)]);
}

#[test]
fn a_countdown_can_be_aborted_after_a_restart_and_after_a_reboot() {
    for reboot in [false, true] {
        let mut hub = Hub::installed();
        let id = hub.request(Service::Police).incident.expect("accepted");
        hub.after(seconds(2));
        let mut hub = if reboot { hub.rebooted(seconds(20)) } else { hub.killed(seconds(1)) };
        assert_eq!(hub.cancel().incident, Some(id));
        let mut hub = hub.rebooted(seconds(20)).killed(seconds(1));
        hub.after(seconds(10));
        assert!(hub.alarms().is_empty() && !hub.siren_line() && hub.state().incidents.is_empty());
    }
}

#[test]
fn after_a_reboot_a_countdown_starts_afresh_marked_as_resumed() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Fire).incident.expect("accepted");
    hub.after(seconds(4));
    let mut hub = hub.rebooted(seconds(30));
    let start = hub.at.now;
    let incident = hub.incident(id);
    assert_eq!((incident.stage, incident.remaining_ms, incident.resumed), (Stage::Countdown, 5_000, true));
    assert_eq!(hub.count(|kind| *kind == EventKind::CountdownStarted { resumed: true }), 1);
    hub.after(seconds(5));
    assert_eq!(hub.siren_edges_since(start).first(), Some(&(5_000, true)));
    assert!(hub.alarms()[0].resumed);
}

#[test]
fn a_second_reboot_in_the_countdown_goes_straight_to_the_alarm() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Police).incident.expect("accepted");
    hub.after(seconds(1));
    let mut hub = hub.rebooted(seconds(30));
    hub.after(seconds(1));
    let hub = hub.rebooted(seconds(30));
    assert_eq!(hub.stage(id), Stage::Requested);
    assert!(hub.siren_line());
    assert!(hub.alarms()[0].resumed);
}

#[test]
fn a_restart_within_the_resumed_countdown_keeps_its_deadline() {
    let mut hub = Hub::installed();
    hub.request(Service::Police);
    let mut hub = hub.rebooted(seconds(30));
    let start = hub.at.now;
    hub.after(seconds(2));
    let mut hub = hub.killed(seconds(1));
    hub.after(seconds(4));
    assert_eq!(hub.siren_edges_since(start), [(5_000, true)]);
}

#[test]
fn the_jti_of_an_alarm_is_the_same_over_every_crash() {
    let mut hub = Hub::installed();
    hub.request(Service::Police);
    let drawn = hub.disk.incidents()[0].alarm;
    let mut hub = hub.killed(seconds(1)).rebooted(seconds(30));
    hub.after(seconds(5));
    let sent = hub.alarms();
    let hub = hub.killed(seconds(1)).rebooted(seconds(30));
    assert!(sent.iter().chain(&hub.alarms()).all(|alarm: &Signal| alarm.jti == drawn && !alarm.repeat));
    assert_eq!(hub.alarms().len(), 1, "on the new connection");
}

#[test]
fn an_alarm_goes_on_at_its_step_after_a_restart() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.center_updates(id, 1, CallStage::CallingFirstContact);
    let mut hub = hub.killed(seconds(1)).rebooted(seconds(30));
    assert_eq!(hub.stage(id), Stage::CallingFirstContact);
    assert!(hub.alarms().is_empty(), "it was acked");
    hub.center_updates(id, 1, CallStage::Closed);
    assert_eq!(hub.stage(id), Stage::CallingFirstContact, "the number of the last update is on disk");
    hub.center_updates(id, 2, CallStage::NoAnswer);
    assert_eq!(hub.stage(id), Stage::NoAnswer);
}

#[test]
fn a_late_update_of_an_incident_that_ended_before_the_restart_is_ignored_in_peace() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.center_updates(id, 1, CallStage::Closed);
    let mut hub = hub.killed(seconds(1));
    hub.center_updates(id, 2, CallStage::Dispatched);
    assert!(hub.state().faults.is_empty() && hub.state().incidents.is_empty());
}

#[test]
fn the_siren_goes_on_to_its_end_over_a_restart() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    hub.alarm(Service::Police);
    hub.after(seconds(100));
    let mut hub = hub.killed(seconds(1));
    assert_eq!(hub.seen.siren, [(hub.at.now, true)], "its level is put right at once, and never the wrong way");
    hub.after(seconds(600));
    assert_eq!(hub.siren_edges_since(start), [(106_000, true), (245_000, false)]);
}

#[test]
fn after_a_reboot_the_siren_sounds_for_the_unused_part_of_its_maximum() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Fire);
    hub.after(seconds(100));
    let mut hub = hub.rebooted(seconds(3_000));
    assert_eq!(hub.state().siren.pattern, Pattern::Temporal3);
    let start = hub.at.now;
    hub.after(seconds(140) - millis(1));
    assert!(hub.state().siren.sounding);
    // The used part is written down each second.
    hub.after(seconds(1));
    assert!(!hub.state().siren.sounding);
    hub.after(seconds(600));
    assert_eq!(hub.siren_edges_since(start).len(), 140 / 4 * 6);
}

#[test]
fn a_damaged_memory_makes_no_countdown_and_no_sound_without_end() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Police).incident.expect("accepted");
    hub.disk.damage(id);
    let mut hub = hub.killed(seconds(1));
    hub.after(seconds(5));
    assert_eq!(hub.incident(id).stage, Stage::Requested, "the alarm, no later than a whole countdown from here");
    for reboot in [false, true] {
        hub.disk.damage(id);
        hub = if reboot { hub.rebooted(seconds(1)) } else { hub.killed(seconds(1)) };
        let start = hub.at.now;
        assert!(hub.state().siren.sounding);
        hub.after(seconds(239));
        assert_eq!(hub.siren_edges_since(start), [(0, true)]);
    }
    let start = hub.at.now;
    hub.after(seconds(3_600));
    assert_eq!(hub.siren_edges_since(start), [(1_000, false)]);
}

#[test]
fn no_number_of_reboots_makes_the_siren_sound_longer_than_a_second_each() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    for _ in 0..4 {
        hub.after(seconds(50));
        hub = hub.rebooted(seconds(30));
    }
    hub.after(seconds(40 + 4));
    assert!(!hub.siren_line());
}

#[test]
fn what_was_silenced_stays_silent_over_restarts() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.silence();
    for reboot in [false, true] {
        hub = if reboot { hub.rebooted(seconds(10)) } else { hub.killed(seconds(1)) };
        hub.after(seconds(10));
        assert_eq!(hub.seen.siren.iter().filter(|(_, asserted)| *asserted).count(), 0);
        assert_eq!(hub.stage(id), Stage::Acknowledged);
    }
}

#[test]
fn a_siren_alone_whose_maximum_passed_while_the_hub_was_down_is_closed() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Siren);
    hub.after(seconds(239));
    let hub = hub.killed(seconds(10));
    assert_eq!(hub.seen.siren, [(hub.at.now, false)]);
    assert_eq!(hub.stages(id), [Stage::Closed]);
}

#[test]
fn the_siren_of_a_refused_alarm_goes_on_over_a_restart() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    let jti = hub.alarms()[0].jti;
    hub.center_acks(jti, AckResult::NoMonitoring);
    let hub = hub.killed(seconds(1));
    assert!(hub.siren_line());
    assert_eq!(hub.phase(), Phase::Idle);
}

#[test]
fn events_are_numbered_one_by_one_over_restarts() {
    let mut hub = Hub::installed();
    let mut seqs: Vec<u64> = Vec::new();
    for round in 0..6 {
        hub.request(Service::Police);
        hub.after(seconds(2));
        hub.cancel();
        seqs.extend(hub.seen.events.iter().map(|(_, event)| event.seq));
        hub = if round % 2 == 0 { hub.killed(seconds(1)) } else { hub.rebooted(seconds(30)) };
    }
    assert!(seqs.len() > 20);
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
}

#[test]
fn the_state_is_told_at_every_start_and_whenever_the_app_link_comes_up() {
    let mut hub = Hub::installed().killed(seconds(1));
    assert_eq!(hub.state().phase, Phase::Idle);
    let told = hub.seen.states.len();
    hub.input(Input::AppLink(sos_hub::controller::input::LinkChange::Up));
    assert_eq!(hub.seen.states.len(), told + 1);
}

#[test]
fn whoever_wants_the_state_is_told_it_once_more_and_nothing_else_comes_of_it() {
    let mut hub = Hub::installed();
    let incident = hub.request(Service::Police).incident.expect("accepted");
    let (states, events) = (hub.seen.states.len(), hub.seen.events.len());
    hub.input(Input::StateWanted);
    assert_eq!((hub.seen.states.len(), hub.seen.events.len()), (states + 1, events));
    assert_eq!(hub.stage(incident), Stage::Countdown);
}

#[test]
fn a_disk_that_comes_late_brings_back_what_it_holds_and_ends_nothing_that_began_since() {
    let mut hub = Hub::installed();
    let old = hub.acknowledged_alarm();
    hub.silence();
    let seq = hub.seen.events.last().expect("events").1.seq;
    let found = hub.disk.restored();
    let mut hub = Hub::started(crate::disk::Disk::with_plan(plan(true, 1)), crate::hub::settings());
    hub.disk_is(DiskMood::Stalled);
    let new = hub.request(Service::Fire).incident.expect("accepted");
    hub.input(Input::Restored(Box::new(found)));
    hub.disk_recovers();
    let shown: Vec<_> = hub.state().incidents.iter().map(|incident| incident.id).collect();
    assert_eq!(shown, [old, new], "oldest first");
    assert!(hub.disk.restored().counters.event_seq >= seq, "an earlier number does not come back");
    hub.after(seconds(5));
    assert_eq!(hub.stage(new), Stage::Requested);
    assert!(hub.seen.events.last().expect("events").1.seq > seq);
}

#[test]
fn after_a_reboot_people_are_told_at_once_that_nobody_has_confirmed() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    let id = hub.alarm(Service::Police);
    hub.after(seconds(3));
    let hub = hub.rebooted(seconds(30));
    assert!(hub.incident(id).message.contains("has not confirmed yet"), "{}", hub.incident(id).message);
    assert!(hub.alarms()[0].age_ms >= UPTIME_MS);
}

#[test]
fn a_siren_alone_that_sounds_goes_on_over_a_restart_until_its_maximum() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Siren);
    hub.after(seconds(10));
    let mut hub = hub.killed(seconds(1));
    hub.after(seconds(1));
    assert!(hub.siren_line());
    assert_eq!(hub.stage(id), Stage::Sounding);
    hub.after(seconds(227));
    assert!(hub.siren_line());
    hub.after(seconds(1));
    assert!(!hub.siren_line());
    assert_eq!(hub.stage(id), Stage::Closed);
}

#[test]
fn what_the_center_has_ended_stays_silent_over_a_restart() {
    for end in [CallStage::CancelledByContact, CallStage::Closed] {
        let mut hub = Hub::installed();
        let id = hub.acknowledged_alarm();
        hub.center_updates(id, 1, end);
        assert!(!hub.siren_line());
        let mut hub = hub.killed(seconds(1));
        hub.after(seconds(30));
        assert_eq!(hub.siren_edges_since(Boottime(0)), [], "{end:?}");
    }
}

#[test]
fn a_memory_that_comes_late_brings_back_no_older_plan() {
    let mut hub = Hub::installed();
    hub.center(CenterMessage::Plan(plan(false, 5)));
    let old = Disk::with_plan(plan(true, 1)).restored();
    hub.input(Input::Restored(Box::new(old)));
    assert_eq!(hub.state().plan.standing, PlanStanding::Denied);
}
