//! Heartbeats tell whether a hub is alive.

use crate::support::wait_until;
use crate::world::{ACCOUNT, Setup, World, topic};

fn said(world: &World, words: &str) -> bool {
    world.center_log().lines().any(|line| line.contains(ACCOUNT) && line.contains(words))
}

#[test]
fn a_hub_that_is_silent_is_offline_until_it_is_heard_again() {
    let mut world = World::running(&Setup::default());
    world.center_has_all();
    world.kill_hub();
    // The broker's word is a hint at most.
    world.spy.publish(&topic("link"), "online", true);
    wait_until("the hub is offline", || said(&world, "offline"));
    world.start_hub();
    wait_until("the hub is online again", || said(&world, "online again"));
}

#[test]
fn a_fault_of_the_hub_and_its_end_are_known() {
    let world = World::running(&Setup::default());
    world.center_has_all();
    // The hub says of its own accord what the center hears: a forged word from the center's side is one.
    world.spy.publish(&topic("update"), "forged", false);
    wait_until("the fault is in the books", || world.count("SELECT count(*) FROM hub_fault") == 1);
}
