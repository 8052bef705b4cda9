//! Faults: each is told, each has its restore, and the center hears of those that it cannot see itself.

use sos_hub::controller::effect::{Signal, SignalKind};
use sos_hub::controller::input::{HardwareReport, Input, LinkChange, LinkProblem, LinkProblemKind};
use sos_hub::controller::report::{EventKind, Phase};
use sos_hub::controller::words::{Service, TestKind};

use crate::disk::Disk;
use crate::hub::{Hub, link_down, millis, plan, seconds, settings};

const HALLWAY: usize = 0;

#[test]
fn a_fault_and_its_restore_are_events_and_in_the_state_in_between() {
    let mut hub = Hub::installed();
    siren_fails(&mut hub);
    assert_eq!(hub.count(|kind| *kind == EventKind::Fault { code: "siren" }), 1);
    assert_eq!(hub.state().faults[0].since, hub.at.wall);
    hub.after(seconds(30));
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    assert_eq!(hub.count(|kind| *kind == EventKind::Restore { code: "siren" }), 1);
    assert!(hub.state().faults.is_empty());
}

#[test]
fn a_fault_that_goes_on_is_told_once() {
    let mut hub = Hub::installed();
    for _ in 0..100 {
        siren_fails(&mut hub);
        hub.after(millis(10));
    }
    assert_eq!(hub.count(|kind| matches!(kind, EventKind::Fault { .. })), 1);
}

#[test]
fn the_center_hears_of_a_fault_and_of_its_restore_with_their_code() {
    let mut hub = Hub::installed();
    siren_fails(&mut hub);
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    let kinds: Vec<(bool, u16)> = notices(&hub)
        .into_iter()
        .map(|signal| match signal.kind {
            SignalKind::Fault { event_code, .. } => (false, event_code),
            SignalKind::Restore { event_code, .. } => (true, event_code),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, [(false, 321), (true, 321)]);
}

#[test]
fn a_fault_that_was_over_before_the_center_could_hear_of_it_is_not_sent() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    siren_fails(&mut hub);
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    hub.center_link_up();
    assert!(notices(&hub).is_empty());
    assert_eq!(hub.state().center.owed, 0);
}

#[test]
fn a_fault_that_may_have_arrived_gets_its_restore_on_the_next_connection() {
    let mut hub = Hub::installed();
    siren_fails(&mut hub);
    hub.center_link_down();
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    hub.center_link_up();
    assert!(matches!(notices(&hub).last().expect("sent").kind, SignalKind::Restore { .. }));
}

#[test]
fn a_new_fault_does_not_take_back_the_restore_of_another() {
    let mut hub = Hub::installed();
    siren_fails(&mut hub);
    hub.center_acks_everything();
    hub.center_link_down();
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    hub.input(Input::Hardware(HardwareReport::LedFailed { problem: "it is gone".into() }));
    let before = notices(&hub).len();
    hub.center_link_up();
    let said = |signal: &Signal| match &signal.kind {
        SignalKind::Fault { code, .. } => format!("fault {code}"),
        SignalKind::Restore { code, .. } => format!("restore {code}"),
        other => format!("{other:?}"),
    };
    let sent: Vec<String> = notices(&hub)[before..].iter().map(said).collect();
    assert_eq!(sent, ["restore siren", "fault led"]);
}

#[test]
fn a_fault_that_flaps_does_not_fill_the_outbox() {
    let mut hub = Hub::installed();
    for _ in 0..500 {
        siren_fails(&mut hub);
        hub.after(seconds(1));
        hub.input(Input::Hardware(HardwareReport::SirenWorks));
        hub.after(seconds(1));
    }
    assert!(hub.state().center.owed <= 10, "{}", hub.state().center.owed);
}

