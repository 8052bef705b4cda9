//! The call procedure, with simulated calls: what each answer leads to, as the app is told it.

use serde_json::json;

use crate::world::{ACCOUNT, CONTACTS, Setup, World, simulated};

fn with(answers: &str) -> World {
    World::running(&Setup { calls: simulated(answers), ..Setup::default() })
}

#[test]
fn no_answer_sends_help_and_calls_the_others() {
    let world = with("\"no_answer\"");
    let incident = world.sos("fire");
    let called = world.stage(&incident, "calling_first_contact");
    assert_eq!(called["contact"], json!({"position": 1, "name": CONTACTS[0]}), "{called}");
    world.stage(&incident, "closed");
    let stages = world.stages(&incident);
    assert_eq!(stages[..4], ["acknowledged", "calling_first_contact", "no_answer", "dispatched"], "{stages:?}");
    assert_eq!(stages.last().map(String::as_str), Some("closed"), "{stages:?}");
    let others = stages.iter().filter(|stage| *stage == "calling_other_contacts").count();
    assert!(others >= 2, "{stages:?}");
    world.lines.siren_is(0);
    assert_eq!(world.count("SELECT count(*) FROM incident"), 1);
    assert_eq!(world.count("SELECT count(*) FROM call"), 3, "each contact is called once");
    assert_eq!(world.count("SELECT count(*) FROM security"), 0);
    assert_eq!(world.count("SELECT count(*) FROM hub_fault"), 0, "the hub found something wrong with the center");
}

#[test]
fn a_first_contact_who_confirms_has_help_sent() {
    let world = with("\"confirmed\"");
    let incident = world.sos("police");
    world.stage(&incident, "closed");
    let stages = world.stages(&incident);
    assert_eq!(stages[..4], ["acknowledged", "calling_first_contact", "confirmed", "dispatched"], "{stages:?}");
}

#[test]
fn a_first_contact_with_the_password_ends_it() {
    let world = with("\"cancelled\"");
    let incident = world.sos("police");
    world.stage(&incident, "cancelled_by_contact");
    world.lines.siren_is(0);
    world.center_has_all();
    assert_eq!(world.stages(&incident), ["acknowledged", "calling_first_contact", "cancelled_by_contact"]);
}

#[test]
fn a_wrong_password_cancels_nothing() {
    let world = with("\"cancelled_wrong_password\", \"no_answer\"");
    let incident = world.sos("police");
    world.stage(&incident, "closed");
    let stages = world.stages(&incident);
    assert_eq!(stages[..3], ["acknowledged", "calling_first_contact", "dispatched"], "{stages:?}");
    let is_dispatch = |update: &&serde_json::Value| update["stage"] == "dispatched";
    let updates = world.said(0, "update");
    assert_eq!(updates.iter().find(is_dispatch).expect("an update")["note"], "wrong_password");
}

#[test]
fn the_users_own_cancel_is_noted_and_changes_nothing() {
    let world = with("\"no_answer\"");
    let incident = world.sos("police");
    world.stage(&incident, "acknowledged");
    assert_eq!(world.app.refused("cancel", &incident), "too_late");
    let (_, claims) = world.signal(0, "cancel_request");
    world.acked(claims["jti"].as_str().expect("a jti"));
    world.stage(&incident, "dispatched");
}

#[test]
fn two_incidents_of_one_account_run_side_by_side() {
    let world = with("\"no_answer\"");
    let (police, fire) = (world.sos("police"), world.sos("fire"));
    assert_ne!(police, fire);
    world.stage(&police, "closed");
    world.stage(&fire, "closed");
    assert_eq!(world.count("SELECT count(*) FROM incident"), 2);
}

#[test]
fn a_plan_without_monitoring_is_refused_at_the_hub() {
    let world = World::running(&Setup { plan: "protect_basic", ..Setup::default() });
    world.app.state("denied", |state| state["plan"]["standing"] == "denied");
    assert_eq!(world.app.refused("request", "police"), "plan_required");
    world.center_has_all();
    assert_eq!(world.count("SELECT count(*) FROM incident"), 0);
}

#[test]
fn a_change_of_plan_reaches_a_hub_that_runs() {
    let world = World::running(&Setup::default());
    world.app.state("active", |state| state["plan"]["standing"] == "active");
    let changed = world.account(&["plan", ACCOUNT, "none"]);
    assert!(changed.status.success(), "{changed:?}");
    world.app.state("denied", |state| state["plan"]["standing"] == "denied");
    assert_eq!(world.app.refused("request", "police"), "plan_required");
    world.account(&["plan", ACCOUNT, "protect_plus"]);
    world.app.state("active again", |state| state["plan"]["standing"] == "active");
    let incident = world.sos("police");
    world.stage(&incident, "acknowledged");
}

#[test]
fn a_plan_that_changed_while_the_center_was_away_reaches_the_hub() {
    let mut world = World::running(&Setup::default());
    world.stop_center();
    let changed = world.account(&["plan", ACCOUNT, "protect_basic"]);
    assert!(changed.status.success(), "{changed:?}");
    world.start_center();
    world.app.state("denied", |state| state["plan"]["name"] == "protect_basic");
}
