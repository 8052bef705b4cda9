//! The page and the hub lose and find each other; and several pages show the same.

use rusqlite::Connection;
use serde_json::Value;

use crate::http::{Stream, post, unlock};
use crate::installation::{Installation, Setup};
use crate::page::{POLICE, Page};
use crate::patience::boot_ms;
use crate::support::DEADLINE;

#[test]
fn a_hub_that_is_gone_is_said_at_once_and_its_return_is_seen() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.browser.wait_for_text("All is ready");
    home.kill();
    page.browser.wait_for_text_in("#lost", "No connection to the hub.");
    page.browser.wait_for_text_in("#lost", "call the emergency number");
    assert!(!page.browser.text("main").contains("All is ready"), "{}", page.browser.text("main"));
    assert!(!page.browser.text("main").contains("Professional monitoring is active"), "{}", page.browser.text("main"));
    page.sos();
    page.browser.wait_for_text_in("#sheet-lost", "call the emergency number");
    page.slide(POLICE, 1.0);
    page.browser.wait_for_text_in("#answer", "it is not known whether it heard");

    let since = home.app.mark();
    home.start();
    home.in_use_again(since);
    page.is_connected();
    page.browser.wait("the warning goes", || page.browser.text("#lost").is_empty());
    // What was asked for in between is not done now.
    assert_eq!(home.app.count(since, "countdown_started"), 0);
    page.slide(POLICE, 1.0);
    page.countdown();
    home.app.event(since, "countdown_started");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
}

#[test]
fn a_countdown_goes_on_over_a_restart_with_its_true_rest() {
    let mut home = Installation::running(Setup { countdown_seconds: 60, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.counts_down_for(POLICE);
    home.kill();
    page.browser.wait_for_text_in("#sheet-lost", "No connection to the hub.");
    assert_eq!(page.seconds(), None, "a countdown that nobody knows of is not shown");
    let since = home.app.mark();
    home.start();
    page.countdown();
    let left =
        home.app.state_within(crate::support::DEADLINE, since, "the countdown", |state| state["phase"] == "countdown");
    let left = left["incidents"][0]["remaining_ms"].as_u64().expect("the rest");
    assert!(left < 60_000, "{left}");
    page.cancel("police");
    home.app.event(since, "aborted");
}

#[test]
fn two_pages_show_the_same_and_who_comes_late_sees_the_true_rest() {
    let home = Installation::running(Setup { countdown_seconds: 60, ..Setup::default() });
    let (first, second) = (Page::unlocked(&home), Page::unlocked(&home));
    let since = home.app.mark();
    first.counts_down_for(POLICE);
    second.countdown();
    home.app.event_that(since, "countdown", |event| event["remaining"].as_u64().is_some_and(|left| left <= 55));
    let late = Page::locked(&home);
    late.countdown();
    // One is read after the other, and some time passes between.
    let before = second.seconds().expect("the rest");
    let seconds = late.seconds().expect("the rest");
    let after = second.seconds().expect("the rest");
    assert!((after - 1..=before + 1).contains(&seconds) && seconds <= 55, "late {seconds}, early {before} to {after}");
    let runs_down = "return import('/assets/link.js').then(({ remainingMs }) => remainingMs({ remaining_ms: 1000 }));";
    let rest = second.browser.run(runs_down).as_f64().expect("a rest");
    assert!(rest < 1000.0, "it runs down between the hub's words as well: {rest}");
    second.cancel("police");
    for page in [&first, &second, &late] {
        page.card("Cancelled in time: nothing was sent.");
    }
    home.app.event(since, "countdown_started");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
}

#[test]
fn a_page_whose_scripts_do_not_come_says_whom_to_call_and_tries_again() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    page.browser.block("*/assets/slider.js");
    page.open("/");
    page.browser.wait_for_text_in("#lost", "To get help, call the emergency number.");
    page.browser.wait("it has tried again", || {
        page.browser.run("return performance.getEntriesByType('navigation')[0].type;") == "reload"
    });
    page.browser.wait_for_text_in("#lost", "the SOS button does not work yet");
}

#[test]
fn a_page_whose_scripts_do_not_come_is_read_in_peace_where_the_browser_does_not_say_how_it_was_loaded() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    page.browser.before_pages(
        "performance.getEntriesByType = () => [];
         const real = setTimeout;
         window.setTimeout = (act, ms) => {
           sessionStorage.waits = `${sessionStorage.waits ?? ''}${ms} `;
           return real(act, ms);
         };",
    );
    page.browser.block("*/assets/slider.js");
    page.open("/");
    let waits = || page.browser.run("return sessionStorage.waits ?? '';").as_str().expect("a text").to_owned();
    page.browser.wait("it tries again later", || !waits().is_empty());
    assert!(waits().split_whitespace().all(|wait| wait == "10000"), "{}", waits());
}

