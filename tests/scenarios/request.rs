//! Requests that join, cry again or stand beside another; and those that are too old to be believed.

use sos_hub::controller::input::{Content, Malformed, Received};
use sos_hub::controller::moment::{ClockStanding, Wall};
use sos_hub::controller::report::{EventKind, Phase};
use sos_hub::controller::words::{CallStage, CommandName, Reason, Service, Stage, TestKind};

use crate::hub::{Hub, millis, seconds};
use crate::seen::is_alarm;

#[test]
fn a_request_in_the_countdown_of_its_service_joins_it() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    let first = hub.request(Service::Police);
    hub.after(seconds(3));
    let second = hub.request(Service::Police);
    assert_eq!((second.refused, second.incident), (None, first.incident));
    assert_eq!(second.durable, Some(true));
    hub.after(seconds(4));
    assert_eq!(hub.siren_edges_since(start), [(5_000, true)]);
    assert_eq!(hub.count(|kind| matches!(kind, EventKind::CountdownStarted { .. })), 1);
    assert_eq!(hub.alarms().len(), 1);
}

#[test]
fn a_frightened_person_who_presses_again_and_again_never_aborts_and_starts_one_countdown() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    for _ in 0..48 {
        assert_eq!(hub.request(Service::Fire).refused, None);
        hub.after(millis(100));
    }
    hub.after(seconds(1));
    assert_eq!(hub.count(|kind| matches!(kind, EventKind::CountdownStarted { .. })), 1);
    assert_eq!(hub.sent_since(start, |signal| is_alarm(signal) && !signal.repeat), [5_000]);
}

#[test]
fn a_second_cry_sounds_the_siren_again_and_sends_another_alarm() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.silence();
    let reply = hub.request(Service::Police);
    assert_eq!((reply.refused, reply.incident), (None, Some(id)));
    assert!(hub.siren_line());
    let alarms = hub.alarms();
    assert_eq!(alarms.len(), 2);
    assert_eq!((alarms[0].repeat, alarms[1].repeat), (false, true));
    assert_ne!(alarms[0].jti, alarms[1].jti);
    assert_eq!(alarms[1].incident, Some(id));
    assert_eq!(alarms[1].service, Some(Service::Police));
    assert_eq!(hub.stage(id), Stage::Acknowledged);
    assert_eq!(hub.count(|kind| matches!(kind, EventKind::CountdownStarted { .. })), 1);
}

#[test]
fn a_second_cry_for_the_siren_alone_sounds_it_for_its_whole_maximum_again() {
    let mut hub = Hub::installed();
    let start = hub.at.now;
    let id = hub.alarm(Service::Siren);
    hub.after(seconds(100));
    let told = hub.seen.states.len();
    assert_eq!(hub.request(Service::Siren).incident, Some(id));
    assert!(hub.seen.states.len() > told, "stops_at has changed");
    hub.after(seconds(300));
    assert_eq!(hub.siren_edges_since(start), [(5_000, true), (345_000, false)]);
}

#[test]
fn another_service_opens_an_incident_of_its_own_and_both_go_out() {
    let mut hub = Hub::installed();
    let police = hub.request(Service::Police).incident;
    hub.after(seconds(3));
    let fire = hub.request(Service::Fire).incident;
    assert_ne!(police, fire);
    let shown: Vec<_> = hub.state().incidents.iter().map(|incident| Some(incident.id)).collect();
    assert_eq!(shown, [police, fire], "oldest first");
    hub.after(seconds(2));
    assert_eq!(hub.phase(), Phase::Alarm, "an alarm is more urgent than a countdown");
    hub.after(seconds(3));
    let sent: Vec<_> = hub.alarms().into_iter().map(|alarm| (alarm.incident, alarm.service)).collect();
    assert_eq!(sent, [(police, Some(Service::Police)), (fire, Some(Service::Fire))]);
}

#[test]
fn after_the_end_of_an_incident_a_request_opens_a_new_one() {
    let mut hub = Hub::installed();
    let first = hub.acknowledged_alarm();
    hub.center_updates(first, 1, CallStage::Closed);
    let second = hub.request(Service::Police).incident.expect("accepted");
    assert_ne!(first, second);
    assert_eq!(hub.stage(second), Stage::Countdown);
}

