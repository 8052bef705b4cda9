//! The cameras, as they come through the hub.

use std::fs;

use crate::camera::{Camera, Kind};
use crate::http::{get, unlock};
use crate::installation::{Installation, Setup};
use crate::page::{POLICE, Page};

fn with_cameras(cameras: &[(&str, String)], more: &str) -> Installation {
    let tables: Vec<String> =
        cameras.iter().map(|(name, url)| format!("[[camera]]\nname = \"{name}\"\nurl = \"{url}\"\n{more}")).collect();
    Installation::running(Setup { countdown_seconds: 30, panel_keys: tables.join("\n"), ..Setup::default() })
}

fn shows(page: &Page, name: &str) {
    page.browser.wait(&format!("a picture of {name}"), || {
        page.browser.run(&format!("return document.querySelector('canvas[aria-label={name:?}]').width;")) == 16
    });
}

#[test]
fn pictures_of_a_camera_follow_each_other_and_a_hub_with_many_asks_each_once() {
    let camera = Camera::start(Kind::Mjpeg);
    let cameras: Vec<_> = ["Door", "Garden", "Garage", "Attic", "Cellar", "Yard", "Roof", "Gate"]
        .map(|name| (name, format!("http://viewer:secret@127.0.0.1:{}/{name}.mjpg", camera.port)))
        .to_vec();
    let home = with_cameras(&cameras, "");
    let (page, other) = (Page::unlocked(&home), Page::unlocked(&home));
    for page in [&page, &other] {
        page.open("/live");
        for (name, _) in &cameras {
            shows(page, name);
        }
    }
    let asked =
        "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/0/picture')).length;";
    let before = page.browser.run(asked).as_u64();
    page.browser.wait("the next picture", || page.browser.run(asked).as_u64() > before);
    // One that a slow page has left alone for long is fetched anew.
    let is_once = || camera.open() == cameras.len();
    page.browser.wait("both pages see what the hub fetches once", is_once);
    assert!(camera.asked().iter().all(|head| head.contains("dmlld2VyOnNlY3JldA==")), "viewer:secret");
    let shown = page.browser.run("return document.documentElement.outerHTML;");
    assert!(!shown.as_str().expect("a page").contains("secret"));

    // However many cameras there are, the SOS gets through.
    page.counts_down_for(POLICE);
    other.countdown();
    page.cancel("police");
    page.card("Cancelled in time");
    page.open("/");
    other.open("/");
    page.browser.wait("a camera that nobody looks at is left alone", || camera.open() == 0);
}

#[test]
fn a_camera_that_is_away_says_so_and_blocks_nothing() {
    let (still, mute) = (Camera::start(Kind::Still), Camera::start(Kind::Mute));
    let home = with_cameras(
        &[
            ("Door", format!("http://127.0.0.1:{}/still.jpg", still.port)),
            ("Mute", format!("http://127.0.0.1:{}/", mute.port)),
            ("Nobody", "http://127.0.0.1:1/".to_owned()),
            ("Old", "rtsp://127.0.0.1/".to_owned()),
        ],
        "",
    );
    let page = Page::unlocked(&home);
    page.open("/live");
    shows(&page, "Door");
    page.browser.wait_for_text("The camera cannot be reached");
    page.browser.wait_for_text("The camera does not answer.");
    page.browser.wait_for_text("Browsers do not speak this camera's protocol.");
    still.switch(false);
    page.browser.wait_for_text("The camera answers 503 Service Unavailable. Trying again…");
    still.switch(true);
    page.browser.wait("the camera is back", || !page.browser.text("figure[data-number='0']").contains("Trying again"));
    page.browser.click_on("figure[data-number='0'] .full");
    page.browser.wait("the picture is large", || page.place("figure[data-number='0']").height > 600.0);
    page.counts_down_for(POLICE);
}

/// Counts the requests for cameras that a page has under way.
const COUNTED: &str = "
    window.underWay = 0; window.most = 0;
    const real = window.fetch;
    window.fetch = (address, options) => {
      if (!String(address).startsWith('/cameras/')) return real(address, options);
      window.underWay += 1;
      window.most = Math.max(window.most, window.underWay);
      return real(address, options).finally(() => { window.underWay -= 1; });
    };";

