//! The pages as they are before their scripts fill them in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::cameras::Kind;
use super::gate::Standing;
use super::{Hub, Site, words};

/// `GET` of each page.
pub(super) async fn page<H: Hub>(State(site): State<Arc<Site<H>>>, headers: HeaderMap, address: Uri) -> Response {
    let standing = site.gate.standing(&headers, site.hub.dated()).await;
    let (page, title, main) = match address.path() {
        "/live" => ("live", words::LIVE, live(&site)),
        "/history" => ("history", words::HISTORY, history()),
        "/setup" => ("setup", words::SETUP, setup(&site, standing)),
        _ => ("home", words::HOME, home(standing)),
    };
    let mut response = Html(layout(&site, standing, page, title, &main).into_string()).into_response();
    if standing == Standing::Knows
        && let Some(cookie) = site.gate.cookie_again(&headers)
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn not_found<H: Hub>(State(site): State<Arc<Site<H>>>, headers: HeaderMap) -> Response {
    let standing = site.gate.standing(&headers, site.hub.dated()).await;
    let main = html! { h1 { (words::NOT_FOUND) } p { a href="/" { (words::TO_HOME) } } };
    let page = layout(&site, standing, "none", words::NOT_FOUND, &main);
    (StatusCode::NOT_FOUND, Html(page.into_string())).into_response()
}

fn layout<H: Hub>(site: &Site<H>, standing: Standing, page: &str, title: &str, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                meta name="color-scheme" content="light dark";
                meta name="theme-color" content="#a50016";
                title { (title) " – " (site.name) }
                link rel="manifest" href="/manifest.webmanifest";
                link rel="icon" type="image/svg+xml" href="/assets/icon.svg";
                link rel="apple-touch-icon" href="/assets/icon-192.png";
                link rel="stylesheet" href="/assets/panel.css";
                @for module in SCRIPTS.iter().chain(scripts_of(page)) {
                    link rel="modulepreload" href={ "/assets/" (module) };
                }
                script type="application/json" id="words" { (PreEscaped(script_words())) }
                script type="module" src="/assets/app.js" {}
            }
            body data-page=(page) data-may=(standing.as_str()) data-version=(env!("CARGO_PKG_VERSION")) {
                a.skip href="#main" { (words::SKIP) }
                header.top {
                    a.brand href="/" { (site.name) }
                    nav aria-label=(words::PAGES) {
                        (link("/", words::HOME, page == "home", HOUSE))
                        (link("/live", words::LIVE, page == "live", CAMERA))
                        (link("/history", words::HISTORY, page == "history", CLOCK))
                        (link("/setup", words::SETUP, page == "setup", WRENCH))
                    }
                    button #sos .sos type="button" aria-haspopup="dialog" { (shield()) span { (words::SOS) } }
                }
                noscript { p.lost { (words::NO_SCRIPT) } }
                // For as long as no script says otherwise: what of them did not come cannot say so.
                div #lost .lost.first role="alert" { (words::CONNECTING) " " (words::STILL_CONNECTING) }
                section #now .now aria-label=(words::NOW) hidden {
                    p #now-text {}
                    button #now-show type="button" { (words::SHOW) }
                }
                main #main tabindex="-1" { (main) }
                (sheet(standing))
            }
        }
    }
}

/// What all pages need, in one step: else a browser finds out what a script imports when it has it.
const SCRIPTS: &[&str] = &[
    "app.js",
    "begin.js",
    "link.js",
    "sheet.js",
    "card.js",
    "armed.js",
    "slider.js",
    "commands.js",
    "turns.js",
    "page.js",
];

/// What a page needs besides, fetched along with the rest.
fn scripts_of(page: &str) -> &'static [&'static str] {
    match page {
        "home" => &["home.js", "history.js"],
        "live" => &["live.js"],
        "history" => &["history.js"],
        "setup" => &["setup.js", "home.js", "history.js"],
        _ => &[],
    }
}

