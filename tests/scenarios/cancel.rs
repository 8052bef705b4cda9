//! The user's word to cancel: an abort before the end of the countdown, a wish after it.

use sos_hub::controller::effect::SignalKind;
use sos_hub::controller::input::{CancelTarget, Content};
use sos_hub::controller::report::Phase;
use sos_hub::controller::words::{CallStage, CommandName, Reason, Service, Stage};

use crate::hub::{Hub, millis, seconds};
use crate::seen::is_cancel_request;

const CANCEL_BUTTON: usize = 3;

#[test]
fn a_cancel_in_the_countdown_aborts_and_nothing_sounds_or_is_sent() {
    for service in [Service::Police, Service::Fire, Service::Siren] {
        let mut hub = Hub::installed();
        let start = hub.at.now;
        let sent = hub.seen.transmitted.len();
        let id = hub.request(service).incident.expect("accepted");
        hub.after(seconds(2));
        let reply = hub.cancel();
        assert_eq!((reply.refused, reply.incident, reply.durable), (None, Some(id), Some(true)));
        assert_eq!(hub.stages(id), [Stage::Aborted]);
        assert_eq!(hub.phase(), Phase::Idle);
        hub.after(seconds(30));
        assert_eq!(hub.siren_edges_since(start), []);
        assert_eq!(hub.seen.transmitted.len(), sent);
    }
}

#[test]
fn a_cancel_of_a_named_incident_aborts_that_one_alone() {
    let mut hub = Hub::installed();
    let police = hub.request(Service::Police).incident.expect("accepted");
    let fire = hub.request(Service::Fire).incident.expect("accepted");
    let reply = hub.cancel_incident(police);
    assert_eq!((reply.refused, reply.incident), (None, Some(police)));
    hub.after(seconds(5));
    assert_eq!(hub.stage(police), Stage::Aborted);
    assert_eq!(hub.stage(fire), Stage::Requested);
}

#[test]
fn an_empty_cancel_aborts_every_running_countdown() {
    let mut hub = Hub::installed();
    let all = Service::ALL.map(|service| hub.request(service).incident.expect("accepted"));
    let reply = hub.cancel();
    assert_eq!(reply.refused, None);
    assert!(all.into_iter().all(|id| hub.stage(id) == Stage::Aborted));
    assert!(reply.message.contains("the police and the fire department and the siren"), "{}", reply.message);
}

#[test]
fn a_cancel_one_millisecond_before_the_end_wins() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Police).incident.expect("accepted");
    hub.after(seconds(5) - millis(1));
    assert_eq!(hub.cancel().refused, None);
    hub.after(seconds(5));
    assert_eq!(hub.stages(id), [Stage::Aborted]);
    assert!(hub.alarms().is_empty() && !hub.siren_line());
}

#[test]
fn a_cancel_at_the_end_or_one_millisecond_after_it_is_too_late() {
    for late in [0, 1] {
        let mut hub = Hub::installed();
        let id = hub.request(Service::Police).incident.expect("accepted");
        // The loop did not turn in between: the cancel itself is the first input after the end.
        hub.hangs(seconds(5) + millis(late));
        let reply = hub.cancel();
        assert_eq!((reply.refused, reply.incident), (Some(Reason::TooLate), Some(id)));
        assert!(reply.message.starts_with("Too late to cancel"));
        assert_eq!(hub.stages(id), [Stage::Requested]);
        assert!(hub.siren_line());
        assert_eq!(hub.alarms().len(), 1);
    }
}

#[test]
fn an_aborted_incident_is_shown_for_ten_seconds() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Police).incident.expect("accepted");
    hub.cancel();
    hub.after(seconds(10) - millis(1));
    assert_eq!(hub.stage(id), Stage::Aborted);
    hub.after(millis(1));
    assert!(hub.state().incidents.is_empty());
}

#[test]
fn after_the_countdown_the_app_cannot_cancel_and_the_center_is_told_that_it_tried() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    for cancelled in [hub.cancel(), hub.cancel_incident(id)] {
        assert_eq!((cancelled.refused, cancelled.incident), (Some(Reason::TooLate), Some(id)));
    }
    let told = hub.signals(is_cancel_request);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].incident, told[0].service), (Some(id), Some(Service::Police)));
    assert_eq!(hub.stage(id), Stage::Acknowledged);
    assert!(hub.siren_line());
}

#[test]
fn a_cancel_request_goes_out_at_most_every_ten_seconds() {
    let mut hub = Hub::installed();
    hub.acknowledged_alarm();
    let start = hub.at.now;
    for _ in 0..100 {
        hub.cancel();
        hub.center_acks_everything();
        hub.after(millis(250));
    }
    assert_eq!(hub.sent_since(start, is_cancel_request), [0, 10_000, 20_000]);
}

