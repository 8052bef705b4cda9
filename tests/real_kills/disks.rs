//! The hub is killed on a disk that is full, and started on one that is full or read-only.

use serde_json::Value;

use crate::center::Answers;
use crate::installation::{Installation, Setup};
use crate::lane::RIGHT_AFTER;
use crate::lines::{SIREN, monotonic};
use crate::support::disk::SmallDisk;
use crate::support::wait_until;

#[test]
fn an_alarm_goes_on_when_the_hub_is_killed_on_a_full_disk_and_started_on_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some(disk) = SmallDisk::mount(&dir.path().join("disk")) else { return };
    let mut home = on(&disk);
    home.center.answer(Answers::AllButAlarms);
    let police = home.app.accepted("request", r#"{"service": "police", "id": "p"}"#);
    home.lines.siren_is(1);
    let first = home.center.alarm(0);
    home.app.event(0, "requested");
    disk.fill();
    home.kill();

    let (mark, at_center) = (home.app.mark(), home.center.mark());
    let started = monotonic();
    home.start();
    let again = || home.lines.edges(SIREN).into_iter().find(|edge| edge.level == 1 && edge.at > started);
    wait_until("the siren goes on", || again().is_some_and(|edge| edge.at < started + RIGHT_AFTER));
    home.in_use_again(mark);
    assert_eq!(home.center.alarm(at_center)["jti"], first["jti"], "one alarm, whatever the disk does");
    home.center.answer(Answers::All);
    home.app.stage(&police, "acknowledged");
    // What it knew of the past it still knows.
    let again = home.app.ask("request", r#"{"service": "police", "id": "p"}"#);
    assert_eq!(again["incident"], police.as_str(), "{again}");
    works_without_its_disk(&home, "fire");
    disk.free();
    works_with_it_again(&mut home);
}

#[test]
fn a_hub_that_starts_on_a_read_only_disk_acts_and_remembers_once_it_can_write() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some(disk) = SmallDisk::mount(&dir.path().join("disk")) else { return };
    let mut home = on(&disk);
    let past = home.app.accepted("request", "siren");
    home.app.accepted("cancel", "");
    home.app.stage(&past, "aborted");
    home.stop();
    disk.read_only(true);

    let mark = home.app.mark();
    home.start();
    home.in_use_again(mark);
    assert!(home.app.fault("storage").contains("disk"));
    works_without_its_disk(&home, "police");
    disk.read_only(false);
    works_with_it_again(&mut home);
}

fn on(disk: &SmallDisk) -> Installation {
    let state_dir = Some(disk.path().join("state"));
    Installation::running(Setup { countdown_seconds: 5, state_dir, ..Setup::default() })
}

/// Siren and signal all the same, and it is said that nothing would survive.
fn works_without_its_disk(home: &Installation, service: &str) {
    let at_center = home.center.mark();
    let reply = home.app.ask("request", &format!(r#"{{"service": "{service}", "id": "dark"}}"#));
    assert_eq!((reply["outcome"].as_str(), reply["durable"].as_bool()), (Some("accepted"), Some(false)), "{reply}");
    home.app.fault("storage");
    home.lines.siren_is(1);
    let alarm = home.center.alarm(at_center);
    assert_eq!((&alarm["incident"], alarm["service"].as_str()), (&reply["incident"], Some(service)), "{alarm}");
    home.app.stage(reply["incident"].as_str().expect("an incident"), "acknowledged");
}

/// What came while there was no disk is on it, also for the next process.
fn works_with_it_again(home: &mut Installation) {
    home.app.no_fault("storage");
    // The hub waits a quarter of a second for a disk that is busy.
    let mut incident = Value::Null;
    wait_until("it is on disk", || {
        incident = home.app.ask("request", "siren");
        incident["durable"] == true
    });
    home.app.stage(incident["incident"].as_str().expect("an incident"), "sounding");
    let known = |home: &Installation| {
        let state = home.app.state("what is open", |_| true);
        let open = state["incidents"].as_array().expect("incidents").iter();
        open.map(|incident| (incident["id"].clone(), incident["stage"].clone())).collect::<Vec<(Value, Value)>>()
    };
    let before = known(home);
    let at_center = home.center.mark();
    let mark = home.app.mark();
    home.kill();
    home.start();
    home.in_use_again(mark);
    let open = |(_, stage): &(Value, Value)| stage != "aborted" && stage != "closed";
    let before: Vec<_> = before.into_iter().filter(open).collect();
    assert_eq!(known(home).into_iter().filter(open).collect::<Vec<_>>(), before);
    home.center.has_all();
    assert!(home.center.calls(at_center).is_empty(), "nothing is said twice");
}
