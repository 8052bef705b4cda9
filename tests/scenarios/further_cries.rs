//! A further cry for an alarm that is open: people are told when the center has not confirmed it.

use sos_hub::controller::input::AckResult;
use sos_hub::controller::moment::Id;
use sos_hub::controller::words::{CallStage, Service};

use crate::hub::{Hub, millis, seconds};

/// What is said ten seconds after a further cry that the center has not confirmed.
fn assert_the_further_cry_is_unconfirmed(hub: &Hub, id: Id, last_heard: &str) {
    for message in [&hub.incident(id).message, &hub.state().message] {
        assert!(message.starts_with("Requesting help from the police again…"), "{message}");
        assert!(message.contains("The monitoring center has not confirmed that yet. Call the emergency number."));
        assert!(message.ends_with(&format!("Last heard: {last_heard}")), "{message}");
    }
    assert!(!hub.state().ready);
    let fault = hub.fault_message("alarm_unconfirmed");
    assert!(fault.contains("requested again") && fault.contains("Call the emergency number."), "{fault}");
}

#[test]
fn a_further_cry_that_nobody_confirms_is_told_like_a_first_one_at_every_stage_of_the_call() {
    let stages = [
        CallStage::CallingFirstContact,
        CallStage::Confirmed,
        CallStage::NoAnswer,
        CallStage::Dispatched,
        CallStage::CallingOtherContacts,
    ];
    for stage in [None].into_iter().chain(stages.map(Some)) {
        let mut hub = Hub::installed();
        let id = hub.acknowledged_alarm();
        if let Some(stage) = stage {
            hub.center_updates(id, 1, stage);
        }
        let (stage, last_heard) = (hub.stage(id), hub.incident(id).message.clone());
        hub.center_link_down();
        hub.after(seconds(30));
        assert!(!hub.has_fault("alarm_unconfirmed"), "nobody has cried since");
        hub.request(Service::Police);
        hub.after(seconds(10) - millis(1));
        assert!(!hub.has_fault("alarm_unconfirmed"));
        assert_eq!(hub.incident(id).message, last_heard);
        hub.after(millis(1));
        assert_the_further_cry_is_unconfirmed(&hub, id, &last_heard);
        assert_eq!(hub.stage(id), stage);
        hub.center_link_up();
        hub.center_acks_everything();
        assert!(hub.state().ready && !hub.has_fault("alarm_unconfirmed"), "{:?}", hub.state().faults);
        assert_eq!(hub.incident(id).message, last_heard);
    }
}

#[test]
fn a_further_cry_that_nobody_confirms_is_told_after_a_restart_too() {
    let cried = |before: u64| {
        let mut hub = Hub::installed();
        let id = hub.acknowledged_alarm();
        let last_heard = hub.incident(id).message.clone();
        hub.center_link_down();
        hub.request(Service::Police);
        hub.after(seconds(before));
        (hub, id, last_heard)
    };
    let (hub, id, last_heard) = cried(8);
    let mut hub = hub.killed(seconds(1));
    assert!(!hub.has_fault("alarm_unconfirmed"), "it has another second");
    hub.after(seconds(1));
    assert_the_further_cry_is_unconfirmed(&hub, id, &last_heard);
    let (hub, id, last_heard) = cried(20);
    assert_the_further_cry_is_unconfirmed(&hub.killed(seconds(1)), id, &last_heard);
    let (hub, id, last_heard) = cried(3);
    assert_the_further_cry_is_unconfirmed(&hub.rebooted(seconds(1)), id, &last_heard);
}

#[test]
fn a_further_cry_is_unconfirmed_until_the_last_of_them_is_confirmed() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    let last_heard = hub.incident(id).message.clone();
    hub.request(Service::Police);
    hub.request(Service::Police);
    let cries = hub.alarms();
    hub.after(seconds(10));
    assert_the_further_cry_is_unconfirmed(&hub, id, &last_heard);
    hub.center_acks(cries[1].jti, AckResult::Accepted);
    assert_the_further_cry_is_unconfirmed(&hub, id, &last_heard);
    hub.center_acks(cries[2].jti, AckResult::Accepted);
    assert!(!hub.has_fault("alarm_unconfirmed"));
    assert_eq!(hub.incident(id).message, last_heard);
}

#[test]
fn the_step_to_a_stage_tells_of_that_alone() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.request(Service::Police);
    hub.after(seconds(20));
    assert!(hub.fault_message("alarm_unconfirmed").contains("has not confirmed the alarm yet"));
    let first = hub.alarms()[0].jti;
    hub.center_acks(first, AckResult::Accepted);
    let step = "Help has been requested. The monitoring center has the alarm.";
    assert_eq!(hub.events(|event| event.message == step).len(), 1);
    assert_the_further_cry_is_unconfirmed(&hub, id, step);
}

#[test]
fn the_reply_to_a_further_cry_says_that_it_is_sent_only_where_there_is_a_connection() {
    let mut hub = Hub::installed();
    hub.acknowledged_alarm();
    assert!(hub.request(Service::Police).message.ends_with("the alarm is sent once more."));
    hub.center_link_down();
    let said = hub.request(Service::Police).message;
    assert!(said.contains("There is no connection to the monitoring center") && !said.contains("once more"), "{said}");
}
