//! How the pages look and are read: on a small phone and a wall tablet, by day and by night, and by those who do not see
//! them.
//!
//! `SOS_SCREENSHOTS=docs cargo test --test panel screenshots` writes the pictures of the README.

use std::path::PathBuf;

use serde_json::json;

use crate::axe::finds_nothing;
use crate::camera::{Camera, Kind};
use crate::center::Answers;
use crate::installation::{Installation, Setup};
use crate::page::{FIRE, POLICE, Page, SIREN_ONLY};

/// Width and height in CSS pixels.
type Size = (u32, u32);

const SMALL_PHONE: Size = (320, 568);
const PHONE: Size = (400, 800);
const TABLET: Size = (1280, 800);

fn home_with_camera(camera: &Camera, countdown_seconds: u32) -> Installation {
    Installation::running(Setup {
        countdown_seconds,
        clock: "trusted",
        panel_keys: format!("[[camera]]\nname = \"Front door\"\nurl = \"http://127.0.0.1:{}/\"\n", camera.port),
        ..Setup::default()
    })
}

fn page(home: &Installation, size: Size, colors: &str) -> Page {
    let page = Page::locked(home);
    page.browser.phone(size.0, size.1);
    page.browser.colors(colors);
    page.open("/");
    let seen = page.browser.run("return [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches];");
    assert_eq!(seen, json!([size.0, colors == "dark"]));
    page
}

/// Fails if anything is wrong with what the page shows now, on a small phone or on the wall, by day or by night.
fn judge(page: &Page, what: &str) {
    for size in [TABLET, SMALL_PHONE] {
        page.browser.phone(size.0, size.1);
        for colors in ["light", "dark"] {
            page.browser.colors(colors);
            finds_nothing(page, &format!("{what}, {size:?}, {colors}"));
        }
    }
}

#[test]
fn every_page_can_be_used_by_everybody() {
    let (camera, off) = (Camera::start(Kind::Mjpeg), Camera::start(Kind::Still));
    off.switch(false);
    let cameras = [
        ("Front door", camera.port, "http", ""),
        ("Away", off.port, "http", ""),
        ("Video", off.port, "http", "x.m3u8"),
        ("Old", 1, "rtsp", ""),
    ];
    let tables = cameras.map(|(name, port, scheme, path)| {
        format!("[[camera]]\nname = \"{name}\"\nurl = \"{scheme}://127.0.0.1:{port}/{path}\"\n")
    });
    let mut home =
        Installation::running(Setup { countdown_seconds: 1, panel_keys: tables.join("\n"), ..Setup::default() });
    let page = page(&home, SMALL_PHONE, "light");
    page.browser.wait_for_text("All is ready");
    judge(&page, "the first page, locked");
    page.browser.fill("#home-pin input", "1234");
    page.browser.press("Unlock");
    page.browser.wait_for_text_in("#home-pin", "That is not the PIN.");
    judge(&page, "a wrong PIN");
    for path in ["/live", "/history", "/setup"] {
        page.open(path);
        page.is_connected();
        judge(&page, &format!("{path}, locked"));
    }
    page.sos();
    judge(&page, "the sheet, locked");
    page.open("/");
    page.unlock();
    let since = home.app.mark();
    page.sos();
    page.tap(SIREN_ONLY);
    home.app.event(since, "siren_on");
    page.tap("#silence");
    page.card("The request for the siren alone is over.");
    page.browser.click_on("#close");
    page.browser.wait_for_text_in("#recent", "Closed");
    judge(&page, "the first page");
    for path in ["/live", "/history", "/setup", "/nothing"] {
        page.open(path);
        page.is_connected();
        match path {
            "/live" => page.browser.wait_for_text("The camera answers 503"),
            "/history" => page.browser.click_on("#history summary"),
            _ => {}
        }
        judge(&page, path);
    }
    page.open("/live");
    page.browser.click_on("figure .full");
    judge(&page, "a camera on the full screen");
    page.browser.block("*/assets/app.js");
    page.open("/");
    page.browser.wait_for_text_in("#lost", "the SOS button does not work yet");
    judge(&page, "the first page without its scripts");
    page.browser.block("*/nothing");
    home.center_broker.stop();
    for path in ["/setup", "/"] {
        page.open(path);
        page.browser.wait_for_text_in(if path == "/" { "#overview" } else { "#obstacles" }, "monitoring center");
        judge(&page, &format!("{path}, not ready"));
    }
    home.kill();
    page.browser.wait_for_text_in("#lost", "No connection");
    judge(&page, "the first page without the hub");
    page.browser.press("SOS");
    judge(&page, "the sheet without the hub");
    page.open("/setup");
    page.browser.wait_for_text("Try again");
    judge(&page, "an app without the hub");
}

