//! The siren: alone, silenced, tested, at its end, and never by a start or stop.

use crate::installation::{Installation, Setup};
use crate::lines::SIREN;

#[test]
fn the_siren_alone_is_no_business_of_the_centers() {
    let home = Installation::running(Setup::default());
    let since = home.app.mark();
    let incident = home.app.accepted("request", "siren");
    home.lines.siren_is(1);
    home.app.stage(&incident, "sounding");
    home.app.accepted("silence", r#"{"id": "s-1"}"#);
    home.lines.siren_is(0);
    home.app.stage(&incident, "closed");
    home.center.has_all();
    let sent = home.center.signals(0);
    assert!(sent.iter().all(|signal| signal["incident"].is_null()), "{sent:?}");
    assert!(home.center.calls(0).is_empty());
    for kind in ["countdown_started", "sounding", "siren_on", "closed", "siren_off"] {
        assert_eq!(home.app.count(since, kind), 1, "{kind}");
    }
}

#[test]
fn the_siren_stops_at_its_maximum_and_does_not_start_again() {
    let home = Installation::running(Setup { siren_max_seconds: 1, ..Setup::default() });
    let police = home.app.accepted("request", "police");
    let (on, off) = (home.lines.siren_edge(0), home.lines.siren_edge(1));
    assert_eq!((on.level, off.level), (1, 0));
    assert!((off.at - on.at).as_millis() >= 950, "{on:?} {off:?}");
    home.app.stage(&police, "acknowledged");
    let siren = home.app.accepted("request", "siren");
    home.app.stage(&siren, "closed");
    home.center.has_all();
    assert_eq!(home.lines.siren_levels(), [1, 0, 1, 0]);
}

#[test]
fn the_siren_stops_when_the_contact_cancels() {
    let home = Installation::running(Setup::default());
    let incident = home.app.accepted("request", "police");
    home.app.stage(&incident, "acknowledged");
    home.lines.siren_is(1);
    home.center.update(&incident, "calling_first_contact", serde_json::json!({}));
    home.center.update(&incident, "cancelled_by_contact", serde_json::json!({}));
    home.app.stage(&incident, "cancelled_by_contact");
    home.lines.siren_is(0);
}

#[test]
fn a_test_sounds_two_seconds_and_never_while_an_incident_is_open() {
    let home = Installation::running(Setup::default());
    home.app.accepted("test", "siren");
    let (on, off) = (home.lines.siren_edge(0), home.lines.siren_edge(1));
    assert_eq!((on.level, off.level), (1, 0));
    let sounded = (off.at - on.at).as_millis();
    assert!((1_900..12_000).contains(&sounded), "{sounded} ms");
    home.app.accepted("test", "center");
    let test = home.center.signal(0, "test", 0);
    assert_eq!(test["event_code"], "601", "{test}");
    home.app.accepted("request", "police");
    assert_eq!(home.app.refused("test", "siren"), "busy");
    assert_eq!(home.app.refused("test", "center"), "busy");
    assert_eq!(home.app.refused("test", "everything"), "malformed");
}

#[test]
fn a_start_or_stop_never_asserts_the_siren() {
    for (siren_active_low, rest) in [(false, 0), (true, 1)] {
        let mut home = Installation::running(Setup { siren_active_low, ..Setup::default() });
        assert_eq!(home.lines.output(SIREN), Some(rest));
        for _ in 0..2 {
            let since = home.app.mark();
            home.stop();
            assert_eq!(home.lines.output(SIREN), Some(rest));
            home.start();
            home.in_use_again(since);
        }
        home.kill();
        // A relay that was left on by a process that is dead is put to rest by the start.
        home.lines.leave_output(SIREN, 1 - rest);
        home.start();
        home.lines.siren_is(rest);
        home.app.state("no siren", |state| state["siren"]["sounding"] == false);
        assert!(home.lines.siren_levels().iter().all(|level| *level == rest), "{:?}", home.lines.siren_levels());
    }
}

#[test]
fn a_stop_with_the_siren_on_turns_it_off_and_the_next_start_goes_on() {
    let mut home = Installation::running(Setup { siren_active_low: true, ..Setup::default() });
    let incident = home.app.accepted("request", "police");
    home.lines.siren_is(0);
    home.app.stage(&incident, "acknowledged");
    let since = home.app.mark();
    home.stop();
    assert_eq!(home.lines.output(SIREN), Some(1), "a stopped hub leaves no siren on");
    home.start();
    home.lines.siren_is(0);
    home.in_use_again(since);
    home.app.stage(&incident, "acknowledged");
    assert_eq!(home.lines.siren_levels(), [0, 1, 0]);
}
