//! Cancel: in time, and too late.

use serde_json::json;

use crate::installation::{Installation, Setup};

/// Time for several commands on a machine that is slow.
const COUNTDOWN: u32 = 10;
const NOBODY: &str = "11111111-2222-4333-8444-555555555555";

#[test]
fn a_cancel_in_the_countdown_leaves_no_trace_at_the_center_and_no_sound() {
    let home = Installation::running(Setup { countdown_seconds: COUNTDOWN, ..Setup::default() });
    assert_eq!(home.app.refused("cancel", ""), "no_countdown");
    let since = home.app.mark();
    let (police, fire) = (home.app.accepted("request", "police"), home.app.accepted("request", "fire"));
    assert_ne!(police, fire, "each service has an incident of its own");
    assert_eq!(home.app.refused("cancel", NOBODY), "unknown_incident");
    assert_eq!(home.app.accepted("cancel", &fire), fire);
    home.app.stage(&fire, "aborted");
    home.app.stage(&police, "countdown");
    assert_eq!(home.app.accepted("cancel", &json!({"incident": police, "id": "c-1"}).to_string()), police);
    let aborted = home.app.stage(&police, "aborted");
    assert!(aborted["message"].as_str().is_some_and(|message| message.contains("nothing was sent")), "{aborted}");
    home.app.state("idle", |state| state["phase"] == "idle");

    // The next one begins its own countdown, and an empty cancel ends whatever runs.
    let next = home.app.accepted("request", "siren");
    home.app.accepted("cancel", "");
    home.app.stage(&next, "aborted");
    // One heartbeat a second: by then each of those countdowns would have come to its end.
    home.center.signal(home.center.mark(), "heartbeat", COUNTDOWN as usize + 1);
    assert!(home.center.calls(0).is_empty(), "{:?}", home.center.calls(0));
    assert!(home.lines.siren_levels().is_empty());
    let kinds = home.app.kinds(since);
    assert_eq!(kinds.iter().filter(|kind| *kind == "aborted").count(), 3, "{kinds:?}");
    assert!(!kinds.iter().any(|kind| ["requested", "siren_on", "sounding"].contains(&kind.as_str())), "{kinds:?}");
}

#[test]
fn a_cancel_after_the_countdown_is_too_late_and_the_center_hears_of_it() {
    let home = Installation::running(Setup { countdown_seconds: COUNTDOWN, ..Setup::default() });
    let incident = home.app.accepted("request", "police");
    home.app.stage(&incident, "acknowledged");
    let since = home.app.mark();
    let reply = home.app.ask("cancel", &incident);
    assert_eq!((&reply["outcome"], &reply["reason"]), (&json!("refused"), &json!("too_late")), "{reply}");
    assert_eq!(reply["incident"], json!(incident), "{reply}");
    assert!(reply["message"].as_str().is_some_and(|message| message.contains("contact")), "{reply}");
    assert_eq!(home.app.event(since, "refused")["reason"], "too_late");
    let told = home.center.signal(0, "cancel_request", 0);
    assert_eq!((&told["incident"], &told["event_code"]), (&json!(incident), &json!("406")), "{told}");
    home.lines.siren_is(1);
    home.app.stage(&incident, "acknowledged");

    // Beside an open alarm an empty cancel ends the countdowns, and says what goes on.
    let second = home.app.accepted("request", "fire");
    let reply = home.app.ask("cancel", "");
    assert_eq!((&reply["outcome"], &reply["incident"]), (&json!("accepted"), &json!(second)), "{reply}");
    let message = reply["message"].as_str().unwrap_or_default();
    assert!(message.contains("fire department") && message.contains("police"), "{message}");
    home.app.stage(&second, "aborted");
    home.center.update(&incident, "closed", json!({}));
    home.app.stage(&incident, "closed");
    assert_eq!(home.app.refused("cancel", &incident), "no_countdown");
    home.center.has_all();
    let calls = home.center.calls(0);
    assert!(calls.iter().all(|signal| signal["incident"] == json!(incident)), "{calls:?}");
}
