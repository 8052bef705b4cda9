//! The monitoring center's word: acks, and every step of the call procedure.

use sos_hub::controller::effect::SignalKind;
use sos_hub::controller::input::{Ack, AckResult, CenterMessage, Contact, Update};
use sos_hub::controller::moment::Id;
use sos_hub::controller::report::EventKind;
use sos_hub::controller::words::{CallStage, Service, Stage};

use crate::hub::{Hub, millis, seconds};

#[test]
fn an_ack_makes_the_incident_acknowledged() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    assert_eq!(hub.stage(id), Stage::Requested);
    assert_eq!(hub.state().center.owed, 1);
    hub.center_acks_everything();
    assert_eq!(hub.stage(id), Stage::Acknowledged);
    assert_eq!(hub.state().center.owed, 0);
    assert_eq!(hub.state().center.last_heard_at, Some(hub.at.wall));
}

#[test]
fn every_step_of_the_call_shows_in_state_and_event_in_its_order() {
    let branches: [&[CallStage]; 3] = [
        &[CallStage::CallingFirstContact, CallStage::Confirmed, CallStage::Dispatched],
        &[CallStage::CallingFirstContact, CallStage::NoAnswer, CallStage::Dispatched],
        &[CallStage::CallingFirstContact, CallStage::CancelledByContact],
    ];
    for branch in branches {
        let mut hub = Hub::installed();
        let id = hub.acknowledged_alarm();
        let mut expected = vec![Stage::Requested, Stage::Acknowledged];
        let more = match branch.len() {
            3 => &[CallStage::CallingOtherContacts, CallStage::Closed][..],
            _ => &[],
        };
        for (seq, &stage) in (1..).zip(branch.iter().chain(more)) {
            hub.after(seconds(20));
            hub.center_updates(id, seq, stage);
            expected.push(stage.stage());
            assert_eq!(hub.stage(id), stage.stage());
            assert_eq!(hub.stages(id), expected);
        }
        hub.after(seconds(10));
        assert!(hub.state().incidents.is_empty());
    }
}

#[test]
fn contact_and_note_of_a_step_are_told() {
    let mut hub = Hub::installed();
    let incident = hub.acknowledged_alarm();
    let (contact, note) = (Some(Contact { position: 1, name: "Ann".into() }), Some("wrong_password".to_string()));
    let update =
        Update { incident, seq: 1, stage: CallStage::Dispatched, contact: contact.clone(), note: note.clone() };
    hub.center(CenterMessage::Update(update));
    let told = &hub.seen.events.last().expect("an event").1.kind;
    assert_eq!(*told, EventKind::Stage { stage: Stage::Dispatched, contact, note });
}

#[test]
fn the_answers_of_the_other_contacts_are_told_each() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    for seq in 1..=3 {
        hub.center_updates(id, seq, CallStage::CallingOtherContacts);
    }
    assert_eq!(hub.stages(id)[2..], [Stage::CallingOtherContacts; 3]);
}

#[test]
fn an_update_with_a_gap_is_taken_at_once_and_one_that_is_not_higher_is_ignored() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.center_updates(id, 5, CallStage::Dispatched);
    assert_eq!(hub.stage(id), Stage::Dispatched);
    let before = hub.state().clone();
    hub.center_updates(id, 5, CallStage::Closed);
    hub.center_updates(id, 4, CallStage::CancelledByContact);
    assert_eq!(*hub.state(), before, "in peace: no fault, and no word that proves anything");
    hub.center_updates(id, 6, CallStage::CallingOtherContacts);
    assert_eq!(hub.stage(id), Stage::CallingOtherContacts);
}

#[test]
fn an_update_that_overtakes_the_ack_is_taken_and_the_ack_changes_no_stage_back() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.center_updates(id, 1, CallStage::CallingFirstContact);
    assert_eq!(hub.stage(id), Stage::CallingFirstContact);
    assert_eq!(hub.state().center.owed, 1, "an update is no ack");
    hub.center_acks_everything();
    assert_eq!(hub.stage(id), Stage::CallingFirstContact);
    assert_eq!(hub.state().center.owed, 0);
}

