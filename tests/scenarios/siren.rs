//! The siren: its patterns, its maximum, what silences it, and its test.

use sos_hub::controller::input::{AckResult, HardwareReport, Input};
use sos_hub::controller::report::EventKind;
use sos_hub::controller::words::{CallStage, Pattern, Reason, Service, Stage, TestKind};

use crate::hub::{Hub, millis, seconds};

/// ISO 8201: half a second on and off three times, then 1.5 s of silence.
const TEMPORAL_3: [(u128, bool); 6] =
    [(0, true), (500, false), (1_000, true), (1_500, false), (2_000, true), (2_500, false)];

#[test]
fn a_start_never_asserts_the_siren_and_drives_its_line_to_rest() {
    let hub = Hub::installed();
    assert_eq!(hub.seen.siren.iter().map(|&(_, asserted)| asserted).collect::<Vec<_>>(), [false]);
}

/// Whatever else a turn brings may take its time, or end the process.
#[test]
fn the_siren_is_driven_before_anything_else_that_a_turn_brings() {
    for service in Service::ALL {
        // A heartbeat is due every minute: once the countdown ends with it.
        for idle in [seconds(20), seconds(55)] {
            let mut hub = Hub::installed();
            hub.after(idle);
            hub.request(service);
            hub.after(seconds(5) - millis(1));
            hub.dies_after(1);
            let end = hub.at.now + millis(1);
            hub.after(millis(1));
            assert!(hub.dead);
            assert_eq!(hub.seen.siren.last(), Some(&(end, true)));
        }
    }
}

#[test]
fn police_and_the_siren_alone_sound_steady() {
    for service in [Service::Police, Service::Siren] {
        let mut hub = Hub::installed();
        let start = hub.at.now;
        hub.alarm(service);
        assert_eq!(hub.state().siren.pattern, Pattern::Steady);
        hub.after(seconds(30));
        assert_eq!(hub.siren_edges_since(start), [(5_000, true)]);
    }
}

#[test]
fn fire_sounds_temporal_three() {
    let mut hub = Hub::installed();
    hub.request(Service::Fire);
    let end = hub.at.now + seconds(5);
    hub.after(seconds(5) + seconds(12) - millis(1));
    assert_eq!(hub.siren_edges_since(end), temporal_3(3, 0));
    assert_eq!(hub.state().siren.pattern, Pattern::Temporal3);
    assert!(hub.state().siren.sounding, "the pauses belong to the pattern");
}

#[test]
fn where_two_sound_the_pattern_of_fire_wins_and_ends_with_it() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    hub.request(Service::Fire);
    hub.after(seconds(5));
    let from_fire = hub.at.now;
    hub.after(seconds(8) - millis(1));
    assert_eq!(hub.siren_edges_since(from_fire)[..], temporal_3(2, 0)[1..], "it sounded already");
    let fire = hub.alarms().last().and_then(|alarm| alarm.incident).expect("an alarm");
    hub.center_acks_everything();
    hub.center_updates(fire, 1, CallStage::Closed);
    assert_eq!(hub.state().siren.pattern, Pattern::Steady);
    let from_end = hub.at.now;
    hub.after(seconds(8));
    assert_eq!(hub.siren_edges_since(from_end), [(0, true)]);
}

#[test]
fn a_police_alarm_beside_a_fire_leaves_the_pattern_as_it_runs() {
    let mut hub = Hub::installed();
    hub.request(Service::Fire);
    hub.after(millis(1_300));
    hub.request(Service::Police);
    let fire_begins = hub.at.now + millis(3_700);
    hub.after(millis(3_700) + seconds(12) - millis(1));
    assert_eq!(hub.siren_edges_since(fire_begins), temporal_3(3, 0));
}

