//! What Home Assistant is told of the hub, so that it shows up there by itself: MQTT device discovery.

use serde_json::{Map, Value, json};

use super::topics::AppTopics;
use crate::controller::words::{CommandName, Stage};

/// What Home Assistant says on [`Announcement::status_topic`] when it has started.
pub const ONLINE: &[u8] = b"online";

/// Who asked, in requests that come from Home Assistant.
pub const SOURCE: &str = "home_assistant";

/// Types of events that are no stages. `countdown` is not among them: each second of it is no event of its own there.
const OTHER_EVENTS: [&str; 7] = ["countdown_started", "siren_on", "siren_off", "refused", "fault", "restore", "test"];

/// Home Assistant's short names of the keys that most components have. With them a hub with the longest id and name, under
/// the default prefix, still passes a broker that takes 8 KiB.
const SHORT: [(&str, &str); 16] = [
    ("command_template", "cmd_tpl"),
    ("command_topic", "cmd_t"),
    ("default_entity_id", "def_ent_id"),
    ("device_class", "dev_cla"),
    ("entity_category", "ent_cat"),
    ("event_types", "evt_typ"),
    ("icon", "ic"),
    ("json_attributes_template", "json_attr_tpl"),
    ("json_attributes_topic", "json_attr_t"),
    ("payload_press", "pl_prs"),
    ("platform", "p"),
    ("state_topic", "stat_t"),
    ("state_value_template", "stat_val_tpl"),
    ("unique_id", "uniq_id"),
    ("unit_of_measurement", "unit_of_meas"),
    ("value_template", "val_tpl"),
];

/// A text must stay within the longest state that Home Assistant keeps.
const MESSAGE: &str = "{{ value_json.message | truncate(255, true, '…', 0) }}";
/// The stage of the newest incident. When none is left, what stood there stays.
const LAST_INCIDENT: &str = "{% set last = value_json.incidents | last %}\
    {{ last.service ~ ': ' ~ last.stage if last else this.state }}";
const EVENT: &str =
    "{% if value_json.type != 'countdown' %}{{ dict(value_json, event_type=value_json.type) | to_json }}{% endif %}";

/// What there is to announce.
pub struct Announcement {
    /// `home_assistant.prefix`.
    pub prefix: String,
    pub topics: AppTopics,
    /// `hub.name`.
    pub name: String,
    /// The program's version.
    pub version: &'static str,
    /// The length of a countdown, in seconds.
    pub countdown_seconds: u64,
    /// Where browsers find the panel, if that is known.
    pub panel: Option<String>,
}

impl Announcement {
    /// Where the announcement is published, retained. An empty payload there takes the device back.
    pub fn topic(&self) -> String {
        format!("{}/device/{}/config", self.prefix, self.id())
    }

    /// Where Home Assistant says that it has started.
    pub fn status_topic(&self) -> String {
        format!("{}/status", self.prefix)
    }

    /// The payload; `with_siren`: whether the hub hears Home Assistant's switch of the siren. It has no key that Home
    /// Assistant does not know: one in `device` or `origin` would cost the whole device.
    pub fn payload(&self, with_siren: bool) -> Vec<u8> {
        let mut device = json!({
            "identifiers": [self.id()],
            "name": format!("SOS hub {}", self.name),
            "manufacturer": "sos-hub",
            "model": "SOS hub",
            "sw_version": self.version,
        });
        if let Some(panel) = &self.panel {
            device["configuration_url"] = panel.as_str().into();
        }
        let payload = json!({
            "device": device,
            "origin": { "name": "sos-hub", "sw_version": self.version },
            "availability_topic": self.topics.availability(),
            "state_topic": self.topics.state(),
            "components": self.components(with_siren),
        });
        payload.to_string().into_bytes()
    }

    /// Neither topic nor identifiers may meet those of another program.
    fn id(&self) -> String {
        format!("sos-hub-{}", self.topics.hub)
    }

