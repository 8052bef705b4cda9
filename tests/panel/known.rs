//! What a page shows is true now, or it is not there: a connection that has fallen silent, a page that nobody looked at, a
//! device that slept.

use crate::browser::Browser;
use crate::installation::{Installation, PANEL_PIN, Setup};
use crate::page::{FIRE, POLICE, Page};
use crate::support::proxy::Proxy;
use crate::support::wait_until;

/// What the main part of the page says at the moment.
fn shown(page: &Page) -> String {
    page.browser.text("main")
}

fn through(proxy: &Proxy) -> Page {
    let page = Page::at(([127, 0, 0, 1], proxy.port()).into(), &[]);
    page.unlock();
    page
}

/// Has the page believe that somebody looks at it, or nobody.
fn look(browser: &Browser, is_looked_at: bool) -> String {
    let script = format!(
        "Object.defineProperty(document, 'hidden', {{ value: {}, configurable: true }});
         document.dispatchEvent(new Event('visibilitychange'));
         return document.querySelector('main').innerText;",
        !is_looked_at
    );
    browser.run(&script).as_str().expect("a text").to_owned()
}

#[test]
fn a_connection_that_falls_silent_is_not_believed_for_the_five_seconds_of_a_countdown() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let proxy = Proxy::to(home.panel().port());
    let page = through(&proxy);
    page.counts_down_for(POLICE);
    let since = home.app.mark();
    proxy.set_silent(true);
    // The page would have been told of each of these. The first may have been on its way.
    wait_until("five seconds", || home.app.count(since, "countdown") >= 6);
    // A browser that was held up looks at the clock before it shows anything.
    page.browser.run("return new Promise((look) => setTimeout(look, 500));");
    assert_eq!(page.seconds(), None, "the countdown may be over, and the page cannot know");
    page.card("Cancel may still be in time");
    assert!(page.browser.has(".incident.police[data-stage=unsure] .cancel"), "the hub may hear it all the same");
    page.browser.wait_for_text_in("#sheet-lost", "call the emergency number");
    assert_eq!(page.browser.run("return document.querySelector('#sheet-lost').getAttribute('role');"), "alert");
    proxy.set_silent(false);
    page.countdown();
    page.cancel("police");
    page.card("Cancelled in time");
}

#[test]
fn the_loss_is_said_while_a_finger_is_on_a_handle() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.sos();
    let at = |kind: &str, x: f64| {
        format!(
            "const handle = document.querySelector('.handle'); handle.setPointerCapture = () => {{}};
             handle.dispatchEvent(new PointerEvent('{kind}', {{ isPrimary: true, pointerId: 1, clientX: {x}, bubbles: true, cancelable: true }}));"
        )
    };
    page.browser.run(&at("pointerdown", 60.0));
    page.browser.run(&at("pointermove", 100.0));
    assert!(page.value(POLICE) > 0, "the finger is on the handle");
    home.kill();
    page.browser.wait_for_text_in("#sheet-lost", "No connection to the hub.");
    assert!(page.value(POLICE) > 0, "and stays there");
}

#[test]
fn a_page_that_nobody_looked_at_shows_nothing_of_before() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.browser.wait_for_text("All is ready");
    let hidden = look(&page.browser, false);
    assert!(!hidden.contains("All is ready") && !hidden.contains("monitoring is active"), "{hidden}");
    home.kill();
    let seen_again = look(&page.browser, true);
    assert!(seen_again.contains("Connecting to the hub"), "{seen_again}");
    assert!(!seen_again.contains("All is ready") && !seen_again.contains("monitoring is active"), "{seen_again}");
    page.browser.wait_for_text_in("#lost", "No connection to the hub.");
    let since = home.app.mark();
    home.start();
    home.in_use_again(since);
    page.browser.wait("the state is there again", || shown(&page).contains("Professional monitoring is active"));
}

#[test]
fn a_device_that_slept_asks_anew_before_it_shows_anything() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.browser.wait_for_text("All is ready");
    page.browser.run(
        "window.links = [];
         new MutationObserver(() => window.links.push([document.documentElement.dataset.link, document.querySelector('#headline').textContent]))
           .observe(document.documentElement, { attributeFilter: ['data-link'] });
         const real = Date.now.bind(Date);
         Date.now = () => real() + 60000;",
    );
    page.browser.wait("a new connection", || page.browser.run("return window.links.at(-1)?.[0] ?? '';") == "up");
    let seen = page.browser.run("return window.links[0];");
    assert_eq!(seen, serde_json::json!(["", "Connecting to the hub…"]), "what was known before is forgotten first");
}

#[test]
fn a_page_that_nobody_looks_at_asks_for_no_connection_and_one_that_is_looked_at_for_one() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.browser.before_pages(
        "window.opened = 0;
         window.EventSource = class extends EventSource { constructor(to) { super(to); window.opened += 1; } };",
    );
    page.open("/");
    page.is_connected();
    let opened = || page.browser.run("return window.opened;");
    assert_eq!(opened(), 1);
    look(&page.browser, false);
    // It found its network again, and it was away for a minute.
    page.browser.run("dispatchEvent(new Event('online')); const real = Date.now; Date.now = () => real() + 60000;");
    assert_eq!(opened(), 1, "nobody looks");
    look(&page.browser, true);
    page.is_connected();
    assert_eq!(opened(), 2);
}

#[test]
fn what_is_asked_for_and_cancelled_while_no_states_come_is_seen_to_be() {
    let home = Installation::running(Setup { countdown_seconds: 60, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.counts_down_for(POLICE);
    let since = home.app.mark();
    page.browser.block("*/updates");
    page.browser.run("dispatchEvent(new Event('offline'));");
    page.card("Cancel may still be in time");
    page.cancel("police");
    home.app.event(since, "aborted");
    page.card("Cancelled in time");
    assert!(!page.browser.has(".incident.police .counting:not([hidden])"), "there is nothing left to cancel");
    page.slide(FIRE, 1.0);
    page.browser.wait_for_text_in(".incident.fire", "Accepted. Help from the fire department is requested");
    page.browser.wait_for_text_in(".incident.fire", "If it still counts down, Cancel can stop it.");
    let since = home.app.mark();
    page.cancel("fire");
    home.app.event(since, "aborted");
    page.browser.wait_for_text_in(".incident.fire", "Cancelled in time");
    // What nothing was heard of for a minute is not believed to count down.
    // The first that this page does then is to try the connection again.
    page.browser.run("const real = Date.now; Date.now = () => real() + 61000; dispatchEvent(new Event('online'));");
    page.browser.wait("nothing is left", || !page.browser.has(".incident"));
    page.browser.wait_for_text_in("#sheet-lost", "No connection to the hub.");
    assert!(!page.browser.has(".incident"));
}

#[test]
fn who_gives_the_pin_during_a_countdown_that_somebody_else_began_can_cancel_it() {
    let home = Installation::running(Setup { countdown_seconds: 60, ..Setup::default() });
    let page = Page::locked(&home);
    page.is_connected();
    home.app.accepted("request", r#"{"service": "police", "source": "app"}"#);
    page.countdown();
    let since = home.app.mark();
    page.browser.fill("#sheet-pin input", PANEL_PIN);
    page.browser.click_on("#sheet-pin button");
    page.browser.wait("the page is unlocked", || page.browser.has("body[data-may=act]"));
    page.cancel("police");
    home.app.event(since, "aborted");
}
