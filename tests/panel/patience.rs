//! Asking for help while something is in the way: the hub restarts, the way to it breaks, the page is loaded anew.

use std::collections::BTreeSet;

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::installation::{Installation, Setup};
use crate::page::{FIRE, POLICE, Page, SIREN_ONLY};
use crate::support::wait_until;

fn home() -> Installation {
    Installation::running(Setup { countdown_seconds: 30, ..Setup::default() })
}

/// Puts a function before `fetch`: `(real, address, options, number)` for each command, the first being number 1.
fn before_each_command(page: &Page, function: &str) {
    page.browser.run(&format!(
        "const real = window.fetch; const step = {function}; window.asked = [];
         window.fetch = (address, options) => {{
           if (!address.startsWith('/commands/')) return real(address, options);
           window.asked.push({{ ...JSON.parse(options.body), keepalive: options.keepalive ?? false }});
           return step(() => real(address, options), window.asked.length);
         }};"
    ));
}

/// The clock that the hub goes by: since the machine was started.
pub fn boot_ms() -> u64 {
    let uptime = std::fs::read_to_string("/proc/uptime").expect("the time since the start");
    let seconds: f64 = uptime.split(' ').next().and_then(|text| text.parse().ok()).expect("seconds");
    std::time::Duration::from_secs_f64(seconds).as_millis().try_into().expect("milliseconds")
}

fn asked(page: &Page) -> Vec<Value> {
    page.browser.run("return window.asked;").as_array().expect("what was asked").clone()
}

