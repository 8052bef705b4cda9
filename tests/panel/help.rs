//! Asking for help: the two sliders, the siren, the way back, and what is said on the way.

use serde_json::json;

use crate::center::Answers;
use crate::installation::{Installation, Setup};
use crate::page::{FIRE, POLICE, Page, SIREN_ONLY};
use crate::support::wait_until;

fn long_countdown() -> Installation {
    Installation::running(Setup { countdown_seconds: 30, ..Setup::default() })
}

#[test]
fn the_police_comes_by_a_slide_and_each_stage_is_shown_to_the_end() {
    let home = Installation::running(Setup { countdown_seconds: 10, ..Setup::default() });
    home.center.answer(Answers::AllButAlarms);
    let page = Page::unlocked(&home);
    page.browser.wait_for_text("All is ready");
    let since = home.app.mark();
    page.counts_down_for(POLICE);
    page.card("seconds left to cancel");
    let started = home.app.event(since, "countdown_started");
    assert_eq!(started["service"], "police");
    let incident = started["incident"].as_str().expect("an incident").to_owned();
    assert_eq!(home.app.stage(&incident, "countdown")["source"], "panel");
    page.stage("requested");
    page.card("Requesting help from the police…");
    home.lines.siren_is(1);
    home.center.ack(home.center.alarm(0)["jti"].as_str().expect("a jti"));
    page.card("Help has been requested. The monitoring center has the alarm.");
    home.center.update(&incident, "calling_first_contact", json!({"contact": {"position": 1, "name": "Ann Privatus"}}));
    page.card("calling the first emergency contact");
    home.center.update(&incident, "no_answer", json!({}));
    page.card("did not answer");
    home.center.update(&incident, "dispatched", json!({}));
    page.card("has dispatched the police");
    page.tap("#silence");
    home.lines.siren_is(0);
    home.center.update(&incident, "closed", json!({}));
    page.card("The monitoring center has closed the incident.");
    home.app.event(since, "countdown_started");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    assert_eq!(home.center.calls(0).len(), 1);

    page.browser.press("Close");
    page.browser.wait_for_text_in("#recent", "Police");
    page.open("/history");
    page.browser.wait_for_text_in("#history", "Closed");
    page.browser.click_on("#history summary");
    page.browser.wait_for_text_in("#history", "has dispatched the police");
}

#[test]
fn what_is_over_is_shown_with_no_step_that_it_may_not_have_taken() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    let steps = || page.browser.text(".incident.police .steps");
    let since = home.app.mark();
    page.sos();
    page.slide(POLICE, 1.0);
    let incident = home.app.event(since, "countdown_started")["incident"].as_str().expect("an incident").to_owned();
    home.app.stage(&incident, "acknowledged");
    home.center.update(&incident, "calling_first_contact", json!({}));
    page.stage("calling_first_contact");
    assert!(steps().contains("Dispatched"), "what may come: {}", steps());
    home.center.update(&incident, "cancelled_by_contact", json!({}));
    page.stage("cancelled_by_contact");
    assert_eq!(steps(), "", "nobody was dispatched");
}

#[test]
fn the_way_back_is_in_sight_whatever_the_sheet_still_shows() {
    let home = long_countdown();
    let page = Page::unlocked(&home);
    page.browser.phone(375, 667);
    // What has ended stays to be read, above what comes after it.
    for service in ["police", "fire"] {
        home.app.accepted("request", service);
        page.countdown();
        home.app.accepted("cancel", "");
        page.browser.wait("it is over", || page.browser.has(&format!(".incident.{service}.over")));
    }
    home.app.accepted("request", "police");
    let is_in_sight = || {
        let cancel = page.place(".incident[data-stage=countdown] .cancel");
        cancel.y >= 0.0 && cancel.y + cancel.height <= 667.0
    };
    page.browser.wait("the whole of Cancel", is_in_sight);
    // Nor does it go when the page is drawn anew.
    page.browser.wait("a second later", || page.seconds().is_some_and(|left| left < 29));
    assert!(is_in_sight());
    page.tap(".incident[data-stage=countdown] .cancel");
    page.browser
        .wait("three that are over", || page.browser.run("return document.querySelectorAll('.over').length;") == 3);
}

#[test]
fn the_fire_department_comes_by_a_finger_on_its_own_slider() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    let since = home.app.mark();
    page.sos();
    page.swipe(FIRE, 1.0);
    let incident = home.app.event(since, "countdown_started");
    assert_eq!(incident["service"], "fire");
    page.card("Help has been requested.");
    assert_eq!(home.center.alarm(0)["service"], "fire");
    assert_eq!(home.app.event(since, "siren_on")["pattern"], "temporal3");
}

#[test]
fn the_siren_alone_calls_nobody() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    page.sos();
    page.tap(SIREN_ONLY);
    page.stage("sounding");
    home.lines.siren_is(1);
    page.tap("#silence");
    page.card("The request for the siren alone is over.");
    home.lines.siren_is(0);
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 0);
}

#[test]
fn cancel_takes_it_back_in_time_and_names_what_it_cancels() {
    let home = long_countdown();
    let page = Page::unlocked(&home);
    page.counts_down_for(POLICE);
    page.browser.press("Ask for more help");
    page.slide(FIRE, 1.0);
    let both =
        home.app.state("two countdowns", |state| state["incidents"].as_array().is_some_and(|all| all.len() == 2));
    let police = both["incidents"][0]["id"].as_str().expect("an incident");
    page.browser.wait("two cards", || page.browser.has(".incident.police") && page.browser.has(".incident.fire"));
    page.cancel("police");
    assert_eq!(home.app.stage(police, "aborted")["service"], "police");
    page.card("Cancelled in time: nothing was sent.");
    let state = home.app.state("one countdown", |state| state["phase"] == "countdown");
    assert_eq!(state["incidents"][1]["stage"], "countdown", "{state}");
    page.cancel("fire");
    home.app.state("no countdown", |state| state["phase"] == "idle");
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 0);
    home.lines.siren_is(0);
}

