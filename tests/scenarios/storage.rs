//! The disk: what was accepted is on it before anybody is told; and when it fails the hub acts all the same.

use sos_hub::controller::input::{Content, HardwareReport, Input, StoreReport};
use sos_hub::controller::report::Phase;
use sos_hub::controller::words::{CommandName, Service, Stage};

use crate::hub::{DiskMood, Hub, millis, seconds};

#[test]
fn nothing_is_told_before_it_is_on_disk() {
    let mut hub = Hub::installed();
    let (states, events, replies) = told(&hub);
    hub.disk_is(DiskMood::Stalled);
    send_request(&mut hub);
    hub.after(millis(249));
    assert_eq!(told(&hub), (states, events, replies));
    hub.disk_recovers();
    assert_eq!(hub.seen.replies.last().expect("told").1.durable, Some(true));
    assert_eq!(told(&hub), (states + 1, events + 1, replies + 1));
    assert_eq!(hub.disk.incidents()[0].stage, Stage::Countdown);
}

#[test]
fn a_disk_that_takes_longer_than_a_quarter_of_a_second_is_not_waited_for() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Stalled);
    let start = hub.at.now;
    send_request(&mut hub);
    hub.after(millis(250));
    let (at, reply, _) = hub.seen.replies.last().expect("told");
    assert_eq!((at.since(start), reply.refused, reply.durable), (millis(250), None, Some(false)));
    assert_eq!(hub.phase(), Phase::Countdown);
}

#[test]
fn the_siren_does_not_wait_for_a_stalled_disk() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Stalled);
    let start = hub.at.now;
    send_request(&mut hub);
    hub.after(seconds(20));
    assert_eq!(hub.siren_edges_since(start), [(5_000, true)]);
    assert!(hub.seen.transmitted.iter().any(|(_, signal)| signal.service == Some(Service::Police)));
}

#[test]
fn a_full_disk_stops_neither_siren_nor_signal_and_is_a_fault() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Full);
    let start = hub.at.now;
    let reply = hub.request(Service::Fire);
    assert_eq!((reply.refused, reply.durable), (None, Some(false)));
    assert_eq!(hub.at.now, start, "a disk that says that it fails is not waited for at all");
    hub.after(seconds(5));
    assert!(hub.siren_line());
    assert_eq!(hub.alarms().len(), 1);
    assert!(hub.fault_message("storage").contains("no space left on device"));
    assert!(!hub.state().ready);
}

#[test]
fn a_disk_that_is_well_again_makes_everything_durable_and_ends_the_fault() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Full);
    hub.request(Service::Police);
    hub.after(seconds(5));
    hub.disk_recovers();
    assert!(!hub.has_fault("storage"));
    assert_eq!(hub.request(Service::Fire).durable, Some(true));
    assert_eq!(hub.disk.incidents().len(), 2);
}

#[test]
fn a_disk_that_is_silent_for_five_seconds_is_a_fault_until_it_answers() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Stalled);
    send_request(&mut hub);
    hub.after(seconds(5) - millis(1));
    assert!(!hub.has_fault("storage"));
    hub.after(millis(300));
    assert!(hub.has_fault("storage"));
    hub.disk_recovers();
    assert!(!hub.has_fault("storage"));
}

#[test]
fn a_full_disk_is_not_written_to_without_end() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Full);
    hub.request(Service::Siren);
    hub.cancel();
    hub.after(seconds(60));
    let batches = hub.seen.batches;
    hub.after(seconds(3_600));
    assert!(hub.seen.batches - batches < 60 + 5, "{} batches in an idle hour", hub.seen.batches - batches);
}

#[test]
fn a_repeat_of_a_command_that_was_not_durable_says_so_again() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Full);
    let first = hub.request_with(Service::Police, Some("press-1"), None);
    assert_eq!(first.durable, Some(false));
    assert_eq!(hub.request_with(Service::Police, Some("press-1"), None), first);
    // It is the first reply that is given again, whatever has become of the disk.
    hub.disk_recovers();
    assert_eq!(hub.request_with(Service::Police, Some("press-1"), None), first);
}

#[test]
fn what_joins_an_incident_that_is_not_on_disk_is_not_durable_either() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Stalled);
    hub.request(Service::Police);
    assert_eq!(hub.request(Service::Police).durable, Some(false));
}

#[test]
fn a_refusal_is_not_durable_and_not_otherwise() {
    let mut hub = Hub::installed();
    assert_eq!(hub.cancel().durable, None);
}

