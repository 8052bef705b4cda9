//! From the request to the end of its countdown, and the alarm that follows.

use sos_hub::controller::input::Content;
use sos_hub::controller::report::{EventKind, Phase};
use sos_hub::controller::settings::Settings;
use sos_hub::controller::words::{CommandName, Service, Stage};

use crate::disk::Disk;
use crate::hub::{Hub, millis, plan, seconds, settings};
use crate::seen::is_alarm;

const TEN_YEARS_MS: i64 = 10 * 365 * 24 * 3_600 * 1_000;

#[test]
fn a_request_is_accepted_at_once_and_opens_a_countdown() {
    let mut hub = Hub::installed();
    let start = hub.at;
    let reply = hub.request(Service::Police);
    let id = reply.incident.expect("accepted");
    assert_eq!(reply.refused, None);
    assert_eq!(reply.durable, Some(true));
    assert_eq!(hub.at.now, start.now);
    assert_eq!(hub.phase(), Phase::Countdown);
    let incident = hub.incident(id);
    assert_eq!(incident.stage, Stage::Countdown);
    assert_eq!(incident.service, Service::Police);
    assert_eq!(incident.source, "app");
    assert_eq!(incident.remaining_ms, 5_000);
    assert_eq!(incident.countdown_ends_at.0, start.wall.0 + 5_000);
    assert!(!incident.resumed);
}

#[test]
fn nothing_sounds_and_nothing_is_sent_before_the_end_of_the_countdown() {
    let mut hub = Hub::installed();
    hub.request(Service::Police);
    hub.after(seconds(5) - millis(1));
    assert!(!hub.siren_line());
    assert!(hub.alarms().is_empty());
}

#[test]
fn siren_and_signal_go_at_the_end_of_the_countdown() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    let id = hub.request(Service::Police).incident.expect("accepted");
    hub.after(seconds(10));
    assert_eq!(hub.siren_edges_since(start), [(5_000, true)]);
    assert_eq!(hub.sent_since(start, is_alarm), [5_000, 10_000]);
    let alarm = hub.alarms().remove(0);
    assert_eq!(alarm.incident, Some(id));
    assert_eq!((alarm.repeat, alarm.resumed, alarm.age_ms), (false, false, 0));
    assert_eq!(alarm.plan.as_deref(), Some("protect_plus"));
    assert_eq!(hub.stages(id), [Stage::Requested]);
    assert_eq!(hub.phase(), Phase::Alarm);
}

#[test]
fn the_service_that_was_asked_for_is_the_one_that_goes_out() {
    for service in [Service::Police, Service::Fire] {
        let mut hub = Hub::installed();
        let id = hub.alarm(service);
        assert_eq!(hub.alarms()[0].service, Some(service));
        assert_eq!(hub.incident(id).service, service);
        assert!(hub.events(|event| event.incident == Some(id)).iter().all(|event| event.service == Some(service)));
    }
}

#[test]
fn source_and_user_of_the_request_go_to_the_center() {
    let mut hub = Hub::installed();
    let (source, user) = (Some("dashboard".into()), Some("ann".into()));
    let content = Content::Request { service: Service::Fire, id: None, source, user, sent_at: None };
    let id = hub.content(CommandName::Request, content).incident.expect("accepted");
    hub.after(seconds(5));
    assert_eq!(hub.incident(id).source, "dashboard");
    assert_eq!(hub.alarms()[0].source.as_deref(), Some("dashboard"));
    assert_eq!(hub.alarms()[0].user.as_deref(), Some("ann"));
}

#[test]
fn the_siren_alone_goes_from_countdown_to_sounding_and_nothing_goes_to_the_center() {
    let mut hub = Hub::installed();
    let sent = hub.seen.transmitted.len();
    let id = hub.alarm(Service::Siren);
    assert_eq!(hub.stage(id), Stage::Sounding);
    assert!(hub.siren_line());
    hub.after(seconds(10));
    hub.silence();
    assert_eq!(hub.stages(id), [Stage::Sounding, Stage::Closed]);
    assert_eq!(hub.seen.transmitted.len(), sent);
    assert_eq!(hub.state().center.owed, 0);
}