fn link(to: &str, text: &str, is_here: bool, icon: &str) -> Markup {
    html! {
        a href=(to) aria-current=[is_here.then_some("page")] {
            svg viewBox="0 0 24 24" aria-hidden="true" { path d=(icon) {} }
            span { (text) }
        }
    }
}

/// Where help is asked for, over every page.
fn sheet(standing: Standing) -> Markup {
    html! {
        dialog #sheet aria-labelledby="sheet-title" {
            div.sheet-head {
                h2 #sheet-title tabindex="-1" { (words::SHEET) }
                p #asking role="status" {}
            }
            p #sheet-lost .lost role="alert" hidden { strong { (words::LOST) } " " (words::LOST_ADVICE) }
            // Above the cards: where "Cancel" was must not be what silences the alarm that it came too late for.
            button #silence .siren type="button" hidden { (words::SILENCE) }
            div #cards {}
            p #answer .answer role="alert" {}
            p #said .visually-hidden role="status" {}
            // Not within what "more help" hides: a countdown that somebody else started can be cancelled with the PIN.
            @match standing {
                Standing::Knows => {}
                Standing::Stranger => (pin_form("sheet-pin")),
                Standing::NoPin => p.warning { (words::NO_PIN_FILE) },
            }
            button #more .quiet type="button" aria-expanded="false" aria-controls="ask" hidden { (words::MORE_HELP) }
            div #ask {
                p #warning .warning hidden {}
                (slider("police", words::SLIDE_POLICE, STAR))
                (slider("fire", words::SLIDE_FIRE, FLAME))
                p #slide-hint .hint { (words::SLIDE_HINT) }
                button #siren-only .siren type="button" aria-describedby="siren-hint" { (words::SIREN_ONLY) }
                p #siren-hint .hint { (words::SIREN_HINT) }
            }
            button #close .quiet type="button" { (words::CLOSE) }
        }
    }
}

fn slider(service: &str, label: &str, icon: &str) -> Markup {
    html! {
        div.slider data-service=(service) role="slider" tabindex="0" aria-label=(label) aria-valuemin="0" aria-valuemax="100"
            aria-valuenow="0" aria-describedby="slide-hint" {
            span.slider-text aria-hidden="true" { (label) }
            span.handle aria-hidden="true" { svg viewBox="0 0 24 24" { path d=(icon) {} } }
        }
    }
}

fn pin_form(id: &str) -> Markup {
    html! {
        form.pin id=(id) {
            p { (words::PIN_WHY) }
            label for={ (id) "-field" } { (words::PIN_LABEL) }
            div.row {
                input id={ (id) "-field" } type="password" inputmode="numeric" autocomplete="current-password" required;
                button type="submit" { (words::PIN_ENTER) }
            }
            p.problem role="alert" {}
        }
    }
}

fn home(standing: Standing) -> Markup {
    html! {
        section #overview .overview aria-live="polite" {
            h1 #headline { (words::CONNECTING) }
            p #message {}
        }
        @if standing == Standing::Stranger {
            section.card { h2 { (words::PIN_TITLE) } (pin_form("home-pin")) }
        }
        @if standing == Standing::NoPin {
            section.card { p.warning { (words::NO_PIN_FILE) } }
        }
        section.card { h2 { (words::READINESS) } ul #readiness .checks .known {} div #faults .known {} }
        @if standing.may_see() {
            section.card { h2 { (words::RECENT) } div #recent .known {} p { a href="/history" { (words::ALL_HISTORY) } } }
        }
    }
}

fn live<H: Hub>(site: &Site<H>) -> Markup {
    html! {
        h1 { (words::LIVE) }
        @if site.cameras.list().is_empty() { p { (words::LIVE_EMPTY) } }
        div #cameras .cameras {
            @for (number, camera) in site.cameras.list().iter().enumerate() {
                figure.camera data-number=(number) data-kind=(kind(camera.kind)) {
                    div.picture {
                        @match camera.kind {
                            Kind::Pictures => canvas role="img" aria-label=(camera.name) {},
                            Kind::Video => {
                                video aria-label=(camera.name) muted playsinline {}
                                button.play type="button" hidden aria-label={ (words::PLAY) ": " (camera.name) } { (words::PLAY) }
                            }
                            Kind::Unsupported => p.away { (words::UNSUPPORTED) },
                        }
                        p.away role="status" hidden {}
                    }
                    figcaption {
                        span { (camera.name) }
                        button.quiet.full type="button" aria-label={ (words::FULL_SCREEN) ": " (camera.name) } {
                            (words::FULL_SCREEN)
                        }
                    }
                    button.quiet.leave type="button" { (words::CLOSE) }
                }
            }
        }
    }
}

