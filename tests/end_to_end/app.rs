//! The app: commands go through `mosquitto_pub` (MQTT 3.1.1), and an MQTT 5 client sees all that the hub says.

use std::process::{Command, Stdio};
use std::time::Duration;

use rumqttc::v5::mqttbytes::v5::PublishProperties;
use serde_json::Value;

use crate::client::{Client, Heard, options};
use crate::installation::HUB;
use crate::support::DEADLINE;

/// A user and a password.
pub type Login = (&'static str, &'static str);

pub struct App {
    pub client: Client,
    port: u16,
    login: Option<Login>,
}

impl App {
    pub fn connect(port: u16, login: Option<Login>) -> App {
        let mut options = options("app", port);
        if let Some((name, password)) = login {
            options.set_credentials(name, password);
        }
        App { client: Client::connect(options, "#"), port, login }
    }

    /// `mosquitto_pub` to this topic of the hub's; no payload is an empty message.
    pub fn send(&self, command: &str, payload: &str) {
        self.publish(command, payload, &[]);
    }

    pub fn send_retained(&self, command: &str, payload: &str) {
        self.publish(command, payload, &["-r"]);
    }

    fn publish(&self, command: &str, payload: &str, more: &[&str]) {
        let mut publisher = Command::new("mosquitto_pub");
        publisher.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1", "-t", &topic(command)]);
        publisher.args(if payload.is_empty() { vec!["-n"] } else { vec!["-m", payload] }).args(more);
        if let Some((name, password)) = self.login {
            publisher.args(["-u", name, "-P", password]);
        }
        let status = publisher.stdin(Stdio::null()).status().expect("mosquitto_pub (package mosquitto-clients)");
        assert!(status.success(), "mosquitto_pub: {status}");
    }

    /// Sends a command and waits for its reply.
    pub fn ask(&self, command: &str, payload: &str) -> Value {
        let since = self.mark();
        let id = serde_json::from_str::<Value>(payload).map_or(Value::Null, |payload| payload["id"].clone());
        self.send(command, payload);
        self.client.wait(&format!("the reply to {command} {payload}"), since, |heard| {
            all(heard, "reply").into_iter().find(|reply| reply["command"] == command && reply["id"] == id)
        })
    }

    /// Sends a command that must be accepted; gives the incident of the reply, which is then there.
    pub fn accepted(&self, command: &str, payload: &str) -> String {
        let reply = self.ask(command, payload);
        assert_eq!(reply["outcome"], "accepted", "{reply}");
        reply["incident"].as_str().unwrap_or_default().to_owned()
    }

    /// Sends a command that must be refused; gives the reason.
    pub fn refused(&self, command: &str, payload: &str) -> String {
        let reply = self.ask(command, payload);
        assert_eq!(reply["outcome"], "refused", "{reply}");
        assert!(reply["durable"].is_null(), "{reply}");
        reply["reason"].as_str().expect("a reason").to_owned()
    }

    /// MQTT 5, with a Response Topic and Correlation Data.
    pub fn ask_with_response_topic(&self, command: &str, payload: &str, response_topic: &str, correlation: &[u8]) {
        let properties = PublishProperties {
            response_topic: Some(response_topic.to_owned()),
            correlation_data: Some(correlation.to_vec().into()),
            ..PublishProperties::default()
        };
        self.client.publish_with(&topic(command), payload, properties);
    }

    pub fn mark(&self) -> usize {
        self.client.mark()
    }

    /// The first reply since the mark.
    pub fn reply(&self, since: usize) -> Value {
        self.client.wait("a reply", since, |heard| all(heard, "reply").into_iter().next())
    }

    pub fn replies(&self, since: usize) -> Vec<Value> {
        all(&self.client.heard(since), "reply")
    }

    /// The first event of this type since the mark.
    pub fn event(&self, since: usize, kind: &str) -> Value {
        self.event_that(since, kind, |_| true)
    }

    pub fn event_that(&self, since: usize, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.client.wait(&format!("the event {kind}"), since, |heard| {
            all(heard, "event").into_iter().find(|event| event["type"] == kind && is_it(event))
        })
    }

    pub fn events(&self, since: usize) -> Vec<Value> {
        all(&self.client.heard(since), "event")
    }

    /// The types of the events since the mark.
    pub fn kinds(&self, since: usize) -> Vec<String> {
        self.events(since).iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
    }

    /// How many events of this type there were since the mark.
    pub fn count(&self, since: usize, kind: &str) -> usize {
        self.kinds(since).iter().filter(|one| *one == kind).count()
    }

    /// Waits until the latest state is like this; gives it.
    pub fn state(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.state_within(DEADLINE, 0, what, is_it)
    }

    /// The same of a state that came after the mark.
    pub fn state_within(&self, time: Duration, since: usize, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.client.wait_within(time, &format!("the state: {what}"), since, |heard| {
            let latest = heard.iter().rev().find(|one| one.topic == topic("state"))?.json();
            is_it(&latest).then_some(latest)
        })
    }

    /// Waits until an incident's latest state has this stage; gives the incident.
    pub fn stage(&self, incident: &str, stage: &str) -> Value {
        let state = self.state(&format!("{incident} at {stage}"), |state| {
            find(state, incident).is_some_and(|found| found["stage"] == stage)
        });
        find(&state, incident).expect("the incident")
    }

    /// Waits until this fault stands; gives its message.
    pub fn fault(&self, code: &str) -> String {
        let state = self.state(&format!("the fault {code}"), |state| fault(state, code).is_some());
        fault(&state, code).expect("the fault")
    }

    pub fn no_fault(&self, code: &str) {
        self.state(&format!("no fault {code}"), |state| fault(state, code).is_none());
    }

    /// Waits until the hub's availability is this word.
    pub fn availability(&self, since: usize, word: &str) {
        self.client.wait(&format!("availability {word}"), since, |heard| {
            let latest = heard.iter().rev().find(|one| one.topic == topic("availability"))?;
            (latest.payload == word.as_bytes()).then_some(())
        });
    }
}

pub fn topic(last_level: &str) -> String {
    format!("sos/{HUB}/{last_level}")
}

/// An incident of a state.
pub fn find(state: &Value, incident: &str) -> Option<Value> {
    state["incidents"].as_array()?.iter().find(|one| one["id"] == incident).cloned()
}

/// The message of a fault of a state.
pub fn fault(state: &Value, code: &str) -> Option<String> {
    let fault = state["faults"].as_array()?.iter().find(|fault| fault["code"] == code)?;
    fault["message"].as_str().map(str::to_owned)
}

fn all(heard: &[Heard], last_level: &str) -> Vec<Value> {
    let topic = topic(last_level);
    heard.iter().filter(|one| one.topic == topic).map(Heard::json).collect()
}
