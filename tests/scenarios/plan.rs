//! The account's plan: whether an SOS may be requested at all, and what people are told beforehand.

use sos_hub::controller::input::{CenterMessage, Input, PlanToken};
use sos_hub::controller::moment::{ClockStanding, Wall};
use sos_hub::controller::report::Phase;
use sos_hub::controller::words::{PlanStanding, Reason, Service, Stage};

use crate::disk::Disk;
use crate::hub::{Hub, plan, seconds, settings};

#[test]
fn with_a_valid_token_with_monitoring_the_plan_is_active() {
    let hub = Hub::installed();
    let state = hub.state();
    assert_eq!(state.plan.standing, PlanStanding::Active);
    assert_eq!((state.plan.name.as_deref(), state.plan.professional_monitoring), (Some("protect_plus"), true));
    assert!(state.ready && state.faults.is_empty());
    assert_eq!(state.message, "Ready.");
}

#[test]
fn without_monitoring_every_request_is_refused_and_nothing_sounds_or_is_sent() {
    let mut hub = with(plan(false, 1));
    let sent = hub.seen.transmitted.len();
    for service in Service::ALL {
        let reply = hub.request(service);
        assert_eq!((reply.refused, reply.incident), (Some(Reason::PlanRequired), None));
        assert!(reply.message.contains("Call the emergency number"), "{}", reply.message);
    }
    hub.after(seconds(30));
    assert!(!hub.siren_line() && hub.seen.transmitted.len() == sent && hub.phase() == Phase::Idle);
    assert_eq!(hub.refusals().len(), 3);
}

#[test]
fn without_any_token_every_request_is_refused_as_not_provisioned() {
    let mut hub = Hub::installed_with(Disk::default(), settings());
    assert_eq!(hub.state().plan.standing, PlanStanding::Unknown);
    for service in Service::ALL {
        assert_eq!(hub.request(service).refused, Some(Reason::NotProvisioned));
    }
    assert!(!hub.state().ready);
    assert!(hub.state().message.starts_with("Not ready."), "{}", hub.state().message);
    hub.after(seconds(5));
    assert!(hub.has_fault("not_provisioned"));
    hub.center(CenterMessage::Plan(plan(true, 1)));
    assert!(hub.state().ready && !hub.has_fault("not_provisioned"));
    assert_eq!(hub.request(Service::Police).refused, None);
}

#[test]
fn a_first_plan_that_comes_with_the_link_is_no_fault() {
    let mut hub = Hub::installed_with(Disk::default(), settings());
    hub.center(CenterMessage::Plan(plan(true, 1)));
    hub.after(seconds(30));
    assert!(hub.state().ready && hub.state().faults.is_empty());
    assert!(!hub.event_types().contains(&"fault"), "{:?}", hub.event_types());
}

#[test]
fn what_refuses_every_sos_is_known_beforehand() {
    let hub = with(plan(false, 1));
    assert!(!hub.state().ready);
    assert!(hub.has_fault("plan_denied"));
    assert!(hub.state().message.starts_with("Not ready."), "{}", hub.state().message);
}

#[test]
fn a_token_past_its_end_by_a_trusted_clock_leaves_the_sos_working_and_flagged() {
    let mut hub = with(ending_in(&Hub::installed(), 100_000));
    assert_eq!(hub.state().plan.standing, PlanStanding::Active);
    hub.after(seconds(100));
    assert_eq!(hub.state().plan.standing, PlanStanding::Unconfirmed, "told at its end, without anybody asking");
    assert!(hub.has_fault("plan_unconfirmed") && hub.state().ready);
    let id = hub.alarm(Service::Police);
    assert_eq!(hub.stage(id), Stage::Requested);
    assert_eq!(hub.alarms()[0].plan.as_deref(), Some("protect_plus"));
}

#[test]
fn a_token_does_not_end_by_a_clock_that_nobody_trusts() {
    let mut hub = with(ending_in(&Hub::installed(), -1_000_000));
    assert_eq!(hub.state().plan.standing, PlanStanding::Unconfirmed);
    hub.at.clock = ClockStanding::Unsynced;
    hub.input(Input::Elapsed);
    assert_eq!(hub.state().plan.standing, PlanStanding::Active);
    assert!(!hub.has_fault("plan_unconfirmed"));
    hub.at.clock = ClockStanding::Synced;
    hub.input(Input::Elapsed);
    assert_eq!(hub.state().plan.standing, PlanStanding::Unconfirmed);
}

#[test]
fn a_token_without_monitoring_denies_also_past_its_end() {
    let hub = with(PlanToken { expires_at: Wall(0), ..plan(false, 1) });
    assert_eq!(hub.state().plan.standing, PlanStanding::Denied);
}

