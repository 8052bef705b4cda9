//! How the center starts and ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::world::{Setup, World};

#[test]
fn it_is_ready_without_its_broker_and_works_once_that_is_there() {
    let mut world = World::new(&Setup::default());
    world.broker.stop();
    world.start_center();
    world.broker.restart();
    world.start_hub();
    let incident = world.sos("police");
    world.stage(&incident, "acknowledged");
    world.stop_center();
}

#[test]
fn its_key_is_made_for_its_eyes_alone() {
    let world = World::new(&Setup::default());
    let key = fs::metadata(world.state_dir().join("center.key")).expect("the key");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_account_with_a_plan_that_is_not_configured_is_a_mistake_of_the_configuration() {
    let mut world = World::new(&Setup::default());
    let toml = fs::read_to_string(world.center_toml()).expect("center.toml");
    fs::write(world.center_toml(), toml + "[plans]\ngold = { professional_monitoring = true }\n").expect("center.toml");
    let status = world.start_center_without_waiting().ended();
    assert_eq!(status.code(), Some(78), "{}", world.center_log());
    let log = world.center_log();
    assert!(log.contains("a-1234") && log.contains("protect_plus") && log.contains("[plans]"), "{log}");
}

#[test]
fn a_database_that_is_none_is_left_alone_and_a_sentence_says_so() {
    let mut world = World::new(&Setup::default());
    let database = world.state_dir().join("center.db");
    fs::write(&database, "this is no database\n".repeat(1_000)).expect("a broken database");
    let status = world.start_center_without_waiting().ended();
    assert_eq!(status.code(), Some(1), "{}", world.center_log());
    assert!(world.center_log().contains("center.db"), "{}", world.center_log());
    assert!(fs::read(&database).expect("the file").starts_with(b"this is no database"));
}

#[test]
fn a_console_whose_port_is_taken_says_so() {
    let mut world = World::new(&Setup::default());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let toml = fs::read_to_string(world.center_toml()).expect("center.toml");
    fs::write(world.center_toml(), toml.replace("127.0.0.1:0", &address)).expect("center.toml");
    let status = world.start_center_without_waiting().ended();
    assert_eq!(status.code(), Some(1), "{}", world.center_log());
    assert!(world.center_log().contains(&address), "{}", world.center_log());
}
