//! Every crash point of the short stories: the process dies after each single effect, its pending commits kept or lost,
//! and starts again in the same boot or a new one, with people who then cancel or do not.

use sos_hub::controller::input::{CancelTarget, Content, Input};
use sos_hub::controller::moment::Id;
use sos_hub::controller::words::{CallStage, CommandName, Service, Stage};

use crate::hub::{Hub, millis, seconds};
use crate::seen::{History, is_alarm};

type Story = fn(&mut Hub);

/// What can be different about a crash.
#[derive(Clone, Copy, Debug)]
struct Crash {
    after_effects: usize,
    commits_kept: bool,
    reboot: bool,
    people_cancel: bool,
}

/// What one crash led to, as far as anybody outside can tell, and the disk at the end.
struct Aftermath {
    before: History,
    hub: Hub,
}

#[test]
fn an_accepted_request_is_exactly_one_alarm_or_one_abort_at_whatever_effect_the_process_dies() {
    for service in [Service::Police, Service::Fire] {
        let story: Story = if service == Service::Police { police_to_its_end } else { fire_to_its_end };
        every_crash(story, |crash, aftermath| {
            let alarms = aftermath.alarms();
            let stages: Vec<Stage> = aftermath.hub.disk.incidents().iter().map(|incident| incident.stage).collect();
            let accepted = aftermath.before.replies.iter().any(|(_, reply, _)| reply.durable == Some(true));
            assert!(!accepted || stages.len() == 1, "{crash:?}: accepted, and on disk {stages:?}");
            match stages[..] {
                [] => assert!(alarms.is_empty() && aftermath.is_silent(), "{crash:?}: not accepted is silence"),
                [Stage::Aborted] => assert_eq!(alarms, [], "{crash:?}: the center never hears of what was aborted"),
                [_] => assert_eq!(alarms.len(), 1, "{crash:?}: one alarm, under one jti"),
                _ => panic!("{crash:?}: one request was {stages:?}"),
            }
        });
    }
}

#[test]
fn what_was_aborted_is_never_an_alarm_once_anybody_was_told_so() {
    every_crash(police_that_is_cancelled, |crash, aftermath| {
        let told = aftermath.before.events.iter().any(|(_, event)| event.kind.as_str() == "aborted");
        let alarms = aftermath.alarms();
        let stages: Vec<Stage> = aftermath.hub.disk.incidents().iter().map(|incident| incident.stage).collect();
        assert!(!told || (alarms.is_empty() && aftermath.is_silent()), "{crash:?}: told, and then {alarms:?}");
        assert_eq!(alarms.is_empty(), matches!(stages[..], [] | [Stage::Aborted]), "{crash:?}: {stages:?}");
    });
}

#[test]
fn the_siren_alone_sounds_or_was_aborted_and_the_center_hears_nothing() {
    every_crash(siren_to_its_end, |crash, aftermath| {
        assert_eq!(aftermath.alarms(), []);
        let stages: Vec<Stage> = aftermath.hub.disk.incidents().iter().map(|incident| incident.stage).collect();
        assert!(matches!(stages[..], [] | [Stage::Aborted] | [Stage::Closed]), "{crash:?}: {stages:?}");
    });
}

#[test]
fn two_services_at_once_are_two_incidents_at_whatever_effect_the_process_dies() {
    every_crash(police_and_fire, |crash, aftermath| {
        let on_disk = aftermath.hub.disk.incidents();
        let alarms = aftermath.alarms();
        let accepted = aftermath.before.replies.iter().filter(|(_, reply, _)| reply.durable == Some(true)).count();
        assert!(on_disk.len() >= accepted && on_disk.len() <= 2, "{crash:?}");
        for incident in on_disk {
            let sent = alarms.contains(&incident.alarm);
            assert_eq!(sent, incident.stage != Stage::Aborted, "{crash:?}: {:?}", incident.stage);
        }
    });
}

fn police_to_its_end(hub: &mut Hub) {
    to_its_end(hub, Service::Police);
}

