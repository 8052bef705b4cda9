//! Disks that fail: the alarm goes out all the same, and it is said that nothing would survive a power cut.

use std::fs;

use crate::installation::{Installation, Setup};
use crate::support::disk::SmallDisk;
use crate::support::wait_until;

/// Asks until the reply says that it is on the disk: the hub waits a quarter of a second for one that is busy.
fn is_kept(home: &Installation, service: &str) {
    wait_until("what is asked for is kept", || home.app.ask("request", service)["durable"] == true);
}

#[test]
fn without_a_disk_siren_and_signal_go_out_and_the_reply_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    // Not even root can make a directory in a file.
    let file = dir.path().join("file");
    fs::write(&file, "").expect("a file");
    let home = Installation::running(Setup { state_dir: Some(file.join("state")), ..Setup::default() });
    assert!(home.app.fault("storage").contains("disk"));
    let reply = home.app.ask("request", r#"{"service": "police", "id": "x"}"#);
    assert_eq!((reply["outcome"].as_str(), reply["durable"].as_bool()), (Some("accepted"), Some(false)), "{reply}");
    assert_eq!(home.app.ask("request", r#"{"service": "police", "id": "x"}"#)["incident"], reply["incident"]);
    home.lines.siren_is(1);
    home.center.alarm(0);
    home.app.stage(reply["incident"].as_str().expect("an incident"), "acknowledged");
    assert_eq!(home.center.calls(0).len(), 1);

    // As soon as the disk works, it has what is owed to it.
    fs::remove_file(&file).expect("the file");
    home.app.no_fault("storage");
    is_kept(&home, "fire");
}

#[test]
fn a_corrupt_memory_is_put_aside_and_the_plan_survives() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    home.app.accepted("request", "police");
    home.kill();
    home.center_broker.stop();
    let database = home.state_dir().join("hub.db");
    for suffix in ["-wal", "-shm"] {
        // It may not be there.
        let _ = fs::remove_file(home.state_dir().join(format!("hub.db{suffix}")));
    }
    fs::write(&database, "this is no database\n".repeat(1_000)).expect("a broken database");
    let since = home.app.mark();
    home.start();
    home.app.availability(since, "online");
    assert!(home.app.fault("storage_put_aside").contains("corrupt"));
    let aside = fs::read(home.state_dir().join("hub.db.corrupt-1")).expect("the file that was put aside");
    assert!(aside.starts_with(b"this is no database"), "nothing is destroyed");
    let state = home.app.state_within(crate::support::DEADLINE, since, "a state", |_| true);
    assert_eq!((&state["phase"], &state["incidents"]), (&"idle".into(), &serde_json::json!([])), "{state}");
    assert_eq!(state["plan"]["standing"], "active", "{state}");
    assert!(home.lines.siren_levels().is_empty());

    home.center_broker.restart();
    is_kept(&home, "fire");
}

#[test]
fn a_full_disk_keeps_no_alarm_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some(disk) = SmallDisk::mount(&dir.path().join("disk")) else { return };
    let state_dir = Some(disk.path().join("state"));
    let home = Installation::running(Setup { countdown_seconds: 5, state_dir, ..Setup::default() });
    is_kept(&home, "siren");
    home.app.accepted("cancel", "");
    disk.fill();

    let incident = home.app.accepted("request", "police");
    // Small commits still find room in the database's own files, until that is used up.
    let is_full = (0..500).any(|_| {
        let reply = home.app.ask("request", "police");
        assert_eq!(
            (reply["outcome"].as_str(), reply["incident"].as_str()),
            (Some("accepted"), Some(&*incident)),
            "{reply}"
        );
        reply["durable"] == false
    });
    assert!(is_full, "each of 500 cries was kept on a full disk");
    home.app.fault("storage");
    home.lines.siren_is(1);
    home.center.alarm(0);
    home.app.stage(&incident, "acknowledged");

    disk.free();
    // A small commit that found room may have ended the fault before.
    is_kept(&home, "siren");
    home.app.no_fault("storage");
}