#[test]
fn an_update_after_the_end_changes_nothing() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.center_updates(id, 3, CallStage::CancelledByContact);
    for wait in [0, 60] {
        hub.after(seconds(wait));
        hub.center_updates(id, 4, CallStage::Dispatched);
        assert_eq!(hub.stages(id).last(), Some(&Stage::CancelledByContact));
        assert!(!hub.has_fault("center_message") && !hub.siren_line());
    }
}

#[test]
fn an_end_that_crosses_a_second_cry_does_not_swallow_it() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.request(Service::Police);
    hub.center_updates(id, 3, CallStage::Closed);
    assert_eq!(hub.stage(id), Stage::Acknowledged);
    assert!(hub.siren_line());
    // The center has the cry now, and says again what the heartbeat's `open` lacks.
    hub.center_acks_everything();
    hub.center_updates(id, 3, CallStage::Closed);
    assert_eq!(hub.stage(id), Stage::Closed);
}

#[test]
fn an_end_that_comes_after_the_ack_of_the_cry_that_undid_it_ends_nothing() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.center_updates(id, 1, CallStage::CallingFirstContact);
    hub.request(Service::Police);
    hub.center_reopens(2);
    // The broker keeps no order between the topics of acks and of updates.
    hub.center_updates(id, 2, CallStage::CancelledByContact);
    assert_eq!(hub.stage(id), Stage::CallingFirstContact);
    assert!(hub.siren_line());
    let mut hub = hub.killed(seconds(1));
    hub.center_updates(id, 2, CallStage::CancelledByContact);
    assert_eq!(hub.stage(id), Stage::CallingFirstContact, "it is written down");
    hub.center_updates(id, 3, CallStage::Dispatched);
    hub.center_updates(id, 4, CallStage::Closed);
    assert_eq!(hub.stage(id), Stage::Closed);
}

#[test]
fn an_end_is_held_up_by_no_other_signal_than_a_new_cry_for_the_same_incident() {
    // Its own first alarm, whose ack the end has overtaken, and a new cry for another one.
    let mut hub = Hub::installed();
    let police = hub.alarm(Service::Police);
    let fire = hub.alarm(Service::Fire);
    hub.request(Service::Fire);
    hub.center_updates(police, 1, CallStage::Closed);
    assert_eq!((hub.stage(police), hub.stage(fire)), (Stage::Closed, Stage::Requested));
}

#[test]
fn an_update_of_an_incident_that_the_center_cannot_know_changes_nothing_and_raises_a_fault() {
    type Story = fn(&mut Hub) -> Id;
    let stories: [(&str, Story); 4] = [
        ("unknown", |hub| hub.seen.transmitted[0].1.jti),
        ("counting", |hub| hub.request(Service::Police).incident.expect("accepted")),
        ("siren alone", |hub| hub.alarm(Service::Siren)),
        ("aborted", |hub| {
            let id = hub.request(Service::Police).incident.expect("accepted");
            hub.cancel();
            id
        }),
    ];
    for (story, tell) in stories {
        let mut hub = Hub::installed();
        let id = tell(&mut hub);
        let before = hub.state().incidents.clone();
        hub.center_updates(id, 1, CallStage::Closed);
        assert_eq!(hub.state().incidents, before, "{story}");
        assert!(hub.has_fault("center_message"), "{story}");
    }
}

#[test]
fn a_message_that_was_rejected_changes_nothing_and_raises_a_fault_that_passes() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.after(seconds(1));
    let heard = hub.state().center.last_heard_at;
    hub.center(CenterMessage::Rejected { problem: "its signature is not the center's.".into() });
    assert!(hub.fault_message("center_message").contains("signature"));
    assert_eq!(hub.stage(id), Stage::Acknowledged);
    assert_eq!(hub.state().center.last_heard_at, heard, "nothing was heard of the center");
    hub.after(seconds(600));
    assert!(!hub.has_fault("center_message"));
}

