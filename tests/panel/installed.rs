//! The panel as an app: installed, without the hub, and behind TLS.

use std::fs;

use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::http::get;
use crate::installation::{Installation, Setup};
use crate::page::{POLICE, Page};
use crate::support::proxy::Proxy;

#[test]
fn it_can_be_installed_and_keeps_no_state() {
    let mut home = Installation::running(Setup::default());
    let panel = home.panel();
    let answer = get(panel, "/manifest.webmanifest", "");
    assert_eq!(answer.header("content-type"), "application/manifest+json");
    let manifest: Value = serde_json::from_str(&answer.body).expect("a manifest");
    assert_eq!((&manifest["display"], &manifest["start_url"]), (&json!("standalone"), &json!("/")));
    for icon in manifest["icons"].as_array().expect("icons") {
        let answer = get(panel, icon["src"].as_str().expect("an address"), "");
        assert_eq!((answer.status, answer.header("content-type")), (200, icon["type"].as_str().expect("a type")));
    }

    let page = Page::unlocked(&home);
    page.browser.wait("the worker is there", || {
        page.browser
            .run("return navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller));")
            == true
    });
    page.browser.wait_for_text("All is ready");
    for path in ["/history", "/setup", "/live", "/"] {
        page.open(path);
        page.is_connected();
    }
    let kept = page.browser.run(
        "return caches.keys()
           .then((names) => Promise.all(names.map((name) => caches.open(name).then((cache) => cache.keys()))))
           .then((lists) => lists.flat().map(({ url }) => url.replace(location.origin, '')).sort());",
    );
    let names = page.browser.run("return caches.keys();");
    let name = names[0].as_str().and_then(|name| name.strip_prefix("panel-")).expect("a name");
    let is_hash = name.len() == 16 && name.bytes().all(|digit| digit.is_ascii_hexdigit());
    assert!(is_hash, "it is named after what is kept: {names}");
    assert_eq!(kept, json!(["/assets/offline.html", "/assets/offline.js", "/assets/panel.css?kept"]));
    assert_eq!(page.browser.run("return localStorage.length + sessionStorage.length;"), 0);

    home.kill();
    page.open("/");
    page.browser.wait_for_text("No connection to the hub.");
    page.browser.wait_for_text("call the emergency number");
    assert!(!page.browser.text("body").contains("All is ready"));
}

#[test]
fn a_hub_that_says_nothing_gets_no_white_page_and_is_found_again() {
    let home = Installation::running(Setup::default());
    let proxy = Proxy::to(home.panel().port());
    let page = Page::at(([127, 0, 0, 1], proxy.port()).into(), &[]);
    page.browser.wait("the worker is there", || {
        page.browser
            .run("return navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller));")
            == true
    });
    // The browser has thrown away what it kept; the next page that opens has it kept anew.
    page.browser.run("return caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name))));");
    page.open("/");
    page.browser.wait("it is kept", || {
        page.browser.run("return caches.match('/assets/panel.css?kept').then((kept) => Boolean(kept));") == true
    });
    proxy.set_silent(true);
    // It opens at all: a page is white until it has its style, and the hub gives it none.
    page.open("/");
    page.browser.wait_for_text("No connection to the hub.");
    page.browser.wait_for_text("call the emergency number");
    assert!(page.browser.run("return document.styleSheets[0].cssRules.length;").as_u64() > Some(10));
    proxy.set_silent(false);
    page.browser.wait_for_text("All is ready");
}

#[test]
fn all_that_a_page_loads_is_small_and_comes_from_the_hub() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    page.browser.wait_for_text("All is ready");
    let loaded = page.browser.run(
        "return performance.getEntriesByType('resource').map(({ name }) => name)
           .filter((name) => !name.endsWith('/updates'));",
    );
    let loaded: Vec<&str> = loaded.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(loaded.len() >= 8, "{loaded:?}");
    let own = format!("http://{}/", home.panel());
    assert!(loaded.iter().all(|address| address.starts_with(&own)), "{loaded:?}");
    let bytes: usize = [
        "app", "armed", "card", "commands", "history", "home", "link", "live", "offline", "page", "setup", "sheet",
        "slider", "turns",
    ]
    .iter()
    .map(|name| get(home.panel(), &format!("/assets/{name}.js"), "").body.len())
    .chain(["panel.css", "icon.svg", "icon-192.png", "icon-512.png"].iter().map(|name| {
        get(home.panel(), &format!("/assets/{name}"), "").header("content-length").parse().expect("a length")
    }))
    .sum();
    assert!(bytes > 20_000 && bytes < 100_000, "{bytes}");
}

#[test]
fn a_certificate_of_its_own_is_made_once_and_its_fingerprint_is_shown() {
    let mut home = Installation::running(Setup {
        countdown_seconds: 30,
        panel_keys: "tls = \"self-made\"".to_owned(),
        ..Setup::default()
    });
    let file = home.state_dir().join("panel-cert.pem");
    // The hub is ready before its panel is.
    crate::support::wait_until("the certificate", || file.exists());
    let certificate = CertificateDer::from_pem_file(&file).expect("the certificate");
    let hash = digest(&SHA256, &certificate);
    let fingerprint: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let fingerprint = fingerprint.join(":");
    crate::support::wait_until("the fingerprint in the log", || home.log().contains(&fingerprint));
    let answer = get(home.panel(), "/setup?x=1", "");
    assert_eq!((answer.status, answer.header("location")), (307, &*format!("https://{}/setup?x=1", home.panel())));

    let browser = Browser::start_with(&["--ignore-certificate-errors"]);
    browser.open(&format!("https://{}/setup", home.panel()));
    browser.wait_for_text(&fingerprint);
    browser.fill("#setup-pin input", crate::installation::PANEL_PIN);
    browser.press("Unlock");
    browser.wait("the page is unlocked", || browser.has("body[data-may=act]"));
    browser.wait("the page is connected", || browser.has("html[data-link=up]"));
    browser.press("SOS");
    browser.run(&format!("document.querySelector('[aria-label={POLICE:?}]').focus();"));
    (0..10).for_each(|_| browser.key(fantoccini::key::Key::Right));
    browser.wait_for_text_in("#cards", "seconds left to cancel");

    let before = fs::read(&file).expect("the certificate");
    home.stop();
    home.start();
    assert_eq!(fs::read(&file).expect("the certificate"), before);
}
