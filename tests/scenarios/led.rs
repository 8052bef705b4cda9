//! The LED: steady when the hub is ready, slow with a fault, fast in a countdown, steady with the siren.

use sos_hub::controller::input::{CenterMessage, HardwareReport, Input};
use sos_hub::controller::settings::Settings;
use sos_hub::controller::words::Service;

use crate::disk::Disk;
use crate::hub::{Hub, millis, plan, seconds, settings};

fn with_a_light() -> Hub {
    Hub::installed_with(Disk::with_plan(plan(true, 1)), Settings { led: true, ..settings() })
}

#[test]
fn a_hub_that_is_ready_shows_a_steady_light_and_sleeps() {
    let mut hub = with_a_light();
    assert!(hub.led_line());
    let edges = hub.seen.led.len();
    hub.after(seconds(60));
    assert_eq!(hub.seen.led.len(), edges);
}

#[test]
fn a_fault_blinks_slowly_until_its_restore() {
    let mut hub = with_a_light();
    hub.input(Input::Hardware(HardwareReport::SirenFailed { problem: "the line is busy".into() }));
    assert_eq!(edges_within(&mut hub, 10), 10);
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    assert_eq!(edges_within(&mut hub, 10), 0);
    assert!(hub.led_line());
}

#[test]
fn a_hub_without_its_center_blinks_slowly() {
    let mut hub = with_a_light();
    hub.center_link_down();
    assert_eq!(edges_within(&mut hub, 4), 4);
}

#[test]
fn whatever_is_shown_begins_with_light_for_its_whole_half() {
    for idle in [0, 100, 130, 200, 380] {
        let mut hub = with_a_light();
        hub.after(millis(idle));
        hub.request(Service::Police);
        hub.after(millis(124));
        assert!(hub.led_line(), "{idle}");
        hub.after(millis(1));
        assert!(!hub.led_line(), "{idle}");
    }
}

#[test]
fn a_fault_that_leaves_the_hub_ready_blinks_as_well() {
    let mut hub = with_a_light();
    hub.center(CenterMessage::Rejected { problem: "it is odd".into() });
    assert!(hub.state().ready && hub.has_fault("center_message"));
    assert_eq!(edges_within(&mut hub, 4), 4);
}

#[test]
fn a_countdown_blinks_fast_also_with_a_fault() {
    let mut hub = with_a_light();
    hub.input(Input::Hardware(HardwareReport::ButtonsFailed { problem: "the chip is gone".into() }));
    hub.request(Service::Police);
    assert_eq!(edges_within(&mut hub, 4), 4 * 8);
}

#[test]
fn with_the_siren_the_light_is_steady_through_the_pauses_of_the_pattern() {
    let mut hub = with_a_light();
    hub.input(Input::Hardware(HardwareReport::ButtonsFailed { problem: "the chip is gone".into() }));
    hub.alarm(Service::Fire);
    assert!(hub.led_line());
    assert_eq!(edges_within(&mut hub, 20), 0);
}

#[test]
fn a_hub_without_a_light_drives_none() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    assert!(hub.seen.led.is_empty());
}

fn edges_within(hub: &mut Hub, span: u64) -> usize {
    let before = hub.seen.led.len();
    hub.after(seconds(span));
    hub.seen.led.len() - before
}