#[test]
fn too_late_is_said_with_who_can_still_cancel() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    page.sos();
    // The button goes with the countdown; somebody's finger may be slower.
    page.browser.run(
        "addEventListener('click', (event) => {
           if (!event.target.matches('.cancel') || event.isTrusted) return;
         }, true);
         new MutationObserver(() => { window.late ??= document.querySelector('.cancel') ?? undefined; })
           .observe(document.querySelector('#cards'), { childList: true });",
    );
    page.slide(POLICE, 1.0);
    page.stage("acknowledged");
    page.browser.run("window.late.click();");
    page.browser.wait_for_text_in("#answer", "Too late to cancel: only the first emergency contact can cancel now");
    home.center.signal(0, "cancel_request", 0);
}

#[test]
fn without_monitoring_it_says_why_and_whom_to_call() {
    let home = Installation::running(Setup { plan: Some("protect_basic"), ..Setup::default() });
    let page = Page::unlocked(&home);
    page.browser.wait_for_text("Not ready");
    page.sos();
    page.browser.wait_for_text_in("#warning", "call the emergency number");
    page.slide(POLICE, 1.0);
    page.browser.wait_for_text_in("#answer", "the account's plan has no professional monitoring");
    page.browser.wait_for_text_in("#answer", "Call the emergency number.");
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 0);
    assert_eq!(home.app.count(0, "countdown_started"), 0);
    home.lines.siren_is(0);
}

#[test]
fn a_tap_a_slip_a_scroll_and_a_drag_that_begins_elsewhere_do_nothing() {
    let home = long_countdown();
    let page = Page::unlocked(&home);
    let since = home.app.mark();
    page.sos();
    let (track, handle) = (page.slider(POLICE), page.handle(POLICE));
    let middle = track.y + track.height / 2.0;
    let on_handle = handle.x + handle.width / 2.0;
    let end = track.x + track.width - 3.0;
    page.browser.drag(&[(on_handle, middle)]);
    page.browser.drag(&[(end, middle)]);
    page.browser.swipe(&[(end, middle)]);
    // Most of the way, and then the finger lets go.
    page.slide(POLICE, 0.9);
    page.swipe(POLICE, 0.9);
    assert_eq!(page.value(POLICE), 0, "it goes back");
    // Not from the handle.
    page.browser.drag(&[(handle.x + handle.width + 20.0, middle), (end, middle), (end + 3.0, middle)]);
    page.browser.drag(&[(track.x + 2.0, middle), (end, middle)]);
    page.browser.swipe(&[(on_handle, track.y + 2.0), (end, track.y + 2.0)]);
    // A scroll that passes over the handle.
    page.browser.swipe(&[(on_handle, middle + 150.0), (on_handle, middle), (on_handle, middle - 150.0)]);
    // Down and back again.
    let mut there_and_back = page.way(POLICE, 0.9);
    there_and_back.extend(there_and_back.clone().into_iter().rev());
    page.browser.drag(&there_and_back);
    // Another button of the mouse, and keys that lead nowhere.
    page.browser.run(
        "const handle = document.querySelector('.handle');
         for (const type of ['click', 'dblclick', 'contextmenu', 'touchstart', 'touchend'])
           handle.dispatchEvent(new Event(type, { bubbles: true }));",
    );
    page.browser.run("document.querySelector('.slider').focus();");
    page.browser.keys(" ");
    page.browser.key(fantoccini::key::Key::Enter);
    page.browser.key(fantoccini::key::Key::End);
    page.browser.key(fantoccini::key::Key::Right);
    // What was asked for now comes after all of that.
    page.tap(SIREN_ONLY);
    page.countdown();
    let kinds: Vec<_> = home.app.events(since).iter().map(|event| event["service"].clone()).collect();
    assert!(kinds.iter().all(|service| service == "siren"), "{kinds:?}");
}

#[test]
fn a_repeat_after_a_lost_answer_starts_nothing_twice() {
    let home = long_countdown();
    let page = Page::unlocked(&home);
    // The hub hears it; the page does not hear the hub, the first time.
    page.browser.run(
        "const real = window.fetch; let lost = false; window.asked = [];
         window.fetch = async (address, options) => {
           if (!address.startsWith('/commands/')) return real(address, options);
           window.asked.push(JSON.parse(options.body).id);
           const answer = await real(address, options);
           if (lost) return answer;
           lost = true;
           throw new TypeError('the connection broke');
         };",
    );
    let since = home.app.mark();
    page.sos();
    page.slide(POLICE, 1.0);
    page.browser.wait("asked twice", || page.browser.run("return window.asked.length;").as_u64() >= Some(2));
    let asked = page.browser.run("return new Set(window.asked).size;");
    assert_eq!(asked, 1, "each time the same");
    page.countdown();
    wait_until("two replies", || home.app.replies(since).len() >= 2);
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    let replies = home.app.replies(since);
    assert!(replies.iter().all(|reply| reply["incident"] == replies[0]["incident"]), "{replies:?}");
}