#[test]
fn a_fault_that_a_restart_cured_gets_its_restore() {
    let mut hub = Hub::installed();
    hub.press(HALLWAY);
    hub.after(seconds(60));
    hub.center_acks_everything();
    let mut hub = hub.killed(seconds(5));
    assert!(hub.has_fault("button_stuck"), "until it is clear that it is over");
    hub.after(seconds(10));
    assert!(!hub.has_fault("button_stuck"));
    assert_eq!(hub.count(|kind| matches!(kind, EventKind::Restore { code: "button_stuck" })), 1);
    let sent = notices(&hub);
    assert!(matches!(&sent[..], [one] if matches!(one.kind, SignalKind::Restore { event_code: 380, .. })), "{sent:?}");
}

#[test]
fn a_fault_of_before_a_restart_is_said_to_be_one_until_it_shows_again() {
    let mut hub = Hub::installed();
    siren_fails(&mut hub);
    let message = hub.fault_message("siren");
    hub.center_acks_everything();
    let mut hub = hub.killed(seconds(1));
    hub.come_up();
    assert_eq!(hub.fault_message("siren"), format!("Before the hub's restart: {message}"));
    assert!(hub.state().message.starts_with("Not ready. Before the hub's restart:"), "{}", hub.state().message);
    assert_eq!(hub.test(TestKind::Siren).message, "The siren is tested for two seconds.");
    siren_fails(&mut hub);
    assert_eq!(hub.fault_message("siren"), message);
    assert_eq!(hub.count(|kind| matches!(kind, EventKind::Fault { .. })), 0, "it is no news");
}

#[test]
fn a_restore_that_was_withdrawn_is_not_taken_for_the_last_word_after_a_restart() {
    let mut hub = Hub::installed();
    siren_fails(&mut hub);
    hub.center_acks_everything();
    hub.center_link_down();
    // It is over and comes back before the center can hear of it: to the center it has stood all the time.
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    siren_fails(&mut hub);
    let mut hub = hub.killed(seconds(1));
    hub.after(seconds(11));
    let sent = notices(&hub);
    assert!(matches!(&sent[..], [one] if matches!(one.kind, SignalKind::Restore { event_code: 321, .. })), "{sent:?}");
}

#[test]
fn a_fault_that_stands_again_after_a_restart_is_not_taken_back_and_not_lost() {
    for acked in [false, true] {
        let mut hub = Hub::installed();
        siren_fails(&mut hub);
        if acked {
            hub.center_acks_everything();
        }
        let mut hub = hub.killed(seconds(5));
        siren_fails(&mut hub);
        hub.after(seconds(4));
        assert!(hub.has_fault("siren"));
        let sent = notices(&hub);
        assert_eq!(sent.len(), usize::from(!acked), "{sent:?}");
        hub.after(seconds(60));
        assert!(hub.has_fault("siren"));
        assert!(notices(&hub).iter().all(|signal| matches!(signal.kind, SignalKind::Fault { .. })));
        assert_eq!(hub.count(|kind| matches!(kind, EventKind::Restore { .. })), 0);
        assert_eq!(hub.state().faults.len(), 1);
    }
}

#[test]
fn an_outage_of_the_center_is_a_fault_after_five_seconds_and_ends_with_it() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    assert!(!hub.state().center.link_up && !hub.state().ready);
    hub.after(seconds(5) - millis(1));
    assert!(!hub.has_fault("center_link"));
    hub.after(millis(1));
    assert!(hub.fault_message("center_link").contains("did not answer"));
    hub.center_link_up();
    assert!(!hub.has_fault("center_link") && hub.state().center.link_up);
}

#[test]
fn a_link_that_never_came_up_is_a_fault_and_the_hub_is_not_ready() {
    let mut hub = Hub::started(Disk::with_plan(plan(true, 1)), settings());
    assert!(!hub.state().ready);
    hub.after(seconds(5));
    assert!(hub.has_fault("center_link") && hub.has_fault("app_link"));
    hub.come_up();
    assert!(hub.state().faults.is_empty() && hub.state().ready);
}

