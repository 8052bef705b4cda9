//! All that the rounds need of a monitoring center: what it took, and that it closes an incident.
//!
//! The center of these tests is never killed: it is the memory that the hub is judged by.

use serde_json::json;

use crate::center::{Answers, Center};

/// An alarm signal that reached the center.
pub struct Alarm {
    pub jti: String,
    pub incident: String,
    pub service: String,
    /// A second cry, which has a `jti` of its own.
    pub repeat: bool,
}

/// The alarms that came since the mark, each copy of them.
pub fn alarms(center: &Center, since: usize) -> Vec<Alarm> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let alarms = center.calls(since).into_iter().filter(|signal| signal["kind"] == "alarm");
    alarms
        .map(|signal| Alarm {
            jti: text(&signal["jti"]),
            incident: text(&signal["incident"]),
            service: text(&signal["service"]),
            repeat: signal["repeat"] == true,
        })
        .collect()
}

/// How much has come so far.
pub fn mark(center: &Center) -> usize {
    center.mark()
}

/// Whether what it says of alarms is lost on the way.
pub fn lose_acks(center: &Center, lost: bool) {
    center.answer(if lost { Answers::AllButAlarms } else { Answers::All });
}

/// Help was there; the incident is over.
pub fn close(center: &Center, incident: &str) {
    center.update(incident, "closed", json!({}));
}
