//! A browser with the panel open, in the hands of a person.

use std::net::SocketAddr;

use serde_json::Value;

use crate::browser::Browser;
use crate::installation::{Installation, PANEL_PIN};

pub const POLICE: &str = "Slide to request police";
pub const FIRE: &str = "Slide to request fire department";
/// The button that asks for the siren and calls nobody.
pub const SIREN_ONLY: &str = "#siren-only";

pub struct Page {
    pub browser: Browser,
    address: SocketAddr,
}

/// A rectangle of the window, in CSS pixels.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Page {
    /// The first page in a browser that knows the PIN.
    pub fn unlocked(home: &Installation) -> Page {
        let page = Page::locked(home);
        page.unlock();
        page
    }

    /// The first page in a browser that has never been here.
    pub fn locked(home: &Installation) -> Page {
        Page::with(home, &[])
    }

    pub fn with(home: &Installation, flags: &[&str]) -> Page {
        Page::at(home.panel(), flags)
    }

    /// Where the panel is reached in a roundabout way.
    pub fn at(address: SocketAddr, flags: &[&str]) -> Page {
        let page = Page { browser: Browser::start_with(flags), address };
        page.browser.phone(400, 860);
        page.open("/");
        page
    }

    pub fn unlock(&self) {
        self.browser.fill("#home-pin input", PANEL_PIN);
        self.browser.press("Unlock");
        self.browser.wait("the page is unlocked", || {
            // A panel whose machine is busy may take a while to know the PIN itself.
            if self.browser.text("#home-pin").contains("Try again in a moment") {
                self.browser.press("Unlock");
            }
            self.browser.has("body[data-may=act]")
        });
        self.is_connected();
    }

    pub fn open(&self, path: &str) {
        self.browser.open(&format!("http://{}{path}", self.address));
    }

    pub fn is_connected(&self) {
        self.browser.wait("the page is connected", || self.browser.has("html[data-link=up]"));
    }

    pub fn sos(&self) {
        self.browser.press("SOS");
        self.browser.wait("the sheet is open", || self.browser.has("dialog#sheet[open]"));
    }

    /// Drags the handle of the slider with this name along its way; 1.0 is the end.
    pub fn slide(&self, name: &str, to: f64) {
        self.browser.drag(&self.way(name, to));
    }

    /// The same with a finger.
    pub fn swipe(&self, name: &str, to: f64) {
        self.browser.swipe(&self.way(name, to));
    }

    /// Points from the middle of the handle of a slider on, as far as this part of its way.
    pub fn way(&self, name: &str, to: f64) -> Vec<(f64, f64)> {
        self.place("dialog[open]");
        let there = format!("document.querySelector('[role=slider][aria-label={name:?}]')");
        self.browser.run(&format!("{there}?.scrollIntoView({{ block: 'center' }});"));
        let (track, handle) = (self.slider(name), self.handle(name));
        let start = (handle.x + handle.width / 2.0, handle.y + handle.height / 2.0);
        let way = track.width - handle.width - 2.0 * (handle.x - track.x);
        (0..=10).map(|step| (start.0 + way * to * f64::from(step) / 10.0, start.1)).collect()
    }

    pub fn slider(&self, name: &str) -> Place {
        self.place(&format!("[role=slider][aria-label={name:?}]"))
    }

    pub fn handle(&self, name: &str) -> Place {
        self.place(&format!("[role=slider][aria-label={name:?}] .handle"))
    }

    /// Where the first element is that a selector finds, once it is there and stands still.
    pub fn place(&self, selector: &str) -> Place {
        let read = || {
            let found = self.browser.run(&format!(
                "const found = document.querySelector({selector:?}); if (!found) return null;
                 const place = found.getBoundingClientRect();
                 return [place.x, place.y, place.width, place.height];"
            ));
            let number = |at: usize| found.get(at).and_then(Value::as_f64);
            Some(Place { x: number(0)?, y: number(1)?, width: number(2)?, height: number(3)? })
        };
        let mut found = None;
        self.browser.wait(&format!("{selector} is there"), || {
            found = read().filter(|place| place.width > 0.0);
            found.is_some()
        });
        found.expect("a place")
    }

    /// What the slider with this name says of itself, in percent.
    pub fn value(&self, name: &str) -> i64 {
        let script = format!("return document.querySelector('[aria-label={name:?}]').getAttribute('aria-valuenow');");
        self.browser.run(&script).as_str().expect("a value").parse().expect("a number")
    }

    /// Waits until the card of an incident shows this.
    pub fn card(&self, text: &str) {
        self.browser.wait_for_text_in("#cards", text);
    }

    /// Waits until the sheet shows a countdown.
    pub fn countdown(&self) {
        self.browser.wait("a countdown", || self.browser.has("dialog[open] .incident[data-stage=countdown]"));
    }

    /// Opens the sheet, drags the slider with this name to its end, and waits for the countdown.
    pub fn counts_down_for(&self, slider: &str) {
        self.sos();
        self.slide(slider, 1.0);
        self.countdown();
    }

    /// Waits until a tap on "Cancel" counts.
    pub fn cancel_is_ready(&self) {
        self.browser.wait("the button is ready", || self.browser.has(".cancel:not(.unready)"));
    }

    /// The seconds that the page shows; `None` without a countdown.
    pub fn seconds(&self) -> Option<i64> {
        self.browser.text("dialog[open] .incident[data-stage=countdown] .seconds").parse().ok()
    }

    /// Taps "Cancel" on the card of an incident of this service, as soon as the button takes a tap.
    pub fn cancel(&self, service: &str) {
        self.tap(&format!(".incident.{service} .cancel"));
    }

    /// Taps a button of the sheet that has just appeared, once it takes that.
    pub fn tap(&self, button: &str) {
        self.browser
            .wait(&format!("{button} is ready"), || self.browser.has(&format!("{button}:not([hidden], .unready)")));
        self.browser.click_on(button);
    }

    /// Waits until the page has the hub's reply to the last that was asked for.
    pub fn is_answered(&self) {
        self.browser.wait("the hub's reply", || self.browser.text("#asking").is_empty());
    }

    pub fn stage(&self, stage: &str) {
        self.browser.wait(&format!("the stage {stage}"), || {
            self.browser.has(&format!("dialog[open] .incident[data-stage={stage}]"))
        });
    }
}