#[test]
fn the_siren_stops_at_its_maximum_and_does_not_start_again_by_itself() {
    for service in [Service::Police, Service::Siren] {
        let mut hub = Hub::installed();
        let start = hub.at.now;
        let id = hub.alarm(service);
        assert_eq!(hub.state().siren.stops_at.map(|at| at.0), Some(hub.at.wall.0 + 240_000));
        hub.after(seconds(2_000));
        assert_eq!(hub.siren_edges_since(start), [(5_000, true), (245_000, false)]);
        assert_eq!(hub.stages(id).contains(&Stage::Closed), service == Service::Siren);
        assert_eq!(hub.count(|kind| matches!(kind, EventKind::SirenOn { .. })), 1);
        assert_eq!(hub.count(|kind| matches!(kind, EventKind::SirenOff)), 1);
        assert_eq!(hub.state().siren.stops_at, None);
    }
}

#[test]
fn the_pattern_of_fire_stops_at_its_maximum_too() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Fire);
    let begins = hub.at.now;
    hub.after(seconds(600));
    let edges = hub.siren_edges_since(begins);
    assert_eq!(edges, temporal_3(60, 0));
    assert!(!hub.state().siren.sounding);
}

#[test]
fn each_alarm_has_a_maximum_of_its_own() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    hub.alarm(Service::Siren);
    hub.after(seconds(100));
    hub.alarm(Service::Police);
    hub.after(seconds(600));
    assert_eq!(hub.siren_edges_since(start), [(5_000, true), (350_000, false)]);
}

#[test]
fn the_siren_stops_when_the_first_contact_cancels_or_the_center_closes() {
    for stage in [CallStage::CancelledByContact, CallStage::Closed] {
        let mut hub = Hub::installed();
        let id = hub.acknowledged_alarm();
        hub.center_updates(id, 1, CallStage::Dispatched);
        assert!(hub.siren_line());
        hub.center_updates(id, 2, stage);
        assert!(!hub.siren_line());
        assert_eq!(hub.event_types().last(), Some(&"siren_off"));
    }
}

#[test]
fn the_end_of_one_alarm_does_not_silence_another() {
    let mut hub = Hub::installed();
    let police = hub.acknowledged_alarm();
    hub.alarm(Service::Siren);
    hub.center_updates(police, 1, CallStage::Closed);
    assert!(hub.siren_line());
}

#[test]
fn silence_stops_the_sound_and_help_is_still_coming() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    let reply = hub.silence();
    assert_eq!(reply.refused, None);
    assert!(reply.message.contains("The request for help goes on"), "{}", reply.message);
    assert!(!hub.siren_line());
    assert_eq!(hub.stage(id), Stage::Acknowledged);
    hub.center_updates(id, 1, CallStage::Dispatched);
    hub.after(seconds(300));
    assert!(!hub.siren_line());
}

#[test]
fn silence_covers_what_sounds_now_and_a_later_alarm_sounds_again() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    hub.request(Service::Fire);
    hub.silence();
    assert!(!hub.siren_line());
    hub.after(seconds(5));
    assert!(hub.siren_line());
}

#[test]
fn silence_stops_every_alarm_that_sounds_and_no_countdown() {
    let mut hub = Hub::installed();
    let alone = hub.alarm(Service::Siren);
    hub.alarm(Service::Fire);
    let police = hub.request(Service::Police).incident.expect("accepted");
    hub.silence();
    assert!(!hub.state().siren.sounding);
    assert_eq!((hub.stage(alone), hub.stage(police)), (Stage::Closed, Stage::Countdown));
}

#[test]
fn silence_where_nothing_sounds_is_accepted_and_says_so() {
    let mut hub = Hub::installed();
    let reply = hub.silence();
    assert_eq!((reply.refused, reply.message.as_str()), (None, "The siren was not on."));
}

#[test]
fn after_a_refusal_by_the_center_the_siren_can_be_silenced() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    let jti = hub.alarms()[0].jti;
    hub.center_acks(jti, AckResult::NoMonitoring);
    assert!(hub.siren_line());
    hub.silence();
    assert!(!hub.siren_line());
}

