//! What people are told must be true when they are told it.

use sos_hub::controller::effect::Severity;
use sos_hub::controller::input::{AckResult, CenterMessage, HardwareReport, Input};
use sos_hub::controller::moment::ClockStanding;
use sos_hub::controller::words::{CallStage, Reason, Service, Stage, TestKind};

use crate::hub::{DiskMood, Hub, millis, plan, seconds};

const REQUESTED: &str = "Help has been requested";

#[test]
fn in_the_countdown_nothing_has_been_requested_yet() {
    let mut hub = Hub::installed();
    let reply = hub.request(Service::Fire);
    let id = reply.incident.expect("accepted");
    for message in [&reply.message, &hub.incident(id).message, &hub.state().message] {
        assert!(message.contains("when the countdown ends") && message.contains("the fire department"), "{message}");
        assert!(!message.contains(REQUESTED));
    }
}

#[test]
fn what_is_so_of_two_incidents_is_said_once() {
    let mut hub = Hub::installed();
    hub.request(Service::Fire);
    hub.request(Service::Police);
    let (fire, police) = (hub.state().incidents[0].message.clone(), hub.state().incidents[1].message.clone());
    assert_eq!(hub.state().message, format!("{fire} {police}"));
    hub.cancel();
    assert_eq!(hub.state().message, "Cancelled in time: nothing was sent.");
}

#[test]
fn before_the_ack_help_is_being_requested() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    assert!(hub.incident(id).message.starts_with("Requesting help from the police…"));
    hub.after(seconds(10) - millis(1));
    assert!(!hub.incident(id).message.contains("has not confirmed yet"));
}

#[test]
fn after_ten_seconds_without_an_ack_people_are_told_to_call_the_emergency_number() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.after(seconds(10));
    for message in [&hub.incident(id).message, &hub.state().message] {
        assert!(message.starts_with("Requesting help"), "{message}");
        assert!(message.contains("The monitoring center has not confirmed yet."), "{message}");
        assert!(message.contains("Call the emergency number."), "{message}");
    }
    hub.center_acks_everything();
    assert!(!hub.incident(id).message.contains("not confirmed"));
}

#[test]
fn a_reboot_or_a_dead_link_makes_nobody_wait_for_that_sentence() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    let id = hub.alarm(Service::Fire);
    hub.after(seconds(8));
    let mut hub = hub.killed(seconds(1));
    hub.after(seconds(1));
    assert!(hub.incident(id).message.contains("has not confirmed yet"));
}

#[test]
fn help_has_been_requested_is_said_from_the_ack_on_and_at_no_stage_before() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    let all_told = |hub: &Hub| {
        let events = hub.seen.events.iter().map(|(_, event)| event.message.clone());
        let replies = hub.seen.replies.iter().map(|(_, reply, _)| reply.message.clone());
        let states = hub.seen.states.iter().map(|(_, state)| state.message.clone());
        events.chain(replies).chain(states).collect::<Vec<String>>()
    };
    hub.after(seconds(60));
    hub.request(Service::Police);
    assert!(all_told(&hub).iter().all(|message| !message.contains(REQUESTED)));
    hub.center_acks_everything();
    let steps = [
        (CallStage::CallingFirstContact, "is calling the first emergency contact"),
        (CallStage::NoAnswer, "did not answer"),
        (CallStage::Confirmed, "has confirmed the emergency"),
        (CallStage::Dispatched, "has dispatched the police"),
        (CallStage::CallingOtherContacts, "is calling the other emergency contacts"),
    ];
    assert!(hub.state().message.starts_with(REQUESTED));
    for (seq, (stage, says)) in (1..).zip(steps) {
        hub.center_updates(id, seq, stage);
        let message = &hub.state().message;
        assert!(message.starts_with(REQUESTED) && message.contains(says), "{message}");
    }
}

