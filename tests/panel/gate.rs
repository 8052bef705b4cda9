//! The PIN's file, its guessers, and what becomes of a page whose browser is no longer let in.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;

use crate::alone::Alone;
use crate::http::{Stream, from, get, post, unlock};
use crate::installation::PANEL_PIN;
use crate::support::wait_until;

const REQUEST: &str = r#"{"service": "police", "id": "x"}"#;

#[test]
fn an_emptied_pin_file_logs_nobody_out_and_the_next_pin_counts() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    let file = home.dir().join("panel.pin");
    for nothing in ["", "\n", "two\nlines\n"] {
        fs::write(&file, nothing).expect("no PIN");
        // The file is read once more by the time that another write has been followed.
        fs::write(home.dir().join("other"), nothing).expect("another file");
        assert_eq!(get(home.address, "/history.json", &cookie).status, 200);
        assert_eq!(post(home.address, "/pin", "", PANEL_PIN).status, 204, "the PIN stays");
    }
    fs::write(home.dir().join("new"), "081545\n").expect("another PIN");
    fs::rename(home.dir().join("new"), &file).expect("another file in its place");
    wait_until("the session ends", || get(home.address, "/history.json", &cookie).status == 401);
    assert_eq!(post(home.address, "/pin", &cookie, "081545").status, 204);
}

#[test]
fn a_pin_file_that_cannot_be_read_at_the_start_logs_nobody_out() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    // What is not on the disk yet is written at the end.
    let home = home.again(|dir| fs::remove_file(dir.join("panel.pin")).expect("the file"));
    assert_eq!(get(home.address, "/history.json", &cookie).status, 200);
    assert_eq!(post(home.address, "/pin", "", PANEL_PIN).status, 204);
}

#[test]
fn who_guesses_from_one_address_locks_no_other_out() {
    let home = Alone::start();
    let guesser = [127, 0, 0, 2];
    let statuses: Vec<u16> = (0..8).map(|guess| guess_from(home.address, guesser, "", guess)).collect();
    assert_eq!(statuses[..4], [403; 4], "{statuses:?}");
    assert!(statuses[4..].contains(&429), "{statuses:?}");
    unlock(home.address);
}

#[test]
fn who_guesses_from_everywhere_is_stopped_and_locks_no_trusted_browser_out() {
    let home = Alone::start();
    let (cookie, forgotten) = (unlock(home.address), unlock(home.address));
    let mut taken = 0;
    for host in 2..12 {
        for guess in 0..4 {
            taken += usize::from(guess_from(home.address, [127, 0, 0, host], "", guess) == 403);
        }
    }
    assert!(taken <= 30, "{taken}");
    assert_eq!(post(home.address, "/pin", "", PANEL_PIN).status, 429, "whoever was never here waits as well");
    assert_eq!(post(home.address, "/commands/request", &cookie, REQUEST).status, 200);
    assert_eq!(post(home.address, "/pin", &cookie, PANEL_PIN).status, 204);
    // Nor does another PIN lock out who knew the one before.
    fs::write(home.dir().join("panel.pin"), "081545\n").expect("another PIN");
    wait_until("the session ends", || get(home.address, "/history.json", &forgotten).status == 401);
    assert_eq!(post(home.address, "/pin", &forgotten, "081545").status, 204);
}

fn guess_from(panel: SocketAddr, host: [u8; 4], cookie: &str, guess: usize) -> u16 {
    from(host.into(), panel, "/pin", cookie, &format!("00{guess:02}")).status
}

/// Guesses until whoever comes anew has to wait for minutes. What is longer than any PIN is not even compared.
fn nobody_may_guess(panel: SocketAddr) {
    for host in 2..12 {
        for _ in 0..4 {
            from([127, 0, 0, host].into(), panel, "/pin", "", &"0".repeat(300));
        }
    }
}

