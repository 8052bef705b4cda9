//! More connections than there is room for: who was let in comes in all the same.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::alone::Alone;
use crate::http::{Stream, get, post, unlock};
use crate::installation::{Installation, Setup};
use crate::support::{End, wait_until};

const REQUEST: &str = r#"{"service": "police", "id": "x"}"#;

fn host(last: u8) -> IpAddr {
    [127, 0, 0, last].into()
}

/// Keeps opening connections that say nothing, and holds more of them than there is room for, while something is done.
fn under_siege(panel: SocketAddr, from: &[IpAddr], work: impl FnOnce()) {
    let (over, opened) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for &address in from {
            let (over, opened) = (&over, &opened);
            scope.spawn(move || {
                let mut held = VecDeque::new();
                while !over.load(Ordering::SeqCst) {
                    held.push_back(Stream::mute(address, panel));
                    if held.len() > 250 {
                        held.pop_front();
                    }
                    opened.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let end = End(&over);
        wait_until("all room is taken", || opened.load(Ordering::SeqCst) > 600);
        work();
        drop(end);
    });
}

#[test]
fn two_machines_that_take_all_connections_keep_no_known_browser_from_its_sos() {
    let home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let panel = home.panel();
    let cookie = unlock(panel);
    let mut before = Stream::open(panel, &cookie);
    before.next("state");
    under_siege(panel, &[host(2), host(3)], || {
        let page = get(panel, "/", &cookie);
        assert!(page.body.contains("data-may=\"act\""), "{}", page.head);
        assert_eq!(get(panel, "/assets/app.js", &cookie).status, 200);
        let mut stream = Stream::open(panel, &cookie);
        assert_eq!(stream.next("standing"), "act");
        assert_eq!(post(panel, "/commands/request", &cookie, REQUEST).status, 200);
        assert!(stream.sees("\"phase\":\"countdown\""));
        assert!(before.sees("\"phase\":\"countdown\""), "and the page that was open stays");
    });
}

#[test]
fn who_shares_an_address_with_a_flood_comes_in_too() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    let mut before = Stream::open(home.address, &cookie);
    assert_eq!(before.next("standing"), "act");
    // As behind a proxy: all of them are one to the hub.
    let held: Vec<Stream> = (0..300).map(|_| Stream::mute(host(1), home.address)).collect();
    assert_eq!(post(home.address, "/commands/request", &cookie, REQUEST).status, 200);
    home.hub.state(r#"{"phase":"countdown"}"#, Duration::ZERO);
    assert!(before.sees("countdown"));
    drop(held);
}

#[test]
fn a_flood_from_two_hundred_addresses_takes_no_place_of_one_that_a_known_browser_has_used() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    assert_eq!(get(home.address, "/", &cookie).status, 200);
    // It has not said yet who it is.
    let mut next = Stream::mute(host(1), home.address);
    let mut held: Vec<Stream> = (2..202).map(|last| Stream::mute(host(last), home.address)).collect();
    for stream in &mut held[..200 - 96] {
        assert!(stream.is_reset());
    }
    assert!(next.is_open(), "the others go first, though it is older");
    assert_eq!(post(home.address, "/commands/request", &cookie, REQUEST).status, 200);
}

#[test]
fn strangers_have_a_share_of_the_connections_and_the_oldest_goes() {
    let home = Alone::start();
    let other = Stream::mute(host(3), home.address);
    let mut held: Vec<Stream> = (0..400).map(|_| Stream::mute(host(2), home.address)).collect();
    let cookie = unlock(home.address);
    // 96 are left but for the one of each other address, at most.
    for stream in &mut held[..400 - 96 + 1] {
        assert!(stream.is_reset());
    }
    assert!(held[400 - 96 + 4..].iter_mut().all(Stream::is_open), "and no more");
    assert!({ other }.is_open(), "nobody goes who is alone at an address");
    let mut known: Vec<Stream> = (0..200).map(|_| Stream::open_from(host(2), home.address, &cookie)).collect();
    assert!(known.iter_mut().all(|page| page.status() == 200), "who was let in is not counted among them");
}

#[test]
fn a_phone_that_left_without_a_word_is_given_up_soon() {
    let home = Alone::start();
    let stream = Stream::open(home.address, "");
    let phone = stream.local_addr();
    let accepted = || {
        (0..4096).find_map(|fd| {
            // SAFETY: it is only asked what it is, and closed by nobody in the meantime if it is the one looked for.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            let socket = SockRef::from(&fd);
            let peer = socket.peer_addr().ok().and_then(|peer| peer.as_socket());
            (peer == Some(phone)).then(|| socket.tcp_user_timeout().expect("an option"))
        })
    };
    wait_until("it is accepted", || accepted().is_some());
    assert_eq!(
        accepted(),
        Some(Some(Duration::from_secs(15))),
        "the kernel itself would wait for a quarter of an hour"
    );
}