#[test]
fn a_test_sounds_for_two_seconds() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    let reply = hub.test(TestKind::Siren);
    assert_eq!((reply.refused, reply.incident), (None, None));
    hub.after(seconds(10));
    assert_eq!(hub.siren_edges_since(start), [(0, true), (2_000, false)]);
    assert!(hub.event_types().ends_with(&["test", "siren_on", "siren_off"]));
}

#[test]
fn a_test_of_a_siren_that_cannot_be_used_says_so() {
    let mut hub = Hub::installed();
    hub.input(Input::Hardware(HardwareReport::SirenFailed { problem: "the line is busy".into() }));
    assert!(hub.test(TestKind::Siren).message.contains("the line is busy"));
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    hub.after(seconds(10));
    assert_eq!(hub.test(TestKind::Siren).message, "The siren is tested for two seconds.");
}

#[test]
fn of_a_siren_that_cannot_be_used_nobody_is_told_that_it_is_on() {
    let mut hub = Hub::installed();
    hub.input(Input::Hardware(HardwareReport::SirenFailed { problem: "the line is busy".into() }));
    let why = "The siren cannot be used: the line is busy.";
    hub.request(Service::Siren);
    hub.after(seconds(5));
    let said = "The siren alone was asked for, and is switched on.";
    assert_eq!(hub.state().message, format!("{said} {why}"));
    let told = hub.seen.events.iter().find(|(_, event)| matches!(event.kind, EventKind::SirenOn { .. }));
    assert_eq!(told.expect("it is told").1.message, format!("The siren should sound. {why}"));
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    assert_eq!(hub.state().message, said);
}

#[test]
fn a_test_is_refused_while_an_incident_is_open() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    hub.request(Service::Police);
    for kind in [TestKind::Siren, TestKind::Center] {
        assert_eq!(hub.test(kind).refused, Some(Reason::Busy));
    }
    assert_eq!(hub.siren_edges_since(start), []);
    hub.after(seconds(5));
    hub.silence();
    assert_eq!(hub.test(TestKind::Siren).refused, Some(Reason::Busy));
    assert!(!hub.siren_line());
}

#[test]
fn a_test_never_stops_or_hides_the_sound_of_an_alarm_that_the_center_refused() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    let jti = hub.alarms()[0].jti;
    hub.center_acks(jti, AckResult::NoMonitoring);
    assert_eq!(hub.test(TestKind::Siren).refused, Some(Reason::Busy));
    assert_eq!(hub.test(TestKind::Center).refused, None, "nothing is open, and people want to know");
    hub.after(seconds(10));
    assert!(hub.siren_line());
}

#[test]
fn a_countdown_ends_a_test_of_the_siren() {
    let mut hub = Hub::installed();
    hub.test(TestKind::Siren);
    hub.after(seconds(1));
    hub.request(Service::Police);
    assert!(!hub.siren_line());
}

fn temporal_3(periods: u128, start: u128) -> Vec<(u128, bool)> {
    let period = |number: u128| TEMPORAL_3.map(|(at, asserted)| (start + number * 4_000 + at, asserted));
    (0..periods).flat_map(period).collect()
}

#[test]
fn a_siren_that_sounds_is_written_down_once_a_second() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Siren);
    let batches = hub.seen.batches;
    hub.after(seconds(60));
    let writes = hub.seen.batches - batches;
    assert!((59..=63).contains(&writes), "{writes} writes");
    let mut hub = hub.killed(seconds(1));
    let batches = hub.seen.batches;
    hub.after(seconds(60));
    let writes = hub.seen.batches - batches;
    assert!((59..=63).contains(&writes), "{writes} writes after a restart");
}

#[test]
fn the_pattern_of_fire_wakes_the_hub_at_its_edges_alone() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Fire);
    hub.center_acks_everything();
    hub.after(seconds(20));
    let turns = hub.turns;
    hub.after(seconds(40));
    // Six edges in four seconds, of which four fall on a second; each second a mark is made and written.
    let turns = hub.turns - turns;
    assert!(turns <= 60 + 10 + 40 + 5, "{turns} turns");
}
