//! An ack is the word that the disk has it.

use crate::support::disk::SmallDisk;
use crate::world::{ACCOUNT, Setup, World, alarm, fresh_id};

#[test]
fn without_room_on_the_disk_no_ack_is_given_until_there_is_some() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some(disk) = SmallDisk::mount_of(&dir.path().join("disk"), c"size=4m") else { return };
    let mut world = World::running(&Setup { state_dir: Some(disk.path().join("state")), ..Setup::default() });
    world.center_has_all();
    disk.fill();
    let key = world.hub_key(ACCOUNT);
    // What still fits into the log of the database may be acked; then nothing more is.
    let mut unacked = Vec::new();
    while unacked.len() < 3 {
        let jti = fresh_id();
        world.say(ACCOUNT, &key.sign(&alarm(ACCOUNT, &jti, &fresh_id())), false);
        crate::support::wait_until("an ack, or a disk that is full", || {
            world.acks(&jti).len() == 1 || world.center_log().contains("storage")
        });
        if world.acks(&jti).is_empty() {
            unacked.push(jti);
        }
    }
    let incident = world.sos("fire");
    let (_, claims) = world.signal(0, "alarm");
    crate::support::wait_until("the desk has the alarm", || world.center_log().contains("the fire department"));
    assert!(world.center().is_running(), "{}", world.center_log());
    assert!(unacked.iter().all(|jti| world.acks(jti).is_empty()));
    assert!(world.acks(claims["jti"].as_str().expect("a jti")).is_empty());
    // Help is on its way all the same.
    world.stage(&incident, "calling_first_contact");

    disk.free();
    // What was decided meanwhile is written and acked without being sent again, and the hub's alarm as well.
    for jti in &unacked {
        world.acked(jti);
    }
    world.acked(claims["jti"].as_str().expect("a jti"));
    world.stage(&incident, "closed");
    assert_eq!(
        world.count("SELECT count(*) FROM incident"),
        world.count("SELECT count(*) FROM signal WHERE kind = 'alarm'")
    );
}
