//! The web panel: how soon pages know, and whether many of them hold up anything else.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::http::{Http, Updates};
use super::measure::clock::Instant;
use super::measure::floors::Commits;
use super::measure::peer::Peer;
use super::measure::table::{Samples, Table, Target};
use super::rig::{EVENT, HOLD, Hub, PIN, Surroundings};

const REQUESTS: usize = 50;
const PAGES: usize = 200;
const STATES: usize = 20;
const PRESSES: usize = 10;
const QUIET: Duration = Duration::from_millis(25);
/// For a page, or the bench would wait for ever for one that has gone.
const PATIENCE: Duration = Duration::from_secs(30);
const COUNTDOWN: &str = "\"phase\":\"countdown\"";
const IDLE: &str = "\"phase\":\"idle\"";
const STACK_BYTES: usize = 128 * 1024;

/// From the sending of a page's request until its stream shows the countdown. The floor is a small file over the same
/// connection, and a commit on the same disk.
pub fn request(hub: &Hub, table: &mut Table) {
    let mut browser = Http::unlocked(hub.panel(), PIN);
    let mut page = browser.beside().updates();
    let commits = Commits::beside(&hub.path("state/panel"));
    let (samples, floor): (Vec<f64>, Vec<f64>) = (0..REQUESTS)
        .map(|number| {
            let took = page.wait_for_countdown(&mut browser, number);
            let asked = browser.send("GET /worker.js", "");
            browser.answer();
            let least = Instant::now().ms_since(asked) + commits.commit_ms();
            thread::sleep(QUIET);
            (took, least)
        })
        .unzip();
    let (samples, floor): (Samples, Samples) = (samples.into_iter().collect(), floor.into_iter().collect());
    let targets = vec![Target { what: "p50", value: samples.p50(), most: 50.0 }];
    table.samples("a page's request to its countdown", &samples, Some(&floor), targets);
}

/// From the sending of a request until the last of many open pages shows the countdown.
pub fn pages(hub: &Hub, table: &mut Table) {
    let mut browser = Http::unlocked(hub.panel(), PIN);
    let pages = Pages::open(&browser);
    let last: Samples = (0..STATES)
        .map(|number| {
            let sent = browser.send("POST /commands/request", &asked(1000 + number));
            let shown = pages.last();
            browser.answer();
            browser.ask("POST /commands/cancel", &format!(r#"{{"id": "cancel-{number}"}}"#));
            // Before the next one each of them has to know that nothing goes on.
            pages.last();
            shown.ms_since(sent)
        })
        .collect();
    let targets = vec![Target { what: "max", value: last.max(), most: 100.0 }];
    table.samples(&format!("a request to the last of {PAGES} open pages"), &last, None, targets);
}

/// Button and siren, first with no page open, and then with many of them and a flood of requests.
pub fn flood(hub: &Hub, around: &Surroundings, table: &mut Table) {
    let peer = Peer::connect(around.home.port(), "app", &[EVENT]);
    let presses = || (0..PRESSES).map(|_| press(hub, around, &peer)).unzip::<f64, f64, Vec<f64>, Vec<f64>>();
    let (quiet_buttons, quiet_sirens) = presses();
    let browser = Http::unlocked(hub.panel(), PIN);
    let _pages = Pages::open(&browser);
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let begun = Instant::now();
    let (buttons, sirens) = thread::scope(|scope| {
        for path in ["/commands/cancel", "/commands/request", "/history.json", "/"] {
            let (mut http, over, answered) = (browser.beside(), &over, &answered);
            let method = if path.starts_with("/commands") { "POST" } else { "GET" };
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    http.ask(&format!("{method} {path}"), r#"{"service": "nobody", "incident": "none", "id": "x"}"#);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let measured = presses();
        over.store(true, Ordering::Relaxed);
        measured
    });
    let a_second = answered.load(Ordering::Relaxed) as f64 / Instant::now().ms_since(begun) * 1000.0;
    let what = format!("{PAGES} pages and {a_second:.0} requests/s");
    for (figure, samples, floor) in
        [("press to countdown_started", buttons, quiet_buttons), ("end to the siren's edge", sirens, quiet_sirens)]
    {
        let (samples, floor): (Samples, Samples) = (samples.into_iter().collect(), floor.into_iter().collect());
        let targets = vec![Target { what: "max", value: samples.max(), most: 10.0 }];
        table.samples(&format!("{what}: {figure}, beside none"), &samples, Some(&floor), targets);
    }
}

/// How late the countdown began after the hold, and the siren after the countdown.
fn press(hub: &Hub, around: &Surroundings, peer: &Peer) -> (f64, f64) {
    let due = hub.press(true).plus(HOLD);
    let started = peer.wait_for_event("countdown_started");
    hub.press(false);
    around.center.wait_for_alarm(&started.incident);
    let late = hub.siren_asserted().ms_since(due.plus(Duration::from_secs(1)));
    peer.wait_for_event("closed");
    (started.at.ms_since(due), late)
}

/// Pages, each of which says when it shows a countdown, and when it shows none again. They are closed with this.
struct Pages {
    shown: Receiver<Instant>,
    connections: Vec<TcpStream>,
}

impl Pages {
    fn open(browser: &Http) -> Pages {
        let (sender, shown) = channel();
        let watch = |_| {
            let (mut page, sender) = (browser.beside().updates(), sender.clone());
            let connection = page.connection();
            let watching = move || {
                let phases = [COUNTDOWN, IDLE].into_iter().cycle();
                phases.map_while(|phase| page.hears(phase)).try_for_each(|shown| sender.send(shown))
            };
            thread::Builder::new().stack_size(STACK_BYTES).spawn(watching).expect("a page");
            connection
        };
        Pages { connections: (0..PAGES).map(watch).collect(), shown }
    }

    /// Waits for the next word of as many as there are; gives the latest.
    fn last(&self) -> Instant {
        let next = |_| self.shown.recv_timeout(PATIENCE).expect("a word of each page");
        (0..PAGES).map(next).max().expect("pages")
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        for connection in &self.connections {
            // It may have ended by itself.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn asked(number: usize) -> String {
    format!(r#"{{"service": "police", "id": "request-{number}"}}"#)
}

impl Updates {
    fn wait_for_countdown(&mut self, browser: &mut Http, number: usize) -> f64 {
        let sent = browser.send("POST /commands/request", &asked(number));
        let took = self.wait_for(COUNTDOWN).ms_since(sent);
        browser.answer();
        browser.ask("POST /commands/cancel", &format!(r#"{{"id": "cancel-request-{number}"}}"#));
        self.wait_for(IDLE);
        took
    }
}
