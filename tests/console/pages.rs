//! The pages in a real browser: live, by keyboard, and truthful when the connection is gone.

use std::path::PathBuf;
use std::time::Duration;

use fantoccini::key::Key;
use sos_hub::center::desk::words::SignalKind;
use sos_hub::controller::words::{Service, Stage};

use crate::browser::Browser;
use crate::center::{Center, OPERATOR, PASSWORD, Setup};
use crate::http::{Request, log_in};
use crate::support::wait_until;

/// Set to a path, [`a_picture_of_the_console_is_small`] leaves its picture there.
const PICTURE: &str = "SOS_CONSOLE_PICTURE";

/// A browser in which the operator is logged in, with the page open.
pub fn operator_at(center: &Center, browser: &Browser, path: &str) {
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
    browser.wait("the sound", || browser.has("html[data-ringing=true]"));
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
fn pages_that_were_left_hold_no_connection_and_come_back_alive() {
    let center = Center::start();
    let browser = Browser::start();
    operator_at(&center, &browser, "/");
    // More than a browser has connections to one site.
    for path in ["/", "/hubs", "/audit", "/incidents"].into_iter().cycle().take(13) {
        browser.open(&center.url(path));
    }
    browser.back();
    browser.back();
    browser.wait_for_text_in("#connection", "Live");
    center.alarm("A1", Service::Police);
    browser.wait_for_title("ALARM – Audit");
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
    // "Close" is there all the time: the one of the page before would be refused, as the incident has moved on.
    wait_until("the call is over", || !browser.has(".call"));
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
    browser.wait_for_text_in(".headline", "Not cancelled: help is to be sent");
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
fn a_double_click_is_one_step() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let browser = Browser::start();
    operator_at(&center, &browser, &Center::page(incident));
    // The second click of two hits what has come under the pointer since the first.
    let second = "new MouseEvent('click', {bubbles: true, cancelable: true, detail: 2})";
    browser.run(&format!("document.querySelector('.order.main button').dispatchEvent({second})"));
    browser.fill("#note", "in between");
    browser.key(Key::Enter);
    browser.wait_for_text_in(".history", "in between");
    assert_eq!(center.view(incident).unwrap().calls.len(), 0, "a call was placed");
    browser.press("Call first contact");
    browser.wait_for_text_in(".call", "+44 20 7946 0001");
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
    let browser = Browser::start();
    operator_at(&center, &browser, "/");
    for width in [320, 768, 1280] {
        browser.size(width, 900);
        for path in ["/", "/hubs", "/audit", &Center::page(incident)] {
            browser.open(&center.url(path));
            let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.run(wider), 0, "{path} at {width}");
        }
    }
}

/// Texts whose contrast with what is behind them is below level AA of WCAG 2.2, of the elements that show text.
const TOO_FAINT: &str = r#"
    const parse = (color) => { const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
    const light = (rgb) => rgb.map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            if (color.a === 1) return color.rgb;
        }
    };
    const faint = [];
    for (const element of document.querySelectorAll("body *")) {
        const shows = [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim());
        if (!shows || !element.checkVisibility()) continue;
        const style = getComputedStyle(element);
        const [one, other] = [light(parse(style.color).rgb), light(behind(element))].sort((a, b) => b - a);
        const size = parseFloat(style.fontSize);
        const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
        const contrast = (one + 0.05) / (other + 0.05);
        if (contrast < needed) faint.push(`${element.textContent.trim().slice(0, 40)}: ${contrast.toFixed(2)}`);
    }
    return faint.join("\n");
"#;

#[test]
fn every_text_can_be_read_by_day_and_by_night() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let waiting = center.alarm("A2", Service::Fire);
    center.broker_is_down();
    crate::orders::call_first_contact(&center, incident);
    for flags in [["--blink-settings=preferredColorScheme=1"], ["--blink-settings=preferredColorScheme=0"]] {
        let browser = Browser::start_with(&flags);
        browser.open(&center.url("/login"));
        assert_eq!(browser.run(TOO_FAINT), "", "the log-in, {flags:?}");
        operator_at(&center, &browser, "/");
        let is_dark = browser.run("return matchMedia('(prefers-color-scheme: dark)').matches");
        assert_eq!(is_dark, flags[0].ends_with("=0"), "the browser does not do as it is told");
        for path in ["/", "/hubs", "/audit", &Center::page(incident), &Center::page(waiting)] {
            browser.open(&center.url(path));
            browser.wait_for_text_in("#connection", "Live");
            assert_eq!(browser.run(TOO_FAINT), "", "{path}, {flags:?}");
        }
    }
}

#[test]
fn a_picture_of_the_console_is_small() {
    let center = Center::start_with(Setup { ring: Duration::from_secs(30), ..Setup::default() });
    center.hear("A2", SignalKind::Heartbeat { interval: Duration::from_secs(60), open: Vec::new() });
    let incident = center.alarm("A2", Service::Fire);
    crate::orders::call_first_contact(&center, incident);
    let browser = Browser::start_with(&["--hide-scrollbars"]);
    browser.size(1200, 900);
    operator_at(&center, &browser, &Center::page(incident));
    let dir = tempfile::TempDir::new().unwrap();
    let picture = std::env::var_os(PICTURE).map_or(dir.path().join("console.png"), PathBuf::from);
    browser.screenshot(&picture);
    let bytes = std::fs::metadata(&picture).unwrap().len();
    assert!((10_000..150_000).contains(&bytes), "{bytes} bytes");
}
