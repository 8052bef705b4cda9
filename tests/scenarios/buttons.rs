//! Buttons: held for their time they are a press; noise, a stuck contact and a second press are not what they seem.

use sos_hub::controller::input::{HardwareReport, Input};
use sos_hub::controller::moment::Boottime;
use sos_hub::controller::report::{Event, EventKind, Phase};
use sos_hub::controller::words::{PlanStanding, Reason, Service, Stage};

use crate::disk::Disk;
use crate::hub::{Hub, millis, plan, seconds, settings};
use crate::seen::is_alarm;

const HALLWAY: usize = 0;
const KITCHEN: usize = 1;
const BEDROOM: usize = 2;

#[test]
fn a_button_that_is_held_for_its_time_is_a_request_at_that_moment() {
    for (button, service, source) in [
        (HALLWAY, Service::Police, "button:hallway"),
        (KITCHEN, Service::Fire, "button:kitchen"),
        (BEDROOM, Service::Siren, "button:bedroom"),
    ] {
        let mut hub = Hub::installed();
        hub.press(button);
        hub.after(seconds(1) - millis(1));
        assert_eq!(hub.phase(), Phase::Idle);
        hub.after(millis(1));
        let incident = &hub.state().incidents[0];
        assert_eq!((incident.service, incident.source.as_str(), incident.remaining_ms), (service, source, 5_000));
    }
}

#[test]
fn a_button_that_is_let_go_too_early_is_nothing() {
    let mut hub = Hub::installed();
    for _ in 0..5 {
        hub.press(HALLWAY);
        hub.after(millis(999));
        hub.release(HALLWAY);
        hub.after(millis(1));
    }
    hub.after(seconds(10));
    assert!(nothing_happened(&hub));
}

#[test]
fn a_level_that_is_told_twice_does_not_start_the_hold_again() {
    let mut hub = Hub::installed();
    hub.press(HALLWAY);
    hub.after(millis(600));
    hub.press(HALLWAY);
    hub.after(millis(400));
    assert_eq!(hub.phase(), Phase::Countdown);
}

#[test]
fn a_press_needs_neither_broker_nor_center() {
    let mut hub = Hub::started(Disk::with_plan(plan(true, 1)), settings());
    let start = hub.at.now;
    hub.hold(HALLWAY);
    hub.after(seconds(10));
    assert_eq!(hub.siren_edges_since(start), [(6_000, true)]);
    hub.come_up();
    assert_eq!(hub.alarms().len(), 1);
}

#[test]
fn a_second_press_joins_the_countdown_and_never_aborts() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    hub.hold(HALLWAY);
    hub.after(millis(500));
    hub.hold(HALLWAY);
    hub.hold(HALLWAY);
    hub.after(seconds(5));
    assert_eq!(hub.siren_edges_since(start), [(6_000, true)]);
    assert_eq!(hub.count(|kind| matches!(kind, EventKind::CountdownStarted { .. })), 1);
}

#[test]
fn one_press_is_one_press_however_long_it_is_held() {
    let mut hub = Hub::installed();
    hub.press(HALLWAY);
    hub.after(seconds(55));
    hub.release(HALLWAY);
    hub.after(seconds(5));
    assert_eq!(hub.alarms().iter().filter(|alarm| alarm.repeat).count(), 0);
    assert_eq!(hub.state().incidents.len(), 1);
}

#[test]
fn a_press_in_an_open_alarm_is_a_second_cry() {
    let mut hub = Hub::installed();
    hub.hold(HALLWAY);
    hub.after(seconds(6));
    hub.silence();
    hub.hold(HALLWAY);
    assert!(hub.siren_line());
    let repeat = hub.alarms().pop().expect("sent");
    assert!(repeat.repeat && repeat.source.as_deref() == Some("button:hallway"));
}

#[test]
fn a_press_without_monitoring_is_refused_aloud_and_nothing_sounds() {
    for (monitoring, reason) in [(Some(false), Reason::PlanRequired), (None, Reason::NotProvisioned)] {
        let disk = monitoring.map_or_else(Disk::default, |monitoring| Disk::with_plan(plan(monitoring, 1)));
        let mut hub = Hub::installed_with(disk, settings());
        assert_ne!(hub.state().plan.standing, PlanStanding::Active);
        hub.hold(HALLWAY);
        hub.after(seconds(10));
        assert_eq!(hub.refusals(), [reason]);
        assert!(!hub.siren_line() && hub.sent_since(hub.at.now - seconds(11), is_alarm).is_empty());
    }
}