#[test]
fn replies_events_and_states_keep_their_order_while_the_disk_is_slow() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Stalled);
    send_request(&mut hub);
    hub.after(millis(100));
    hub.input(Input::Command(hub.received(CommandName::Silence, Ok(Content::Silence { id: None }))));
    let before = hub.seen.replies.len();
    hub.after(seconds(6));
    let commands: Vec<CommandName> = hub.seen.replies[before..].iter().map(|(_, reply, _)| reply.command).collect();
    assert_eq!(commands, [CommandName::Request, CommandName::Silence]);
    let seqs: Vec<u64> = hub.seen.events.iter().map(|(_, event)| event.seq).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
}

#[test]
fn a_file_that_was_put_aside_is_a_fault_that_is_seen_for_a_day() {
    let mut hub = Hub::installed();
    let (path, problem) = ("/var/lib/sos-hub/hub.db.bad".into(), "it is no database".into());
    hub.input(Input::Store(StoreReport::PutAside { path, problem }));
    assert!(hub.fault_message("storage_put_aside").contains("hub.db.bad"));
    assert_eq!(hub.request(Service::Police).durable, Some(true), "the new file works");
    hub.after(seconds(23 * 3_600));
    assert!(hub.has_fault("storage_put_aside"));
    hub.after(seconds(3_600));
    assert!(!hub.has_fault("storage_put_aside"));
}

#[test]
fn a_memory_that_was_lost_in_part_is_a_fault_that_says_what_is_so() {
    let mut hub = Hub::installed();
    let (path, problem) = ("/var/lib/sos-hub/hub.db".into(), "the log is damaged".into());
    hub.input(Input::Store(StoreReport::PartlyLost { path, problem }));
    let message = hub.fault_message("storage_put_aside");
    assert!(message.contains("Part of the hub's memory") && message.contains("the log is damaged"), "{message}");
    assert!(!message.contains("a new one"), "nothing was put aside: {message}");
}

#[test]
fn a_store_that_cannot_be_opened_is_a_fault_and_nothing_waits_for_it() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Stalled);
    hub.input(Input::Store(StoreReport::Unavailable { problem: "input/output error".into() }));
    let start = hub.at.now;
    let reply = hub.request(Service::Police);
    assert_eq!((hub.at.now, reply.durable), (start, Some(false)));
    assert!(hub.has_fault("storage"));
}

#[test]
fn a_fault_of_a_hand_is_told_until_its_restore_and_stops_nothing_else() {
    let problem = || "the line is busy".to_string();
    let hands = [
        ("siren", HardwareReport::SirenFailed { problem: problem() }, HardwareReport::SirenWorks, false),
        ("led", HardwareReport::LedFailed { problem: problem() }, HardwareReport::LedWorks, true),
        ("button_lines", HardwareReport::ButtonsFailed { problem: problem() }, HardwareReport::ButtonsWork, false),
        ("panel", HardwareReport::PanelFailed { problem: problem() }, HardwareReport::PanelWorks, true),
    ];
    for (code, fails, works, ready) in hands {
        let mut hub = Hub::installed();
        hub.input(Input::Hardware(fails));
        assert!(hub.fault_message(code).contains("the line is busy"));
        assert_eq!(hub.state().ready, ready, "{code}");
        hub.alarm(Service::Police);
        assert_eq!(hub.alarms().len(), 1);
        hub.input(Input::Hardware(works));
        assert!(!hub.has_fault(code));
        assert_eq!(hub.event_types().iter().filter(|kind| **kind == "restore").count(), 1);
    }
}

fn told(hub: &Hub) -> (usize, usize, usize) {
    (hub.seen.states.len(), hub.seen.events.len(), hub.seen.replies.len())
}

fn send_request(hub: &mut Hub) {
    let content = Content::Request { service: Service::Police, id: None, source: None, user: None, sent_at: None };
    hub.input(Input::Command(hub.received(CommandName::Request, Ok(content))));
}

#[test]
fn a_disk_that_answers_for_the_first_write_alone_is_silent_about_the_next() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Stalled);
    hub.request(Service::Police);
    hub.after(seconds(1));
    hub.request(Service::Fire);
    hub.disk_answers_once();
    hub.after(seconds(5) - millis(1));
    assert!(!hub.has_fault("storage"));
    // What is told waits for the disk as well, but not for long.
    hub.after(millis(251));
    assert!(hub.has_fault("storage"));
}