/// Each thing that was asked for once, however often it was: a page that waits for its reply asks again.
fn ids(page: &Page) -> BTreeSet<String> {
    asked(page).iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn what_is_asked_for_while_the_hub_restarts_is_done_once() {
    let mut home = home();
    let page = Page::unlocked(&home);
    before_each_command(&page, "(go) => go()");
    page.sos();
    home.kill();
    page.browser.wait_for_text_in("#sheet-lost", "No connection to the hub.");
    page.slide(POLICE, 1.0);
    page.browser.wait_for_text_in("#asking", "Asking the hub…");
    page.browser.wait_for_text_in("#answer", "goes on trying");
    page.browser.wait_for_text_in("#answer", "call the emergency number");
    // It tries for ten seconds, in which the hub has to be there again.
    page.browser.wait("some more tries", || asked(&page).len() >= 3);
    let since = home.app.mark();
    home.start();
    page.countdown();
    page.browser.wait("it is no longer asked", || page.browser.text("#asking").is_empty());
    assert_eq!(page.browser.text("#answer"), "");
    home.app.event(since, "countdown_started");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
}

#[test]
fn a_hub_that_cannot_answer_now_is_asked_again_and_the_same() {
    let home = home();
    let page = Page::unlocked(&home);
    let before = boot_ms();
    before_each_command(
        &page,
        "(go, number) => number > 2 ? go() : new Response('not now', { status: number === 1 ? 503 : 504 })",
    );
    let since = home.app.mark();
    page.counts_down_for(POLICE);
    let asked = asked(&page);
    // Where the hub takes long for the third, there is another one beside it.
    assert!(asked.len() >= 3, "{asked:?}");
    assert!(asked.iter().all(|one| *one == asked[0]), "{asked:?}");
    // When it was asked for, by the hub's clock: what comes much later was given up, and starts nothing.
    let at = asked[0]["asked_ms"].as_u64().expect("a time");
    assert!((before..boot_ms()).contains(&at), "{before} {at}");
    home.app.event(since, "countdown_started");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
}

#[test]
fn a_page_that_is_loaded_anew_takes_back_nothing_and_a_new_version_waits_for_the_answer() {
    let home = home();
    let page = Page::unlocked(&home);
    before_each_command(
        &page,
        "(go, number) => number > 2 ? go() : new Promise((resolve) => (window.answers ??= []).push(resolve))",
    );
    page.sos();
    page.slide(POLICE, 1.0);
    page.browser.wait("it is asked", || asked(&page).len() == 2);
    assert_eq!(asked(&page)[0]["keepalive"], json!(true), "the browser would end it with the page");
    // The hub was updated in this moment.
    page.browser.run("window.isTheSame = true; document.body.dataset.version = '0';");
    let since = home.app.mark();
    home.lines.press(crate::lines::POLICE_BUTTON);
    page.countdown();
    home.lines.release(crate::lines::POLICE_BUTTON);
    assert_eq!(page.browser.run("return window.isTheSame;"), json!(true));
    page.browser.run("for (const answer of window.answers) answer(new Response('', { status: 503 }));");
    wait_until("what was asked for is heard", || !home.app.replies(since).is_empty());
    assert_eq!(page.browser.run("return window.isTheSame;"), json!(true), "while help is on its way nothing is loaded");
    // What is said of the question goes, and moves the button.
    page.browser.wait("it is no longer asked", || page.browser.text("#asking").is_empty());
    page.cancel("police");
    page.browser.wait("the new version", || page.browser.run("return window.isTheSame ?? false;") == false);
}

#[test]
fn what_is_stuck_is_asked_for_beside_it_before_the_countdown_is_over() {
    let home = Installation::running(Setup { countdown_seconds: 15, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.counts_down_for(POLICE);
    page.is_answered();
    // The connection is dead, and nothing says so.
    before_each_command(&page, "(go, number) => number > 1 ? go() : new Promise(() => {})");
    page.cancel("police");
    page.card("Cancelled in time: nothing was sent.");
    let asked = asked(&page);
    assert!(
        asked.len() >= 2 && asked.iter().all(|one| *one == asked[0]),
        "the same, so that it is done once: {asked:?}"
    );
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 0);
}

#[test]
fn what_was_just_asked_for_is_done_though_the_clock_of_the_hub_began_anew() {
    let home = home();
    let page = Page::unlocked(&home);
    // As if the page knew the clock of before.
    before_each_command(
        &page,
        "(go, number) => number > 1 ? go() : Response.json({ command: 'request', outcome: 'refused', reason: 'stale', message: 'Late.' })",
    );
    let since = home.app.mark();
    page.counts_down_for(POLICE);
    let asked = asked(&page);
    assert!(asked.len() >= 2 && asked.iter().all(|one| one["id"] == asked[0]["id"]), "{asked:?}");
    assert!(asked[0]["asked_ms"].is_u64() && asked[1..].iter().all(|one| one["asked_ms"].is_null()), "{asked:?}");
    home.app.event(since, "countdown_started");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    assert_eq!(page.browser.text("#answer"), "");
}

#[test]
fn a_failure_is_said_though_the_sheet_was_closed_and_something_else_asked_for() {
    let home = home();
    let page = Page::unlocked(&home);
    before_each_command(
        &page,
        "(go, number) => number > 1 ? go() : new Promise((resolve) => (window.answer = resolve))",
    );
    page.browser.run("const real = setTimeout; window.setTimeout = (act, ms) => ms === 800 ? 0 : real(act, ms);");
    page.sos();
    page.slide(POLICE, 1.0);
    page.browser.wait("it is asked", || asked(&page).len() == 1);
    page.slide(FIRE, 1.0);
    page.countdown();
    page.browser.press("Close");
    page.browser.run("window.answer(new Response('It is not allowed.', { status: 403 }));");
    page.browser.wait("the sheet", || page.browser.has("dialog#sheet[open]"));
    assert_eq!(page.browser.text("#answer"), "Police: It is not allowed.");
}

#[test]
fn help_can_be_asked_for_while_only_the_stream_of_states_is_gone() {
    let home = home();
    let page = Page::unlocked(&home);
    page.browser.block("*/updates");
    page.open("/");
    page.browser.wait_for_text_in("#lost", "No connection to the hub.");
    let since = home.app.mark();
    page.sos();
    page.slide(POLICE, 1.0);
    assert_eq!(home.app.event(since, "countdown_started")["service"], "police");
}

#[test]
fn an_old_tablet_can_ask_for_help() {
    let home = home();
    let page = Page::unlocked(&home);
    page.browser
        .before_pages("delete AbortSignal.timeout; delete window.BroadcastChannel; delete Navigator.prototype.locks;");
    page.open("/");
    page.is_connected();
    assert_eq!(page.browser.run("return typeof AbortSignal.timeout;"), "undefined");
    let since = home.app.mark();
    page.sos();
    page.slide(POLICE, 1.0);
    assert_eq!(home.app.event(since, "countdown_started")["service"], "police");
}

#[test]
fn a_key_that_is_held_down_asks_once() {
    let home = home();
    let page = Page::unlocked(&home);
    before_each_command(&page, "(go) => go()");
    page.sos();
    page.browser.run(&format!("document.querySelector('[aria-label={POLICE:?}]').focus();"));
    page.browser.hold(Key::Right, 40);
    page.countdown();
    assert_eq!(ids(&page).len(), 1, "the slider: {:?}", asked(&page));
    page.cancel("police");
    page.card("Cancelled in time");
    page.browser.press("Close");
    page.sos();
    page.browser.run("document.querySelector('#siren-only').focus();");
    page.browser.hold(Key::Enter, 40);
    page.browser.wait("a countdown of the siren", || page.browser.has(".incident.siren[data-stage=countdown]"));
    assert_eq!(ids(&page).len(), 3, "{SIREN_ONLY}: {:?}", asked(&page));
}

#[test]
fn an_answer_that_the_disk_failed_stays_in_sight() {
    let home = home();
    let page = Page::unlocked(&home);
    before_each_command(
        &page,
        "async (go) => Response.json({ ...(await (await go()).json()), durable: false, message: 'It is not on the disk.' })",
    );
    page.counts_down_for(POLICE);
    page.browser.wait_for_text_in(".incident.police .note", "It is not on the disk.");
    let seconds = page.seconds();
    page.browser.wait("the state goes on", || page.seconds() < seconds);
    assert_eq!(page.browser.text(".incident.police .note"), "It is not on the disk.");
}
