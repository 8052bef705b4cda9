//! What an operator's buttons do, sent as plain forms.

use sos_hub::controller::moment::Id;
use sos_hub::controller::words::{Service, Stage};

use crate::center::{Center, VERBAL};
use crate::http::{Answer, Request, log_in};

/// Sends a button with the step that stands now.
fn press(center: &Center, cookie: &str, incident: Id, button: &str, rest: &str) -> Answer {
    let step = center.view(incident).expect("the incident").step;
    send(center, cookie, incident, &format!("button={button}&step={step}{rest}"))
}

fn send(center: &Center, cookie: &str, incident: Id, body: &str) -> Answer {
    Request::post(center, &format!("{}/orders", Center::page(incident)), body).with("Cookie", cookie).send()
}

/// Logs in and has the first contact called; the call's id.
pub fn call_first_contact(center: &Center, incident: Id) -> Id {
    let answer = press(center, &log_in(center), incident, "call_first_contact", "");
    assert_eq!(answer.status, 303, "{answer:?}");
    center.view(incident).expect("the incident").calls[0].id
}

fn stage(center: &Center, incident: Id) -> Stage {
    center.view(incident).expect("the incident").line.stage
}

#[test]
fn an_alarm_is_worked_from_the_first_call_to_its_end() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Fire);
    let cookie = log_in(&center);
    let story = [
        ("call_first_contact", Stage::CallingFirstContact),
        ("answered", Stage::CallingFirstContact),
        ("confirmed", Stage::Confirmed),
        ("dispatch", Stage::Dispatched),
        ("call_next_contact", Stage::CallingOtherContacts),
        ("answered", Stage::CallingOtherContacts),
        ("close", Stage::Closed),
    ];
    for (button, after) in story {
        let answer = press(&center, &cookie, incident, button, "");
        assert_eq!((answer.status, answer.header("location")), (303, Center::page(incident).as_str()), "{button}");
        assert_eq!(stage(&center, incident), after, "{button}");
    }
    let page = Request::get(&center, &Center::page(incident)).with("Cookie", &cookie).send().body;
    assert!(page.contains("Closed") && page.contains("ann"), "{page}");
}

#[test]
fn only_the_verbal_password_cancels() {
    for (said, outcome, after) in [
        (VERBAL, "cancelled", Stage::CancelledByContact),
        ("Blue++Whale", "cancelled", Stage::CancelledByContact),
        ("red+whale", "wrong_password", Stage::Dispatched),
        ("", "wrong_password", Stage::Dispatched),
    ] {
        let center = Center::start();
        let incident = center.alarm("A1", Service::Police);
        let cookie = log_in(&center);
        press(&center, &cookie, incident, "call_first_contact", "");
        let password = format!("&password={}", said.replace(' ', "+"));
        let answer = press(&center, &cookie, incident, "cancelled_by_contact", &password);
        assert_eq!(answer.status, 303, "{said}: {answer:?}");
        let view = center.view(incident).unwrap();
        assert_eq!(view.calls[0].outcome, Some(outcome), "{said}");
        assert_eq!(view.line.stage == Stage::CancelledByContact, after == Stage::CancelledByContact, "{said}");
    }
}

#[test]
fn a_button_of_an_old_page_does_nothing() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let cookie = log_in(&center);
    let old = center.view(incident).unwrap().step;
    press(&center, &cookie, incident, "call_first_contact", "");
    let before = center.view(incident).unwrap().step;
    let body = format!("button=call_first_contact&step={old}");
    let page = send(&center, &cookie, incident, &body);
    assert_eq!(page.status, 409);
    assert!(page.body.contains("Somebody else was faster"), "{}", page.body);
    let request = Request::post(&center, &format!("{}/orders", Center::page(incident)), &body);
    let json = request.with("Cookie", &cookie).with("Accept", "application/json").send();
    assert_eq!((json.status, json.header("content-type")), (409, "application/json"));
    assert!(json.body.contains(r#""ok":false"#) && json.body.contains("Somebody else was faster"), "{}", json.body);
    assert_eq!(center.view(incident).unwrap().step, before);
}

#[test]
fn what_the_step_does_not_allow_is_refused() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let cookie = log_in(&center);
    let step = center.view(incident).unwrap().step;
    for button in ["close", "confirmed", "nonsense", "note"] {
        assert_eq!(press(&center, &cookie, incident, button, "").status, 409, "{button}");
    }
    for body in ["", "button=call_first_contact", "step=1", "button=call_first_contact&step=-1", "button=%ff&step=1"] {
        assert_eq!(send(&center, &cookie, incident, body).status, 409, "{body}");
    }
    assert_eq!(center.view(incident).unwrap().step, step);
    assert_eq!(send(&center, &cookie, Id(7), "button=close&step=1").status, 409);
}

#[test]
fn a_note_stands_in_the_history_as_it_was_written() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let cookie = log_in(&center);
    let answer = press(&center, &cookie, incident, "note", "&text=Dog+%3Cbites%3E+%26+barks");
    assert_eq!(answer.status, 303, "{answer:?}");
    let page = Request::get(&center, &Center::page(incident)).with("Cookie", &cookie).send().body;
    assert!(page.contains("Dog &lt;bites&gt; &amp; barks"), "{page}");
}