#[test]
fn every_step_of_a_call_for_help_can_be_followed_by_everybody() {
    let mut home = Installation::running(Setup { countdown_seconds: 20, ..Setup::default() });
    home.center.answer(Answers::AllButAlarms);
    let page = page(&home, SMALL_PHONE, "light");
    page.unlock();
    page.sos();
    judge(&page, "the sheet");
    page.slide(POLICE, 1.0);
    page.countdown();
    judge(&page, "a countdown");
    page.browser.press("Ask for more help");
    page.slide(FIRE, 1.0);
    page.browser.wait("two countdowns", || page.browser.has(".incident.fire"));
    page.cancel("fire");
    page.card("Cancelled in time");
    judge(&page, "a countdown beside what is over");
    page.stage("requested");
    judge(&page, "an alarm that nobody has confirmed");
    home.center.ack(home.center.alarm(0)["jti"].as_str().expect("a jti"));
    page.stage("acknowledged");
    judge(&page, "an alarm");
    page.browser.click_on("#close");
    page.browser.wait("the alarm on the page", || page.browser.has("#now:not([hidden])"));
    judge(&page, "the first page beside an alarm");
    page.sos();
    page.browser.press("Ask for more help");
    page.slide(FIRE, 1.0);
    page.countdown();
    home.kill();
    page.card("Cancel may still be in time");
    judge(&page, "what may count down without the hub");
    assert!(page.browser.has(".incident.fire .cancel"), "it was there all the time");
}

#[test]
fn the_shield_is_at_the_upper_right_of_every_page() {
    let camera = Camera::start(Kind::Mjpeg);
    let home = home_with_camera(&camera, 30);
    for size in [SMALL_PHONE, TABLET] {
        let page = page(&home, size, "light");
        let width = page.browser.run("return innerWidth;").as_f64().expect("a width");
        for path in ["/", "/live", "/history", "/setup", "/nothing"] {
            page.open(path);
            page.is_connected();
            page.browser.run("scrollTo(0, document.body.scrollHeight);");
            let shield = page.place("#sos");
            assert!(shield.y >= 0.0 && shield.y < 40.0, "{path}: {shield:?}");
            assert!(shield.x + shield.width > width - 60.0 && shield.width >= 64.0, "{path}: {shield:?} of {width}");
        }
    }
}

#[test]
fn screenshots() {
    let dir = std::env::var_os("SOS_SCREENSHOTS").map(PathBuf::from);
    let camera = Camera::start(Kind::Mjpeg);
    let home = home_with_camera(&camera, 12);
    let phone = page(&home, PHONE, "light");
    let wall = page(&home, TABLET, "dark");
    let shoot = |page: &Page, name: &str| {
        page.browser.run("document.activeElement.blur();");
        if let Some(dir) = &dir {
            page.browser.screenshot(&dir.join(format!("panel-{name}.png")));
        }
    };
    phone.unlock();
    wall.unlock();
    phone.browser.wait_for_text("All is ready");
    shoot(&phone, "dashboard");
    phone.sos();
    phone.browser.wait("the button is ready", || phone.browser.has("#siren-only:not(.unready)"));
    shoot(&phone, "sheet");
    home.center.answer(Answers::AllButAlarms);
    phone.slide(POLICE, 1.0);
    phone.countdown();
    wall.countdown();
    // As with the five seconds that a countdown has unless somebody sets another time.
    let incident = home.app.state("the countdown", |state| state["phase"] == "countdown")["incidents"][0]["id"].clone();
    let incident = incident.as_str().expect("an incident");
    wall.browser
        .wait("its last seconds", || [&phone, &wall].iter().all(|page| page.seconds().is_some_and(|left| left <= 4)));
    shoot(&phone, "countdown");
    shoot(&wall, "countdown-wall");
    home.app.stage(incident, "requested");
    home.center.ack(home.center.alarm(0)["jti"].as_str().expect("a jti"));
    home.center.update(incident, "calling_first_contact", json!({"contact": {"position": 1, "name": "Ann Privatus"}}));
    home.center.update(incident, "no_answer", json!({}));
    home.center.update(incident, "dispatched", json!({}));
    phone.card("has dispatched the police");
    phone.browser.wait("the button is ready", || phone.browser.has("#silence:not(.unready)"));
    shoot(&phone, "message");
    home.center.update(incident, "closed", json!({}));
    phone.card("closed the incident");
    wall.browser.press("Close");
    wall.browser.wait_for_text_in("#recent", "Closed");
    shoot(&wall, "dashboard-wall");
}
