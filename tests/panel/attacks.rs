//! Who means harm: another site in the same browser, a name that leads here by a trick, a page around ours, a guesser,
//! and who sends too much or too slowly.

use std::io::{Read, Write};

use serde_json::Value;

use crate::http::{get, open, post, send, unlock};
use crate::installation::{Installation, Setup};

const POLICE: &str = r#"{"service": "police", "id": "x"}"#;

fn home() -> Installation {
    Installation::running(Setup { countdown_seconds: 30, ..Setup::default() })
}

#[test]
fn another_site_in_the_same_browser_can_do_nothing() {
    let home = home();
    let panel = home.panel();
    let cookie = format!("Cookie: {}", unlock(panel));
    let host = format!("Host: {panel}");
    let since = home.app.mark();
    let own = format!("Origin: http://{panel}");
    let other_port = format!("Origin: http://127.0.0.1:{}", panel.port() ^ 1);
    let foreign: &[&[&str]] = &[
        &["Origin: http://evil.example"],
        &["Origin: https://evil.example"],
        &["Origin: null"],
        &[&other_port],
        &["Origin: http://127.0.0.1"],
        &[&own, "Sec-Fetch-Site: cross-site"],
        &[&own, "Sec-Fetch-Site: same-site"],
        &["Sec-Fetch-Site: none"],
        // As a program would, without a word on where it comes from.
        &[],
    ];
    for path in ["/commands/request", "/commands/cancel", "/commands/silence", "/commands/test", "/pin", "/lock"] {
        for headers in foreign {
            let request = format!("POST {path} HTTP/1.1");
            let lines = [&[request.as_str(), &host, &cookie, "Connection: close"], *headers].concat();
            let answer = send(panel, &lines, POLICE);
            assert_eq!(answer.status, 403, "{lines:?}: {}", answer.body);
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
    }
    assert_eq!(home.app.replies(since).len(), 0);
    // With the right origin it is done: what was refused was refused for that reason.
    let lines = ["POST /commands/request HTTP/1.1", &host, &cookie, &own, "Connection: close"];
    let answer = send(panel, &lines, POLICE);
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.body);
    let reply: Value = serde_json::from_str(&answer.body).expect("a reply");
    assert_eq!((&reply["outcome"], &reply["id"]), (&"accepted".into(), &"x".into()), "{reply}");
}

#[test]
fn a_name_that_leads_here_by_a_trick_is_not_ours() {
    let home = home();
    let panel = home.panel();
    let cookie = format!("Cookie: {}", unlock(panel));
    let port = panel.port();
    let hosts = [
        "Host: evil.example".to_owned(),
        format!("Host: evil.example:{port}"),
        format!("Host: 127.0.0.1.evil.example:{port}"),
        format!("Host: 192.168.1.5:{port}"),
        format!("Host: 127.0.0.1:{port}@evil.example"),
        format!("Host: 127.0.0.1:{port}\r\nHost: evil.example"),
        "Accept: */*".to_owned(),
    ];
    for host in &hosts {
        for path in ["/", "/updates", "/history.json", "/assets/app.js"] {
            let answer = send(panel, &[&format!("GET {path} HTTP/1.1"), host, &cookie, "Connection: close"], "");
            assert_ne!(answer.status, 200, "{host} {path}");
            assert!(!answer.body.contains("police"), "{host} {path}: {}", answer.body);
        }
        let origin = host.replacen("Host: ", "Origin: http://", 1);
        let lines = ["POST /commands/request HTTP/1.1", host, &origin, &cookie, "Connection: close"];
        assert_ne!(send(panel, &lines, POLICE).status, 200, "{host}");
    }
    for name in ["localhost", "127.0.0.1", "[::1]"] {
        let lines = ["GET / HTTP/1.1", &format!("Host: {name}:{port}"), "Connection: close"];
        assert_eq!(send(panel, &lines, "").status, 200, "{name}");
    }
}

#[test]
fn no_page_may_be_framed_or_take_anything_from_elsewhere() {
    let home = home();
    let panel = home.panel();
    let cookie = unlock(panel);
    let paths = ["/", "/live", "/history", "/setup", "/nothing", "/history.json", "/assets/app.js", "/worker.js"];
    for path in paths {
        let answer = get(panel, path, &cookie);
        let policy = answer.header("content-security-policy");
        for rule in ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        for place in ["http://", "https://", "//cdn"] {
            let elsewhere = answer.body.replace("http://www.w3.org/2000/svg", "").contains(place);
            assert!(!elsewhere, "{path} names a place elsewhere");
        }
    }
}

