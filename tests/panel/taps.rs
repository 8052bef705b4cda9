//! Hurried fingers: what they press is what they meant.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::installation::{Installation, Setup};
use crate::page::{POLICE, Page, SIREN_ONLY};
use crate::support::wait_until;

/// What the hub was asked for, each once: a page that waits for its reply asks again, with the same id.
fn asked(home: &Installation, since: usize) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    home.app.replies(since).iter().map(|reply| (text(&reply["command"]), text(&reply["id"]))).collect()
}

fn home(countdown_seconds: u32) -> Installation {
    Installation::running(Setup { countdown_seconds, ..Setup::default() })
}

/// Taps a button in the very moment in which it comes into sight.
const TAP_AT_ONCE: &str = "
    new MutationObserver(() => {
      const button = document.querySelector('BUTTON');
      if (!button?.checkVisibility() || window.tapped) return;
      window.tapped = true;
      button.dispatchEvent(new MouseEvent('click', { detail: 1, bubbles: true }));
    }).observe(document.querySelector('#sheet'), { childList: true, subtree: true, attributes: true });";

#[test]
fn the_second_of_two_taps_does_not_take_back_the_first_and_says_so() {
    let home = home(30);
    let page = Page::unlocked(&home);
    let since = home.app.mark();
    page.sos();
    page.browser.run(&TAP_AT_ONCE.replace("BUTTON", ".cancel"));
    page.tap(SIREN_ONLY);
    page.countdown();
    assert_eq!(page.browser.run("return window.tapped;"), true);
    // Two taps that mean it, and quickly: browsers count them as one and two.
    page.cancel_is_ready();
    wait_until("its reply", || !home.app.replies(since).is_empty());
    assert_eq!(asked(&home, since).len(), 1, "the request alone");
    page.browser.run("document.querySelector('.cancel').dispatchEvent(new MouseEvent('click', { detail: 2 }));");
    home.app.event(since, "aborted");
    page.card("Cancelled in time");
}

#[test]
fn the_second_of_two_taps_on_cancel_asks_for_no_siren_and_is_no_failure() {
    let home = home(30);
    let page = Page::unlocked(&home);
    let since = home.app.mark();
    page.counts_down_for(POLICE);
    page.cancel_is_ready();
    page.browser.run(&TAP_AT_ONCE.replace("BUTTON", SIREN_ONLY));
    page.browser.run("const cancel = document.querySelector('.cancel'); cancel.click(); cancel.click();");
    page.card("Cancelled in time");
    page.browser.wait("the button", || page.browser.run("return window.tapped ?? false;") == true);
    page.tap(SIREN_ONLY);
    let siren = || asked(&home, since).iter().filter(|(command, _)| command == "request").count() == 2;
    wait_until("the tap that was meant", siren);
    assert_eq!(asked(&home, since).len(), 3, "besides the police and one cancel");
    assert_eq!(page.browser.text("#answer"), "");
}

