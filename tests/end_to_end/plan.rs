//! Without a plan nothing happens, and it is said so.

use serde_json::json;

use crate::center::{ack_claims, plan_claims};
use crate::installation::{ACCOUNT, Installation, Setup};

#[test]
fn no_plan_or_a_basic_one_refuses_every_sos_and_a_better_one_lets_it_through() {
    let mut home = Installation::new(Setup { plan: None, ..Setup::default() });
    home.start();
    home.app.state("link up", |state| state["center"]["link"] == "up");
    home.app.fault("not_provisioned");
    assert_eq!(home.app.refused("request", "police"), "not_provisioned");
    press_in_vain(&home, "not_provisioned");

    home.center.plan("protect_basic", 5);
    let denied = home.app.state("denied", |state| state["plan"]["standing"] == "denied");
    assert_eq!(denied["plan"]["name"], "protect_basic", "{denied}");
    assert_eq!(denied["ready"], false, "{denied}");
    assert_eq!(home.app.refused("request", "police"), "plan_required");
    assert_eq!(home.app.refused("request", "siren"), "plan_required");
    press_in_vain(&home, "plan_required");
    home.center.has_all();
    assert!(home.center.calls(0).is_empty() && home.lines.siren_levels().is_empty());

    home.center.plan("protect_plus", 6);
    let active = home.app.state("active", |state| state["plan"]["standing"] == "active");
    assert_eq!(active["plan"]["professional_monitoring"], true, "{active}");
    home.app.state("ready", |state| state["ready"] == true);

    // An older token does not count, however well it is signed.
    home.center.plan("protect_basic", 5);
    home.app.fault("plan_rejected");
    home.app.accepted("request", "police");
    home.center.alarm(0);
}

#[test]
fn the_plan_that_came_last_is_still_known_after_a_restart_without_the_center() {
    let mut home = Installation::running(Setup::default());
    home.center.plan("protect_plus", 2);
    home.center.has_all();
    home.kill();
    home.center_broker.stop();
    let since = home.app.mark();
    home.start();
    home.app.availability(since, "online");
    home.app.accepted("request", "police");
    home.lines.siren_is(1);
}

#[test]
fn a_plan_that_the_center_has_not_renewed_still_lets_an_sos_through() {
    let mut home = Installation::new(Setup { plan: None, clock: "trusted", ..Setup::default() });
    let mut claims = plan_claims(ACCOUNT, "protect_plus", 1);
    claims["exp"] = json!(claims["iat"].as_u64().expect("a time") - 60);
    home.start();
    home.app.state("link up", |state| state["center"]["link"] == "up");
    home.center.say("plan", &home.center.key.sign(&claims));
    home.app.state("unconfirmed", |state| state["plan"]["standing"] == "unconfirmed");
    home.app.fault("plan_unconfirmed");
    home.app.accepted("request", "police");
    home.center.alarm(0);
}

#[test]
fn what_the_account_lacks_keeps_the_hub_from_being_ready() {
    let home = Installation::running(Setup::default());
    let mut claims = plan_claims(ACCOUNT, "protect_plus", 2);
    claims["missing"] = json!(["contact"]);
    home.center.say("plan", &home.center.key.sign(&claims));
    assert!(home.app.fault("plan_incomplete").contains("contact"));
    let state = home.app.state("not ready", |state| state["ready"] == false);
    assert!(state["message"].as_str().is_some_and(|message| message.contains("contact")), "{state}");
    home.center.plan("protect_plus", 3);
    home.app.no_fault("plan_incomplete");
    home.app.state("ready", |state| state["ready"] == true);
}

#[test]
fn the_centers_word_counts_on_its_own_topic_only() {
    let home = Installation::running(Setup::default());
    let plan = home.center.key.sign(&plan_claims(ACCOUNT, "protect_basic", 9));
    home.center.say("ack", &plan);
    home.center.say("update", &home.center.key.sign(&ack_claims(ACCOUNT, "x", "accepted", None, 99)));
    home.app.fault("center_message");
    home.center.has_all();
    home.app.state("still active", |state| state["plan"]["standing"] == "active");
}

fn press_in_vain(home: &Installation, reason: &str) {
    let since = home.app.mark();
    home.lines.press(crate::lines::POLICE_BUTTON);
    let refused = home.app.event(since, "refused");
    assert_eq!((&refused["reason"], &refused["service"]), (&json!(reason), &json!("police")), "{refused}");
    home.lines.release(crate::lines::POLICE_BUTTON);
}