#[test]
fn noise_of_50_hz_or_1_khz_is_no_press_but_a_fault() {
    for period_us in [20_000, 1_000] {
        let mut hub = Hub::installed();
        noise(&mut hub, period_us, 3_000_000);
        assert_eq!(hub.phase(), Phase::Idle);
        assert!(hub.has_fault("button_noisy"), "{period_us} us");
        assert!(hub.fault_message("button_noisy").contains("hallway"));
        assert!(!hub.has_fault("button_stuck"));
        hub.after(seconds(10));
        assert!(!hub.has_fault("button_noisy"));
        assert_eq!(hub.count(|kind| matches!(kind, EventKind::Fault { .. })), 1, "once, not at every edge");
    }
}

#[test]
fn a_real_press_is_seen_on_a_line_that_was_noisy_and_beside_one_that_is() {
    let mut hub = Hub::installed();
    noise(&mut hub, 20_000, 2_000_000);
    hub.press(KITCHEN);
    noise(&mut hub, 20_000, 1_000_000);
    assert_eq!(hub.state().incidents[0].service, Service::Fire);
    hub.hold(HALLWAY);
    assert_eq!(hub.state().incidents[1].service, Service::Police);
}

#[test]
fn a_button_found_held_at_a_start_is_stuck_at_once_and_nothing_until_it_was_released() {
    let mut hub = Hub::started_with_levels(Disk::with_plan(plan(true, 1)), settings(), &[HALLWAY]);
    assert!(hub.has_fault("button_stuck"));
    hub.come_up();
    assert!(!hub.state().ready);
    assert!(hub.fault_message("button_stuck").contains("hallway"));
    hub.after(seconds(120));
    hub.press(HALLWAY);
    hub.after(seconds(2));
    assert!(nothing_happened(&hub));
    hub.release(HALLWAY);
    hub.after(millis(50));
    assert!(!hub.has_fault("button_stuck"));
    hub.hold(HALLWAY);
    assert_eq!(hub.phase(), Phase::Countdown);
}

#[test]
fn a_button_that_is_held_for_a_minute_is_stuck_until_it_is_released() {
    let mut hub = Hub::installed();
    hub.press(HALLWAY);
    hub.after(seconds(60) - millis(1));
    assert!(!hub.has_fault("button_stuck"));
    hub.after(millis(1));
    assert!(hub.has_fault("button_stuck"));
    hub.release(HALLWAY);
    hub.after(millis(50));
    assert!(!hub.has_fault("button_stuck"));
    hub.hold(HALLWAY);
    assert!(hub.alarms().last().expect("sent").repeat);
}

#[test]
fn a_glitch_on_the_line_of_a_stuck_button_frees_nothing() {
    let mut hub = Hub::started_with_levels(Disk::with_plan(plan(true, 1)), settings(), &[HALLWAY]);
    hub.come_up();
    for _ in 0..3 {
        hub.release(HALLWAY);
        hub.after(millis(49));
        hub.press(HALLWAY);
        hub.after(seconds(2));
    }
    assert!(nothing_happened(&hub));
    assert!(hub.has_fault("button_stuck"));
}

#[test]
fn two_stuck_buttons_have_a_fault_each_and_the_center_hears_of_the_first_and_of_the_end_of_the_last() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    hub.press(HALLWAY);
    hub.after(seconds(2));
    hub.press(KITCHEN);
    hub.after(seconds(58));
    hub.center_acks_everything();
    hub.after(seconds(2));
    assert_eq!(hub.state().faults.iter().filter(|fault| fault.code == "button_stuck").count(), 2);
    hub.release(HALLWAY);
    hub.after(seconds(8));
    hub.release(KITCHEN);
    hub.after(millis(50));
    assert!(hub.state().faults.is_empty());
    let notice =
        |signal: &sos_hub::controller::effect::Signal| signal.incident.is_none() && !crate::seen::is_heartbeat(signal);
    assert_eq!(hub.sent_since(start, notice), [60_000, 70_050]);
}

#[test]
fn a_stuck_button_does_not_keep_the_others_from_working() {
    let mut hub = Hub::installed();
    hub.press(BEDROOM);
    hub.after(seconds(61));
    hub.hold(KITCHEN);
    assert_eq!(hub.state().incidents.last().map(|incident| incident.service), Some(Service::Fire));
}