#[test]
fn cameras_that_hang_leave_the_way_free_for_those_who_ask_for_help() {
    let camera = Camera::start(Kind::Mute);
    let pictures = ["Door", "Garden", "Garage", "Attic", "Cellar", "Yard"];
    let mut cameras = pictures.map(|name| (name, format!("http://127.0.0.1:{}/{name}.mjpg", camera.port))).to_vec();
    cameras.extend(["Roof", "Gate"].map(|name| (name, format!("http://127.0.0.1:{}/{name}.m3u8", camera.port))));
    let home = with_cameras(&cameras, "");
    let page = Page::unlocked(&home);
    page.browser.before_pages(COUNTED);
    page.open("/live");
    page.is_connected();
    let under_way = || page.browser.run("return window.underWay;").as_u64();
    page.browser.wait("every camera was asked", || camera.asked().len() >= cameras.len());
    page.browser.wait("they hang", || under_way() > Some(0));
    // In another tab of the same browser somebody is about to ask for help.
    page.browser.run("new BroadcastChannel('help').postMessage('');");
    page.browser.wait_for_text_in("#cameras", "Paused while help is asked for.");
    assert_eq!(under_way(), Some(0));
    page.open("/live");
    page.is_connected();
    page.browser.wait("they hang again", || under_way() > Some(0));
    page.sos();
    assert_eq!(under_way(), Some(0));
    page.slide(POLICE, 1.0);
    page.countdown();
    assert_eq!((under_way(), page.browser.run("return window.most;").as_u64()), (Some(0), Some(3)));
    page.cancel("police");
    page.browser.click_on("#close");
    page.browser.wait("the cameras go on", || under_way() > Some(0));
}

#[test]
fn a_picture_that_is_not_of_now_is_not_shown() {
    let camera = Camera::start(Kind::Stalling);
    let home = with_cameras(&[("Door", format!("http://127.0.0.1:{}/", camera.port))], "");
    let page = Page::unlocked(&home);
    page.open("/live");
    shows(&page, "Door");
    camera.switch(false);
    page.browser.wait_for_text_in("figure", "No picture from this camera. Trying again…");
    let is_seen = "return document.querySelector('canvas').checkVisibility({ visibilityProperty: true });";
    assert_eq!(page.browser.run(is_seen), false);
}

#[test]
fn two_videos_play_at_a_time_and_one_can_choose_which() {
    let camera = Camera::start(Kind::Hls);
    let cameras =
        ["Door", "Garden", "Yard"].map(|name| (name, format!("http://127.0.0.1:{}/{name}.m3u8", camera.port)));
    let home = with_cameras(&cameras, "");
    let page = Page::unlocked(&home);
    page.open("/live");
    let can_play = |page: &Page| {
        page.browser.run("return [...document.querySelectorAll('.play')].map((button) => button.checkVisibility());")
    };
    page.browser.wait("two play", || can_play(&page) == serde_json::json!([false, false, true]));
    page.browser.run("document.querySelector('figure[data-number=\"2\"]').scrollIntoView({ block: 'center' });");
    page.browser.click_on("figure[data-number='2'] .play");
    page.browser.wait("another two", || can_play(&page) == serde_json::json!([true, false, false]));
    let asked = |name: &str| camera.asked().iter().any(|head| head.contains(name));
    page.browser.wait("the third is asked for", || asked("/Yard.m3u8"));
    assert!(asked("/Door.m3u8") && asked("/Garden.m3u8"));
}

#[test]
fn the_password_of_a_camera_comes_from_its_file() {
    let camera = Camera::start(Kind::Still);
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("camera.password");
    fs::write(&file, "secret\n").expect("the password");
    let url = format!("http://127.0.0.1:{}/", camera.port);
    let more = format!("username = \"viewer\"\npassword_file = \"{}\"\n", file.display());
    let home = with_cameras(&[("Door", url)], &more);
    let cookie = unlock(home.panel());
    let answer = get(home.panel(), "/cameras/0/picture", &cookie);
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"), "{}", answer.body);
    assert!(camera.asked()[0].contains("dmlld2VyOnNlY3JldA=="), "{:?}", camera.asked());
}

#[test]
fn a_playlist_leads_to_the_hub_and_to_nothing_else_of_the_camera() {
    let camera = Camera::start(Kind::Hls);
    let home = with_cameras(&[("Door", format!("http://127.0.0.1:{}/live/door.m3u8", camera.port))], "");
    let panel = home.panel();
    let cookie = unlock(panel);
    let playlist = get(panel, "/cameras/0/playlist.m3u8", &cookie);
    assert_eq!(playlist.header("content-type"), "application/vnd.apple.mpegurl");
    assert!(!playlist.body.contains("evil.example") && !playlist.body.contains("parts/one"), "{}", playlist.body);
    let piece = playlist.body.lines().find(|line| line.starts_with("/cameras/0/media/")).expect("a piece").to_owned();
    let answer = get(panel, &piece, &cookie);
    assert!(answer.body.contains("a piece of video"), "{}", answer.body);
    assert_eq!(answer.header("content-type"), "video/mp2t");
    assert!(camera.asked().iter().any(|head| head.starts_with("GET /live/parts/one.ts?x=1 ")), "{:?}", camera.asked());
    let (_, tag) = piece.rsplit_once('.').expect("a signed name");
    // "/admin", with the signature of the piece.
    let forged = format!("/cameras/0/media/L2FkbWlu.{tag}");
    assert_eq!(get(panel, &forged, &cookie).status, 404);
    assert_eq!(get(panel, &piece, "").status, 401);
    assert!(!camera.asked().iter().any(|head| head.contains("/admin")));
}
