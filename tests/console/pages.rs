//! The pages in a real browser: live, by keyboard, and truthful when the connection is gone.

use std::path::PathBuf;
use std::time::Duration;

use fantoccini::key::Key;
use sos_hub::controller::words::{Service, Stage};

use crate::center::{Center, OPERATOR, PASSWORD, Setup, VERBAL};
use crate::http::{Request, log_in};
use crate::support::browser::Browser;
use crate::support::wait_until;

/// Set to a path, [`a_picture_of_the_console_is_small`] leaves its picture there.
const PICTURE: &str = "SOS_CONSOLE_PICTURE";

/// A browser in which the operator is logged in, with the page open.
fn operator_at(center: &Center, browser: &Browser, path: &str) {
    browser.open(&center.url(path));
    browser.fill("input[name=name]", OPERATOR);
    browser.fill("input[name=password]", PASSWORD);
    browser.press("Log in");
    browser.wait_for_text_in(".operator", OPERATOR);
    browser.wait_for_text_in("#connection", "Live");
}

/// Something that a reload would lose.
fn mark(browser: &Browser) {
    browser.run("window.marked = true");
}

fn is_marked(browser: &Browser) -> bool {
    browser.run("return window.marked === true") == true
}

#[test]
fn an_alarm_appears_cries_and_is_silenced_without_a_reload() {
    let center = Center::start();
    let browser = Browser::start();
    operator_at(&center, &browser, "/");
    mark(&browser);
    assert_eq!(browser.title(), "Queue – sos-center");
    assert!(browser.text("main").contains("No open incidents"));
    center.alarm("A1", Service::Police);
    browser.wait_for_text_in(".incident.police", "Ann & Bob <Miller>");
    browser.wait_for_title("(1) ALARM – Queue");
    assert!(browser.has("html[data-ringing=true]"));
    assert!(browser.text("#announce").contains("New alarm"));
    browser.keys("s");
    browser.wait("silence", || browser.has("html[data-ringing=false]"));
    center.alarm("A2", Service::Fire);
    browser.wait_for_text_in(".incident.fire", "22 Hill Road");
    browser.wait_for_title("(2) ALARM");
    browser.wait("the next alarm sounds again", || browser.has("html[data-ringing=true]"));
    assert!(is_marked(&browser), "the page was loaded again");
}

#[test]
fn an_alarm_is_heard_on_every_page() {
    let center = Center::start();
    let browser = Browser::start();
    for path in ["/audit", "/incidents", "/security", "/hubs"] {
        if path == "/audit" {
            operator_at(&center, &browser, path);
        } else {
            browser.open(&center.url(path));
        }
        browser.wait_for_text_in("#connection", "Live");
        center.alarm("A1", Service::Police);
        browser.wait_for_title("ALARM");
        browser.wait("the sound", || browser.has("html[data-ringing=true]"));
        browser.keys("s");
    }
}

#[test]
fn an_incident_is_worked_by_its_buttons() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Fire);
    let browser = Browser::start();
    operator_at(&center, &browser, "/");
    browser.click_on("a[data-row]");
    browser.wait_for_text_in(".headline", "1 Long Lane, Exeter EX1 1AA");
    mark(&browser);
    browser.press("Call first contact");
    browser.wait_for_text_in(".call", "+44 20 7946 0001");
    browser.wait_for_text_in(".call", "Rings for another");
    browser.press("Confirmed");
    browser.press("Dispatch");
    browser.press("Call next contact");
    browser.wait_for_text_in(".call", "+44 20 7946 0002");
    browser.press("No answer");
    browser.press("Close");
    browser.wait_for_text_in(".headline", "Closed");
    assert_eq!(center.view(incident).unwrap().line.stage, Stage::Closed);
    assert!(!browser.has("form[data-order]"), "nothing is left to press");
    assert!(is_marked(&browser), "the page was loaded again");
}

#[test]
fn a_contact_cancels_with_the_verbal_password_alone() {
    let center = Center::start();
    let browser = Browser::start();
    let first = center.alarm("A1", Service::Police);
    operator_at(&center, &browser, &Center::page(first));
    browser.press("Call first contact");
    browser.press("Cancelled by contact");
    browser.wait_for_text_in(".call", "+44 20 7946 0001");
    assert_eq!(center.view(first).unwrap().calls[0].outcome, None, "without a password nothing is sent");
    browser.fill("#password", "Blue  WHALE");
    browser.press("Cancelled by contact");
    browser.wait_for_text_in(".headline", "Cancelled by the contact");
    let second = center.alarm("A2", Service::Police);
    browser.open(&center.url(&Center::page(second)));
    browser.press("Call first contact");
    browser.fill("#password", "red whale");
    browser.press("Cancelled by contact");
    browser.press("Dispatch");
    browser.wait_for_text_in(".headline", "Help is on its way");
    assert_eq!(center.view(second).unwrap().calls[0].outcome, Some("wrong_password"));
}