#[test]
fn a_page_sees_no_more_than_its_browser_may_at_that_moment() {
    let home = Alone::start();
    let (locked, left, other) = (unlock(home.address), unlock(home.address), unlock(home.address));
    let mut pages = [&locked, &left, &other].map(|cookie| Stream::open(home.address, cookie));
    for page in &mut pages {
        assert_eq!(page.next("standing"), "act");
        page.next("state");
    }
    home.hub.board.event(br#"{"type":"first"}"#);
    for page in &mut pages {
        assert!(page.next("event").contains("first"));
    }
    assert_eq!(post(home.address, "/lock", &locked, "").status, 204);
    assert_eq!(pages[0].next("standing"), "pin");
    assert_eq!(pages[0].until_it_ends(), "");
    fs::write(home.dir().join("panel.pin"), "081545\n").expect("another PIN");
    assert_eq!(pages[1].next("standing"), "pin");
    assert_eq!(pages[1].until_it_ends(), "");
    assert_eq!(pages[2].next("standing"), "pin");
    let mut stranger = Stream::open(home.address, &left);
    assert_eq!(stranger.next("standing"), "pin");
    stranger.next("state");
    home.hub.board.event(br#"{"type":"second"}"#);
    home.hub.board.state(br#"{"phase":"alarm"}"#, home.hub.clock());
    assert!(stranger.next_but_life().contains("alarm"), "and no event before it");
}

#[test]
fn strangers_take_no_stream_from_those_who_know_the_pin() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    let mut strangers: Vec<Stream> = Vec::new();
    let refused = loop {
        let mut stranger = Stream::open_from([127, 0, 0, 2].into(), home.address, "");
        if stranger.status() != 200 {
            break stranger;
        }
        strangers.push(stranger);
        assert!(strangers.len() <= 300, "strangers without end");
    };
    drop(refused);
    assert_eq!(strangers.len(), 64);
    let mut known: Vec<Stream> = (0..256).map(|_| Stream::open(home.address, &cookie)).collect();
    assert!(known.iter_mut().all(|page| page.status() == 200));
    let mut further = Stream::open_from([127, 0, 0, 3].into(), home.address, &cookie);
    assert_eq!(further.status(), 503, "and theirs are bounded too");
    known.clear();
    wait_until("room again", || Stream::open(home.address, &cookie).status() == 200);
    strangers.clear();
    wait_until("room for strangers", || Stream::open(home.address, "").status() == 200);
}

#[test]
fn only_a_clock_that_is_set_forgets_a_browser_and_one_forgotten_keeps_its_lane() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    let status = || get(home.address, "/history.json", &cookie).status;
    home.hub.days_ahead.store(60, Ordering::SeqCst);
    assert_eq!(status(), 200, "sixty days of not using it");
    let again = get(home.address, "/", &cookie);
    assert!(again.header("set-cookie").starts_with(&cookie), "its cookie lasts from now on: {}", again.head);
    home.hub.is_clock_set.store(false, Ordering::SeqCst);
    home.hub.days_ahead.store(5000, Ordering::SeqCst);
    assert_eq!(status(), 200, "a clock that may be wrong");
    home.hub.is_clock_set.store(true, Ordering::SeqCst);
    assert_eq!(status(), 200, "it was used while nobody knew the date");
    home.hub.days_ahead.store(5401, Ordering::SeqCst);
    assert_eq!(status(), 401, "more than 400 days");
    nobody_may_guess(home.address);
    assert_eq!(from([127, 0, 0, 3].into(), home.address, "/pin", "", PANEL_PIN).status, 429);
    assert_eq!(from([127, 0, 0, 3].into(), home.address, "/pin", &cookie, PANEL_PIN).status, 204, "a lane of its own");
}

#[test]
fn two_changes_of_the_pin_leave_every_browser_its_lane() {
    let home = Alone::start();
    let early = unlock(home.address);
    let file = home.dir().join("panel.pin");
    fs::write(&file, "081545\n").expect("another PIN");
    wait_until("the session ends", || get(home.address, "/history.json", &early).status == 401);
    let late = post(home.address, "/pin", "", "081545").header("set-cookie").split(';').next().unwrap_or("").to_owned();
    fs::write(&file, "081546\n").expect("a third PIN");
    wait_until("that session ends", || get(home.address, "/history.json", &late).status == 401);
    nobody_may_guess(home.address);
    assert_eq!(from([127, 0, 0, 3].into(), home.address, "/pin", &early, "081546").status, 204);
}

#[test]
fn a_pin_file_that_the_hub_may_read_at_last_counts_at_once() {
    let not_root = NotRoot;
    let home = Alone::start().again(|dir| {
        for file in fs::read_dir(dir.join("state")).expect("the state").map(|entry| entry.expect("an entry").path()) {
            fs::remove_file(file).expect("what was kept");
        }
        for (path, mode) in [(dir.join("state"), 0o777), (dir.join("panel.pin"), 0o000), (dir.to_owned(), 0o755)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("another mode");
        }
        not_root.begin();
    });
    assert_eq!(post(home.address, "/pin", "", PANEL_PIN).status, 503, "nobody can know whether it is right");
    drop(not_root);
    fs::set_permissions(home.dir().join("panel.pin"), Permissions::from_mode(0o644)).expect("another mode");
    let mut hosts = 2..=254;
    // Each from an address of its own, so that none has to wait for the one before.
    wait_until("it counts", || {
        let host = hosts.next().expect("an address");
        crate::support::pace(std::time::Duration::from_millis(100));
        from([127, 0, 0, host].into(), home.address, "/pin", "", PANEL_PIN).status == 204
    });
}

/// What this thread, and those that it starts, may do with files is for root to decide, where root runs the test.
struct NotRoot;

impl NotRoot {
    fn begin(&self) {
        // SAFETY: it changes a number of this thread alone. Who is not root needs it not, and it does nothing.
        unsafe { libc::setfsuid(65_534) };
    }
}

impl Drop for NotRoot {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { libc::setfsuid(libc::geteuid()) };
    }
}