#[test]
fn every_retained_command_is_refused_and_changes_nothing() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Police).incident.expect("accepted");
    let before = hub.state().clone();
    for (command, content) in every_command() {
        let received = Received { retained: true, ..hub.received(command, Ok(content)) };
        assert_eq!(hub.command(received).refused, Some(Reason::Retained));
    }
    let broken = Err(Malformed { id: None, problem: "the payload is no UTF-8".into() });
    let received = Received { retained: true, ..hub.received(CommandName::Request, broken) };
    assert_eq!(hub.command(received).refused, Some(Reason::Retained));
    assert_eq!(*hub.state(), before);
    hub.after(seconds(5));
    assert_eq!(hub.stages(id), [Stage::Requested]);
}

#[test]
fn a_request_that_is_older_than_a_minute_by_a_trusted_clock_is_stale() {
    let mut hub = Hub::installed();
    let sent_at = |ms: i64, hub: &Hub| Some(Wall(hub.at.wall.0 - ms));
    let reply = hub.request_with(Service::Police, None, sent_at(60_001, &hub));
    assert_eq!(reply.refused, Some(Reason::Stale));
    assert!(reply.message.contains("without sent_at"), "{}", reply.message);
    assert_eq!(hub.phase(), Phase::Idle);
    assert_eq!(hub.request_with(Service::Police, None, sent_at(60_000, &hub)).refused, None);
}

#[test]
fn no_request_is_stale_by_a_clock_that_nobody_trusts() {
    let mut hub = Hub::installed();
    hub.at.clock = ClockStanding::Unsynced;
    let day_old = Wall(hub.at.wall.0 - 86_400_000);
    assert_eq!(hub.request_with(Service::Police, None, Some(day_old)).refused, None);
}

#[test]
fn a_phone_whose_clock_runs_ahead_and_one_that_sends_no_time_are_believed() {
    let mut hub = Hub::installed();
    let ahead = Wall(hub.at.wall.0 + 600_000);
    assert_eq!(hub.request_with(Service::Police, None, Some(ahead)).refused, None);
    assert_eq!(hub.request_with(Service::Fire, None, None).refused, None);
}

#[test]
fn a_duplicate_of_the_transport_without_an_id_is_stale_and_says_what_always_works() {
    let mut hub = Hub::installed();
    for (command, content) in every_command() {
        let received = Received { duplicate: true, ..hub.received(command, Ok(content)) };
        let reply = hub.command(received);
        assert_eq!(reply.refused, Some(Reason::Stale));
        assert!(reply.message.contains("without sent_at"), "{}", reply.message);
    }
    assert_eq!(hub.phase(), Phase::Idle);
}

#[test]
fn a_duplicate_with_an_id_is_obeyed_once() {
    let mut hub = Hub::installed();
    let content = request("press-1");
    let duplicate = Received { duplicate: true, ..hub.received(CommandName::Request, Ok(content)) };
    let first = hub.command(duplicate.clone());
    assert_eq!(first.refused, None);
    assert_eq!(hub.command(duplicate), first);
    assert_eq!(hub.count(|kind| matches!(kind, EventKind::CountdownStarted { .. })), 1);
}

#[test]
fn a_request_that_was_refused_may_try_again_with_its_id() {
    let mut hub = Hub::installed();
    let old = Some(Wall(hub.at.wall.0 - 600_000));
    assert_eq!(hub.request_with(Service::Police, Some("press-1"), old).refused, Some(Reason::Stale));
    assert_eq!(hub.request_with(Service::Police, Some("press-1"), None).refused, None);
}

fn request(id: &str) -> Content {
    Content::Request { service: Service::Police, id: Some(id.into()), source: None, user: None, sent_at: None }
}

/// Each command, without an id.
fn every_command() -> [(CommandName, Content); 5] {
    let cancel = sos_hub::controller::input::CancelTarget::Every;
    [
        (
            CommandName::Request,
            Content::Request { service: Service::Fire, id: None, source: None, user: None, sent_at: None },
        ),
        (CommandName::Cancel, Content::Cancel { incident: cancel, id: None }),
        (CommandName::Silence, Content::Silence { id: None }),
        (CommandName::Test, Content::Test(TestKind::Siren)),
        (CommandName::Test, Content::Test(TestKind::Center)),
    ]
}