#[test]
fn each_end_is_named_for_what_it_is() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Police).incident.expect("accepted");
    assert!(hub.cancel().message.starts_with("Cancelled in time: the police"));
    assert_eq!(hub.incident(id).message, "Cancelled in time: nothing was sent.");
    hub.after(seconds(20));
    let id = hub.acknowledged_alarm();
    hub.center_updates(id, 1, CallStage::CancelledByContact);
    assert_eq!(hub.state().message, "The first emergency contact has cancelled the alarm.");
    let id = hub.acknowledged_alarm();
    hub.center_updates(id, 1, CallStage::Closed);
    assert_eq!(hub.incident(id).message, "The monitoring center has closed the incident.");
    let id = hub.alarm(Service::Fire);
    let jti = hub.alarms().pop().expect("sent").jti;
    hub.center_acks(jti, AckResult::NoMonitoring);
    assert!(
        hub.incident(id).message.contains("has refused") && hub.incident(id).message.contains("Call the emergency")
    );
}

#[test]
fn beside_another_alarm_the_siren_alone_says_nothing_of_it() {
    let mut hub = Hub::installed();
    let alone = hub.alarm(Service::Siren);
    hub.after(seconds(100));
    hub.acknowledged_alarm();
    assert!(!hub.state().message.contains("Nobody"), "{}", hub.state().message);
    hub.after(seconds(135));
    assert_eq!(hub.stage(alone), Stage::Closed);
    assert!(hub.siren_line());
    assert!(!hub.incident(alone).message.contains("siren is off"), "{}", hub.incident(alone).message);
}

#[test]
fn of_two_open_incidents_both_are_told_the_alarm_first() {
    let mut hub = Hub::installed();
    hub.acknowledged_alarm();
    hub.request(Service::Fire);
    let message = &hub.state().message;
    let (alarm, countdown) = (message.find(REQUESTED), message.find("the fire department"));
    assert!(alarm == Some(0) && countdown > alarm, "{message}");
}

#[test]
fn a_second_cry_is_told_what_it_does() {
    let mut hub = Hub::installed();
    hub.acknowledged_alarm();
    let message = hub.request(Service::Police).message;
    assert!(message.contains("open already") && message.contains("the siren sounds again"), "{message}");
    hub.alarm(Service::Siren);
    let message = hub.request(Service::Siren).message;
    assert_eq!(message, "Accepted. The siren sounds again.");
}

#[test]
fn a_disk_that_fails_is_told_with_what_still_works() {
    let mut hub = Hub::installed();
    hub.disk_is(DiskMood::Full);
    hub.request(Service::Police);
    let message = hub.fault_message("storage");
    assert!(message.contains("Alarms still work") && message.contains("power cut"), "{message}");
}

#[test]
fn a_silent_center_is_not_said_to_be_connected() {
    let mut hub = Hub::installed();
    hub.after(seconds(130));
    hub.center_link_down();
    hub.after(seconds(10));
    assert!(!hub.fault_message("center_silent").contains("connected"));
}

#[test]
fn the_idle_state_says_whether_the_hub_is_ready_and_why_not() {
    let mut hub = Hub::installed();
    assert_eq!(hub.state().message, "Ready.");
    hub.input(Input::Hardware(HardwareReport::SirenFailed { problem: "the line is busy".into() }));
    assert_eq!(hub.state().message, "Not ready. The siren cannot be used: the line is busy.");
    hub.input(Input::Hardware(HardwareReport::SirenWorks));
    hub.center_link_down();
    // There was one before: nothing is said to be missing "yet".
    assert_eq!(hub.state().message, "Not ready. There is no connection to the monitoring center's broker.");
}

#[test]
fn a_refusal_does_not_say_that_no_siren_sounds_while_one_does() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    let alarm = hub.alarms()[0].jti;
    hub.center_acks(alarm, AckResult::NoMonitoring);
    hub.center(CenterMessage::Plan(plan(false, 2)));
    assert!(hub.siren_line(), "a refusal does not silence it");
    let reply = hub.request(Service::Police);
    assert_eq!(reply.refused, Some(Reason::PlanRequired));
    assert!(!reply.message.contains("no siren sounds"), "{}", reply.message);
}