#[test]
fn what_no_waiting_cures_is_a_fault_at_once_and_says_which() {
    let kinds = [
        LinkProblemKind::Credentials,
        LinkProblemKind::Tls,
        LinkProblemKind::Subscription,
        LinkProblemKind::Stalled,
        LinkProblemKind::Protocol,
        LinkProblemKind::Configuration,
    ];
    for kind in kinds {
        let mut hub = Hub::installed();
        hub.input(Input::AppLink(link_down(kind)));
        assert!(hub.fault_message("app_link").contains("home.example"), "{kind:?}");
        hub.input(Input::AppLink(LinkChange::Up));
        assert!(!hub.has_fault("app_link"));
    }
}

#[test]
fn a_client_with_our_id_is_an_identity_clash_until_the_link_was_at_peace_for_a_minute() {
    let mut hub = Hub::installed();
    for _ in 0..5 {
        hub.input(Input::AppLink(link_down(LinkProblemKind::TakenOver)));
        hub.after(seconds(2));
        hub.input(Input::AppLink(LinkChange::Up));
        hub.after(seconds(2));
    }
    assert!(hub.has_fault("identity_clash") && !hub.state().ready);
    assert_eq!(hub.count(|kind| *kind == EventKind::Fault { code: "identity_clash" }), 1);
    hub.hold(HALLWAY);
    assert_eq!(hub.phase(), Phase::Countdown, "the button is not affected");
    hub.after(seconds(60));
    assert!(!hub.has_fault("identity_clash"));
}

#[test]
fn a_fault_of_a_link_says_which_link_in_whole_sentences() {
    let mut hub = Hub::installed();
    hub.input(Input::AppLink(link_down(LinkProblemKind::TakenOver)));
    let clash = hub.fault_message("identity_clash");
    assert!(clash.contains("did not answer in time. Stop the other one"), "{clash}");
    hub.input(Input::CenterLink(link_down(LinkProblemKind::Tls)));
    for (code, broker) in [("app_link", "the home's broker"), ("center_link", "the monitoring center's broker")] {
        let message = hub.fault_message(code);
        assert!(message.contains(broker) && message.ends_with("in time."), "{message}");
    }
    // The command line says it without the controller.
    let said = |detail: &str| LinkProblem { kind: LinkProblemKind::Tls, detail: detail.into() }.sentence();
    assert_eq!([said("it is gone"), said("is it gone?")], ["it is gone.", "is it gone?"]);
}

#[test]
fn a_message_without_end_is_cut() {
    let mut hub = Hub::installed();
    for first in ["", "x", "xx", "xxx"] {
        // However the letters of several bytes lie.
        let problem = format!("{first}{}", "€ 𝄞".repeat(2_000));
        hub.input(Input::Hardware(HardwareReport::ButtonsFailed { problem }));
        let message = hub.fault_message("button_lines");
        assert!((290..=300).contains(&message.len()) && message.ends_with('…'), "{message}");
        assert!(hub.state().message.len() < 400, "{}", hub.state().message);
    }
    assert!(notices(&hub).iter().all(|signal| match &signal.kind {
        SignalKind::Fault { message, .. } => message.len() <= 300,
        _ => false,
    }));
    hub.input(Input::Hardware(HardwareReport::ButtonsFailed { problem: "the line is busy".into() }));
    assert!(hub.fault_message("button_lines").ends_with("the line is busy."));
}

#[test]
fn clashes_on_both_links_are_two_faults() {
    let mut hub = Hub::installed();
    hub.input(Input::AppLink(link_down(LinkProblemKind::TakenOver)));
    hub.center_link_down();
    hub.input(Input::CenterLink(link_down(LinkProblemKind::TakenOver)));
    assert_eq!(hub.state().faults.iter().filter(|fault| fault.code == "identity_clash").count(), 2);
    hub.input(Input::AppLink(LinkChange::Up));
    hub.after(seconds(61));
    assert_eq!(hub.state().faults.iter().filter(|fault| fault.code == "identity_clash").count(), 1);
}

