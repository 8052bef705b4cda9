//! What hangs holds no request up, and passes for nothing that lives: a disk, the hub's loop, a request on its way.

use std::ffi::CString;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use sos_hub::config::{Camera, Login, PanelTls};

use crate::alone::Alone;
use crate::http::{Stream, answer, get, open, post, unlock};
use crate::installation::PANEL_PIN;
use crate::support::{End, wait_until};

const REQUEST: &str = r#"{"service": "police", "id": "x"}"#;

#[test]
fn a_disk_that_hangs_keeps_no_browser_from_the_hub() {
    let home = Alone::start();
    let first = unlock(home.address);
    let home = home.again(|dir| {
        // Whoever opens it to write waits for a reader, who never comes.
        fifo(&dir.join("state/panel-browsers.new"));
    });
    let second = unlock(home.address);
    assert_eq!(post(home.address, "/lock", &first, "").status, 204);
    assert_eq!(post(home.address, "/commands/request", &first, REQUEST).status, 401);
    assert_eq!(post(home.address, "/commands/request", &second, REQUEST).status, 200);
    assert_eq!(get(home.address, "/history.json", &unlock(home.address)).status, 200);
    assert_eq!(home.hub.commands.lock().expect("the commands").len(), 1);
}

#[test]
fn while_the_disk_has_not_told_who_knows_the_pin_nobody_is_called_a_stranger_for_good() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    let mut kept = String::new();
    let home = home.again(|dir| {
        let file = dir.join("state/panel-browsers.json");
        kept = fs::read_to_string(&file).expect("the browsers");
        fs::remove_file(&file).expect("the browsers");
        // Whoever opens it to read waits for a writer.
        fifo(&file);
    });
    for (path, answer) in [
        ("/commands/request", post(home.address, "/commands/request", &cookie, REQUEST)),
        ("/history.json", get(home.address, "/history.json", &cookie)),
    ] {
        assert_eq!(answer.status, 503, "{path}: pages ask again after this, and not after 401: {}", answer.body);
    }
    fs::write(home.dir().join("state/panel-browsers.json"), &kept).expect("the disk answers");
    wait_until("it is known", || get(home.address, "/history.json", &cookie).status == 200);
    assert_eq!(post(home.address, "/commands/request", &cookie, REQUEST).status, 200);
    // A moment later than who is known, it is known that nobody else is.
    wait_until("a stranger is one", || {
        let status = post(home.address, "/commands/request", "sos_panel=another", REQUEST).status;
        assert!([401, 503].contains(&status), "{status}");
        status == 401
    });
}

#[test]
fn those_who_ask_for_the_history_at_the_same_time_share_a_read_and_hold_up_no_pin() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    let hub = &home.hub;
    let slow = hub.history.lock().expect("the disk");
    let asked = std::thread::scope(|scope| {
        let ask = |path: &'static str| {
            let (address, cookie) = (home.address, &cookie);
            scope.spawn(move || get(address, path, cookie))
        };
        let first = ask("/history.json?most=3");
        wait_until("a read", || hub.histories.load(Ordering::SeqCst) == 1);
        // What has been sent before is taken before: they wait by the time that others have come and gone.
        let lines = |path: &str| {
            [
                format!("GET {path} HTTP/1.1"),
                format!("Host: {}", home.address),
                format!("Cookie: {cookie}"),
                "Connection: close".to_owned(),
            ]
        };
        let ask = |path: &str| open(home.address, &lines(path).each_ref().map(String::as_str), "");
        let asked: Vec<_> = (0..10).flat_map(|_| [ask("/history.json?most=3"), ask("/history.json")]).collect();
        assert_eq!(post(home.address, "/pin", "", PANEL_PIN).status, 204, "nothing waits for the history");
        drop(slow);
        let few = first.join().expect("an answer");
        assert_eq!(serde_json::from_str::<Vec<Value>>(&few.body).expect("a list").len(), 3);
        asked.into_iter().map(answer).collect::<Vec<_>>()
    });
    let lengths: Vec<_> =
        asked.iter().map(|one| serde_json::from_str::<Vec<Value>>(&one.body).expect("a list").len()).collect();
    assert_eq!(lengths, [3, 9].repeat(10));
    let reads = hub.histories.load(Ordering::SeqCst);
    assert!((2..=6).contains(&reads), "{reads} reads for 21 who ask, most of them at the same time");
}

#[test]
fn a_loop_that_hangs_does_not_look_alive() {
    let home = Alone::start();
    let mut page = Stream::open(home.address, "");
    page.next("state");
    let before: u64 = page.next("alive").parse().expect("the hub's clock");
    let after: u64 = page.next("alive").parse().expect("the hub's clock");
    // Longer than a second on a machine that does much else.
    assert!((500..10_000).contains(&(after - before)), "a sign each second: {before}, {after}");
    home.hub.loop_turns.store(false, Ordering::SeqCst);
    let mut late = Stream::open(home.address, "");
    assert_eq!(late.next("standing"), "pin");
    // Both are silent by now, the old one after at most one sign that was on its way.
    page.patience(Duration::from_millis(2_500));
    late.patience(Duration::from_millis(2_500));
    assert_eq!(late.rest(), "", "nothing is told that may no longer be true");
    assert!(page.rest().matches("event:").count() <= 1);
    home.hub.loop_turns.store(true, Ordering::SeqCst);
    home.hub.board.lives(home.hub.clock());
    late.patience(Duration::from_secs(30));
    late.next("state");
}