#[test]
fn a_late_ack_of_an_older_signal_settles_that_one_alone() {
    let mut hub = Hub::installed();
    let police = hub.alarm(Service::Police);
    let fire = hub.alarm(Service::Fire);
    let first = hub.alarms()[0].jti;
    hub.center_acks(first, AckResult::Accepted);
    assert_eq!((hub.stage(police), hub.stage(fire)), (Stage::Acknowledged, Stage::Requested));
    assert_eq!(hub.state().center.owed, 1);
    let before = hub.alarms().len();
    hub.after(seconds(5));
    let again: Vec<_> = hub.alarms()[before..].iter().map(|signal| signal.incident).collect();
    assert_eq!(again, [Some(fire)], "the other one is owed, and no one else");
}

#[test]
fn the_ack_of_a_cancel_request_or_a_repeat_says_nothing_of_the_first_alarm() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.cancel();
    let wish = hub.signals(|signal| signal.kind == SignalKind::CancelRequest)[0].jti;
    hub.center_acks(wish, AckResult::Accepted);
    assert_eq!(hub.stage(id), Stage::Requested);
    assert_eq!(hub.state().center.owed, 1);
}

#[test]
fn a_refusal_for_want_of_monitoring_ends_the_incident_and_the_siren_goes_on() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    let jti = hub.alarms()[0].jti;
    hub.center_acks(jti, AckResult::NoMonitoring);
    assert_eq!(hub.stages(id), [Stage::Requested, Stage::RefusedByCenter]);
    assert_eq!(hub.state().center.owed, 0);
    assert!(hub.siren_line());
    hub.after(seconds(239));
    assert!(hub.siren_line());
    hub.after(seconds(1));
    assert!(!hub.siren_line());
}

#[test]
fn a_refusal_of_a_repeat_does_not_end_what_the_center_has_or_may_still_take() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.request(Service::Police);
    let (first, repeat) = (hub.alarms()[0].jti, hub.alarms()[1].jti);
    hub.center_acks(repeat, AckResult::NoMonitoring);
    assert_eq!(hub.stage(id), Stage::Requested);
    hub.center_acks(first, AckResult::Accepted);
    hub.request(Service::Police);
    let second_repeat = hub.alarms().last().expect("sent").jti;
    hub.center_acks(second_repeat, AckResult::NoMonitoring);
    assert_eq!(hub.stage(id), Stage::Acknowledged);
}

#[test]
fn a_refusal_that_is_said_again_does_not_end_what_the_center_has_taken_meanwhile() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    // The first refusal is lost on its way, the account gets its plan back, and somebody presses again.
    hub.request(Service::Police);
    let (first, second) = (hub.alarms()[0].jti, hub.alarms()[1].jti);
    hub.center_updates(id, 1, CallStage::CallingFirstContact);
    hub.center_acks(second, AckResult::Accepted);
    let mut hub = hub.killed(seconds(1));
    hub.center_acks(first, AckResult::NoMonitoring);
    assert_eq!(hub.stage(id), Stage::CallingFirstContact);
}

#[test]
fn an_incident_all_of_whose_alarms_are_refused_ends_with_the_last_of_them() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.request(Service::Police);
    let (first, second) = (hub.alarms()[0].jti, hub.alarms()[1].jti);
    hub.center_acks(first, AckResult::NoMonitoring);
    assert_eq!(hub.stage(id), Stage::Requested, "the center may still take the second one");
    hub.center_acks(second, AckResult::NoMonitoring);
    assert_eq!(hub.stage(id), Stage::RefusedByCenter);
}