#[test]
fn a_press_of_a_button_opens_the_countdown_on_every_page() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.open("/live");
    page.is_connected();
    home.lines.press(crate::lines::POLICE_BUTTON);
    page.countdown();
    home.lines.release(crate::lines::POLICE_BUTTON);
    // For those who do not see it.
    let said = "return document.querySelector('#said[role=status]').textContent;";
    page.browser
        .wait("it is said", || page.browser.run(said).as_str().is_some_and(|text| text.contains("can be cancelled")));
    page.cancel("police");
    page.card("Cancelled in time: nothing was sent.");
}

#[test]
fn what_the_way_of_a_word_takes_is_not_added_to_the_countdown() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    // As if each word of a countdown were two seconds on its way, and no other.
    page.browser.before_pages(
        "const real = EventSource.prototype.addEventListener;
         EventSource.prototype.addEventListener = function (name, listener) {
           real.call(this, name, (message) => {
             const said = name === 'state' && JSON.parse(message.data);
             if (said?.state?.phase !== 'countdown') return listener(message);
             said.now_ms -= 2000;
             for (const incident of said.state.incidents) incident.remaining_ms += 2000;
             listener({ data: JSON.stringify(said) });
           });
         };",
    );
    page.open("/");
    page.is_connected();
    let since = home.app.mark();
    page.sos();
    page.slide(POLICE, 1.0);
    home.app.event(since, "countdown_started");
    let began = boot_ms();
    page.countdown();
    let before = boot_ms();
    let rest = page
        .browser
        .run("return import('/assets/link.js').then(({ remainingMs, state }) => remainingMs(state.incidents[0]));");
    let most = 30_000 - (before - began) + 500;
    assert!(rest.as_f64().is_some_and(|rest| rest > 0.0 && rest.ceil() as u64 <= most), "{rest} of {most}");
}

#[test]
fn the_history_is_read_when_an_incident_begins_and_ends_and_no_old_answer_is_shown() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    page.browser.before_pages(
        "window.reads = [];
         const real = window.fetch;
         window.fetch = (address, options) => {
           if (!address.startsWith('/history.json')) return real(address, options);
           window.reads.push(address);
           // The first one is slow.
           return window.reads.length > 1 ? real(address, options) : new Promise((resolve) => (window.answer = resolve));
         };",
    );
    page.open("/");
    page.is_connected();
    let since = home.app.mark();
    home.lines.press(crate::lines::POLICE_BUTTON);
    let incident = home.app.event(since, "countdown_started")["incident"].as_str().expect("an incident").to_owned();
    home.lines.release(crate::lines::POLICE_BUTTON);
    // The center speaks of what it was told of.
    home.app.stage(&incident, "acknowledged");
    page.browser.wait("it is there", || page.browser.has("#recent details"));
    page.browser.run("window.answer(Response.json([]));");
    for stage in ["calling_first_contact", "no_answer", "dispatched"] {
        home.center.update(&incident, stage, serde_json::json!({}));
        home.app.stage(&incident, stage);
    }
    page.browser.press("Close");
    page.browser.wait_for_text_in("#recent", "Open: Dispatched");
    assert_eq!(
        page.browser.run("return window.reads;"),
        serde_json::json!(["/history.json?most=3", "/history.json?most=3"])
    );
    page.browser.click_on("#recent summary");
    home.center.update(&incident, "closed", serde_json::json!({}));
    page.browser.wait_for_text_in("#recent", "The monitoring center has closed the incident.");
    assert_eq!(page.browser.run("return window.reads.length;"), 3);
}