#[test]
fn nothing_is_changed_by_get() {
    let home = home();
    let panel = home.panel();
    let cookie = unlock(panel);
    let since = home.app.mark();
    for path in ["/commands/request", "/commands/cancel", "/commands/silence", "/commands/test", "/pin", "/lock"] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
            let request = format!("{method} {path}?service=police&id=x HTTP/1.1");
            let (host, cookie) = (format!("Host: {panel}"), format!("Cookie: {cookie}"));
            let origin = format!("Origin: http://{panel}");
            let answer = send(panel, &[&request, &host, &cookie, &origin, "Connection: close"], POLICE);
            assert!([403, 405].contains(&answer.status), "{method} {path}: {}", answer.status);
        }
    }
    assert_eq!(home.app.replies(since).len(), 0);
    assert_eq!(post(panel, "/commands/test", &cookie, "siren").status, 200, "still logged in");
}

#[test]
fn guessing_the_pin_is_slowed_and_lets_nobody_in() {
    let home = home();
    let panel = home.panel();
    let cookie = unlock(panel);
    let statuses: Vec<u16> = (0..20).map(|guess| post(panel, "/pin", "", &format!("00{guess:02}")).status).collect();
    assert_eq!(statuses[..4], [403; 4], "{statuses:?}");
    let slowed = statuses.iter().filter(|status| **status == 429).count();
    assert!(slowed >= 12, "{statuses:?}");
    let answer = post(panel, "/pin", "", crate::installation::PANEL_PIN);
    assert_eq!(answer.status, 429, "the right one waits as well, or the wait would tell");
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    // Who is in stays in.
    assert_eq!(post(panel, "/commands/request", &cookie, POLICE).status, 200);
}

#[test]
fn without_the_pin_nothing_is_done_and_the_house_is_not_shown() {
    let home = home();
    let panel = home.panel();
    let since = home.app.mark();
    let forged = format!("sos_panel={}", "A".repeat(43));
    for cookie in ["", &forged, "sos_panel=", "sos_panel=../../etc/passwd"] {
        for command in ["request", "cancel", "silence", "test"] {
            let answer = post(panel, &format!("/commands/{command}"), cookie, POLICE);
            assert_eq!(answer.status, 401, "{command}: {}", answer.body);
            assert!(answer.body.contains("call the emergency number"), "{}", answer.body);
        }
        for path in ["/history.json", "/cameras/0/picture", "/cameras/0/playlist.m3u8"] {
            assert_eq!(get(panel, path, cookie).status, 401, "{path}");
        }
    }
    assert_eq!(home.app.replies(since).len(), 0);
}

#[test]
fn what_is_too_large_or_no_command_is_refused() {
    let home = home();
    let panel = home.panel();
    let cookie = unlock(panel);
    assert_eq!(post(panel, "/commands/request", &cookie, &"x".repeat(100_000)).status, 413);
    assert_eq!(post(panel, "/commands/request", &cookie, r#"{"service": "police"}"#).status, 400, "without an id");
    assert_eq!(post(panel, "/commands/shutdown", &cookie, POLICE).status, 404);
    let since = home.app.mark();
    let body = r#"{"service": "police", "id": "y", "source": "button:hallway", "user": "Ann", "sent_at": "2001-01-01T00:00:00Z"}"#;
    assert_eq!(post(panel, "/commands/request", &cookie, body).status, 200);
    let incident = home.app.event(since, "countdown_started")["incident"].as_str().expect("an incident").to_owned();
    assert_eq!(home.app.stage(&incident, "countdown")["source"], "panel", "nobody passes for somebody else");
    for path in ["/assets/../panel.css", "/assets/%2e%2e%2fhub.toml", "/cameras/0/media/x", "/cameras/99/picture"] {
        assert_eq!(get(panel, path, &cookie).status, 404, "{path}");
    }
}

#[test]
fn an_open_stream_and_slow_senders_do_not_hold_up_the_end() {
    let mut home = home();
    let panel = home.panel();
    let mut stream = open(panel, &["GET /updates HTTP/1.1", &format!("Host: {panel}")], "");
    stream.read_exact(&mut [0; 15]).expect("the stream begins");
    let mut slow = std::net::TcpStream::connect(panel).expect("the panel");
    slow.write_all(b"POST /pin HTTP/1.1\r\nHost: x\r\nContent-Le").expect("half a head");
    home.stop();
}