#[test]
fn a_refusal_ends_an_incident_at_every_stage() {
    let before_its_ack =
        [CallStage::CallingFirstContact, CallStage::Confirmed, CallStage::Dispatched, CallStage::CallingOtherContacts];
    for stage in before_its_ack {
        let mut hub = Hub::installed();
        let id = hub.alarm(Service::Police);
        // People before paper: the center calls though its disk fails, and then loses all that it knew of this alarm.
        hub.center_updates(id, 1, stage);
        let jti = hub.alarms()[0].jti;
        hub.center_acks(jti, AckResult::NoMonitoring);
        assert_eq!(hub.stage(id), Stage::RefusedByCenter, "{stage:?}");
        assert!(hub.state().message.contains("Call the emergency number"), "{}", hub.state().message);
        assert!(hub.siren_line());
    }
}

#[test]
fn an_alarm_of_an_unknown_account_stays_owed_with_a_fault() {
    for (result, says) in
        [(AckResult::UnknownAccount, "does not know this account"), (AckResult::OtherRefusal, "reason")]
    {
        let mut hub = Hub::installed();
        let id = hub.alarm(Service::Police);
        let jti = hub.alarms()[0].jti;
        hub.center_acks(jti, result);
        assert_eq!((hub.stage(id), hub.state().center.owed), (Stage::Requested, 1));
        assert!(hub.fault_message("center_refused").contains(says));
        assert!(!hub.state().ready);
        hub.after(seconds(15));
        assert_eq!(hub.alarms().len(), 3, "it is sent again");
        hub.center(CenterMessage::Ack(Ack { signal: jti, result: AckResult::Accepted, seq: 50, reopened_after: None }));
        assert_eq!(hub.stage(id), Stage::Acknowledged);
        assert!(!hub.has_fault("center_refused"));
    }
}

#[test]
fn an_exact_repeat_of_an_ack_is_ignored_in_peace() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.center_updates(id, 1, CallStage::Dispatched);
    let jti = hub.alarms()[0].jti;
    hub.after(millis(500));
    let before = hub.state().clone();
    hub.center_acks(jti, AckResult::Accepted);
    assert_eq!(*hub.state(), before);
}

#[test]
fn an_ack_from_another_day_changes_nothing_and_raises_a_fault() {
    let mut hub = Hub::installed();
    let id = hub.alarm(Service::Police);
    hub.center_acks_everything();
    hub.after(seconds(20));
    let heard = hub.state().center.last_heard_at;
    hub.center(CenterMessage::Ack(Ack { signal: id, result: AckResult::NoMonitoring, seq: 1, reopened_after: None }));
    assert!(hub.has_fault("center_message"));
    assert_eq!(hub.stage(id), Stage::Acknowledged);
    assert_eq!(hub.state().center.last_heard_at, heard);
}

#[test]
fn an_ack_of_an_unknown_signal_is_a_fault_beside_signals_that_are_owed() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Police);
    hub.center(CenterMessage::Ack(Ack {
        signal: Id(4_711),
        result: AckResult::Accepted,
        seq: 0,
        reopened_after: None,
    }));
    let message = hub.fault_message("center_message");
    assert!(message.contains("acknowledges a signal that this hub does not know"), "{message}");
}

#[test]
fn an_update_of_what_the_center_never_heard_of_is_a_fault_beside_what_it_has_ended() {
    let mut hub = Hub::installed();
    let ended = hub.acknowledged_alarm();
    hub.center_updates(ended, 1, CallStage::Closed);
    let aborted = hub.request(Service::Fire).incident.expect("accepted");
    hub.cancel();
    hub.after(seconds(11));
    hub.center_updates(ended, 2, CallStage::Closed);
    assert!(!hub.has_fault("center_message"), "a late one is no fault");
    hub.center_updates(aborted, 1, CallStage::Dispatched);
    let message = hub.fault_message("center_message");
    assert!(message.contains("an incident that this hub never reported"), "{message}");
}
