//! Nobody but an operator on the console's own pages does anything there, and nobody holds it up.

use std::io::{BufRead, BufReader, Read, Write};
use std::time::{Duration, Instant};

use sos_hub::controller::words::Service;

use crate::center::{Center, TOKEN};
use crate::http::{Request, connect, log_in};
use crate::support::{DEADLINE, wait_until};

const PAGES: [&str; 5] = ["/", "/incidents", "/hubs", "/security", "/audit"];

#[test]
fn nothing_is_shown_or_done_without_a_log_in() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let page = Center::page(incident);
    for path in PAGES.into_iter().chain([page.as_str()]) {
        let answer = Request::get(&center, path).send();
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/login?next="), "{path}");
        assert!(!answer.body.contains("Miller"), "{path}");
    }
    let live = Request::get(&center, "/live?page=%2F").send();
    assert_eq!((live.status, live.body.as_str()), (401, ""));
    let step = center.view(incident).unwrap().step;
    let order = format!("button=call_first_contact&step={step}");
    for cookie in ["", "sos_center=", "sos_center=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let answer = Request::post(&center, &format!("{page}/orders"), &order).with("Cookie", cookie).send();
        assert_eq!(answer.status, 401);
    }
    assert_eq!(center.view(incident).unwrap().step, step);
}

#[test]
fn a_get_does_nothing() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let cookie = log_in(&center);
    let step = center.view(incident).unwrap().step;
    let page = Center::page(incident);
    let order = format!("{page}/orders?button=call_first_contact&step={step}");
    let paths = [order.as_str(), "/logout", "/calls/x"];
    for path in paths {
        assert_eq!(Request::get(&center, path).with("Cookie", &cookie).send().status, 405, "{path}");
    }
    for path in [format!("{page}?button=call_first_contact&step={step}"), "/login?name=ann".to_owned()] {
        assert_eq!(Request::get(&center, &path).with("Cookie", &cookie).send().status, 200, "{path}");
    }
    assert_eq!(center.view(incident).unwrap().step, step);
    assert_eq!(Request::get(&center, "/session").with("Cookie", &cookie).send().status, 204, "still logged in");
}

#[test]
fn other_sites_can_make_a_browser_do_nothing() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let cookie = log_in(&center);
    let before = center.view(incident).unwrap().step;
    let order = || {
        let body = format!("button=call_first_contact&step={before}");
        Request::post(&center, &format!("{}/orders", Center::page(incident)), &body).with("Cookie", &cookie)
    };
    let own = format!("http://127.0.0.1:{}", center.port());
    let other_port = "http://127.0.0.1:1";
    for origin in ["https://evil.example", "null", other_port, "http://127.0.0.1", "file://", ""] {
        assert_eq!(order().origin(Some(origin)).send().status, 403, "{origin}");
    }
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(order().origin(None).with("Sec-Fetch-Site", site).send().status, 403, "{site}");
        assert_eq!(order().origin(Some(&own)).with("Sec-Fetch-Site", site).send().status, 403, "{site}");
    }
    assert_eq!(order().origin(None).send().status, 403, "neither header");
    assert_eq!(center.view(incident).unwrap().step, before);
    assert_eq!(order().origin(Some(&own)).with("Sec-Fetch-Site", "same-origin").send().status, 303);
    assert_ne!(center.view(incident).unwrap().step, before);
}

#[test]
fn a_rebound_name_is_not_answered() {
    let center = Center::start();
    let cookie = log_in(&center);
    let port = center.port();
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1.evil.example", "calls.example", ""] {
        for request in
            [Request::get(&center, "/"), Request::get(&center, "/login"), Request::post(&center, "/logout", "")]
        {
            let origin = format!("http://{host}");
            let answer = request.host(host).origin(Some(&origin)).with("Cookie", &cookie).send();
            assert_eq!(answer.status, 421, "{host}");
        }
    }
    for host in ["localhost", "center.example", &format!("[::1]:{port}")] {
        assert_eq!(Request::get(&center, "/").host(host).with("Cookie", &cookie).send().status, 200, "{host}");
    }
}

#[test]
fn two_hosts_are_none() {
    let center = Center::start();
    let own = format!("127.0.0.1:{}", center.port());
    for (first, second) in [("evil.example", own.as_str()), (&own, "evil.example")] {
        let answer = Request::get(&center, "/login").with("Host", first).host(second).send();
        assert_eq!(answer.status, 421, "{first}, {second}");
    }
}

