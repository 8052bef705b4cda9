//! Without a mouse or a finger.

use fantoccini::key::Key;

use crate::installation::{Installation, Setup};
use crate::page::{FIRE, POLICE, Page};

#[test]
fn everything_is_done_by_keys() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::locked(&home);
    let focus = |wanted: &str| {
        for _ in 0..60 {
            page.browser.key(Key::Tab);
            let found = page.browser.run(&format!("return document.activeElement.matches({wanted:?});"));
            if found == true {
                return;
            }
        }
        panic!("no way to {wanted} by the key Tab");
    };
    page.is_connected();
    focus("#home-pin input");
    page.browser.keys(crate::installation::PANEL_PIN);
    page.browser.key(Key::Enter);
    page.browser.wait("the page is unlocked", || page.browser.has("body[data-may=act]"));
    page.is_connected();
    let since = home.app.mark();
    focus("#sos");
    page.browser.key(Key::Enter);
    focus(&format!("[role=slider][aria-label={POLICE:?}]"));
    for _ in 0..9 {
        page.browser.key(Key::Right);
    }
    assert_eq!(page.value(POLICE), 90);
    page.browser.key(Key::Left);
    focus(&format!("[role=slider][aria-label={FIRE:?}]"));
    assert_eq!(page.value(POLICE), 0, "what is left goes back");
    for _ in 0..10 {
        page.browser.key(Key::Right);
    }
    page.countdown();
    assert_eq!(home.app.event(since, "countdown_started")["service"], "fire");
    // A key that is still held down, or pressed once more, takes nothing back.
    page.browser.key(Key::Enter);
    page.browser.keys(" ");
    assert_eq!(home.app.count(since, "aborted"), 0);
    focus(".cancel");
    page.browser.key(Key::Enter);
    home.app.event(since, "aborted");
    page.card("Cancelled in time");
    page.browser.key(Key::Escape);
    page.browser.wait("the sheet is closed", || !page.browser.has("dialog[open]"));
    assert_eq!(page.browser.run("return document.activeElement.id;"), "sos");
    assert_eq!(home.app.count(since, "countdown_started"), 1);
}