#[test]
fn a_line_that_was_lost_in_a_hold_is_as_at_a_start_when_it_is_back() {
    let mut hub = Hub::installed();
    hub.press(HALLWAY);
    hub.after(millis(500));
    hub.input(Input::ButtonLost { index: HALLWAY });
    hub.input(Input::Hardware(HardwareReport::ButtonsFailed { problem: "the chip is gone".into() }));
    assert!(hub.has_fault("button_lines"));
    hub.after(seconds(5));
    assert_eq!(hub.phase(), Phase::Idle);
    hub.input(Input::Hardware(HardwareReport::ButtonsWork));
    hub.press(HALLWAY);
    assert!(!hub.has_fault("button_lines") && hub.has_fault("button_stuck"));
}

#[test]
fn a_line_that_was_lost_takes_no_other_button_with_it() {
    let mut hub = Hub::installed();
    hub.input(Input::ButtonLost { index: HALLWAY });
    hub.input(Input::Hardware(HardwareReport::ButtonsFailed { problem: "line 4 is in use".into() }));
    hub.hold(KITCHEN);
    assert_eq!(hub.phase(), Phase::Countdown);
    assert!(!hub.has_fault("button_stuck"));
}

#[test]
fn a_tap_before_the_loop_stalled_is_no_press() {
    let mut hub = Hub::installed();
    let pressed = hub.at.now;
    hub.hangs(seconds(3));
    hub.input(Input::Button { index: HALLWAY, asserted: true, at: pressed });
    hub.input(Input::Button { index: HALLWAY, asserted: false, at: pressed + millis(200) });
    hub.after(seconds(10));
    assert!(nothing_happened(&hub));
}

#[test]
fn a_press_that_was_held_while_the_loop_stalled_counts() {
    let mut hub = Hub::installed();
    let pressed = hub.at.now;
    hub.hangs(seconds(3));
    hub.input(Input::Button { index: HALLWAY, asserted: true, at: pressed });
    hub.input(Input::Button { index: HALLWAY, asserted: false, at: pressed + seconds(1) });
    assert_eq!(hub.phase(), Phase::Countdown);
}

#[test]
fn a_cancel_button_whose_hold_ends_with_the_countdown_is_too_late() {
    let mut hub = Hub::installed();
    hub.hold(HALLWAY);
    hub.after(seconds(4));
    hub.hold(3);
    let id = hub.state().incidents[0].id;
    assert_eq!(hub.stages(id), [Stage::Requested]);
    assert_eq!(hub.refusals(), [Reason::TooLate]);
}

/// The hallway's line toggles for a while, and ends released.
fn noise(hub: &mut Hub, period_us: u64, span_us: u64) {
    let half = std::time::Duration::from_micros(period_us / 2);
    for _ in 0..span_us / period_us {
        hub.press(HALLWAY);
        hub.after(half);
        hub.release(HALLWAY);
        hub.after(half);
    }
}

fn nothing_happened(hub: &Hub) -> bool {
    hub.phase() == Phase::Idle && hub.state().incidents.is_empty() && !hub.siren_line() && hub.alarms().is_empty()
}

#[test]
fn a_button_that_is_held_is_stuck_after_a_minute_though_nothing_else_happens() {
    // A press that is refused: nothing else wakes the hub up.
    let mut hub = Hub::installed_with(Disk::with_plan(plan(false, 1)), settings());
    hub.after(seconds(7));
    let pressed = hub.at.now;
    hub.press(HALLWAY);
    hub.after(seconds(70));
    let stuck = |event: &&(Boottime, Event)| matches!(event.1.kind, EventKind::Fault { code: "button_stuck" });
    let told = hub.seen.events.iter().find(stuck).expect("it is told");
    assert_eq!(told.0.since(pressed), seconds(60));
}

#[test]
fn a_stuck_button_whose_line_was_lost_is_free_once_it_was_let_go() {
    let mut hub = Hub::started_with_levels(Disk::with_plan(plan(true, 1)), settings(), &[HALLWAY]);
    hub.come_up();
    hub.input(Input::ButtonLost { index: HALLWAY });
    hub.release(HALLWAY);
    hub.after(millis(50));
    assert!(!hub.has_fault("button_stuck"));
    hub.hold(HALLWAY);
    assert_eq!(hub.phase(), Phase::Countdown);
}

#[test]
fn many_taps_that_are_seconds_apart_are_no_noise() {
    let mut hub = Hub::installed();
    for _ in 0..30 {
        hub.press(HALLWAY);
        hub.after(millis(10));
        hub.release(HALLWAY);
        hub.after(seconds(2));
    }
    assert!(!hub.has_fault("button_noisy") && nothing_happened(&hub));
}
