//! The monitoring center of the tests: it believes only the hub's key, and answers as the test wants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::QoS;
use serde_json::{Value, json};

use crate::client::{Client, Heard};
use crate::installation::{ACCOUNT, HUB};
use crate::tokens::{self, Key};

/// Part of every name of a person that a test uses: no line of the log may have it.
pub const PRIVATE: &str = "Privatus";

/// What the center does with a signal, heartbeats included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    All,
    /// Alarms are lost on their way to the center.
    AllButAlarms,
    Nothing,
    /// Alarms are refused for this reason, all else is accepted.
    RefusesAlarms(&'static str),
    /// The same of tests.
    RefusesTests(&'static str),
    /// As for an account that was closed.
    RefusesAll(&'static str),
}

pub struct Center {
    client: Client,
    pub key: Arc<Key>,
    hub_public: Vec<u8>,
    desk: Arc<Mutex<Desk>>,
}

struct Desk {
    answers: Answers,
    ack_seq: u64,
    /// The ack of each signal, to be said again for a repeat.
    acks: HashMap<String, String>,
    /// Of each incident.
    update_seq: HashMap<String, u64>,
}

impl Center {
    pub fn connect(options: MqttOptions, key: Arc<Key>, hub_public: &[u8]) -> Center {
        let desk = Desk { answers: Answers::All, ack_seq: 0, acks: HashMap::new(), update_seq: HashMap::new() };
        let desk = Arc::new(Mutex::new(desk));
        let (its_desk, its_key, its_hub) = (Arc::clone(&desk), Arc::clone(&key), hub_public.to_vec());
        let hook = move |heard: &Heard, client: &rumqttc::v5::Client| {
            let Some(claims) = claims(heard, &its_hub) else { return };
            let ack = its_desk.lock().unwrap_or_else(PoisonError::into_inner).ack(&claims, &its_key);
            if let Some(ack) = ack {
                client.try_publish(topic("ack"), QoS::AtLeastOnce, false, ack).expect("room for an ack");
            }
        };
        let client = Client::connect_with(options, "center/#", Box::new(hook));
        Center { client, key, hub_public: hub_public.to_vec(), desk }
    }

    pub fn answer(&self, answers: Answers) {
        self.desk.lock().expect("the desk").answers = answers;
    }

    pub fn mark(&self) -> usize {
        self.client.mark()
    }

    /// The verified claims of all that the hub has sent since the mark.
    pub fn signals(&self, since: usize) -> Vec<Value> {
        signals(&self.client.heard(since), &self.hub_public)
    }

    /// The same without heartbeats, and without the faults and restores of the hub.
    pub fn calls(&self, since: usize) -> Vec<Value> {
        let is_call = |signal: &Value| ["alarm", "cancel_request", "test"].contains(&kind(signal));
        self.signals(since).into_iter().filter(is_call).collect()
    }

    /// Waits for a signal of this kind, the one with this number (from 0) since the mark.
    pub fn signal(&self, since: usize, wanted: &str, number: usize) -> Value {
        let find = |heard: &[Heard]| {
            signals(heard, &self.hub_public).into_iter().filter(|signal| kind(signal) == wanted).nth(number)
        };
        self.client.wait(&format!("a signal of kind {wanted} at the center"), since, find)
    }

    pub fn alarm(&self, since: usize) -> Value {
        self.signal(since, "alarm", 0)
    }

    /// Waits until whatever the hub had to send by now must be here: it sends in order, and two heartbeats follow.
    pub fn has_all(&self) {
        self.signal(self.mark(), "heartbeat", 1);
    }

    /// `online` or `offline` on the hub's topic `link`.
    pub fn link(&self, word: &str) {
        let said = |heard: &[Heard]| {
            heard
                .iter()
                .rev()
                .find(|one| one.topic == topic("link"))
                .filter(|one| one.payload == word.as_bytes())
                .map(|_| ())
        };
        self.client.wait(&format!("{word} on the center's topic link"), 0, said);
    }

    /// An ack of this signal with a new `seq`.
    pub fn ack(&self, jti: &str) {
        let ack = self.ack_token(jti, &self.key);
        self.say("ack", &ack);
    }

    /// The ack that would be said now, signed by any key.
    pub fn ack_token(&self, jti: &str, key: &Key) -> String {
        let mut desk = self.desk.lock().expect("the desk");
        desk.ack_seq += 1;
        key.sign(&ack_claims(ACCOUNT, jti, "accepted", None, desk.ack_seq))
    }

    /// The next update of an incident; `more` are its further claims.
    pub fn update(&self, incident: &str, stage: &str, more: Value) {
        let seq = {
            let mut desk = self.desk.lock().expect("the desk");
            let seq = desk.update_seq.entry(incident.to_owned()).or_default();
            *seq += 1;
            *seq
        };
        self.say("update", &self.key.sign(&update_claims(ACCOUNT, incident, seq, stage, more)));
    }

    /// A new plan token, retained.
    pub fn plan(&self, plan: &str, serial: u64) {
        self.client.publish(&topic("plan"), self.key.sign(&plan_claims(ACCOUNT, plan, serial)), true);
    }

    /// As somebody would who has got into the broker.
    pub fn say(&self, last_level: &str, token: &str) {
        self.client.publish(&topic(last_level), token, false);
    }

    /// What was said on this topic since the mark, by whoever has the center's key; panics if somebody else spoke.
    #[allow(dead_code, reason = "the real kills hear another center with it")]
    pub fn said(&self, since: usize, last_level: &str) -> Vec<Value> {
        let heard = self.client.heard(since).into_iter().filter(|one| one.topic == topic(last_level));
        let verified = |one: Heard| {
            tokens::verify(&one.payload, self.key.public())
                .unwrap_or_else(|problem| panic!("not the center's word ({problem}): {}", one.text()))
        };
        heard.map(verified).collect()
    }

    pub fn connections(&self) -> usize {
        self.client.connections()
    }

    pub fn connected(&self, times: usize) {
        self.client.connected(times);
    }
}

impl Desk {
    fn ack(&mut self, claims: &Value, key: &Key) -> Option<String> {
        let is_alarm = kind(claims) == "alarm";
        let (result, reason) = match self.answers {
            Answers::Nothing => return None,
            Answers::AllButAlarms if is_alarm => return None,
            Answers::RefusesAlarms(reason) if is_alarm => ("refused", Some(reason)),
            Answers::RefusesTests(reason) if kind(claims) == "test" => ("refused", Some(reason)),
            Answers::RefusesAll(reason) => ("refused", Some(reason)),
            _ => ("accepted", None),
        };
        let jti = claims["jti"].as_str().expect("a jti").to_owned();
        if let Some(ack) = self.acks.get(&jti) {
            return Some(ack.clone());
        }
        self.ack_seq += 1;
        let ack = key.sign(&ack_claims(ACCOUNT, &jti, result, reason, self.ack_seq));
        self.acks.insert(jti, ack.clone());
        Some(ack)
    }
}

pub fn topic(last_level: &str) -> String {
    format!("center/{ACCOUNT}/{last_level}")
}

pub fn ack_claims(account: &str, jti: &str, result: &str, reason: Option<&str>, seq: u64) -> Value {
    let mut claims = json!({"account": account, "signal": jti, "result": result, "seq": seq, "received_at": "2026-11-22T10:00:00.000Z"});
    if let Some(reason) = reason {
        claims["reason"] = json!(reason);
    }
    claims
}

pub fn update_claims(account: &str, incident: &str, seq: u64, stage: &str, more: Value) -> Value {
    let mut claims = json!({
        "account": account, "incident": incident, "seq": seq, "stage": stage, "at": "2026-11-22T10:00:00.000Z",
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        claims[key] = value.clone();
    }
    claims
}

/// A plan of the standard center, valid for a day from now.
#[expect(clippy::disallowed_methods, reason = "the hub judges it by the wall clock of this machine")]
pub fn plan_claims(account: &str, plan: &str, serial: u64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    json!({
        "account": account, "plan": plan, "professional_monitoring": plan == "protect_plus", "missing": [],
        "serial": serial, "iat": now, "exp": now + 24 * 3_600,
    })
}

fn kind(signal: &Value) -> &str {
    signal["kind"].as_str().unwrap_or_default()
}

fn signals(heard: &[Heard], hub_public: &[u8]) -> Vec<Value> {
    heard.iter().filter_map(|one| claims(one, hub_public)).collect()
}

/// What a signal of the hub says; panics if it is not as the contract has it.
fn claims(heard: &Heard, hub_public: &[u8]) -> Option<Value> {
    if heard.topic != topic("signal") {
        return None;
    }
    let claims = tokens::verify(&heard.payload, hub_public)
        .unwrap_or_else(|problem| panic!("a signal of the hub is not good ({problem}): {}", heard.text()));
    assert_eq!((claims["account"].as_str(), claims["hub"].as_str()), (Some(ACCOUNT), Some(HUB)), "{claims}");
    Some(claims)
}
