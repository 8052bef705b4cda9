//! Who gets in, and what a session is.

use crate::center::{Center, OPERATOR, PASSWORD, Setup};
use crate::http::{Request, log_in, session, try_log_in};
use crate::support::wait_until;

#[test]
fn a_session_cookie_is_for_this_site_alone() {
    let center = Center::start();
    let answer = try_log_in(&center, OPERATOR, PASSWORD).send();
    let cookies = answer.headers("set-cookie");
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    for cookie in &cookies {
        assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    }
    let session = cookies.iter().find(|cookie| cookie.starts_with("sos_center=")).expect("a session");
    assert!(session.contains("; Path=/") && !session.contains("Domain"), "{session}");
    let id = session.trim_start_matches("sos_center=").split(';').next().unwrap();
    assert_eq!(id.len(), 43, "256 bits");
    let other = try_log_in(&center, OPERATOR, PASSWORD).send();
    assert!(!other.headers("set-cookie").iter().any(|cookie| cookie.contains(id)), "no two are the same");
}

#[test]
fn a_wrong_password_or_name_opens_nothing_and_tells_nothing() {
    let center = Center::start();
    let wrong = try_log_in(&center, OPERATOR, "wrong").send();
    let unknown = try_log_in(&center, "nobody", "wrong").send();
    for answer in [&wrong, &unknown] {
        assert_eq!(answer.status, 403);
        assert!(answer.headers("set-cookie").is_empty());
    }
    assert_eq!(wrong.body.replace(r#"value="ann""#, ""), unknown.body.replace(r#"value="nobody""#, ""));
}

#[test]
fn log_ins_and_refused_ones_are_in_the_audit_trail() {
    let center = Center::start();
    try_log_in(&center, "mallory", "wrong").send();
    let cookie = log_in(&center);
    wait_until("the audit trail tells of both", || {
        let page = Request::get(&center, "/audit").with("Cookie", &cookie).send().body;
        page.contains("Refused a log-in as “mallory”.") && page.contains("operator ann") && page.contains("Logged in.")
    });
}

/// Guesses until the next guess has to wait for longer than what follows takes.
fn guesses_wait_for_long(center: &Center) {
    wait_until("guesses wait for long", || {
        let guess = try_log_in(center, OPERATOR, "wrong").send();
        guess.header("retry-after").parse().is_ok_and(|seconds: u64| seconds >= 8)
    });
}

#[test]
fn guessing_is_slowed_down() {
    let center = Center::start();
    let answers: Vec<_> = (0..10).map(|_| try_log_in(&center, OPERATOR, "wrong").send()).collect();
    let slowed: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(slowed.len() >= 2, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    for answer in &slowed {
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert!(answer.body.contains("Too many wrong passwords."));
    }
    guesses_wait_for_long(&center);
    let right = try_log_in(&center, OPERATOR, PASSWORD).send();
    assert_eq!(right.status, 429, "the right one is not tried either, or it would show by that");
}

#[test]
fn guessing_does_not_lock_out_a_browser_that_was_let_in_before() {
    let center = Center::start();
    let known = session(&try_log_in(&center, OPERATOR, PASSWORD).send());
    let known = known.split("; ").find(|cookie| cookie.starts_with("sos_center_known=")).unwrap();
    guesses_wait_for_long(&center);
    assert_eq!(try_log_in(&center, OPERATOR, PASSWORD).send().status, 429);
    assert_eq!(try_log_in(&center, OPERATOR, PASSWORD).with("Cookie", known).send().status, 303);
    let forged = format!("sos_center_known={}", "A".repeat(43));
    assert_eq!(try_log_in(&center, OPERATOR, PASSWORD).with("Cookie", &forged).send().status, 429);
}

#[test]
fn who_logs_out_is_out() {
    let center = Center::start();
    let cookie = log_in(&center);
    let answer = Request::post(&center, "/logout", "").with("Cookie", &cookie).send();
    assert_eq!((answer.status, answer.header("location")), (303, "/login"));
    assert!(answer.header("set-cookie").starts_with("sos_center=;"), "{answer:?}");
    assert_eq!(Request::get(&center, "/").with("Cookie", &cookie).send().status, 303, "the cookie is worth nothing");
}

#[test]
fn an_operator_who_was_removed_is_out() {
    let center = Center::start();
    let cookie = log_in(&center);
    center.remove_operator(OPERATOR);
    assert_eq!(Request::get(&center, "/").with("Cookie", &cookie).send().status, 303);
}

#[test]
fn a_log_in_leads_back_to_the_page_that_was_wanted_and_nowhere_else() {
    let center = Center::start();
    let answer = Request::get(&center, "/hubs?from=A2").send();
    assert_eq!(answer.header("location"), "/login?next=%2Fhubs%3Ffrom%3DA2");
    let form = Request::get(&center, answer.header("location")).send().body;
    assert!(form.contains(r#"name="next" value="/hubs?from=A2""#), "{form}");
    for (next, leads_to) in
        [("%2Fhubs", "/hubs"), ("%2F%2Fevil.example", "/"), ("https%3A%2F%2Fevil.example%2F", "/"), ("%2Flogout", "/")]
    {
        let body = format!("name={OPERATOR}&password={}&next={next}", PASSWORD.replace(' ', "+"));
        assert_eq!(Request::post(&center, "/login", &body).send().header("location"), leads_to, "{next}");
    }
}

#[test]
fn the_first_operator_is_told_how_to_get_in() {
    let center = Center::start_with(Setup { operators: &[], ..Setup::default() });
    let page = Request::get(&center, "/login").send().body;
    assert!(page.contains("sudo -u sos-center sos-center operator add NAME"), "{page}");
    let page = Request::get(&Center::start(), "/login").send().body;
    assert!(!page.contains("operator add"), "{page}");
}
