//! Processes die at every step, and the outcome stays the same.

use crate::world::{Setup, World};

/// The stages that the app was told of, those of the other contacts as one.
fn outcome(world: &World, incident: &str) -> Vec<String> {
    let mut stages = world.stages(incident);
    stages.dedup();
    stages
}

const WHOLE: [&str; 6] =
    ["acknowledged", "calling_first_contact", "no_answer", "dispatched", "calling_other_contacts", "closed"];

/// Kills the center as soon as the app was told this stage.
fn survives_a_death_at(stage: &str) {
    let mut world = World::running(&Setup::default());
    let incident = world.sos("fire");
    world.stage(&incident, stage);
    world.kill_center();
    world.start_center();
    world.stage(&incident, "closed");
    assert_eq!(outcome(&world, &incident), WHOLE, "killed at {stage}");
    assert_eq!(world.count("SELECT count(*) FROM incident"), 1);
    world.lines.siren_is(0);
}

#[test]
fn the_center_dies_after_its_ack() {
    survives_a_death_at("acknowledged");
}

#[test]
fn the_center_dies_in_the_first_call() {
    survives_a_death_at("calling_first_contact");
}

#[test]
fn the_center_dies_after_the_first_call() {
    survives_a_death_at("no_answer");
}

#[test]
fn the_center_dies_once_help_is_on_its_way() {
    survives_a_death_at("dispatched");
}

#[test]
fn the_center_dies_while_the_others_are_called() {
    survives_a_death_at("calling_other_contacts");
}

#[test]
fn an_alarm_that_nobody_heard_is_taken_by_the_next_center() {
    let mut world = World::running(&Setup::default());
    world.kill_center();
    let incident = world.sos("police");
    let (_, claims) = world.signal(0, "alarm");
    world.start_center();
    world.stage(&incident, "closed");
    assert_eq!(outcome(&world, &incident), WHOLE);
    let acks = world.acks(claims["jti"].as_str().expect("a jti"));
    assert!(acks.iter().all(|ack| ack == &acks[0]), "{acks:?}");
}

#[test]
fn the_hub_dies_after_the_alarm_and_misses_nothing() {
    let mut world = World::running(&Setup::default());
    let incident = world.sos("police");
    world.stage(&incident, "acknowledged");
    world.kill_hub();
    // The procedure does not wait for the hub.
    crate::support::wait_until("the incident is closed", || {
        world.count("SELECT count(*) FROM incident WHERE ended_wall_ms IS NOT NULL") == 1
    });
    world.start_hub();
    // Its heartbeat says what it has seen, and brings the rest again.
    world.stage(&incident, "closed");
    assert_eq!(world.count("SELECT count(*) FROM incident"), 1);
}

#[test]
fn the_broker_dies_in_the_middle() {
    let mut world = World::running(&Setup::default());
    let incident = world.sos("police");
    world.stage(&incident, "calling_first_contact");
    world.broker.restart();
    world.stage(&incident, "closed");
    assert_eq!(world.count("SELECT count(*) FROM incident"), 1);
    let plan = world.app.state("the plan", |state| state["plan"]["standing"] == "active");
    assert_eq!(plan["plan"]["name"], "protect_plus");
    // The broker forgets all that was retained: the next hub that asks has the plan again.
    world.spy.wait("the plan again", 0, |heard| {
        let plans = heard.iter().filter(|one| one.topic == crate::world::topic("plan"));
        (plans.count() >= 2).then_some(())
    });
}
