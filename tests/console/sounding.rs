//! The console's sound in a real browser: what makes it ring, and what an operator has silenced.

use fantoccini::key::Key;
use sos_hub::center::desk::words::SignalKind;
use sos_hub::controller::words::Service;

use crate::browser::Browser;
use crate::center::Center;
use crate::pages::operator_at;

/// Keeps the answers to what is posted until `window.answer()`.
const SLOW_ANSWERS: &str = "
    const quick = window.fetch;
    window.fetch = async (url, options) => {
        const answer = await quick(url, options);
        if (options?.method === 'POST') await new Promise((go) => { window.answer = go; });
        return answer;
    };
";

/// A stream that tells of one more alarm at once, before anything else that the page asks for can have come.
const AN_ALARM_AT_ONCE: &str = "
    let is_told = false;
    window.EventSource = class {
        addEventListener(kind, take) {
            if (kind !== 'page' || is_told) return;
            is_told = true;
            const { alarm, now } = document.body.dataset;
            const [nav, health] = ['nav', 'health'].map((id) => document.getElementById(id).innerHTML);
            const state = { title: null, main: null, alarm: Number(alarm) + 1, unattended: 1, now: Number(now), nav, health };
            take({ data: JSON.stringify(state) });
        }
        close() {}
    };
";

const SILENCED: &str = "return localStorage.getItem('sos-center-silenced') !== null";

fn rings(browser: &Browser) -> bool {
    browser.has("html[data-ringing=true]")
}

#[test]
fn another_cry_of_an_incident_that_is_worked_on_rings_again() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    crate::orders::call_first_contact(&center, incident);
    let browser = Browser::start();
    operator_at(&center, &browser, "/");
    browser.wait("quiet", || browser.has("html[data-ringing=false]"));
    center.hear("A1", SignalKind::Alarm { incident, service: Service::Police, resumed: false, repeat: true });
    browser.wait_for_title("(1) ALARM");
    browser.wait("the sound", || rings(&browser));
    browser.wait_for_text_in(".incident", "Cries for an operator");
}

#[test]
fn an_alarm_that_came_while_the_page_was_loading_rings() {
    let center = Center::start();
    let browser = Browser::start();
    browser.before_pages(AN_ALARM_AT_ONCE);
    operator_at(&center, &browser, "/");
    browser.wait_for_title("(1) ALARM");
    browser.wait("the sound", || rings(&browser));
}

#[test]
fn a_button_silences_what_was_there_when_it_was_pressed_and_nothing_later() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let browser = Browser::start();
    operator_at(&center, &browser, &Center::page(incident));
    browser.wait("the sound", || rings(&browser));
    browser.run(SLOW_ANSWERS);
    browser.press("Call first contact");
    browser.wait("the answer is on its way", || browser.run("return 'answer' in window") == true);
    browser.wait("quiet", || !rings(&browser));
    center.alarm("A2", Service::Fire);
    browser.wait("the sound of the next alarm", || rings(&browser));
    browser.run("window.answer()");
    browser.wait("the button has silenced", || browser.run(SILENCED) == true);
    assert!(rings(&browser), "an alarm that nobody had heard was silenced");
}

#[test]
fn a_note_silences_nothing() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let browser = Browser::start();
    operator_at(&center, &browser, &Center::page(incident));
    browser.wait("the sound", || rings(&browser));
    browser.fill("#note", "the dog barks");
    browser.key(Key::Enter);
    browser.wait_for_text_in(".history", "the dog barks");
    browser.wait("the note is sent", || browser.run("return document.getElementById('note').value") == "");
    assert!(rings(&browser), "the note silenced it");
}