#[test]
fn everything_works_by_keyboard_alone() {
    let center = Center::start();
    center.alarm("A1", Service::Police);
    let second = center.alarm("A2", Service::Fire);
    let browser = Browser::start();
    browser.open(&center.url("/"));
    browser.wait("the name has the focus", || browser.run("return document.activeElement.name") == "name");
    browser.keys(OPERATOR);
    browser.key(Key::Tab);
    browser.keys(PASSWORD);
    browser.key(Key::Enter);
    browser.wait_for_text_in("#connection", "Live");
    browser.keys("jj");
    browser.key(Key::Enter);
    browser.wait_for_text_in(".headline", "22 Hill Road");
    browser.wait_for_text_in("#connection", "Live");
    browser.keys("1");
    browser.key(Key::Enter);
    browser.wait_for_text_in(".call", "+44 20 7946 0001");
    browser.wait("the focus stays before the buttons", || browser.run("return document.activeElement.id") == "next");
    let digit = "return [...document.querySelectorAll('[data-digit]')].find((b) => b.textContent === 'No answer').dataset.digit";
    browser.keys(browser.run(digit).as_str().unwrap());
    browser.key(Key::Enter);
    browser.wait_for_text_in(".order.main", "Dispatch");
    browser.keys("1");
    browser.key(Key::Enter);
    browser.wait_for_text_in(".headline", "Help is on its way");
    browser.keys("n");
    browser.keys("the dog barks");
    browser.key(Key::Enter);
    browser.wait_for_text_in(".history", "the dog barks");
    assert_eq!(center.view(second).unwrap().line.stage, Stage::Dispatched);
}

#[test]
fn what_an_operator_types_survives_a_change_of_the_page() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let browser = Browser::start();
    operator_at(&center, &browser, &Center::page(incident));
    browser.fill("#note", "half a sent");
    crate::orders::call_first_contact(&center, incident);
    browser.wait_for_text_in(".call", "+44 20 7946 0001");
    browser.keys("ence");
    assert_eq!(browser.run("return document.getElementById('note').value"), "half a sentence");
}

#[test]
fn two_operators_are_told_who_was_faster() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    // A page without its script stands still, and shows that the buttons do without.
    let slow = Browser::start_with(&["--blink-settings=scriptEnabled=false"]);
    slow.open(&center.url(&Center::page(incident)));
    slow.fill("input[name=name]", OPERATOR);
    slow.fill("input[name=password]", PASSWORD);
    slow.press("Log in");
    slow.wait_for_text_in(".order.main", "Call first contact");
    let watching = Browser::start();
    operator_at(&center, &watching, &Center::page(incident));
    crate::orders::call_first_contact(&center, incident);
    watching.wait_for_text_in(".headline", "Calling the first contact");
    watching.wait_for_text_in(".headline", OPERATOR);
    slow.press("Call first contact");
    slow.wait_for_text("Somebody else was faster");
    slow.wait_for_text_in(".headline", "Calling the first contact");
    slow.press("Confirmed");
    watching.wait_for_text_in(".order.main", "Dispatch");
    let outcomes: Vec<_> = center.view(incident).unwrap().calls.iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Some("confirmed")], "one call, one outcome");
}

#[test]
fn a_page_says_at_once_that_it_is_not_connected() {
    let mut center = Center::start();
    center.alarm("A1", Service::Police);
    let browser = Browser::start();
    operator_at(&center, &browser, "/");
    assert!(!browser.text("body").contains("Not connected"));
    center.stop_console(Duration::from_secs(1));
    browser.wait_for_text_in("#stale", "Not connected: what you see may be old.");
    center.start_console();
    browser.wait("the log-in after a restart", || browser.address().ends_with("/login?next=%2F"));
}

#[test]
fn what_is_wrong_with_the_center_shows_at_once() {
    let center = Center::start();
    let browser = Browser::start();
    operator_at(&center, &browser, "/");
    center.broker_is_down();
    browser.wait_for_text_in("#health", "No hub is heard.");
    center.broker_is_up();
    browser.wait("the banner goes", || browser.text("#health").is_empty());
}

#[test]
fn a_drill_says_that_nobody_is_called() {
    let calls = sos_hub::center::desk::settings::CallMode::Simulated { answers: Vec::new() };
    let center = Center::start_with(Setup { calls, ..Setup::default() });
    let page = Request::get(&center, "/").with("Cookie", &log_in(&center)).send().body;
    assert!(page.contains("Simulated: nobody is called."), "{page}");
}

#[test]
fn pages_fit_narrow_and_wide_windows() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    crate::orders::call_first_contact(&center, incident);
    center.alarm("A2", Service::Fire);
    let dark = std::env::var_os("SOS_D_DARK").is_some();
    let browser = Browser::start_with(if dark { &["--blink-settings=preferredColorScheme=0"] } else { &[] });
    operator_at(&center, &browser, "/");
    for width in [320, 768, 1280] {
        // A headless window is as wide as asked for; its frame would not be.
        browser.size(width, 900);
        for path in ["/", "/hubs", "/audit", &Center::page(incident)] {
            browser.open(&center.url(path));
            let wider =
                browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
            if std::env::var_os("SOS_D_SHOTS").is_none() {
                assert_eq!(wider, 0, "{path} at {width}");
            } else {
                eprintln!("{path} {width}: {wider}");
            }
            keep(&browser, &format!("{width}{}.png", path.replace('/', "-").chars().take(12).collect::<String>()));
        }
    }
}

#[test]
fn a_picture_of_the_console_is_small() {
    let center = Center::start_with(Setup { ring: Duration::from_secs(30), ..Setup::default() });
    let incident = center.alarm("A1", Service::Police);
    crate::orders::call_first_contact(&center, incident);
    center.alarm("A2", Service::Fire);
    let browser = Browser::start();
    browser.size(1200, 900);
    operator_at(&center, &browser, &Center::page(incident));
    let dir = tempfile::TempDir::new().unwrap();
    let picture = std::env::var_os(PICTURE).map_or(dir.path().join("console.png"), PathBuf::from);
    browser.screenshot(&picture);
    let bytes = std::fs::metadata(&picture).unwrap().len();
    assert!((10_000..150_000).contains(&bytes), "{bytes} bytes");
}

fn keep(browser: &Browser, name: &str) {
    if let Some(dir) = std::env::var_os("SOS_D_SHOTS") {
        browser.screenshot(&PathBuf::from(dir).join(name));
    }
}
