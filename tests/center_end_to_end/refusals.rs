//! What is not signed by the account's hub draws no answer, starts nothing, and is seen.

use crate::tokens::{Key, altered, unsigned};
use crate::world::{ACCOUNT, Setup, World, alarm, fresh_id};

/// Sends what must be rejected, and checks that nothing came of it.
fn draws_nothing(world: &World, jti: &str, problem: &str) {
    world.rejected(problem);
    world.center_has_all();
    assert_eq!(world.acks(jti).len(), 0, "an ack for what {problem}");
    assert_eq!(world.count("SELECT count(*) FROM incident"), 0);
}

#[test]
fn what_another_key_has_signed_draws_no_ack() {
    let world = World::running(&Setup::default());
    let (jti, incident) = (fresh_id(), fresh_id());
    let claims = alarm(ACCOUNT, &jti, &incident);
    world.say(ACCOUNT, &Key::generate().sign(&claims), false);
    world.say(ACCOUNT, &unsigned(&claims), false);
    world.say(ACCOUNT, "police", false);
    draws_nothing(&world, &jti, "is not signed by the account''s hub");
    world.rejected("is not a compact JWS");
}

#[test]
fn an_altered_signal_with_a_real_jti_draws_no_ack_of_its_own() {
    let world = World::running(&Setup::default());
    let jti = fresh_id();
    let token = world.hub_key(ACCOUNT).sign(&alarm(ACCOUNT, &jti, &fresh_id()));
    world.say(ACCOUNT, &altered(&token, "service", "fire".into()), false);
    draws_nothing(&world, &jti, "is not signed by the account''s hub");
}

#[test]
fn a_signal_on_another_accounts_topic_draws_no_ack() {
    let world = World::running(&Setup::default());
    world.add_account("a-2", "protect_plus");
    let (mine, foreign) = (fresh_id(), fresh_id());
    // Of another account's hub on this one's topic, and the other way round.
    world.say(ACCOUNT, &world.hub_key("a-2").sign(&alarm("a-2", &foreign, &fresh_id())), false);
    draws_nothing(&world, &foreign, "is not signed by the account''s hub");
    world.say(ACCOUNT, &world.hub_key(ACCOUNT).sign(&alarm("a-2", &mine, &fresh_id())), false);
    draws_nothing(&world, &mine, "is for another account");
    let nobody = fresh_id();
    world.say("a-3", &world.hub_key("a-2").sign(&alarm("a-3", &nobody, &fresh_id())), false);
    draws_nothing(&world, &nobody, "is of an account that there is not");
}

#[test]
fn a_signal_that_the_broker_had_stored_starts_nothing() {
    let mut world = World::running(&Setup::default());
    world.stop_center();
    let jti = fresh_id();
    world.say(ACCOUNT, &world.hub_key(ACCOUNT).sign(&alarm(ACCOUNT, &jti, &fresh_id())), true);
    world.start_center();
    world.center_has_all();
    assert_eq!(world.acks(&jti).len(), 0);
    assert_eq!(world.count("SELECT count(*) FROM incident"), 0);
    // It was not even asked for: whoever stored a thousand of them has not had them brought here.
    assert_eq!(world.count("SELECT count(*) FROM security WHERE problem LIKE '%stored by the broker%'"), 0);
}

#[test]
fn a_replayed_signal_gets_its_ack_again_and_starts_nothing() {
    let mut world = World::running(&Setup::default());
    let incident = world.sos("police");
    let (token, claims) = world.signal(0, "alarm");
    let jti = claims["jti"].as_str().expect("a jti");
    world.stage(&incident, "closed");
    let before = world.acks(jti).len();
    world.say(ACCOUNT, &token, false);
    crate::support::wait_until("the ack again", || world.acks(jti).len() > before);
    // Also by a center that has nothing of it in its memory.
    world.stop_center();
    world.start_center();
    world.center_has_all();
    let before = world.acks(jti).len();
    world.say(ACCOUNT, &token, false);
    crate::support::wait_until("the ack once more", || world.acks(jti).len() > before);
    let acks = world.acks(jti);
    assert!(acks.iter().all(|ack| ack == &acks[0]), "{acks:?}");
    assert_eq!(world.count("SELECT count(*) FROM incident"), 1);
    assert_eq!(world.count("SELECT count(*) FROM call"), 3);
}

#[test]
fn a_center_refuses_an_alarm_of_an_account_without_monitoring() {
    let world = World::running(&Setup { plan: "protect_basic", ..Setup::default() });
    let jti = fresh_id();
    world.say(ACCOUNT, &world.hub_key(ACCOUNT).sign(&alarm(ACCOUNT, &jti, &fresh_id())), false);
    let ack = world.acked(&jti);
    assert_eq!((&ack["result"], &ack["reason"]), (&"refused".into(), &"no_monitoring".into()), "{ack}");
    assert_eq!(world.count("SELECT count(*) FROM incident"), 0);
}

#[test]
fn a_flood_of_junk_keeps_no_alarm_back() {
    let world = World::running(&Setup::default());
    for number in 0..5_000 {
        world.say(ACCOUNT, &format!("junk {number}"), false);
    }
    let incident = world.sos("police");
    world.stage(&incident, "acknowledged");
    world.rejected("is not a compact JWS");
    assert!(world.count("SELECT count(*) FROM security") < 100, "the list is bounded");
}

#[test]
fn what_is_far_too_large_is_seen_too() {
    let world = World::running(&Setup::default());
    world.say(ACCOUNT, &"x".repeat(100_000), false);
    world.rejected("is far too large for a signal");
    let incident = world.sos("police");
    world.stage(&incident, "acknowledged");
}