#[test]
fn a_cancel_that_another_countdown_moved_under_a_finger_waits() {
    let home = home(30);
    let page = Page::unlocked(&home);
    page.counts_down_for(POLICE);
    page.cancel_is_ready();
    // Time stands still, and so what moves does not become ready again.
    page.browser.run("const real = setTimeout; window.setTimeout = (act, ms) => ms === 700 ? 0 : real(act, ms);");
    let before = page.place(".incident.police .cancel");
    home.app.accepted("request", r#"{"service": "fire", "source": "app"}"#);
    page.browser.wait("two cards", || page.browser.has(".incident.fire .cancel"));
    let after = page.place(".incident.police .cancel");
    assert!((before.y - after.y).abs() > 8.0, "{before:?} {after:?}");
    assert!(page.browser.has(".incident.police .cancel.unready"), "it is not where it was");
}

#[test]
fn a_tap_that_is_too_early_is_shown_to_be() {
    let home = home(30);
    let page = Page::unlocked(&home);
    page.sos();
    // Time stands still, and so the button does not become ready.
    page.browser.run("const real = setTimeout; window.setTimeout = (act, ms) => ms === 700 ? 0 : real(act, ms);");
    page.slide(POLICE, 1.0);
    page.countdown();
    let since = home.app.mark();
    page.browser.click_on(".cancel");
    page.browser.wait_for_text_in("#asking", "tap again");
    let edge = page.browser.run("return getComputedStyle(document.querySelector('.cancel')).outlineStyle;");
    assert_eq!(edge, "dashed");
    // Keys do not hit by accident: the focus is elsewhere.
    page.browser.run("document.querySelector('.cancel').focus();");
    page.browser.key(fantoccini::key::Key::Enter);
    home.app.event(since, "aborted");
    // It comes after what it was the reply to.
    let cancels = || asked(&home, since).iter().filter(|(command, _)| command == "cancel").count();
    wait_until("the reply", || cancels() > 0);
    assert_eq!(cancels(), 1);
}

#[test]
fn a_press_that_a_new_state_comes_into_counts() {
    let home = home(30);
    let page = Page::unlocked(&home);
    let since = home.app.mark();
    page.counts_down_for(POLICE);
    page.cancel_is_ready();
    page.browser.run("document.querySelector('.cancel').focus();");
    let place = page.place(".cancel");
    let middle = (place.x + place.width / 2.0, place.y + place.height / 2.0);
    // The hub says each second what is left: two of those come while the finger is down.
    page.browser.drag(&[middle; 120]);
    home.app.event(since, "aborted");
    assert!(home.app.count(since, "countdown") > 0, "a state came in between");
}

#[test]
fn a_finger_that_is_too_late_to_cancel_does_not_silence_the_alarm() {
    for size in [(320, 568), (400, 860), (1280, 800)] {
        let home = home(10);
        let page = Page::unlocked(&home);
        page.browser.phone(size.0, size.1);
        let since = home.app.mark();
        page.sos();
        page.browser.run(&TAP_AT_ONCE.replace("BUTTON", "#silence"));
        page.slide(POLICE, 1.0);
        page.countdown();
        page.place("dialog[open]");
        let cancel = page.place(".cancel");
        page.stage("acknowledged");
        home.lines.siren_is(1);
        page.browser.wait("the button", || page.browser.run("return window.tapped ?? false;") == true);
        let (silence, cards) = (page.place("#silence"), page.place("#cards"));
        assert!(silence.y + silence.height <= cards.y, "above what is told: {silence:?}, {cards:?}");
        let is_apart = silence.y + silence.height <= cancel.y || cancel.y + cancel.height <= silence.y;
        assert!(is_apart, "{size:?}: not where Cancel was: {silence:?}, {cancel:?}");
        assert_eq!(asked(&home, since).len(), 1, "the tap was not meant for it");
        page.tap("#silence");
        home.lines.siren_is(0);
    }
}

#[test]
fn a_slip_is_no_slide_however_narrow_the_page_and_large_the_letters() {
    let home = home(30);
    let page = Page::unlocked(&home);
    for (size, letters) in [((320, 568), "100%"), ((320, 568), "200%"), ((1280, 800), "100%")] {
        page.browser.phone(size.0, size.1);
        page.browser.run(&format!("document.documentElement.style.fontSize = '{letters}';"));
        let since = home.app.mark();
        page.sos();
        page.browser
            .run(&format!("document.querySelector('[aria-label={POLICE:?}]').scrollIntoView({{ block: 'center' }});"));
        let handle = page.handle(POLICE);
        let from = (handle.x + handle.width / 2.0, handle.y + handle.height / 2.0);
        let at = |distance: f64| (from.0 + distance, from.1);
        page.browser.swipe(&[from, at(40.0), at(80.0), at(125.0)]);
        assert_eq!(page.value(POLICE), 0, "{size:?} {letters}: it goes back");
        assert_eq!(home.app.count(since, "countdown_started"), 0, "{size:?} {letters}");
        let end = f64::from(size.0) - 10.0;
        page.browser.swipe(&[from, at(60.0), at(120.0), ((from.0 + end) / 2.0, from.1), (end, from.1)]);
        page.countdown();
        page.cancel("police");
        home.app.event(since, "aborted");
        page.card("Cancelled in time");
        // What is said of the question goes, and moves the sliders.
        page.is_answered();
        page.browser.click_on("#close");
    }
}
