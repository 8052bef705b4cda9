//! Accounts that are new or change while the center runs.

use sos_hub::center::desk::effect::Changed;
use sos_hub::center::desk::input::Input;
use sos_hub::center::desk::words::{Account, Order};

use crate::center::{Center, webhook};
use crate::paper::Paper;
use crate::people::{CONFIRMED, account, alarmed, center, with_contacts, with_plan};

#[test]
fn a_new_account_is_known_at_once() {
    let mut center = center();
    center.input(Input::Accounts(vec![account("C3")]));
    center.alarm("C3", 1);
    assert_eq!(center.acks_of(10).len(), 1);
    assert_eq!(center.desk.hubs(None).total, 3);
}

#[test]
fn what_is_shown_of_an_open_incident_follows_its_account() {
    let (mut center, incident) = alarmed();
    center.seen.changed.clear();
    center.input(Input::Accounts(vec![Account { address: "2 Oak Road".into(), ..account("A1") }]));
    assert_eq!(center.view(incident).line.address, "2 Oak Road");
    assert!(center.seen.changed.contains(&Changed::Incident(incident)));
    assert!(center.seen.changed.contains(&Changed::Hubs));
}

#[test]
fn an_alarm_that_waits_for_a_call_goes_on_if_the_last_contact_is_taken_away() {
    let (mut center, incident) = alarmed();
    center.input(Input::Accounts(vec![with_contacts("A1", 0)]));
    center.works(incident, &[Order::Dispatch]);
    assert_eq!(center.told(incident), ["dispatched no_contact"]);
}

#[test]
fn a_contact_who_is_added_during_an_incident_can_be_called() {
    let mut center = Center::open(webhook(), Paper::with(vec![with_contacts("A1", 1)]));
    let incident = center.alarm("A1", 1);
    center.input(Input::Accounts(vec![with_contacts("A1", 2)]));
    center.works(incident, &[Order::Outcome(CONFIRMED), Order::Dispatch]);
    assert_eq!(center.told(incident)[3..], ["calling_other_contacts 2"]);
}

#[test]
fn a_closed_account_is_in_no_trouble() {
    let mut center = center();
    let kind = sos_hub::center::desk::words::SignalKind::Fault { code: "siren".into(), message: "Broken.".into() };
    center.other("A1", 1, kind);
    assert_eq!(center.desk.queue().hubs_in_trouble, 1);
    center.input(Input::Accounts(vec![Account { closed: true, ..account("A1") }]));
    assert_eq!(center.desk.queue().hubs_in_trouble, 0);
    assert!(center.desk.hubs(None).page[0].closed);
}

#[test]
fn only_an_unknown_plan_of_an_open_account_is_warned_of() {
    let warned = |account: Account| {
        let mut center = center();
        center.input(Input::Accounts(vec![account]));
        center.seen.log.iter().any(|line| line.topic == "plans")
    };
    assert!(!warned(with_plan("A1", "protect_basic")));
    assert!(warned(with_plan("A1", "unheard_of")));
    assert!(!warned(Account { closed: true, ..with_plan("A1", "unheard_of") }));
    assert!(!warned(Account { closed: true, ..account("A1") }));
}
