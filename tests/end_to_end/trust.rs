//! Whom the hub believes: the center's key, about this account, and nothing twice.

use serde_json::{Value, json};

use crate::center::{Answers, PRIVATE, ack_claims, plan_claims, update_claims};
use crate::installation::{ACCOUNT, Installation, Setup};
use crate::tokens::{Key, altered, unsigned};

#[test]
fn what_the_center_did_not_sign_for_this_account_changes_nothing_and_is_told() {
    let home = Installation::running(Setup::default());
    let (app, center) = (&home.app, &home.center);
    center.answer(Answers::AllButAlarms);
    let incident = app.accepted("request", "police");
    let alarm = center.alarm(0);
    let jti = alarm["jti"].as_str().expect("a jti");
    app.stage(&incident, "requested");

    let stranger = Key::generate();
    let ack = |account| ack_claims(account, jti, "accepted", None, 1_000);
    let refusal = ack_claims(ACCOUNT, jti, "refused", Some("no_monitoring"), 1_000);
    let update = |account| update_claims(account, &incident, 1, "closed", json!({"note": PRIVATE}));
    let good = center.key.sign(&ack(ACCOUNT));
    let hs256 = center.key.sign_with_header(&json!({"alg": "HS256", "typ": "JWT"}), &ack(ACCOUNT));
    let bad: Vec<(&str, String)> = vec![
        ("ack", stranger.sign(&ack(ACCOUNT))),
        ("ack", stranger.sign(&refusal)),
        ("ack", unsigned(&ack(ACCOUNT))),
        ("ack", hs256),
        ("ack", altered(&center.key.sign(&ack("another")), "account", json!(ACCOUNT))),
        ("ack", center.key.sign(&ack("another"))),
        ("ack", good[..good.len() - 8].to_owned()),
        ("ack", "no token at all".to_owned()),
        ("ack", String::new()),
        ("update", stranger.sign(&update(ACCOUNT))),
        ("update", center.key.sign(&update("another"))),
        ("update", center.key.sign(&update_claims(ACCOUNT, "no incident", 1, "closed", json!({})))),
        ("plan", stranger.sign(&plan_claims(ACCOUNT, "protect_basic", 1_000))),
        ("plan", center.key.sign(&plan_claims("another", "protect_basic", 1_000))),
        (
            "plan",
            altered(&center.key.sign(&plan_claims(ACCOUNT, "protect_plus", 1_000)), "plan", json!("protect_basic")),
        ),
    ];
    for (topic, token) in &bad {
        center.say(topic, token);
    }
    app.fault("center_message");
    // The broker keeps the order, so all of it was judged before this.
    center.plan("protect_plus", 2);
    center.has_all();
    let state = app.state("unchanged", |state| state["center"]["owed"] == 1);
    assert_eq!(state["plan"]["standing"], "active", "{state}");
    app.stage(&incident, "requested");
    home.lines.siren_is(1);

    center.ack(jti);
    app.stage(&incident, "acknowledged");
}

#[test]
fn a_recording_of_the_center_is_worth_nothing() {
    let home = Installation::running(Setup::default());
    let (app, center) = (&home.app, &home.center);
    center.answer(Answers::AllButAlarms);
    let (police, fire) = (app.accepted("request", "police"), app.accepted("request", "fire"));
    let jti = |incident: &str| {
        let alarms = || center.calls(0).into_iter().find(|signal| signal["incident"] == incident);
        crate::support::wait_until("the alarm", || alarms().is_some());
        alarms().expect("the alarm")["jti"].as_str().expect("a jti").to_owned()
    };
    let (of_police, of_fire) = (jti(&police), jti(&fire));

    // A late ack of an older signal settles that one alone, whatever its number.
    let first = center.ack_token(&of_police, &center.key);
    center.ack(&of_fire);
    app.stage(&fire, "acknowledged");
    app.stage(&police, "requested");
    center.say("ack", &first);
    app.stage(&police, "acknowledged");

    // Exact repeats are ignored in peace.
    center.update(&police, "calling_first_contact", json!({}));
    let repeat = center.key.sign(&update_claims(ACCOUNT, &police, 1, "calling_first_contact", json!({})));
    center.say("update", &repeat);
    center.say("ack", &first);
    center.update(&police, "confirmed", json!({}));
    // A gap is taken at once, and what comes after it with a lower number no more.
    center.say("update", &center.key.sign(&update_claims(ACCOUNT, &police, 7, "dispatched", json!({}))));
    center.say("update", &center.key.sign(&update_claims(ACCOUNT, &police, 6, "closed", json!({}))));
    app.stage(&police, "dispatched");
    center.has_all();
    let state = app.state("dispatched", |state| crate::app::find(state, &police).is_some());
    assert_eq!(crate::app::find(&state, &police).expect("the incident")["stage"], "dispatched", "{state}");
    assert_eq!(app.count(0, "calling_first_contact"), 1);
    assert_eq!(state["faults"], Value::Array(Vec::new()), "{state}");

    // A recording of another day: well signed, about a signal that this hub never sent.
    let foreign = "11111111-2222-4333-8444-555555555555";
    center.say("ack", &center.key.sign(&ack_claims(ACCOUNT, foreign, "refused", Some("no_monitoring"), 1)));
    app.fault("center_message");
    center.say("update", &center.key.sign(&update_claims(ACCOUNT, foreign, 1, "dispatched", json!({}))));
    center.has_all();
    assert!(app.state("any", |_| true)["incidents"].as_array().is_some_and(|all| all.len() == 2));
}

#[test]
fn heartbeats_say_what_was_seen_and_are_never_owed() {
    let home = Installation::running(Setup::default());
    let incident = home.app.accepted("request", "police");
    home.app.stage(&incident, "acknowledged");
    home.center.update(&incident, "calling_first_contact", json!({}));
    home.app.stage(&incident, "calling_first_contact");
    let beat = home.center.signal(home.center.mark(), "heartbeat", 0);
    assert_eq!((&beat["open"], &beat["interval_seconds"]), (&json!({incident.as_str(): 1}), &json!(1)), "{beat}");

    home.center.answer(Answers::Nothing);
    home.app.fault("center_silent");
    let heartbeats: Vec<Value> =
        home.center.signals(0).into_iter().filter(|signal| signal["kind"] == "heartbeat").collect();
    let mut ids: Vec<&str> = heartbeats.iter().filter_map(|beat| beat["jti"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), heartbeats.len(), "no heartbeat is sent twice");
    let state = home.app.state("silent", |state| state["ready"] == false);
    assert_eq!((&state["center"]["owed"], &state["center"]["link"]), (&json!(0), &json!("up")), "{state}");
    home.center.answer(Answers::All);
    home.app.no_fault("center_silent");
}
