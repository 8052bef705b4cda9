//! The page knows less than the hub, or the hub less than the page: what was shown of an incident is no longer true, and
//! what can be done about it still is.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::installation::{Installation, Setup};
use crate::page::{FIRE, POLICE, Page};

fn counting_down() -> (Installation, Page) {
    let home = Installation::running(Setup { countdown_seconds: 60, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.counts_down_for(POLICE);
    (home, page)
}

/// From now on the page hears replies and no states.
fn without_states(page: &Page) {
    page.browser.block("*/updates");
    page.browser.run("dispatchEvent(new Event('offline'));");
    page.browser.wait("the link is down", || page.browser.has("html[data-link=down]"));
}

fn with_states(page: &Page) {
    page.browser.block("*/nothing");
    page.is_connected();
}

fn files(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path()).collect()
}

fn copy(from: &Path, to: &Path) {
    for file in files(from).into_iter().filter(|file| file.is_file()) {
        fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("a copy");
    }
}

/// The hub's memory as it is now, for a disk that loses what comes after.
fn memory(home: &mut Installation) -> TempDir {
    let kept = TempDir::new().expect("a directory");
    home.kill();
    copy(home.state_dir(), kept.path());
    home.start();
    kept
}

/// The hub ends, and its disk has kept no more than this.
fn lose(home: &mut Installation, kept: &TempDir) {
    home.kill();
    for file in files(home.state_dir()).into_iter().filter(|file| file.is_file()) {
        fs::remove_file(file).expect("it goes");
    }
    copy(kept.path(), home.state_dir());
    home.start();
}

fn cancel(home: &Installation, page: &Page) {
    let since = home.app.mark();
    page.cancel("police");
    home.app.event(since, "aborted");
    page.card("Cancelled in time");
    // A page that has not heard the reply asks again.
    page.is_answered();
}

#[test]
fn a_countdown_whose_end_the_disk_has_lost_comes_back_and_can_be_cancelled_again() {
    let (mut home, page) = counting_down();
    let kept = memory(&mut home);
    page.countdown();
    cancel(&home, &page);
    lose(&mut home, &kept);
    page.countdown();
    cancel(&home, &page);
    // What is over was put away.
    page.browser.press("Close");
    lose(&mut home, &kept);
    page.countdown();
    // The page hears of the cancellation by its reply alone.
    without_states(&page);
    cancel(&home, &page);
    lose(&mut home, &kept);
    with_states(&page);
    page.countdown();
    cancel(&home, &page);
}

#[test]
fn what_is_asked_for_over_a_connection_that_is_dead_and_not_known_to_be_is_seen_and_can_be_cancelled() {
    let home = Installation::running(Setup { countdown_seconds: 60, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.browser.before_pages(
        "const listen = EventSource.prototype.addEventListener;
         EventSource.prototype.addEventListener = function (name, listener) {
           listen.call(this, name, (message) => window.isDeaf || listener(message));
         };
         const real = window.fetch;
         window.fetch = (address, options) => {
           // Nothing more comes, from before the hub replies on.
           if (address === '/commands/request') window.isDeaf = true;
           return real(address, options);
         };",
    );
    page.open("/");
    page.is_connected();
    page.sos();
    page.slide(FIRE, 1.0);
    page.browser.wait_for_text_in("#sheet", "Accepted. Help from the fire department is requested");
    page.browser.wait_for_text_in(".incident.fire", "If it still counts down, Cancel can stop it.");
    let since = home.app.mark();
    page.cancel("fire");
    home.app.event(since, "aborted");
    page.card("Cancelled in time");
}

#[test]
fn what_the_hub_says_is_too_late_to_cancel_is_offered_no_more_while_no_states_come() {
    let home = Installation::running(Setup { countdown_seconds: 15, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.sos();
    let since = home.app.mark();
    page.slide(POLICE, 1.0);
    page.countdown();
    without_states(&page);
    page.card("Cancel may still be in time");
    home.app.event(since, "requested");
    page.cancel("police");
    page.card("Too late to cancel: only the first emergency contact can cancel now");
    page.browser.wait_for_text_in("#answer", "Too late to cancel");
    assert!(!page.browser.text("#cards").contains("may still be in time"), "{}", page.browser.text("#cards"));
    assert!(!page.browser.has(".incident.police .counting:not([hidden])"), "there is nothing left to cancel");
}

#[test]
fn a_second_cry_for_an_alarm_that_the_page_knows_not_of_is_not_said_to_count_down() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    without_states(&page);
    let since = home.app.mark();
    home.app.accepted("request", "police");
    home.app.event(since, "requested");
    page.sos();
    page.slide(POLICE, 1.0);
    page.card("is open already; the siren sounds again and the alarm is sent once more. If it still counts down,");
    assert!(!page.browser.text("#cards").contains("may still be in time"), "{}", page.browser.text("#cards"));
}

#[test]
fn a_second_cry_for_an_alarm_is_seen_to_be_heard_while_no_states_come() {
    let home = Installation::running(Setup::default());
    let page = Page::unlocked(&home);
    page.sos();
    page.slide(POLICE, 1.0);
    page.stage("acknowledged");
    without_states(&page);
    page.browser.wait("nothing is shown that may have changed", || !page.browser.has(".incident"));
    page.slide(POLICE, 1.0);
    page.card("is open already; the siren sounds again and the alarm is sent once more.");
    assert_eq!(page.browser.text(".incident.police .cancel"), "", "it does not count down");
    assert_eq!(page.browser.text(".incident.police .steps"), "", "it may be further");
    with_states(&page);
    page.card("Help has been requested.");
    assert!(!page.browser.text("#cards").contains("is open already"), "{}", page.browser.text("#cards"));
    without_states(&page);
    page.browser.wait("a reply of before is not shown again", || !page.browser.has(".incident"));
}

#[test]
fn a_reply_is_believed_for_a_minute_and_no_longer() {
    let home = Installation::running(Setup { countdown_seconds: 60, ..Setup::default() });
    let page = Page::unlocked(&home);
    page.sos();
    without_states(&page);
    // What the page wants to do in a minute is done when this test says that the minute is over.
    page.browser.run(
        "const real = setTimeout; window.later = [];
         window.setTimeout = (act, ms) => (ms < 60000 ? real(act, ms) : window.later.push(act));
         window.minute = () => {
           const clock = Date.now;
           Date.now = () => clock() + 61000;
           for (const act of window.later.splice(0)) act();
           Date.now = clock;
         };",
    );
    page.slide(FIRE, 1.0);
    page.card("Accepted. Help from the fire department");
    page.browser.run("window.minute();");
    assert!(!page.browser.has(".incident"), "{}", page.browser.text("#cards"));
}