#[test]
fn who_opens_pages_without_end_has_no_other_page_told_more_than_a_sign_of_life_a_second() {
    let home = Alone::start();
    let mut page = Stream::open(home.address, "");
    page.next("state");
    let (over, opened) = (AtomicBool::new(false), AtomicUsize::new(0));
    let signs: Vec<u64> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                Stream::open(home.address, "").next("standing");
                opened.fetch_add(1, Ordering::SeqCst);
            }
        });
        let end = End(&over);
        wait_until("many pages", || opened.load(Ordering::SeqCst) > 20);
        let signs = (0..4).map(|_| page.next("alive").parse().expect("the hub's clock")).collect();
        wait_until("many more pages", || opened.load(Ordering::SeqCst) > 40);
        drop(end);
        signs
    });
    // The first of them may have waited for somebody to read it.
    assert!(signs[1..].windows(2).all(|two| two[1] - two[0] >= 500), "{signs:?}");
}

#[test]
fn the_rest_of_a_countdown_is_told_as_it_is_at_that_moment() {
    let home = Alone::start();
    home.hub.state(r#"{"phase":"countdown"}"#, Duration::from_millis(1_700));
    let told: Value = serde_json::from_str(&Stream::open(home.address, "").next("state")).expect("a state");
    let age = told["age_ms"].as_u64().expect("an age");
    assert!((1_700..10_000).contains(&age), "{told}");
}

#[test]
fn what_lay_in_a_buffer_for_long_is_stale() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    let now_ms = home.hub.clock().0 / 1_000_000;
    let ask = |asked_ms: u64| {
        let body = format!(r#"{{"service": "police", "id": "x", "asked_ms": {asked_ms}}}"#);
        let reply = post(home.address, "/commands/request", &cookie, &body);
        serde_json::from_str::<Value>(&reply.body).expect("a reply")
    };
    assert_eq!(ask(now_ms)["outcome"], "accepted");
    assert_eq!(ask(now_ms - 10_000)["outcome"], "accepted", "a page asks again for so long");
    // Sixteen seconds ago, and before a restart of the machine.
    for asked_ms in [now_ms - 16_000, now_ms + 3_600_000] {
        let reply = ask(asked_ms);
        assert_eq!((&reply["outcome"], &reply["reason"]), (&"refused".into(), &"stale".into()), "{reply}");
        assert!(reply["message"].as_str().is_some_and(|text| text.contains("Ask again")), "{reply}");
    }
    assert_eq!(home.hub.commands.lock().expect("the commands").len(), 2);
}

#[test]
fn a_request_whose_body_comes_seconds_late_is_stale() {
    let home = Alone::start();
    let cookie = unlock(home.address);
    let mut stream = TcpStream::connect(home.address).expect("the panel");
    let panel = home.address;
    let head = format!(
        "POST /commands/request HTTP/1.1\r\nHost: {panel}\r\nOrigin: http://{panel}\r\nCookie: {cookie}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        REQUEST.len()
    );
    stream.write_all(head.as_bytes()).expect("a head");
    crate::support::pace(Duration::from_millis(5_200));
    stream.write_all(REQUEST.as_bytes()).expect("a body");
    let late = answer(stream);
    assert!(late.body.contains("stale"), "{} {}", late.status, late.body);
    assert!(home.hub.commands.lock().expect("the commands").is_empty());
}

#[test]
fn cameras_whose_files_or_names_hang_keep_neither_pin_nor_history_waiting() {
    let dir = tempfile::tempdir().expect("a directory");
    // Whoever opens it to read waits for a writer, who never comes: as a name that no server answers for.
    let hanging = dir.path().join("camera.password");
    fifo(&hanging);
    let camera = |number: usize| Camera {
        name: format!("Camera {number}"),
        url: "http://127.0.0.1:9/".to_owned(),
        login: Some(Login { username: "viewer".to_owned(), password_file: Some(hanging.clone()) }),
        ca_file: None,
    };
    let home = Alone::with((0..8).map(camera).collect(), PanelTls::Off);
    let cookie = unlock(home.address);
    let host = format!("Host: {}", home.address);
    let asked: Vec<TcpStream> = (0..8)
        .map(|number| {
            let request = format!("GET /cameras/{number}/picture HTTP/1.1");
            open(home.address, &[&request, &host, &format!("Cookie: {cookie}"), "Connection: close"], "")
        })
        .collect();
    // The first of them has been told that its camera does not answer: by then all of them have asked for it.
    let told = asked.into_iter().map(answer).next().expect("an answer");
    assert!(told.body.contains("does not answer"), "{}", told.body);
    unlock(home.address);
    assert_eq!(get(home.address, "/history.json", &cookie).status, 200);
    assert_eq!(post(home.address, "/commands/request", &cookie, REQUEST).status, 200);
}

fn fifo(at: &Path) {
    let name = CString::new(at.as_os_str().as_bytes()).expect("a path");
    // SAFETY: the string lives through the call.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
}
