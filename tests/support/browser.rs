//! A headless Chromium, driven as a person would: by what is written on buttons, and by the keyboard. A test that needs
//! it names this file by its path, beside `support`; the others are spared its libraries.

// Each test file is a program of its own and uses its part of this.
#![allow(dead_code)]

mod chromium;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use fantoccini::Locator;
use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction, TouchActions,
};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde_json::{Value, json};

use self::chromium::{Chromium, Loan};
use crate::support::{DEADLINE, wait_and_look};

/// A look at a page keeps the browser from what the page does.
const LOOK: Duration = Duration::from_millis(20);

/// A browser that nobody has used: no cookie, no page and no setting of another test is in it.
pub struct Browser(Loan);

impl Deref for Browser {
    type Target = Chromium;

    fn deref(&self) -> &Chromium {
        &self.0
    }
}

impl Browser {
    pub fn start() -> Browser {
        Browser::start_with(&[])
    }

    /// With further command line flags of Chromium.
    pub fn start_with(flags: &[&str]) -> Browser {
        Browser(Loan::new(flags))
    }

    pub fn open(&self, url: &str) {
        self.runtime.block_on(self.client.goto(url)).expect("the page opens");
    }

    /// The "back" button.
    pub fn back(&self) {
        self.runtime.block_on(self.client.back()).expect("there is a page before this");
    }

    pub fn size(&self, width: u32, height: u32) {
        self.runtime.block_on(self.client.set_window_size(width, height)).expect("the window takes the size");
    }

    pub fn address(&self) -> String {
        self.runtime.block_on(self.client.current_url()).expect("an address").to_string()
    }

    pub fn title(&self) -> String {
        self.runtime.block_on(self.client.title()).expect("a title")
    }

    pub fn wait_for_title(&self, part: &str) {
        self.wait(&format!("the title has {part:?}"), || self.title().contains(part));
    }

    /// Presses the button or link with exactly this on it, once it is there.
    pub fn press(&self, label: &str) {
        let found =
            format!("//*[self::button or self::a][normalize-space(.)='{label}' or normalize-space(text())='{label}']");
        self.click(Locator::XPath(&found), label);
    }

    /// Clicks on the first element that a CSS selector finds, once it is there.
    pub fn click_on(&self, selector: &str) {
        self.click(Locator::Css(selector), selector);
    }

    fn click(&self, locator: Locator<'_>, what: &str) {
        // A page that has just changed may take the element away before the click.
        self.wait(&format!("a click on {what:?}"), || {
            self.runtime.block_on(async {
                match self.client.find(locator).await {
                    Ok(element) => element.click().await.is_ok(),
                    Err(_) => false,
                }
            })
        });
    }

    /// Replaces what stands in a field.
    pub fn fill(&self, selector: &str, text: &str) {
        let field = self.element(selector);
        self.runtime.block_on(async {
            field.clear().await.expect("the field is emptied");
            field.send_keys(text).await.expect("the field takes keys");
        });
    }

    /// Types keys, to whatever has the focus.
    pub fn keys(&self, keys: &str) {
        let typed = keys.chars().fold(KeyActions::new("keyboard".to_owned()), |typed, value| {
            typed.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.runtime.block_on(self.client.perform_actions(typed)).expect("the keys are typed");
    }

    /// Presses one key that writes nothing.
    pub fn key(&self, key: Key) {
        self.keys(&char::from(key).to_string());
    }

    /// Drags the mouse along these points of the window, in CSS pixels, and lets go at the last.
    pub fn drag(&self, points: &[(f64, f64)]) {
        let step = |&(x, y): &(f64, f64)| PointerAction::MoveTo { duration: Some(Duration::from_millis(20)), x, y };
        let (first, rest) = points.split_first().expect("a point");
        let begun = MouseActions::new("mouse".to_owned())
            .then(step(first))
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT });
        let moved = rest.iter().fold(begun, |moved, point| moved.then(step(point)));
        let ended = moved.then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        self.runtime.block_on(self.client.perform_actions(ended)).expect("the mouse is dragged");
    }

