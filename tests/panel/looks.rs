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
use crate::page::{FIRE, POLICE, Page};

/// Width and height in CSS pixels.
type Size = (u32, u32);

const SMALL_PHONE: Size = (320, 568);
const PHONE: Size = (400, 800);
const TABLET: Size = (1280, 800);

fn home_with_camera(camera: &Camera) -> Installation {
    Installation::running(Setup {
        countdown_seconds: 30,
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

fn walk(size: Size, colors: &str) {
    let camera = Camera::start(Kind::Mjpeg);
    let mut home = home_with_camera(&camera);
    let page = page(&home, size, colors);
    page.browser.wait_for_text("All is ready");
    finds_nothing(&page, "the first page, locked");
    page.sos();
    finds_nothing(&page, "the sheet, locked");
    page.browser.press("Close");
    page.unlock();
    finds_nothing(&page, "the first page");
    page.sos();
    finds_nothing(&page, "the sheet");
    page.slide(POLICE, 1.0);
    page.countdown();
    finds_nothing(&page, "a countdown");
    page.browser.press("Ask for more help");
    page.slide(FIRE, 1.0);
    page.browser.wait("two countdowns", || page.browser.has(".incident.fire"));
    finds_nothing(&page, "two countdowns");
    page.cancel("police");
    page.cancel("fire");
    page.card("Cancelled in time");
    finds_nothing(&page, "what is over");
    page.browser.press("Close");
    for path in ["/live", "/history", "/setup", "/nothing"] {
        page.open(path);
        page.is_connected();
        if path == "/history" {
            page.browser.click_on("#history summary");
        }
        finds_nothing(&page, path);
    }
    home.center_broker.stop();
    page.open("/");
    page.browser.wait_for_text("Not ready");
    finds_nothing(&page, "a hub that is not ready");
}

#[test]
fn a_small_phone_by_day_and_night() {
    walk(SMALL_PHONE, "light");
    walk(SMALL_PHONE, "dark");
}

#[test]
fn a_wall_tablet_by_day_and_night() {
    walk(TABLET, "dark");
    walk(TABLET, "light");
}

#[test]
fn the_shield_is_at_the_upper_right_of_every_page() {
    let camera = Camera::start(Kind::Mjpeg);
    let home = home_with_camera(&camera);
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
    let home = home_with_camera(&camera);
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
    shoot(&phone, "sheet");
    home.center.answer(Answers::AllButAlarms);
    phone.slide(POLICE, 1.0);
    phone.countdown();
    wall.countdown();
    wall.browser.wait("some seconds later", || wall.seconds().is_some_and(|left| left < 28));
    shoot(&phone, "countdown");
    shoot(&wall, "countdown-wall");
    let incident = home.app.state("the countdown", |state| state["phase"] == "countdown")["incidents"][0]["id"].clone();
    let incident = incident.as_str().expect("an incident");
    home.app.stage(incident, "requested");
    home.center.ack(home.center.alarm(0)["jti"].as_str().expect("a jti"));
    home.center.update(incident, "calling_first_contact", json!({"contact": {"position": 1, "name": "Ann Privatus"}}));
    home.center.update(incident, "no_answer", json!({}));
    home.center.update(incident, "dispatched", json!({}));
    phone.card("has dispatched the police");
    shoot(&phone, "message");
    home.center.update(incident, "closed", json!({}));
    phone.card("closed the incident");
    wall.browser.press("Close");
    wall.browser.wait_for_text_in("#recent", "Closed");
    shoot(&wall, "dashboard-wall");
}