#[test]
fn the_history_is_read_again_when_nothing_was_heard_for_a_while_and_when_it_could_not_be_read() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.browser.wait_for_text_in("#recent", "Nothing has happened yet.");
    // It begins and ends, and nothing in the states tells of it: there is one for each connection.
    page.browser.before_pages(
        "const listen = EventSource.prototype.addEventListener;
         EventSource.prototype.addEventListener = function (name, listener) {
           listen.call(this, name, name !== 'state' ? listener : ({ data }) => {
             if (this.isTold) return;
             this.isTold = true;
             const said = JSON.parse(data);
             said.state.incidents = [];
             listener({ data: JSON.stringify(said) });
           });
         };
         const real = window.fetch;
         window.reads = 0;
         window.fetch = (address, options) => {
           if (!address.startsWith('/history.json')) return real(address, options);
           window.reads += 1;
           return window.reads === 2 ? Promise.reject(new Error('lost')) : real(address, options);
         };",
    );
    page.open("/");
    page.browser.wait_for_text_in("#recent", "Nothing has happened yet.");
    let since = home.app.mark();
    home.app.accepted("request", "siren");
    home.app.accepted("cancel", "");
    home.app.event(since, "aborted");
    assert_eq!(page.browser.run("return window.reads;"), 1);
    page.browser.run("dispatchEvent(new Event('offline'));");
    page.browser.wait_for_text_in("#recent", "The history cannot be read now.");
    page.browser.wait_for_text_in("#recent", "Cancelled");
}

#[test]
fn a_port_that_is_taken_keeps_nothing_from_working_and_is_told() {
    let mut home = Installation::new(Setup { countdown_seconds: 1, ..Setup::default() });
    let taken = std::net::TcpListener::bind(home.panel()).expect("the panel's port");
    home.start();
    home.in_use();
    assert!(home.app.fault("panel").contains("another program has the port"), "{}", home.app.fault("panel"));
    assert_eq!(home.app.state("ready", |state| state["ready"] == true)["ready"], true);
    home.lines.press(crate::lines::POLICE_BUTTON);
    home.lines.siren_is(1);
    home.center.alarm(0);
    drop(taken);
    home.app.no_fault("panel");
    let page = Page::locked(&home);
    page.browser.wait_for_text_in("#overview", "Help has been requested.");
    page.browser.press("Show");
    page.card("Help has been requested.");
    home.lines.release(crate::lines::POLICE_BUTTON);
}

#[test]
fn what_waited_for_a_slow_disk_says_what_is_left_at_that_moment() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let cookie = unlock(home.panel());
    let mut page = Stream::open(home.panel(), &cookie);
    page.next("state");
    let (since, disk) = (home.app.mark(), Connection::open(home.state_dir().join("hub.db")).expect("the hub's memory"));
    // The hub waits for it, and then for a quarter of a second no longer.
    disk.execute_batch("BEGIN IMMEDIATE").expect("a disk that is slow");
    assert_eq!(post(home.panel(), "/commands/request", &cookie, r#"{"service": "police", "id": "x"}"#).status, 200);
    let told = loop {
        let told: Value = serde_json::from_str(&page.next("state")).expect("a state");
        if told["state"]["phase"] == "countdown" {
            break told;
        }
    };
    let state = home.app.state_within(DEADLINE, since, "the countdown", |state| state["phase"] == "countdown");
    drop(disk);
    for (state, age_ms) in [(&told["state"], told["age_ms"].as_u64().expect("an age")), (&state, 0)] {
        let left = state["incidents"][0]["remaining_ms"].as_u64().expect("the rest") - age_ms;
        assert!(left <= 29_750, "{state}");
    }
}
