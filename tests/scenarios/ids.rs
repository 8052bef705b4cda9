//! Commands that carry an id: a repeat gets the same reply again and starts nothing.

use sos_hub::controller::input::{CancelTarget, Content, ReplyTo};
use sos_hub::controller::moment::ClockStanding;
use sos_hub::controller::report::{EventKind, Reply};
use sos_hub::controller::words::{CommandName, Reason, Service, Stage};

use crate::hub::{Hub, millis, seconds};

#[test]
fn a_repeat_gets_the_same_reply_and_starts_nothing() {
    let mut hub = Hub::installed();
    let first = request(&mut hub, "press-1");
    assert_eq!(first.id.as_deref(), Some("press-1"));
    hub.cancel();
    hub.after(seconds(30));
    let again = request(&mut hub, "press-1");
    assert_eq!(again, first);
    assert!(hub.state().incidents.is_empty());
    assert_eq!(countdowns(&hub), 1);
}

#[test]
fn a_repeat_after_the_countdown_is_no_second_cry() {
    let mut hub = Hub::installed();
    let first = request(&mut hub, "press-1");
    hub.after(seconds(6));
    assert_eq!(request(&mut hub, "press-1"), first);
    assert_eq!(hub.alarms().len(), 1);
}

#[test]
fn source_user_and_time_do_not_make_another_content() {
    let mut hub = Hub::installed();
    let first = request(&mut hub, "press-1");
    let (source, user) = (Some("watch".into()), Some("ann".into()));
    let sent_at = Some(hub.at.wall);
    let content = Content::Request { service: Service::Police, id: Some("press-1".into()), source, user, sent_at };
    assert_eq!(hub.content(CommandName::Request, content), first);
}

#[test]
fn a_repeated_cancel_does_not_abort_what_came_after_it() {
    let mut hub = Hub::installed();
    hub.request(Service::Police);
    let first = cancel(&mut hub, "cancel-1", CancelTarget::Every);
    let second = hub.request(Service::Police).incident.expect("accepted");
    assert_eq!(cancel(&mut hub, "cancel-1", CancelTarget::Every), first);
    assert_eq!(hub.stage(second), Stage::Countdown);
}

#[test]
fn a_repeated_silence_does_not_silence_what_sounds_since() {
    let mut hub = Hub::installed();
    let silence = || Content::Silence { id: Some("quiet-1".into()) };
    hub.alarm(Service::Police);
    let first = hub.content(CommandName::Silence, silence());
    hub.alarm(Service::Fire);
    assert_eq!(hub.content(CommandName::Silence, silence()), first);
    assert!(hub.state().siren.sounding);
}

#[test]
fn the_same_id_with_other_content_is_refused_and_raises_a_fault() {
    let others = [
        (
            CommandName::Request,
            Content::Request { service: Service::Fire, id: id(), source: None, user: None, sent_at: None },
        ),
        (CommandName::Silence, Content::Silence { id: id() }),
        (CommandName::Cancel, Content::Cancel { incident: CancelTarget::Every, id: id() }),
    ];
    for (command, content) in others {
        let mut hub = Hub::installed();
        let incident = request(&mut hub, "press-1").incident.expect("accepted");
        assert_eq!(hub.content(command, content).refused, Some(Reason::IdReused));
        assert!(hub.has_fault("id_reused"));
        assert_eq!(hub.state().incidents.len(), 1);
        assert_eq!(hub.stage(incident), Stage::Countdown);
        hub.after(seconds(601));
        assert!(!hub.has_fault("id_reused"), "every fault has its restore");
    }
}

#[test]
fn a_cancel_with_a_used_id_and_another_incident_is_refused() {
    let mut hub = Hub::installed();
    hub.request(Service::Police);
    assert_eq!(cancel(&mut hub, "cancel-1", CancelTarget::Every).refused, None);
    let incident = hub.request(Service::Police).incident.expect("accepted");
    for target in [CancelTarget::One(incident), CancelTarget::Unknown("the last one".into())] {
        assert_eq!(cancel(&mut hub, "cancel-1", target).refused, Some(Reason::IdReused));
    }
    assert_eq!(hub.stage(incident), Stage::Countdown);
}

