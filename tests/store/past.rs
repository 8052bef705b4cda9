//! The history, read beside the hub.

use serde_json::json;
use sos_hub::controller::effect::{IncidentRecord, Record};
use sos_hub::controller::moment::Wall;
use sos_hub::controller::words::Stage;
use sos_hub::store::history::{self, HistoryError};
use tempfile::tempdir;

use crate::hub::{Hub, found_in};
use crate::records::*;

#[test]
fn the_history_shows_incidents_newest_first_with_their_steps_while_the_hub_writes() {
    let dir = tempdir().unwrap();
    let hub = Hub::started(dir.path());
    let (number, other) = (0x0193_5a5a_0000_7000_8000_0000_0000_0001, 2);
    hub.commit(vec![Record::Incident(incident(number)), Record::Step(step(number, 4, Stage::Requested))]);
    hub.commit(vec![Record::Incident(ended(number)), Record::Step(step(number, 9, Stage::Closed))]);
    hub.commit(vec![Record::Incident(incident(other))]);

    let past = history::read(dir.path(), 10).unwrap();
    assert_eq!(past[0].id, "00000000-0000-0000-0000-000000000002");
    assert_eq!(
        serde_json::to_value(&past[1]).unwrap(),
        json!({
            "id": "01935a5a-0000-7000-8000-000000000001",
            "service": "police",
            "source": "button:hallway",
            "user": "Ann",
            "stage": "closed",
            "accepted_at": "2026-11-22T10:00:00.000Z",
            "clock": "synced",
            "ended_at": "2026-11-22T10:01:40.123Z",
            "resumed": false,
            "steps": [
                {"seq": 4, "stage": "requested", "at": "2026-11-22T10:00:00.004Z", "clock": "unsynced",
                 "message": "This is requested."},
                {"seq": 9, "stage": "closed", "at": "2026-11-22T10:00:00.009Z", "clock": "unsynced",
                 "message": "This is closed."},
            ],
        })
    );
    assert_eq!(history::read(dir.path(), 1).unwrap().len(), 1);

    // Reads while writes are on their way: each read is of one moment.
    for number in 10..200u128 {
        let steps = [Record::Step(step(number, 1, Stage::Requested)), Record::Step(step(number, 2, Stage::Closed))];
        let ticket = hub.persist([Record::Incident(ended(number))].into_iter().chain(steps).collect());
        let past = history::read(dir.path(), 1000).unwrap();
        assert!(past.iter().all(|entry| entry.stage != "closed" || entry.steps.len() == 2), "{past:?}");
        hub.committed(ticket);
    }
    assert_eq!(history::read(dir.path(), 1000).unwrap().len(), 192);
    hub.stop();
}

#[test]
fn a_time_beyond_the_calendar_is_shown_as_its_end() {
    let dir = tempdir().unwrap();
    let hub = Hub::started(dir.path());
    let mut strange = ended(1);
    strange.accepted_wall = Wall(i64::MIN);
    strange.ended_wall = Some(Wall(i64::MAX));
    hub.commit(vec![Record::Incident(strange)]);
    hub.stop();
    let past = history::read(dir.path(), 1).unwrap();
    assert!(past[0].accepted_at.starts_with("-009999-"), "{}", past[0].accepted_at);
    assert!(past[0].ended_at.as_deref().unwrap().starts_with("9999-"), "{:?}", past[0].ended_at);
}

#[test]
fn the_memory_of_the_version_before_is_read_and_taken_over() {
    let dir = tempdir().unwrap();
    let hub = Hub::started(dir.path());
    let acknowledged = IncidentRecord { stage: Stage::Acknowledged, taken: true, ..incident(2) };
    hub.commit(vec![Record::Incident(incident(1)), Record::Incident(acknowledged.clone())]);
    hub.stop();
    // That version did not write down what the center has taken.
    let step_back = "ALTER TABLE incident DROP COLUMN taken; PRAGMA user_version = 1;";
    rusqlite::Connection::open(dir.path().join("hub.db")).unwrap().execute_batch(step_back).unwrap();
    assert_eq!(history::read(dir.path(), 10).unwrap().len(), 2, "before the hub has been there");
    let mut incidents = found_in(dir.path()).restored.incidents;
    incidents.sort_by_key(|incident| incident.id);
    assert_eq!(incidents, [incident(1), acknowledged]);
}

#[test]
fn what_is_no_history_is_said_so_and_left_alone() {
    let dir = tempdir().unwrap();
    assert!(matches!(history::read(dir.path(), 1), Err(HistoryError::Missing(_))));
    let database = dir.path().join("hub.db");
    std::fs::write(&database, "rubbish ".repeat(1000)).unwrap();
    assert!(matches!(history::read(dir.path(), 1), Err(HistoryError::Unreadable { .. })));
    std::fs::remove_file(&database).unwrap();
    rusqlite::Connection::open(&database).unwrap().execute_batch("CREATE TABLE incident (a)").unwrap();
    let error = history::read(dir.path(), 1).unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");
    assert_eq!(dir.path().read_dir().unwrap().count(), 1);
}