#[test]
fn a_cancel_of_an_alarm_that_the_center_has_not_acked_yet_waits_behind_it() {
    let mut hub = Hub::installed();
    hub.center_link_down();
    hub.alarm(Service::Police);
    hub.cancel();
    hub.center_link_up();
    let sent: Vec<SignalKind> = hub.signals(|signal| signal.incident.is_some()).into_iter().map(|s| s.kind).collect();
    assert_eq!(sent, [SignalKind::Alarm, SignalKind::CancelRequest]);
}

#[test]
fn in_a_long_outage_the_wishes_to_cancel_do_not_pile_up() {
    let mut hub = Hub::installed();
    hub.acknowledged_alarm();
    hub.center_link_down();
    for _ in 0..50 {
        assert_eq!(hub.cancel().refused, Some(Reason::TooLate));
        hub.after(seconds(11));
    }
    assert_eq!(hub.state().center.owed, 1);
    hub.center_link_up();
    hub.center_acks_everything();
    hub.cancel();
    assert_eq!(hub.signals(is_cancel_request).len(), 2, "one that comes after the ack is passed on again");
}

#[test]
fn an_empty_cancel_beside_an_open_alarm_aborts_what_runs_and_names_what_goes_on() {
    let mut hub = Hub::installed();
    let police = hub.acknowledged_alarm();
    let fire = hub.request(Service::Fire).incident.expect("accepted");
    let reply = hub.cancel();
    assert_eq!((reply.refused, reply.incident), (None, Some(fire)));
    assert_eq!((hub.stage(police), hub.stage(fire)), (Stage::Acknowledged, Stage::Aborted));
    assert_eq!(hub.signals(is_cancel_request).len(), 1);
    let (gone, going_on) = reply.message.split_once("Still going on").expect("it says what goes on");
    assert!(gone.contains("fire department") && going_on.contains("the police"), "{}", reply.message);
    hub.after(seconds(5));
    assert!(hub.alarms().iter().all(|alarm| alarm.incident == Some(police)));
}

#[test]
fn a_siren_that_sounds_alone_is_too_late_to_cancel_and_the_reply_says_how_to_stop_it() {
    let mut hub = Hub::installed();
    hub.alarm(Service::Siren);
    let reply = hub.cancel();
    assert_eq!(reply.refused, Some(Reason::TooLate));
    assert!(reply.message.contains("silence"), "{}", reply.message);
    hub.request(Service::Police);
    let reply = hub.cancel();
    assert_eq!(reply.refused, None);
    assert!(!reply.message.contains("emergency contact"), "nobody calls about a siren: {}", reply.message);
    assert!(hub.signals(is_cancel_request).is_empty());
}

#[test]
fn without_a_countdown_a_cancel_is_refused() {
    let mut hub = Hub::installed();
    assert_eq!(hub.cancel().refused, Some(Reason::NoCountdown));
    let id = hub.request(Service::Police).incident.expect("accepted");
    hub.cancel();
    assert_eq!(hub.cancel().refused, Some(Reason::NoCountdown));
    assert_eq!(hub.cancel_incident(id).refused, Some(Reason::NoCountdown));
    hub.after(seconds(60));
    assert_eq!(hub.cancel_incident(id).refused, Some(Reason::NoCountdown));
}

#[test]
fn a_cancel_of_an_incident_that_never_was_is_refused_and_aborts_nothing() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Police).incident.expect("accepted");
    let foreign = hub.seen.transmitted[0].1.jti;
    assert_eq!(hub.cancel_incident(foreign).refused, Some(Reason::UnknownIncident));
    let content = Content::Cancel { incident: CancelTarget::Unknown("the last one".into()), id: None };
    assert_eq!(hub.content(CommandName::Cancel, content).refused, Some(Reason::UnknownIncident));
    assert_eq!(hub.stage(id), Stage::Countdown);
}

#[test]
fn a_cancel_button_aborts_and_afterwards_asks_the_center() {
    let mut hub = Hub::installed();
    let id = hub.request(Service::Fire).incident.expect("accepted");
    hub.hold(CANCEL_BUTTON);
    assert_eq!(hub.stages(id), [Stage::Aborted]);
    let id = hub.acknowledged_alarm();
    hub.hold(CANCEL_BUTTON);
    assert_eq!(hub.refusals(), [Reason::TooLate]);
    assert_eq!(hub.signals(is_cancel_request)[0].incident, Some(id));
}

#[test]
fn only_the_first_contact_cancels_an_alarm() {
    let mut hub = Hub::installed();
    let id = hub.acknowledged_alarm();
    hub.cancel();
    hub.center_acks_everything();
    hub.center_updates(id, 1, CallStage::CallingFirstContact);
    assert_eq!(hub.stage(id), Stage::CallingFirstContact);
    hub.center_updates(id, 2, CallStage::CancelledByContact);
    assert_eq!(hub.stage(id), Stage::CancelledByContact);
    assert!(!hub.siren_line());
}