#[test]
fn no_log_line_above_debug_names_a_person_or_a_place() {
    let mut hub = Hub::installed();
    let (source, user) = (Some("bedroom phone".into()), Some("ann".into()));
    let content = sos_hub::controller::input::Content::Request {
        service: Service::Police,
        id: Some("secret-id".into()),
        source,
        user,
        sent_at: None,
    };
    hub.content(sos_hub::controller::words::CommandName::Request, content);
    hub.after(seconds(5));
    let contact = Some(sos_hub::controller::input::Contact { position: 1, name: "Ann".into() });
    let incident = hub.state().incidents[0].id;
    let stage = sos_hub::controller::words::CallStage::Confirmed;
    let note = Some("Ann says Elm Street".to_string());
    let update = sos_hub::controller::input::Update { incident, seq: 1, stage, contact, note };
    hub.center(sos_hub::controller::input::CenterMessage::Update(update));
    for line in &hub.seen.log {
        let text = line.text.to_lowercase();
        let personal =
            text.split(|c: char| !c.is_alphanumeric()).any(|word| ["ann", "bedroom", "elm", "secret"].contains(&word));
        assert!(!personal || line.severity == sos_hub::controller::effect::Severity::Debug, "{text}");
    }
    assert!(hub.seen.log.iter().any(|line| line.incident == Some(incident) && line.topic == "confirmed"));
}

fn siren_fails(hub: &mut Hub) {
    hub.input(Input::Hardware(HardwareReport::SirenFailed { problem: "the line is busy".into() }));
}

/// The faults and restores that were sent to the center, each once.
fn notices(hub: &Hub) -> Vec<Signal> {
    let mut sent = hub.signals(|signal| matches!(signal.kind, SignalKind::Fault { .. } | SignalKind::Restore { .. }));
    let mut known = std::collections::BTreeSet::new();
    sent.retain(|signal| known.insert(signal.jti));
    sent
}

#[test]
fn a_restore_takes_back_its_own_fault_alone() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    let problem = || "it is gone".to_owned();
    hub.input(Input::Hardware(HardwareReport::SirenFailed { problem: problem() }));
    hub.input(Input::Hardware(HardwareReport::ButtonsFailed { problem: problem() }));
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    hub.center_link_up();
    let codes: Vec<String> = hub
        .signals(|signal| matches!(signal.kind, SignalKind::Fault { .. } | SignalKind::Restore { .. }))
        .into_iter()
        .filter_map(|signal| match signal.kind {
            SignalKind::Fault { code, .. } => Some(format!("fault {code}")),
            SignalKind::Restore { code, .. } => Some(format!("restore {code}")),
            _ => None,
        })
        .collect();
    assert_eq!(codes, ["fault button_lines"]);
}

#[test]
fn a_restart_goes_by_the_last_word_on_each_fault() {
    let after_words = |words: &[bool]| {
        let mut hub = Hub::installed();
        for broken in words {
            hub.input(Input::Hardware(match broken {
                true => HardwareReport::SirenFailed { problem: "it is gone".into() },
                false => HardwareReport::SirenWorks,
            }));
            hub.after(seconds(1));
        }
        let mut hub = hub.killed(seconds(1));
        hub.after(seconds(120));
        hub.count(|kind| matches!(kind, EventKind::Restore { .. }))
    };
    assert_eq!(after_words(&[true]), 1, "it works again: the center has to hear so");
    assert_eq!(after_words(&[true, false]), 0);
    assert_eq!(after_words(&[true, false, true]), 1);
}

#[test]
fn every_fault_has_a_name_of_its_own() {
    let codes: Vec<&str> = sos_hub::controller::fault_codes().collect();
    let apart: std::collections::BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(codes.len(), apart.len());
    assert!(["storage", "button_stuck", "center_silent"].iter().all(|code| apart.contains(code)), "{codes:?}");
}