#[test]
fn a_token_with_a_higher_serial_replaces_and_is_on_disk() {
    let mut hub = with(plan(false, 1));
    hub.center(CenterMessage::Plan(plan(true, 2)));
    assert_eq!(hub.state().plan.standing, PlanStanding::Active);
    let hub = hub.killed(seconds(1));
    assert_eq!(hub.state().plan.standing, PlanStanding::Active);
}

#[test]
fn a_token_that_is_rolled_back_changes_nothing_and_raises_a_fault() {
    for serial in [4, 5] {
        let mut hub = with(plan(true, 5));
        hub.center(CenterMessage::Plan(plan(false, serial)));
        assert_eq!(hub.state().plan.standing, PlanStanding::Active);
        assert!(hub.has_fault("plan_rejected"));
        assert_eq!(hub.request(Service::Police).refused, None);
        let mut hub = hub.killed(seconds(1));
        assert_eq!(hub.state().plan.standing, PlanStanding::Active);
        hub.center(CenterMessage::Plan(plan(true, 5)));
        hub.after(seconds(10));
        assert!(!hub.has_fault("plan_rejected"));
    }
}

#[test]
fn the_same_token_again_is_ignored_in_peace() {
    let mut hub = with(plan(true, 5));
    let batches = hub.seen.batches;
    hub.center(CenterMessage::Plan(plan(true, 5)));
    assert!(hub.state().faults.is_empty() && hub.seen.batches == batches);
    // Signed anew by the same center, under another name of its key.
    hub.center(CenterMessage::Plan(PlanToken { token: "another text".into(), ..plan(true, 5) }));
    assert!(hub.state().faults.is_empty() && hub.seen.batches == batches);
}

#[test]
fn a_forged_token_changes_nothing_and_raises_a_fault() {
    let mut hub = Hub::installed();
    hub.center(CenterMessage::Rejected { problem: "the plan's signature is not the center's.".into() });
    assert_eq!(hub.state().plan.standing, PlanStanding::Active);
    assert!(hub.has_fault("center_message"));
}

#[test]
fn what_the_account_lacks_is_told_beforehand_and_keeps_the_hub_from_ready() {
    let missing = vec!["contact".into(), "address".into(), "pet".into()];
    let mut hub = with(PlanToken { missing, ..plan(true, 1) });
    assert!(!hub.state().ready);
    let message = hub.fault_message("plan_incomplete");
    assert!(message.contains("an emergency contact and the address and pet"), "{message}");
    assert!(hub.state().message.contains(&message));
    assert_eq!(hub.request(Service::Police).refused, None, "an SOS works all the same");
    hub.cancel();
    hub.center(CenterMessage::Plan(plan(true, 2)));
    assert!(hub.state().ready && !hub.has_fault("plan_incomplete"));
}

#[test]
fn a_plan_that_is_lost_in_the_countdown_stops_nothing() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Fire).incident.expect("accepted");
    hub.after(seconds(2));
    hub.center(CenterMessage::Plan(plan(false, 2)));
    hub.after(seconds(3));
    assert!(hub.siren_line() && hub.alarms().len() == 1);
    assert_eq!(hub.stage(id), Stage::Requested);
    assert!(hub.cancel().refused == Some(Reason::TooLate) && hub.silence().refused.is_none());
}

#[test]
fn a_plan_that_is_lost_in_an_open_alarm_swallows_no_second_cry() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.center(CenterMessage::Plan(plan(false, 2)));
    let reply = hub.request(Service::Police);
    assert_eq!((reply.refused, reply.incident), (None, Some(id)));
    assert_eq!(hub.alarms().len(), 2);
    assert_eq!(hub.request(Service::Fire).refused, Some(Reason::PlanRequired), "what was not open yet stays closed");
}

fn with(token: PlanToken) -> Hub {
    Hub::installed_with(Disk::with_plan(token), settings())
}

/// A token with monitoring whose end is this long after this hub's time.
fn ending_in(hub: &Hub, ms: i64) -> PlanToken {
    PlanToken { expires_at: Wall(hub.at.wall.0 + ms), ..plan(true, 1) }
}

#[test]
fn a_plan_that_was_rolled_back_while_the_disk_was_late_is_not_kept() {
    let mut hub = Hub::installed_with(Disk::default(), settings());
    hub.center(CenterMessage::Plan(plan(true, 1)));
    assert_eq!(hub.disk.plan.as_ref().map(|plan| plan.serial), Some(1));
    hub.input(Input::Restored(Box::new(Disk::with_plan(plan(false, 2)).restored())));
    assert_eq!(hub.state().plan.standing, PlanStanding::Denied);
    let hub = hub.killed(seconds(1));
    assert_eq!(hub.state().plan.standing, PlanStanding::Denied);
}