#[test]
fn each_second_of_the_countdown_is_told() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    let id = hub.request(Service::Police).incident.expect("accepted");
    hub.after(seconds(6));
    let told: Vec<(u128, u64)> = hub
        .seen
        .events
        .iter()
        .filter_map(|(at, event)| match event.kind {
            EventKind::Countdown { remaining } if event.incident == Some(id) => {
                Some((at.since(start).as_millis(), remaining))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, [(1_000, 4), (2_000, 3), (3_000, 2), (4_000, 1)]);
    let left = hub.seen.states.iter().filter(|(_, state)| state.phase == Phase::Countdown);
    let left: Vec<u64> = left.map(|(_, state)| state.incidents[0].remaining_ms).collect();
    assert_eq!(left, [5_000, 4_000, 3_000, 2_000, 1_000]);
}

#[test]
fn events_and_states_come_in_the_order_of_the_incident() {
    let mut hub = Hub::installed();
    let before = hub.seen.events.len();
    hub.alarm(Service::Police);
    let told = hub.event_types().split_off(before);
    assert_eq!(
        told,
        ["countdown_started", "countdown", "countdown", "countdown", "countdown", "requested", "siren_on"]
    );
}

#[test]
fn the_countdown_runs_from_the_arrival_of_the_request() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    let content = Content::Request { service: Service::Police, id: None, source: None, user: None, sent_at: None };
    let received = hub.received(CommandName::Request, Ok(content));
    hub.hangs(seconds(2));
    hub.command(received);
    hub.after(seconds(10));
    assert_eq!(hub.siren_edges_since(start), [(5_000, true)]);
}

#[test]
fn a_request_that_waited_longer_than_its_countdown_is_an_alarm_at_once() {
    let mut hub = Hub::installed();
    let content = Content::Request { service: Service::Police, id: None, source: None, user: None, sent_at: None };
    let received = hub.received(CommandName::Request, Ok(content));
    hub.hangs(seconds(7));
    let id = hub.command(received).incident.expect("accepted");
    assert!(hub.siren_line());
    assert_eq!(hub.stage(id), Stage::Requested);
    assert_eq!(hub.alarms()[0].age_ms, 2_000);
}

#[test]
fn a_countdown_that_ends_while_the_loop_hangs_is_an_alarm_as_soon_as_it_turns() {
    let mut hub = Hub::installed();
    hub.request(Service::Police);
    hub.after(seconds(1));
    hub.hangs(seconds(6));
    hub.press(3);
    assert!(hub.siren_line());
    assert_eq!(hub.alarms().len(), 1);
}

#[test]
fn no_step_of_the_wall_clock_moves_the_end_of_a_countdown() {
    for step in [TEN_YEARS_MS, -TEN_YEARS_MS] {
        let mut hub = Hub::installed();
        let start = hub.at.now;
        let id = hub.request(Service::Police).incident.expect("accepted");
        hub.after(seconds(2));
        hub.step_wall(step);
        hub.after(seconds(1));
        assert_eq!(hub.incident(id).remaining_ms, 2_000);
        assert_eq!(hub.incident(id).countdown_ends_at.0, hub.at.wall.0 + 2_000);
        hub.after(seconds(2));
        assert_eq!(hub.siren_edges_since(start), [(5_000, true)]);
        assert_eq!(hub.sent_since(start, is_alarm), [5_000]);
        assert_eq!(hub.alarms()[0].age_ms, 0);
    }
}

#[test]
fn the_countdown_is_as_long_as_the_settings_say() {
    for length in [0, 1, 5, 30] {
        let settings = Settings { countdown: seconds(length), ..settings() };
        let mut hub = Hub::installed_with(Disk::with_plan(plan(true, 1)), settings);
        let start = hub.at.now;
        hub.request(Service::Police);
        hub.after(seconds(40));
        assert_eq!(hub.siren_edges_since(start), [(u128::from(length) * 1_000, true)]);
    }
}