#[test]
fn browsers_are_told_not_to_frame_mix_or_keep_the_pages() {
    let center = Center::start();
    let cookie = log_in(&center);
    for path in ["/", "/login", "/nowhere", "/incidents/1", "/assets/console.js"] {
        let answer = Request::get(&center, path).with("Cookie", &cookie).send();
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        let kept = if path.starts_with("/assets/") { "no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), kept, "{path}");
        assert!(answer.body.is_empty() || !answer.body.contains(" style="), "{path}");
    }
}

#[test]
fn a_browser_that_has_a_file_is_not_sent_it_again() {
    let center = Center::start();
    let first = Request::get(&center, "/assets/console.css").send();
    assert_eq!((first.status, first.header("content-type")), (200, "text/css; charset=utf-8"));
    let again = Request::get(&center, "/assets/console.css").with("If-None-Match", first.header("etag")).send();
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(Request::get(&center, "/assets/console.css").with("If-None-Match", "\"other\"").send().status, 200);
}

#[test]
fn what_is_enormous_is_refused() {
    let center = Center::start();
    let body = format!("name=ann&password={}", "x".repeat(20_000));
    assert_eq!(Request::post(&center, "/login", &body).send().status, 413);
    let head = Request::get(&center, "/login").with("X-Large", &"x".repeat(40_000)).send();
    assert_eq!(head.status, 431);
    let many =
        (0..200).fold(Request::get(&center, "/login"), |request, number| request.with(&format!("X-{number}"), "x"));
    assert_eq!(many.send().status, 431);
}

#[test]
fn a_client_that_never_finishes_its_request_is_cut_off() {
    let center = Center::start();
    let unfinished_head = "GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ";
    let unfinished_body =
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Length: 100\r\n\r\nname=";
    for unfinished in [unfinished_head, unfinished_body] {
        let mut stream = connect(center.port());
        stream.write_all(unfinished.as_bytes()).unwrap();
        let mut rest = Vec::new();
        // The read's own time-out would be an error.
        stream.read_to_end(&mut rest).unwrap();
        let rest = String::from_utf8_lossy(&rest);
        assert!(rest.is_empty() || rest.contains(" 408 "), "{rest}");
    }
}

#[test]
fn many_silent_clients_leave_room_for_an_operator() {
    let center = Center::start();
    let silent: Vec<_> = (0..300).map(|_| connect(center.port())).collect();
    let cookie = log_in(&center);
    assert_eq!(Request::get(&center, "/").with("Cookie", &cookie).send().status, 200);
    drop(silent);
}

#[test]
fn an_open_stream_does_not_hold_up_the_stop() {
    let mut center = Center::start();
    let cookie = log_in(&center);
    let mut stream = Request::get(&center, "/live?page=%2F").with("Cookie", &cookie).open();
    let mut first = [0; 512];
    let read = stream.read(&mut first).unwrap();
    assert!(String::from_utf8_lossy(&first[..read]).contains(" 200 "));
    let started = Instant::now();
    center.stop_console(2 * DEADLINE);
    assert!(started.elapsed() < DEADLINE, "the stop waited for the stream");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream has no proper end");
}

#[test]
fn a_client_that_is_slow_does_not_hold_up_the_stop() {
    let mut center = Center::start();
    let mut stream = connect(center.port());
    stream.write_all(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n").unwrap();
    assert_eq!(Request::get(&center, "/login").send().status, 200, "the first one has been taken");
    center.stop_console(Duration::from_millis(100));
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains(" 408 "), "it was waited for");
}

#[test]
fn a_stream_ends_with_the_session() {
    let center = Center::start();
    let cookie = log_in(&center);
    let stream = Request::get(&center, "/live?page=%2F").with("Cookie", &cookie).open();
    assert_eq!(Request::post(&center, "/logout", "").with("Cookie", &cookie).send().status, 303);
    center.alarm("A1", Service::Fire);
    let mut is_over = false;
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        assert!(!line.contains("Miller"), "{line}");
        is_over |= line.contains("event: over");
    }
    assert!(is_over);
}

#[test]
fn a_telephony_provider_needs_the_token_of_the_call() {
    let center = Center::start();
    let incident = center.alarm("A1", Service::Police);
    let call = crate::orders::call_first_contact(&center, incident);
    let path = format!("/calls/{call}");
    let bearer = format!("Bearer {TOKEN}");
    let word = |body: &str| Request::post(&center, &path, body).origin(None).host("calls.example");
    for wrong in ["Bearer wrong", "Bearer ", "Basic dGVzdDp0ZXN0", TOKEN, ""] {
        assert_eq!(word(r#"{"outcome":"confirmed"}"#).with("Authorization", wrong).send().status, 401, "{wrong}");
    }
    assert_eq!(word(r#"{"outcome":"confirmed"}"#).with("Cookie", &log_in(&center)).send().status, 401);
    for unclear in ["", "[]", r#"{"outcome":"maybe"}"#, r#"{"password":"blue whale"}"#] {
        assert_eq!(word(unclear).with("Authorization", &bearer).send().status, 400, "{unclear}");
    }
    let rebound = Request::post(&center, &path, r#"{"outcome":"confirmed"}"#).host("evil.example");
    assert_eq!(rebound.with("Authorization", &bearer).send().status, 421);
    assert_eq!(center.view(incident).unwrap().calls[0].outcome, None, "nothing has happened so far");
    assert_eq!(word(r#"{"outcome":"confirmed"}"#).with("Authorization", &bearer).send().status, 204);
    wait_until("the call is confirmed", || center.view(incident).unwrap().calls[0].outcome == Some("confirmed"));
}

#[test]
fn a_telephony_provider_cancels_with_the_right_password_alone() {
    let said = [
        (r#"{"outcome":"cancelled","password":" BLUE  whale"}"#, "cancelled"),
        (r#"{"outcome":"cancelled","password":"red whale"}"#, "wrong_password"),
        (r#"{"outcome":"cancelled"}"#, "wrong_password"),
    ];
    for (word, outcome) in said {
        let center = Center::start();
        let incident = center.alarm("A1", Service::Police);
        let call = crate::orders::call_first_contact(&center, incident);
        let request = Request::post(&center, &format!("/calls/{call}"), word).origin(None);
        assert_eq!(request.with("Authorization", &format!("Bearer {TOKEN}")).send().status, 204);
        wait_until(outcome, || center.view(incident).unwrap().calls[0].outcome == Some(outcome));
    }
}