    /// The same with a finger.
    pub fn swipe(&self, points: &[(f64, f64)]) {
        let step = |&(x, y): &(f64, f64)| PointerAction::MoveTo { duration: Some(Duration::from_millis(20)), x, y };
        let (first, rest) = points.split_first().expect("a point");
        let begun = TouchActions::new("finger".to_owned())
            .then(step(first))
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT });
        let moved = rest.iter().fold(begun, |moved, point| moved.then(step(point)));
        let ended = moved.then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        self.runtime.block_on(self.client.perform_actions(ended)).expect("the finger moves");
    }

    /// Waits until the page's main part shows this text.
    pub fn wait_for_text(&self, text: &str) {
        self.wait_for_text_in("body", text);
    }

    pub fn wait_for_text_in(&self, selector: &str, text: &str) {
        self.wait(&format!("{selector} shows {text:?}"), || self.text(selector).contains(text));
    }

    /// What an element shows; empty if there is none.
    pub fn text(&self, selector: &str) -> String {
        let shown = "const found = document.querySelector(arguments[0]);
                     return found?.checkVisibility({ visibilityProperty: true, opacityProperty: true }) ? found.innerText.trim() : '';";
        self.look(shown, selector).as_str().unwrap_or_default().to_owned()
    }

    /// Whether there is such an element now.
    pub fn has(&self, selector: &str) -> bool {
        self.look("return document.querySelector(arguments[0]) !== null;", selector) == true
    }

    /// What a script returns that is given this, in the page that is there when none is on its way. The driver's own ways to
    /// look for an element and to read it take the browser many times as long.
    fn look(&self, script: &str, selector: &str) -> Value {
        let mut seen = None;
        wait_and_look(LOOK, "a page to look at", || {
            seen = self.runtime.block_on(self.client.execute(script, vec![json!(selector)])).ok();
            seen.is_some()
        });
        seen.expect("it was waited for")
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Value {
        self.runtime.block_on(self.client.execute(script, Vec::new())).expect("the script runs")
    }

    /// Lays the page out as a phone of this size in CSS pixels shows it; a window cannot be that narrow.
    pub fn phone(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": true });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Tells pages that this person wants them `light` or `dark`.
    pub fn colors(&self, wanted: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": wanted }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Lets no request through to addresses of this pattern, from the next page on.
    pub fn block(&self, pattern: &str) {
        self.devtools("Network.enable", &json!({}));
        self.devtools("Network.setBlockedURLs", &json!({ "urls": [pattern] }));
    }

    /// Runs a script in every page from the next on, before the page's own.
    pub fn before_pages(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// Holds a key down for so many repeats, as keyboards give them, and lets go. Knows the right arrow and Enter.
    pub fn hold(&self, key: Key, repeats: usize) {
        let (name, code, text) = if matches!(key, Key::Enter) { ("Enter", 13, "\r") } else { ("ArrowRight", 39, "") };
        let event = |kind: &str, is_repeat: bool| json!({ "type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code, "text": text, "autoRepeat": is_repeat });
        for repeat in 0..=repeats {
            self.devtools("Input.dispatchKeyEvent", &event("keyDown", repeat > 0));
        }
        self.devtools("Input.dispatchKeyEvent", &event("keyUp", false));
    }

    /// A command of the Chrome DevTools Protocol.
    fn devtools(&self, command: &str, parameters: &Value) {
        let session = self.runtime.block_on(self.client.session_id()).ok().flatten().expect("a session");
        let body = json!({ "cmd": command, "params": parameters }).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver");
        write!(
            stream,
            "POST /session/{session}/goog/cdp/execute HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .expect("a command for chromedriver");
        let mut answer = String::new();
        // It may leave the connection open; then the first line is enough.
        let _ = BufReader::new(stream).read_line(&mut answer);
        assert!(answer.contains(" 200 "), "{command}: {answer}");
    }

    /// A picture of the window as PNG.
    pub fn screenshot(&self, file: &Path) {
        let picture = self.runtime.block_on(self.client.screenshot()).expect("a picture");
        std::fs::write(file, picture).expect("the picture is written");
    }

    pub fn wait(&self, what: &str, condition: impl FnMut() -> bool) {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait_and_look(LOOK, what, condition)));
        if let Err(panic) = result {
            eprintln!("the page {} shows:\n{}", self.address(), self.text("body"));
            std::panic::resume_unwind(panic);
        }
    }

    fn element(&self, selector: &str) -> Element {
        let waiting = self.client.wait().at_most(DEADLINE).every(Duration::from_millis(20));
        self.runtime
            .block_on(waiting.for_element(Locator::Css(selector)))
            .unwrap_or_else(|error| panic!("there is no {selector}: {error}"))
    }
}