#[test]
fn an_id_is_known_for_twenty_four_hours_over_restarts_and_reboots() {
    let mut hub = Hub::installed();
    let first = request(&mut hub, "press-1");
    hub.cancel();
    let mut hub = hub.killed(seconds(60)).rebooted(seconds(60));
    many_others(&mut hub, 1_200);
    hub.step_wall(23 * 3_600_000);
    hub.input(sos_hub::controller::input::Input::Elapsed);
    assert_eq!(request(&mut hub, "press-1"), first);
    assert_eq!(countdowns(&hub), 0);
}

#[test]
fn after_a_day_an_id_is_forgotten_once_a_thousand_newer_ones_are_known() {
    let mut hub = Hub::installed();
    request(&mut hub, "press-1");
    hub.cancel();
    hub.after(seconds(25 * 3_600));
    many_others(&mut hub, 999);
    request(&mut hub, "press-1");
    assert_eq!(countdowns(&hub), 1, "at least the last thousand");
    many_others_from(&mut hub, 999, 1);
    request(&mut hub, "press-1");
    assert_eq!(countdowns(&hub), 2);
}

/// After a reboot only the wall clock can tell how old an id is, and only where it was right both times.
#[test]
fn after_a_reboot_an_id_is_young_until_two_trusted_clocks_say_otherwise() {
    for (clock, hours, known) in [
        (ClockStanding::Synced, 1, true),
        (ClockStanding::Unsynced, 25, true),
        (ClockStanding::Unsynced, 1, true),
        (ClockStanding::Synced, 25, false),
    ] {
        let mut hub = Hub::installed();
        request(&mut hub, "press-1");
        hub.cancel();
        let mut hub = hub.rebooted(seconds(hours * 3_600));
        hub.at.clock = clock;
        many_others(&mut hub, 1_000);
        request(&mut hub, "press-1");
        assert_eq!(countdowns(&hub), usize::from(!known), "{clock:?}, {hours} hours later");
    }
}

#[test]
fn an_id_that_is_forgotten_is_forgotten_on_disk_as_well() {
    let mut hub = Hub::installed();
    request(&mut hub, "press-1");
    hub.cancel();
    hub.after(seconds(25 * 3_600));
    many_others(&mut hub, 1_000);
    let mut hub = hub.killed(seconds(1));
    request(&mut hub, "press-1");
    assert_eq!(countdowns(&hub), 1);
}

#[test]
fn a_reply_goes_where_its_requester_wants_it() {
    let mut hub = Hub::installed();
    let reply_to = ReplyTo::Topic { topic: "phone/answers".into(), correlation: Some(vec![7, 0, 9]) };
    let mut received = hub.received(CommandName::Silence, Ok(Content::Silence { id: None }));
    received.reply_to = Some(reply_to.clone());
    hub.command(received);
    assert_eq!(hub.seen.replies.last().expect("a reply").2, Some(reply_to));
}

fn id() -> Option<String> {
    Some("press-1".into())
}

fn request(hub: &mut Hub, id: &str) -> Reply {
    hub.request_with(Service::Police, Some(id), None)
}

fn cancel(hub: &mut Hub, id: &str, incident: CancelTarget) -> Reply {
    hub.content(CommandName::Cancel, Content::Cancel { incident, id: Some(id.into()) })
}

fn countdowns(hub: &Hub) -> usize {
    hub.count(|kind| matches!(kind, EventKind::CountdownStarted { .. }))
}

fn many_others(hub: &mut Hub, count: usize) {
    many_others_from(hub, 0, count);
}

fn many_others_from(hub: &mut Hub, first: usize, count: usize) {
    for number in first..first + count {
        hub.content(CommandName::Silence, Content::Silence { id: Some(format!("other-{number}")) });
        hub.after(millis(1));
    }
}
