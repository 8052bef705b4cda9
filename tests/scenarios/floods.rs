//! Floods: what is well-formed is always answered, what is not only so often; and nothing grows without end.

use sos_hub::controller::input::{CenterMessage, Content, Input, Malformed, Received};
use sos_hub::controller::report::Phase;
use sos_hub::controller::words::{CommandName, Reason, Service, TestKind};

use crate::disk::Disk;
use crate::hub::{Hub, millis, plan, seconds, settings};

const HALLWAY: usize = 0;

#[test]
fn what_is_malformed_is_refused_with_what_is_wrong_and_changes_nothing() {
    let mut hub = Hub::installed();
    let before = hub.state().clone();
    let problem = "the service must be police, fire or siren".to_string();
    let received = hub.received(CommandName::Request, Err(Malformed { id: Some("press-1".into()), problem }));
    let reply = hub.command(received);
    assert_eq!((reply.refused, reply.id.as_deref()), (Some(Reason::Malformed), Some("press-1")));
    assert!(reply.message.contains("police, fire or siren"));
    assert_eq!(*hub.state(), before);
}

#[test]
fn a_flood_of_junk_is_answered_only_so_often_and_told_that_it_is_limited() {
    let mut hub = Hub::installed();
    junk(&mut hub, 2_000);
    assert!(hub.seen.replies.len() <= 20 + 5 + 6, "{} replies in a second", hub.seen.replies.len());
    let reasons: Vec<_> = hub.seen.replies.iter().filter_map(|(_, reply, _)| reply.refused).collect();
    assert!(reasons[..20].iter().all(|&reason| reason == Reason::Malformed));
    assert_eq!(reasons[20], Reason::RateLimited);
    hub.after(seconds(10));
    junk(&mut hub, 1);
    assert_eq!(hub.seen.replies.last().expect("a reply").1.refused, Some(Reason::Malformed));
}

#[test]
fn a_flood_of_junk_costs_few_events_and_writes() {
    let mut hub = Hub::installed();
    let (events, batches) = (hub.seen.events.len(), hub.seen.batches);
    for _ in 0..10 {
        junk(&mut hub, 2_000);
    }
    assert!(hub.seen.events.len() - events <= 20 + 50, "{}", hub.seen.events.len() - events);
    assert!(hub.seen.batches - batches <= 20 + 50, "{}", hub.seen.batches - batches);
}

#[test]
fn a_request_and_a_press_in_a_flood_of_junk_are_taken_at_once() {
    let mut hub = Hub::installed();
    junk(&mut hub, 2_000);
    hub.press(HALLWAY);
    junk(&mut hub, 2_000);
    assert_eq!(hub.phase(), Phase::Countdown);
    assert_eq!(hub.request(Service::Fire).refused, None);
    assert_eq!(hub.cancel().refused, None);
    assert_eq!(hub.silence().refused, None);
}

#[test]
fn a_press_that_is_refused_is_told_also_in_a_flood() {
    let mut hub = Hub::installed_with(Disk::with_plan(plan(false, 1)), settings());
    junk(&mut hub, 2_000);
    hub.press(HALLWAY);
    junk(&mut hub, 2_000);
    assert!(hub.refusals().contains(&Reason::PlanRequired));
}

#[test]
fn well_formed_requests_cancels_and_silences_are_never_limited() {
    let mut hub = Hub::installed();
    for round in 0..3_000 {
        let reply = match round % 3 {
            0 => hub.request(Service::Police),
            1 => hub.cancel(),
            _ => hub.silence(),
        };
        assert_eq!(reply.refused, None, "{round}");
    }
    assert_eq!(hub.cancel().refused, Some(Reason::NoCountdown));
    assert_eq!(hub.seen.replies.len(), 3_001);
}

#[test]
fn ids_without_end_fill_neither_memory_nor_disk() {
    let mut hub = Hub::installed();
    for number in 0..3_100 {
        hub.content(CommandName::Silence, Content::Silence { id: Some(format!("id {number}")) });
    }
    assert_eq!(hub.disk.restored().replies.len(), 3_000);
}

#[test]
fn countdowns_that_are_started_and_aborted_without_a_pause_do_not_fill_the_state() {
    let mut hub = Hub::installed();
    for _ in 0..2_000 {
        hub.request(Service::Police);
        hub.cancel();
    }
    assert!(hub.state().incidents.len() <= 8, "{}", hub.state().incidents.len());
    let open = hub.request(Service::Police).incident.expect("accepted");
    assert_eq!(hub.state().incidents.last().map(|incident| incident.id), Some(open));
}

#[test]
fn tests_are_limited_and_each_kind_for_itself() {
    let mut hub = Hub::installed();
    for kind in [TestKind::Siren, TestKind::Center] {
        let reasons: Vec<_> = (0..5).map(|_| hub.test(kind).refused).collect();
        assert_eq!(reasons, [None, None, None, Some(Reason::RateLimited), Some(Reason::RateLimited)]);
    }
    hub.after(seconds(10));
    assert_eq!(hub.test(TestKind::Siren).refused, None);
}

#[test]
fn a_flood_of_forged_messages_is_one_fault() {
    let mut hub = Hub::installed();
    let (events, batches) = (hub.seen.events.len(), hub.seen.batches);
    for number in 0..2_000 {
        hub.center(CenterMessage::Rejected { problem: format!("its signature number {number} is not the center's.") });
        hub.after(millis(1));
    }
    assert_eq!(hub.seen.events.len(), events + 1);
    assert!(hub.seen.batches <= batches + 2);
    assert_eq!(hub.state().center.owed, 1);
}

#[test]
fn a_flood_of_second_cries_tells_the_state_at_most_once_a_second_and_sends_a_bounded_number() {
    let mut hub = Hub::installed();
    hub.acknowledged_alarm();
    for _ in 0..20 {
        hub.request(Service::Police);
    }
    let told = hub.seen.states.len();
    for _ in 0..2_000 {
        hub.request(Service::Police);
        hub.after(std::time::Duration::from_micros(500));
    }
    assert!(hub.seen.states.len() - told <= 3, "{}", hub.seen.states.len() - told);
    assert_eq!(hub.state().center.owed, 8);
}

#[test]
fn an_idle_hub_wakes_up_at_most_a_few_times_a_minute() {
    let mut hub = Hub::installed();
    let turns = hub.turns;
    hub.after(seconds(60));
    assert!(hub.turns - turns <= 3, "{} turns in an idle minute", hub.turns - turns);
}

/// Junk on the request topic, spread over a second.
fn junk(hub: &mut Hub, count: u32) {
    for _ in 0..count {
        let malformed = Malformed { id: None, problem: "the payload is no UTF-8".into() };
        let received: Received = hub.received(CommandName::Request, Err(malformed));
        hub.input(Input::Command(received));
        hub.after(seconds(1) / count);
    }
    hub.after(millis(1));
}
