//! The monitoring center, as the hub may count on it and no better: what it acknowledges it has, it says the same again
//! of a repeat, and it goes through its procedure in a while. Written from the contract alone, without the crate's own.
//!
//! Another center can take its place by being a [`MonitoringCenter`].

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::plan::Mood;
use crate::rng::Rng;
use crate::signatures::Keys;
use crate::time::{At, MS, S, true_wall_ms};

pub const ACCOUNT: &str = "a-17";

/// What a run asks of a monitoring center.
pub trait MonitoringCenter {
    /// A message on the account's topic `signal` has reached it.
    fn hears(&mut self, payload: &[u8], now: At, rng: &mut Rng);
    /// When it has something to do.
    fn deadline(&self) -> Option<At>;
    fn elapse(&mut self, now: At);
    /// What it has put on its disk since the last time, for the checkers.
    fn takings(&mut self) -> Vec<Taking>;
    /// What it says since the last time.
    fn sayings(&mut self) -> Vec<Saying>;
    fn set_mood(&mut self, mood: Mood);
    fn set_plan(&mut self, monitoring: bool, now: At);
}

/// A signal that the center has on its disk.
#[derive(Clone, Debug)]
pub struct Taking {
    pub claims: Claims,
    /// What it has decided: no monitoring, or it does not know the account.
    pub refused: Option<&'static str>,
}

/// A signal's claims, as far as they matter here.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    pub jti: String,
    pub account: String,
    pub kind: String,
    pub incident: Option<String>,
    pub service: Option<String>,
    #[serde(default)]
    pub repeat: bool,
    pub seq: u64,
    pub code: Option<String>,
    #[serde(default)]
    pub open: BTreeMap<String, u64>,
}

/// A true token, on its way to the hub.
#[derive(Clone, Debug)]
pub struct Saying {
    pub topic: &'static str,
    pub token: String,
    pub retained: bool,
    pub meaning: Meaning,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Ack { jti: String, kind: String, incident: Option<String>, accepted: bool },
    Update { incident: String, seq: u64, stage: &'static str },
    Plan { serial: u64, monitoring: bool },
}

/// The model.
pub struct Model {
    keys: std::sync::Arc<Keys>,
    mood: Mood,
    monitoring: bool,
    serial: u64,
    /// Each signal's ack: its `seq`, and the refusal.
    acks: BTreeMap<String, (u64, Option<&'static str>, Claims)>,
    ack_seq: u64,
    incidents: BTreeMap<String, Procedure>,
    /// Heard and not yet worked on.
    inbox: Vec<(At, Claims)>,
    /// Acks that are to be said.
    outbox: Vec<(At, String)>,
    takings: Vec<Taking>,
    sayings: Vec<Saying>,
}

/// The steps of one incident: those that were made, how many of them were said, and those to come.
struct Procedure {
    made: Vec<&'static str>,
    said: u64,
    to_come: Vec<(At, &'static str)>,
}

const SCRIPTS: [&[&str]; 5] = [
    &["calling_first_contact", "confirmed", "dispatched", "calling_other_contacts", "closed"],
    &["calling_first_contact", "cancelled_by_contact"],
    &["calling_first_contact", "no_answer", "dispatched", "calling_other_contacts", "calling_other_contacts", "closed"],
    &["dispatched", "closed"],
    &["calling_first_contact", "confirmed", "dispatched", "closed"],
];

impl Model {
    pub fn new(keys: std::sync::Arc<Keys>) -> Model {
        Model {
            keys,
            mood: Mood::Works,
            monitoring: true,
            serial: 0,
            acks: BTreeMap::new(),
            ack_seq: 0,
            incidents: BTreeMap::new(),
            inbox: Vec::new(),
            outbox: Vec::new(),
            takings: Vec::new(),
            sayings: Vec::new(),
        }
    }

    /// It is on the disk, or was already; the ack follows.
    fn take(&mut self, claims: Claims, now: At, rng: &mut Rng) {
        let jti = claims.jti.clone();
        let known = self.acks.get(&jti).is_some_and(|(_, refused, _)| *refused != Some("unknown_account"));
        if !known {
            let refused = match self.mood {
                Mood::KnowsNoAccount => Some("unknown_account"),
                _ if !self.monitoring && claims.kind != "heartbeat" => Some("no_monitoring"),
                _ => None,
            };
            self.ack_seq += 1;
            self.acks.insert(jti.clone(), (self.ack_seq, refused, claims.clone()));
            if let (None, "alarm", Some(incident)) = (refused, claims.kind.as_str(), &claims.incident) {
                self.follow_procedure(incident.clone(), now, rng);
            }
            self.takings.push(Taking { claims: claims.clone(), refused });
        }
        for (incident, seen) in &claims.open {
            self.say_updates(incident, *seen, now);
        }
        if self.mood == Mood::DiesBeforeAck {
            return;
        }
        let delay = if let Mood::Slow { ms } = self.mood { rng.within(0..ms * MS) } else { rng.within(0..30 * MS) };
        self.outbox.push((now + delay, jti));
    }

    /// A cry for an incident that has ended begins its procedure again.
    fn follow_procedure(&mut self, incident: String, now: At, rng: &mut Rng) {
        let procedure = self.incidents.entry(incident).or_insert_with(|| Procedure {
            made: Vec::new(),
            said: 0,
            to_come: Vec::new(),
        });
        if procedure.to_come.is_empty() {
            let mut at = now;
            for &stage in rng.one_of(&SCRIPTS) {
                at += rng.within(200 * MS..6 * S);
                procedure.to_come.push((at, stage));
            }
        }
    }

