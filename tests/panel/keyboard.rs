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

/// The sheet is open, and the keys go to the slider for the police.
fn at_the_slider() -> (Installation, Page) {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.sos();
    focus(&page);
    (home, page)
}

fn focus(page: &Page) {
    page.browser.run(&format!("document.querySelector('[aria-label={POLICE:?}]').focus();"));
}

/// Moves the handle a bit, and then somebody else asks for the fire department.
fn is_overtaken(home: &Installation, page: &Page) {
    page.browser.keys(&some(Key::Right, 3));
    home.app.accepted("request", r#"{"service": "fire", "source": "app"}"#);
}

fn some(key: Key, times: usize) -> String {
    char::from(key).to_string().repeat(times)
}

#[test]
fn keys_that_are_on_their_way_go_on_though_another_countdown_begins() {
    let (home, page) = at_the_slider();
    // However long the browser takes from one key to the next.
    page.browser.run(
        "const real = setTimeout; window.setTimeout = (act, ms) => [1500, 4000].includes(ms) ? 0 : real(act, ms);",
    );
    is_overtaken(&home, &page);
    page.browser.wait("the page knows", || page.browser.has("#overview[data-mood=countdown]"));
    page.browser.keys(&some(Key::Right, 7));
    page.browser.wait("the police", || page.browser.has(".incident.police[data-stage=countdown]"));
    // The key that was held down is not waited for: the focus had gone elsewhere when it was let go of.
    page.browser.press("Ask for more help");
    focus(&page);
    page.browser.key(Key::Right);
    assert_eq!(page.value(POLICE), 10);
}

#[test]
fn keys_that_are_let_go_of_hold_no_other_countdown_back() {
    let (home, page) = at_the_slider();
    is_overtaken(&home, &page);
    page.browser.wait_for_text_in(".incident.fire .cancel", "Cancel");
    assert_eq!(page.browser.run("return document.activeElement.id;"), "sheet-title");
}