fn fire_to_its_end(hub: &mut Hub) {
    to_its_end(hub, Service::Fire);
}

fn siren_to_its_end(hub: &mut Hub) {
    send(hub, CommandName::Request, request(Service::Siren));
    hub.after(seconds(7));
    send(hub, CommandName::Silence, Content::Silence { id: None });
}

fn to_its_end(hub: &mut Hub, service: Service) {
    send(hub, CommandName::Request, request(service));
    hub.after(seconds(7));
    center_works(hub);
    hub.after(seconds(1));
}

fn police_that_is_cancelled(hub: &mut Hub) {
    send(hub, CommandName::Request, request(Service::Police));
    hub.after(millis(1_500));
    send(hub, CommandName::Cancel, Content::Cancel { incident: CancelTarget::Every, id: None });
    hub.after(seconds(1));
}

fn police_and_fire(hub: &mut Hub) {
    send(hub, CommandName::Request, request(Service::Police));
    hub.after(seconds(2));
    send(hub, CommandName::Request, request(Service::Fire));
    hub.after(seconds(4));
}

/// Runs the story with the process dying after each of its effects, in every way, and looks at what came of it.
fn every_crash(story: Story, check: impl Fn(Crash, &Aftermath)) {
    let mut whole = Hub::installed();
    let start = whole.spent;
    story(&mut whole);
    let effects = whole.spent - start;
    assert!(effects > 10);
    for after_effects in 0..=effects {
        for way in 0..8 {
            let (commits_kept, reboot, people_cancel) = (way & 1 != 0, way & 2 != 0, way & 4 != 0);
            let crash = Crash { after_effects, commits_kept, reboot, people_cancel };
            check(crash, &aftermath(story, crash));
        }
    }
}

fn aftermath(story: Story, crash: Crash) -> Aftermath {
    let mut hub = Hub::installed();
    hub.dies_after(crash.after_effects);
    story(&mut hub);
    if crash.commits_kept {
        hub.pending_commits_are_kept();
    }
    let before = hub.seen.clone();
    let mut hub = if crash.reboot { hub.rebooted(seconds(20)) } else { hub.killed(seconds(1)) };
    hub.after(millis(500));
    if crash.people_cancel {
        send(&mut hub, CommandName::Cancel, Content::Cancel { incident: CancelTarget::Every, id: None });
    }
    for _ in 0..30 {
        center_works(&mut hub);
        hub.after(seconds(10));
    }
    assert!(!hub.siren_line(), "{crash:?}: the siren stops by itself");
    assert_eq!(hub.state().center.owed, 0, "{crash:?}: everything owed arrives");
    Aftermath { before, hub }
}

impl Aftermath {
    /// The distinct alarms that the center was sent, before and after the crash.
    fn alarms(&self) -> Vec<Id> {
        let sent = self.before.transmitted.iter().chain(&self.hub.seen.transmitted).map(|(_, signal)| signal);
        let mut jtis: Vec<Id> = sent.filter(|signal| is_alarm(signal)).map(|signal| signal.jti).collect();
        jtis.sort();
        jtis.dedup();
        jtis
    }

    /// No sound, and no word of an incident, since the restart.
    fn is_silent(&self) -> bool {
        let seen = &self.hub.seen;
        seen.siren.iter().all(|(_, asserted)| !asserted)
            && seen.events.iter().all(|(_, event)| event.incident.is_none())
    }
}

fn request(service: Service) -> Content {
    Content::Request { service, id: None, source: None, user: None, sent_at: None }
}

fn send(hub: &mut Hub, command: CommandName, content: Content) {
    hub.input(Input::Command(hub.received(command, Ok(content))));
}

/// Acks what came, and closes what is acknowledged.
fn center_works(hub: &mut Hub) {
    hub.center_acks_everything();
    let open: Vec<Id> = hub.state().incidents.iter().filter(|i| i.stage == Stage::Acknowledged).map(|i| i.id).collect();
    for id in open {
        hub.center_updates(id, 1, CallStage::Closed);
    }
}
