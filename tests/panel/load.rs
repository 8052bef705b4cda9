//! Many pages, and floods of requests: they wait for the hub, and the hub never for them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::http::{Stream, post, unlock};
use crate::installation::{Installation, Setup};
use crate::lines::POLICE_BUTTON;

const PAGES: usize = 200;
/// Hold, countdown, and what a machine may add that does other things as well.
const PRESS_TO_SIREN: Duration = Duration::from_secs(12);

#[test]
fn two_hundred_pages_and_a_flood_delay_neither_button_nor_siren() {
    let home = Installation::running(Setup::default());
    let panel = home.panel();
    let cookie = unlock(panel);
    let mut pages: Vec<Stream> = (0..PAGES).map(|_| Stream::open(panel, &cookie)).collect();
    assert!(pages.iter_mut().all(|page| page.sees("\"phase\":\"idle\"")));
    let over = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for path in ["/commands/cancel", "/commands/request", "/pin", "/"] {
            let (cookie, over, answered) = (&cookie, &over, &answered);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    post(panel, path, cookie, r#"{"service": "nobody", "incident": "none", "id": "x"}"#);
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        crate::support::wait_until("the flood", || answered.load(Ordering::SeqCst) > 40);
        home.lines.press(POLICE_BUTTON);
        let siren = home.lines.siren_edge(0);
        over.store(true, Ordering::SeqCst);
        let pressed = home.lines.edges(POLICE_BUTTON).into_iter().find(|edge| edge.level == 0).expect("the press");
        let took = siren.at - pressed.at;
        assert!(took < PRESS_TO_SIREN, "{took:?}");
    });
    home.center.alarm(0);
    assert!(pages.iter_mut().all(|page| page.sees("Help has been requested")), "every page is told");
    home.lines.release(POLICE_BUTTON);
}
