//! The PIN, and the browsers that know it.

use std::fs;

use crate::http::{get, post, unlock};
use crate::installation::{Installation, PANEL_PIN, Setup};
use crate::page::{POLICE, Page};

#[test]
fn a_browser_that_knows_the_pin_knows_it_after_a_restart() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::unlocked(&home);
    let cookie = unlock(home.panel());
    let mut kept = String::new();
    crate::support::wait_until("both are kept", || {
        kept = fs::read_to_string(home.state_dir().join("panel-browsers.json")).unwrap_or_default();
        kept.matches("\":1").count() + kept.matches("\":0").count() == 2
    });
    assert!(kept.contains("$argon2id$") && !kept.contains(&cookie["sos_panel=".len()..]), "{kept}");
    let since = home.app.mark();
    home.kill();
    home.start();
    home.in_use_again(since);
    page.is_connected();
    page.counts_down_for(POLICE);
}

#[test]
fn another_pin_ends_all_sessions_and_lock_ends_one() {
    let home = Installation::running(Setup::default());
    let panel = home.panel();
    let (first, second) = (unlock(panel), unlock(panel));
    assert_eq!(post(panel, "/lock", &first, "").status, 204);
    assert_eq!(get(panel, "/history.json", &first).status, 401);
    assert_eq!(get(panel, "/history.json", &second).status, 200);
    fs::write(home.dir().join("panel.pin"), "0815\n").expect("another PIN");
    crate::support::wait_until("the session ends", || get(panel, "/history.json", &second).status == 401);
    assert_eq!(post(panel, "/pin", "", PANEL_PIN).status, 403);
    assert_eq!(post(panel, "/pin", "", "0815").status, 204);
}

#[test]
fn the_cookie_is_for_the_panel_alone() {
    let home = Installation::running(Setup::default());
    let answer = post(home.panel(), "/pin", "", PANEL_PIN);
    let cookie = answer.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(get(home.panel(), "/history.json", "").status, 401);
}

#[test]
fn a_wrong_pin_is_said_and_the_sheet_can_take_the_right_one() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let page = Page::locked(&home);
    page.browser.wait_for_text("All is ready");
    page.browser.fill("#home-pin input", "1234");
    page.browser.press("Unlock");
    page.browser.wait_for_text_in("#home-pin", "That is not the PIN.");
    page.sos();
    page.slide(POLICE, 1.0);
    page.browser.wait_for_text_in("#answer", "does not know the PIN");
    page.browser.wait_for_text_in("#answer", "call the emergency number");
    page.browser.fill("#sheet-pin input", PANEL_PIN);
    page.browser.click_on("#sheet-pin button");
    page.browser.wait("the page is unlocked", || page.browser.has("body[data-may=act]"));
}

#[test]
fn without_a_pin_file_the_panel_shows_and_says_why_it_cannot_act() {
    let mut home = Installation::new(Setup::default());
    let text = fs::read_to_string(home.config()).expect("hub.toml");
    let without: String =
        text.lines().filter(|line| !line.starts_with("pin_file")).map(|line| format!("{line}\n")).collect();
    fs::write(home.config(), without).expect("hub.toml");
    home.start();
    home.in_use();
    let since = home.app.mark();
    let page = Page::locked(&home);
    page.browser.wait_for_text("All is ready");
    page.browser.wait_for_text("it has no PIN");
    page.sos();
    page.slide(POLICE, 1.0);
    page.browser.wait_for_text_in("#answer", "Set panel.pin_file");
    assert_eq!(post(home.panel(), "/pin", "", "").status, 403);
    assert_eq!(post(home.panel(), "/commands/request", "", r#"{"service": "police", "id": "x"}"#).status, 403);
    assert_eq!(home.app.replies(since).len(), 0);
}