fn history() -> Markup {
    html! { h1 { (words::HISTORY) } p { (words::HISTORY_INTRO) } div #history .known aria-live="polite" {} }
}

fn setup<H: Hub>(site: &Site<H>, standing: Standing) -> Markup {
    html! {
        h1 { (words::SETUP) }
        section.card { h2 { (words::OBSTACLES) } div #obstacles .known {} ul #readiness .checks .known {} }
        section.card {
            h2 { (words::TESTS) }
            p { (words::TESTS_INTRO) }
            @match standing {
                Standing::Knows => {}
                Standing::Stranger => (pin_form("setup-pin")),
                Standing::NoPin => p.warning { (words::NO_PIN_FILE) },
            }
            div.row {
                button.quiet type="button" data-test="siren" { (words::TEST_SIREN) }
                button.quiet type="button" data-test="center" { (words::TEST_CENTER) }
            }
            p #tested role="status" {}
        }
        section.card {
            h2 { (words::THIS_PANEL) }
            p { "sos-hub " (env!("CARGO_PKG_VERSION")) }
            @if let Some(certificate) = &site.certificate {
                p { (words::CERTIFICATE) ":" br; code { (certificate.fingerprint()) } }
                p.hint { (words::CERTIFICATE_HINT) }
            }
            @if standing == Standing::Knows {
                button #lock .quiet type="button" { (words::LOCK) }
                p #not-locked .problem role="alert" {}
            }
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Pictures => "pictures",
        Kind::Video => "video",
        Kind::Unsupported => "unsupported",
    }
}

/// As JSON within a page: no `<` may end the element.
fn script_words() -> String {
    let words: serde_json::Map<String, serde_json::Value> =
        words::SCRIPT.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
    serde_json::Value::Object(words).to_string().replace('<', "\\u003c")
}

fn shield() -> Markup {
    html! {
        svg viewBox="0 0 24 26" aria-hidden="true" {
            path d="M12 .8 1.6 4.6v8c0 6.2 4.4 10.5 10.4 12.6 6-2.1 10.4-6.4 10.4-12.6v-8z" {}
        }
    }
}

const HOUSE: &str = "M12 3 2.5 11h2.6v9h5.4v-6h3v6h5.4v-9h2.6z";
const CAMERA: &str = "M3 6.5h12a1 1 0 0 1 1 1v2.8l5-2.8v9l-5-2.8v2.8a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1z";
const CLOCK: &str = "M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19zm1 4v5l3.6 3.5-1.4 1.4L11 12.4V6.5z";
const WRENCH: &str =
    "M21 7.2a5.2 5.2 0 0 1-7 4.9l-8 8-2.1-2.1 8-8a5.2 5.2 0 0 1 6.5-6.6l-3 3 .3 2 2 .3 3-3c.2.5.3 1 .3 1.5z";
const STAR: &str = "m12 2.6 2.8 6.2 6.7.7-5 4.5 1.4 6.6-5.9-3.4-5.9 3.4 1.4-6.6-5-4.5 6.7-.7z";
const FLAME: &str = "M12.5 2c.4 3.8 5.9 6 5.9 11.7A6.3 6.3 0 0 1 12 20.4a6.3 6.3 0 0 1-6.4-6.5c0-3 1.7-5 3.1-6.6.2 1.8.8 2.9 1.8 3.5C10.300 7.700 10.900 4.600 12.500 2z";
