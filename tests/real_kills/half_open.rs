//! A broker stands still: its connections are open, and nothing comes back.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::installation::{Installation, Setup};
use crate::lines::POLICE_BUTTON;

#[test]
fn an_alarm_raised_before_a_frozen_broker_arrives_once_when_it_moves_again_though_the_hub_was_killed() {
    let mut home = Installation::running(Setup::default());
    home.center_broker.pause();
    let mark = home.app.mark();
    let incident = home.app.accepted("request", "police");
    home.lines.siren_is(1);
    home.app.event(mark, "requested");
    // Its first signal waits in the frozen broker's socket; the next process dials a broker that never answers.
    home.kill();
    let mark = home.app.mark();
    home.start();
    home.app.availability(mark, "online");
    home.app.stage(&incident, "requested");
    home.center_broker.resume();
    home.app.stage(&incident, "acknowledged");
    home.center.has_all();
    let alarms = home.center.calls(0);
    let jtis: BTreeSet<&str> = alarms.iter().filter_map(|alarm| alarm["jti"].as_str()).collect();
    assert_eq!(jtis.len(), 1, "{alarms:?}");
    assert!(alarms.iter().all(|alarm| alarm["incident"] == incident.as_str()), "{alarms:?}");
}

#[test]
fn a_frozen_broker_at_home_holds_neither_button_nor_siren_nor_alarm_back() {
    let home = Installation::running(Setup::default());
    let mark = home.app.mark();
    home.home.pause();
    home.lines.press(POLICE_BUTTON);
    home.lines.siren_is(1);
    home.lines.release(POLICE_BUTTON);
    let alarm = home.center.alarm(0);
    home.center.has_all();
    assert_eq!(home.center.calls(0).len(), 1);
    home.home.resume();
    // Nothing of it is kept from people, and nothing is told twice.
    let incident = alarm["incident"].as_str().expect("an incident");
    home.app.stage(incident, "acknowledged");
    home.app.event(mark, "acknowledged");
    let told: Vec<Value> = home.app.events(mark).into_iter().filter(|event| event["incident"] == incident).collect();
    for kind in ["countdown_started", "requested", "acknowledged"] {
        let seqs: BTreeSet<u64> =
            told.iter().filter(|event| event["type"] == kind).filter_map(|event| event["seq"].as_u64()).collect();
        assert_eq!(seqs.len(), 1, "{kind}: {told:?}");
    }
}