#[test]
fn a_hub_whose_siren_sounds_does_not_say_that_it_is_ready_and_no_more() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    let alarm = hub.alarms()[0].jti;
    hub.center_acks(alarm, AckResult::NoMonitoring);
    hub.after(seconds(20));
    assert!(hub.siren_line() && hub.state().incidents.is_empty());
    assert_eq!(hub.state().message, "The siren is on.");
    hub.silence();
    assert_eq!(hub.state().message, "Ready.");
}

#[test]
fn an_alarm_that_nobody_confirms_is_a_fault_until_it_is_confirmed() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Fire);
    hub.after(seconds(10) - millis(1));
    assert!(hub.state().ready && !hub.has_fault("alarm_unconfirmed"));
    hub.after(millis(1));
    assert!(!hub.state().ready && hub.has_fault("alarm_unconfirmed"));
    assert!(hub.fault_message("alarm_unconfirmed").contains("emergency number"));
    hub.center_acks_everything();
    assert!(hub.state().ready && !hub.has_fault("alarm_unconfirmed"));
}

#[test]
fn whoever_cancels_too_late_is_told_whether_the_first_contact_still_can() {
    let told = |stage: CallStage| {
        let mut hub = Hub::installed();
        let id = hub.acknowledged_alarm();
        hub.center_updates(id, 1, stage);
        hub.cancel().message
    };
    assert!(told(CallStage::CallingFirstContact).contains("only the first emergency contact can cancel now"));
    for over in [CallStage::Confirmed, CallStage::NoAnswer, CallStage::Dispatched, CallStage::CallingOtherContacts] {
        assert!(told(over).contains("the time for that call is over"), "{over:?}");
    }
}

#[test]
fn the_log_warns_of_faults_and_keeps_the_ticks_of_a_countdown_low() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    hub.input(Input::Hardware(HardwareReport::SirenFailed { problem: "it is gone".into() }));
    let logged = |topic: &str, severity| {
        let mut lines = hub.seen.log.iter().filter(|line| line.topic == topic).peekable();
        lines.peek().is_some() && lines.all(|line| line.severity == severity)
    };
    assert!(logged("countdown", Severity::Debug));
    assert!(logged("siren_on", Severity::Info));
    assert!(logged("fault", Severity::Warning));
}

#[test]
fn the_siren_alone_has_sentences_of_its_own() {
    let mut hub = Hub::installed();
    let reply = hub.request(Service::Siren);
    let id = reply.incident.expect("accepted");
    assert_eq!(reply.message, "Accepted. The siren sounds when the countdown ends.");
    assert!(hub.incident(id).message.starts_with("The siren sounds when the countdown ends."));
    hub.after(seconds(5));
    hub.silence();
    assert_eq!(hub.incident(id).message, "The request for the siren alone is over.");
}

#[test]
fn a_test_of_the_center_says_whether_it_is_on_its_way() {
    let mut hub = Hub::installed();
    assert!(hub.test(TestKind::Center).message.starts_with("A test signal is on its way"));
    hub.center_link_down();
    hub.after(seconds(11));
    assert!(hub.test(TestKind::Center).message.starts_with("There is no connection"));
}

#[test]
fn a_clock_that_is_trusted_or_not_any_more_is_told_at_once() {
    let mut hub = Hub::installed();
    for clock in [ClockStanding::Unsynced, ClockStanding::Synced] {
        hub.at.clock = clock;
        hub.input(Input::Elapsed);
        assert_eq!(hub.state().clock, clock);
    }
}

#[test]
fn of_many_requests_that_were_taken_back_the_state_shows_the_last_eight() {
    let mut hub = Hub::installed();
    let mut all = Vec::new();
    for _ in 0..12 {
        all.push(hub.request(Service::Police).incident.expect("accepted"));
        hub.cancel();
    }
    let shown: Vec<_> = hub.state().incidents.iter().map(|incident| incident.id).collect();
    assert_eq!(shown, all[4..]);
}