    fn components(&self, with_siren: bool) -> Map<String, Value> {
        let state = self.topics.state();
        let event = self.topics.event();
        let all = [
            // The platform alone takes back a component that was announced before.
            if with_siren { self.siren() } else { ("siren".to_owned(), json!({ "platform": "siren" })) },
            self.button("police", "Request police", "mdi:police-badge", CommandName::Request),
            self.button("fire", "Request fire department", "mdi:fire-truck", CommandName::Request),
            self.button("siren_only", "Sound siren only", "mdi:bullhorn", CommandName::Request),
            self.button("cancel", "Cancel countdown", "mdi:close-octagon", CommandName::Cancel),
            self.button("silence", "Silence siren", "mdi:volume-off", CommandName::Silence),
            self.entity("sensor", "phase", "Phase", json!({
                "device_class": "enum", "options": ["idle", "countdown", "alarm"], "icon": "mdi:shield-alert",
                "value_template": "{{ value_json.phase }}", "json_attributes_topic": state,
                "json_attributes_template": "{{ {'incidents': value_json.incidents} | to_json }}",
            })),
            self.entity("sensor", "message", "Message", json!({
                "icon": "mdi:message-alert", "value_template": MESSAGE,
            })),
            self.entity("sensor", "countdown", "Countdown", json!({
                "state_topic": event, "device_class": "duration", "unit_of_measurement": "s", "icon": "mdi:timer-sand",
                "value_template": self.countdown(),
            })),
            self.entity("sensor", "last_incident", "Last incident", json!({
                "icon": "mdi:history", "value_template": LAST_INCIDENT,
            })),
            self.entity("sensor", "plan", "Plan", json!({
                "device_class": "enum", "options": ["active", "unconfirmed", "denied", "not_provisioned"],
                "icon": "mdi:file-certificate", "entity_category": "diagnostic",
                // "unknown" would pass for a sensor without a value.
                "value_template": "{{ value_json.plan.standing | replace('unknown', 'not_provisioned') }}",
            })),
            self.binary("alarm", "Alarm", "value_json.phase == 'alarm'", json!({ "device_class": "safety" })),
            self.binary("ready", "Ready", "value_json.ready", json!({ "icon": "mdi:shield-check" })),
            self.binary("link", "Monitoring center", "value_json.center.link == 'up'", json!({
                "device_class": "connectivity", "entity_category": "diagnostic",
            })),
            self.binary("faults", "Faults", "value_json.faults", json!({
                "device_class": "problem", "entity_category": "diagnostic", "json_attributes_topic": state,
                "json_attributes_template": "{{ {'faults': value_json.faults} | to_json }}",
            })),
            self.entity("event", "event", "Event", json!({
                "state_topic": event, "event_types": event_types(), "icon": "mdi:bell-alert", "value_template": EVENT,
            })),
        ];
        all.into_iter().map(|(object, entity)| (object, shortened(entity))).collect()
    }

    /// On is a request like any other, with its countdown; off is a silence. Home Assistant says both on one topic, at
    /// QoS 0 for the reason that [`Self::button`] has.
    fn siren(&self) -> (String, Value) {
        self.entity(
            "siren",
            "siren",
            "Siren",
            json!({
                "command_topic": self.topics.siren(), "qos": 0, "icon": "mdi:alarm-light",
                "support_duration": false, "support_volume_set": false,
                "state_value_template": "{{ 'ON' if value_json.siren.sounding else 'OFF' }}",
            }),
        )
    }

    /// At QoS 1 Home Assistant sends a press again when a connection broke off under it, perhaps minutes later. A request
    /// tells by its time and id that it is old or was heard before. A late cancel would abort a newer countdown, and has
    /// nothing to tell it by: so it goes at QoS 0, which is never sent again.
    fn button(&self, object: &str, name: &str, icon: &str, command: CommandName) -> (String, Value) {
        let topic = self.topics.command(command);
        let service = if object == "siren_only" { "siren" } else { object };
        let keys = match command {
            CommandName::Request => json!({
                "command_topic": topic, "command_template": request_template(service), "icon": icon,
            }),
            _ => json!({ "command_topic": topic, "payload_press": "{}", "qos": 0, "icon": icon }),
        };
        self.entity("button", object, name, keys)
    }

    fn binary(&self, object: &str, name: &str, condition: &str, keys: Value) -> (String, Value) {
        let template = format!("{{{{ 'ON' if {condition} else 'OFF' }}}}");
        let (object, mut entity) = self.entity("binary_sensor", object, name, keys);
        entity["value_template"] = template.into();
        (object, entity)
    }

    /// What every entity has, and `keys`.
    fn entity(&self, platform: &str, object: &str, name: &str, mut keys: Value) -> (String, Value) {
        let slug = self.topics.hub.to_lowercase().replace('-', "_");
        keys["platform"] = platform.into();
        keys["name"] = name.into();
        keys["unique_id"] = format!("{}-{object}", self.id()).into();
        keys["default_entity_id"] = format!("{platform}.sos_{slug}_{object}").into();
        if keys.get("qos").is_none() {
            keys["qos"] = 1.into();
        }
        (object.to_owned(), keys)
    }

    /// Seconds left, from the events; what says nothing of a countdown leaves the value.
    fn countdown(&self) -> String {
        format!(
            "{{% set type = value_json.type %}}{{% if type == 'countdown_started' %}}{}\
             {{% elif type == 'countdown' %}}{{{{ value_json.remaining }}}}\
             {{% elif type in ['aborted', 'sounding', 'requested'] %}}0{{% endif %}}",
            self.countdown_seconds
        )
    }
}

/// What Home Assistant makes a request of when its button is pressed: each press has a time and an id of its own.
fn request_template(service: &str) -> String {
    format!(
        r#"{{"service":"{service}","source":"{SOURCE}","id":"{{{{utcnow().isoformat()}}}}-{{{{range(99999)|random}}}}","sent_at":"{{{{utcnow().isoformat()}}}}"}}"#
    )
}

fn shortened(entity: Value) -> Value {
    let Value::Object(keys) = entity else { return entity };
    let short = |key: String| SHORT.iter().find(|(long, _)| *long == key).map_or(key, |(_, short)| (*short).to_owned());
    Value::Object(keys.into_iter().map(|(key, value)| (short(key), value)).collect())
}

fn event_types() -> Vec<&'static str> {
    let stages = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Countdown).map(Stage::as_str);
    stages.chain(OTHER_EVENTS).collect()
}