    fn say_updates(&mut self, incident: &str, seen: u64, now: At) {
        let Some(procedure) = self.incidents.get(incident) else { return };
        let sayings: Vec<Saying> = (1..)
            .zip(&procedure.made)
            .filter(|(seq, _)| *seq > seen)
            .map(|(seq, stage)| self.update(incident, seq, stage, now))
            .collect();
        self.sayings.extend(sayings);
    }

    fn update(&self, incident: &str, seq: u64, stage: &'static str, now: At) -> Saying {
        let at = true_wall_ms(now);
        let claims = format!(
            r#"{{"account":"{ACCOUNT}","incident":"{incident}","seq":{seq},"stage":"{stage}","contact":{{"position":1,"name":"Ann"}},"at":"{at}"}}"#
        );
        let meaning = Meaning::Update { incident: incident.to_owned(), seq, stage };
        Saying { topic: "update", token: sign(&self.keys, &claims), retained: false, meaning }
    }

    fn ack(&self, jti: &str) -> Option<Saying> {
        let (seq, refused, of) = self.acks.get(jti)?;
        let result = match refused {
            None => r#""accepted""#.to_owned(),
            Some(reason) => format!(r#""refused","reason":"{reason}""#),
        };
        let claims = format!(r#"{{"account":"{ACCOUNT}","signal":"{jti}","result":{result},"seq":{seq}}}"#);
        let (kind, incident) = (of.kind.clone(), of.incident.clone());
        let meaning = Meaning::Ack { jti: jti.to_owned(), kind, incident, accepted: refused.is_none() };
        Some(Saying { topic: "ack", token: sign(&self.keys, &claims), retained: false, meaning })
    }
}

impl MonitoringCenter for Model {
    fn hears(&mut self, payload: &[u8], now: At, rng: &mut Rng) {
        if self.mood == Mood::Away {
            return;
        }
        // Whose signature is not the hub's, and what is not of the account, is never answered.
        let Ok(claims) = self.keys.hub.verifier.verify(payload) else { return };
        let Ok(claims) = serde_json::from_str::<Claims>(&claims) else { return };
        if claims.account == ACCOUNT {
            let at = now + rng.within(MS..10 * MS);
            self.inbox.push((at, claims));
            self.inbox.sort_by_key(|&(at, _)| at);
        }
    }

    fn deadline(&self) -> Option<At> {
        let steps = self.incidents.values().filter_map(|procedure| procedure.to_come.first()).map(|&(at, _)| at);
        let inbox = self.inbox.first().map(|&(at, _)| at);
        let outbox = self.outbox.iter().map(|&(at, _)| at);
        steps.chain(inbox).chain(outbox).min()
    }

    fn elapse(&mut self, now: At) {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
        while self.inbox.first().is_some_and(|&(at, _)| at <= now) {
            let (at, claims) = self.inbox.remove(0);
            let mut rng = Rng::new(at ^ claims.seq << 40);
            self.take(claims, now, &mut rng);
        }
        let (due, later) = std::mem::take(&mut self.outbox).into_iter().partition(|&(at, _)| at <= now);
        self.outbox = later;
        let mut due: Vec<(At, String)> = due;
        due.sort();
        let acks: Vec<Saying> = due.iter().filter_map(|(_, jti)| self.ack(jti)).collect();
        self.sayings.extend(acks);
        let incidents: Vec<String> = self.incidents.keys().cloned().collect();
        for incident in incidents {
            let Some(procedure) = self.incidents.get_mut(&incident) else { continue };
            while procedure.to_come.first().is_some_and(|&(at, _)| at <= now) {
                let (_, stage) = procedure.to_come.remove(0);
                procedure.made.push(stage);
            }
            let said = std::mem::replace(&mut procedure.said, procedure.made.len() as u64);
            self.say_updates(&incident, said, now);
        }
    }

    fn takings(&mut self) -> Vec<Taking> {
        std::mem::take(&mut self.takings)
    }

    fn sayings(&mut self) -> Vec<Saying> {
        std::mem::take(&mut self.sayings)
    }

    fn set_mood(&mut self, mood: Mood) {
        self.mood = mood;
    }

    fn set_plan(&mut self, monitoring: bool, now: At) {
        self.monitoring = monitoring;
        self.serial += 1;
        let token = plan_token(&self.keys, monitoring, self.serial, now);
        let meaning = Meaning::Plan { serial: self.serial, monitoring };
        self.sayings.push(Saying { topic: "plan", token, retained: true, meaning });
    }
}

/// A plan token of the center.
pub fn plan_token(keys: &Keys, monitoring: bool, serial: u64, now: At) -> String {
    let name = if monitoring { "protect_plus" } else { "protect_basic" };
    let issued = true_wall_ms(now) / 1_000;
    // Longer than any clock here is wrong.
    let expires = issued + 40 * 365 * 24 * 3_600;
    let claims = format!(
        r#"{{"account":"{ACCOUNT}","plan":"{name}","professional_monitoring":{monitoring},"missing":[],"serial":{serial},"iat":{issued},"exp":{expires}}}"#
    );
    sign(keys, &claims)
}

fn sign(keys: &Keys, claims: &str) -> String {
    keys.center.signer.sign(claims.as_bytes()).expect("claims are a JSON object")
}
