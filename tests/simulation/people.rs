//! What people, strangers and the world do, as a plan says it.

use std::collections::BTreeMap;

use sos_hub::controller::moment::Wall;
use sos_hub::controller::words::{CommandName, Service};
use sos_hub::drivers::mqtt::{Message, Publication};
use sos_hub::wire::text::timestamp;

use crate::center::words::{ACCOUNT, Meaning, NEIGHBOUR};
use crate::history::{Ask, Asked, Entry, Worth};
use crate::plan::{DiskMood, Forgery, How, JUNK, Sent, SignalForgery, Target, Weather, What};
use crate::time::{MS, true_wall_ms};
use crate::world::World;

/// The oldest that a request may be, by the hub's clock.
const MAX_AGE_MS: i64 = 60_000;

/// What was published, and what anybody can know.
#[derive(Default)]
pub struct People {
    published: Vec<Published>,
    /// The ids of commands that have reached the hub.
    used_ids: Vec<String>,
    /// Every true token of the center by its bytes.
    tokens: BTreeMap<Vec<u8>, (&'static str, Meaning)>,
    /// The same in their order.
    said: Vec<(&'static str, Vec<u8>)>,
    /// The true signals that came as far as the broker, in their order.
    pub signals: Vec<Vec<u8>>,
    pub last_incident: Option<String>,
    pub last_alarm: Option<String>,
    /// The last incident that the center has on its books.
    pub last_booked: Option<String>,
}

/// A message on one of the hub's command topics.
struct Published {
    asked: Option<Asked>,
    id: Option<String>,
    sent_at: Option<Wall>,
}

impl People {
    /// The center has made a true token for this topic.
    pub fn learn_token(&mut self, topic: &'static str, token: Vec<u8>, meaning: Meaning) {
        self.tokens.insert(token.clone(), (topic, meaning));
        self.said.push((topic, token));
    }

    /// Which message a reply is for.
    pub fn ask_of(&self, correlation: Option<&[u8]>) -> Option<usize> {
        let bytes = correlation?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    }

    /// What a token says, if it is a true one and came on its own topic.
    pub fn meaning(&self, topic: &str, token: &[u8]) -> Option<Meaning> {
        let (own, meaning) = self.tokens.get(token)?;
        topic.ends_with(own).then(|| meaning.clone())
    }
}

impl World {
    pub fn carry_out_event(&mut self, what: What) {
        let (now, rng) = (self.now, &mut self.rng);
        match what {
            What::Request { service, id, sent, how } => self.request(service, id, sent, how),
            What::Cancel { target, id } => self.cancel(target, id),
            What::Silence { id } => {
                let (text, id) = with_id(id, Vec::new());
                self.publish(CommandName::Silence, text.into_bytes(), Some(Asked::Silence), id, None, How::Live);
            }
            What::Test(kind) => {
                let word = if kind == sos_hub::controller::words::TestKind::Siren { "siren" } else { "center" };
                self.publish(CommandName::Test, word.into(), Some(Asked::Test(kind)), None, None, How::Live);
            }
            What::Junk { which, how } => {
                self.publish(CommandName::Request, JUNK[which].to_vec(), None, None, None, how);
            }
            What::Hold { button, ms, bounces } => self.lines.hold(button, ms, bounces, now, rng),
            What::Glitches { button, spikes } => self.lines.glitches(button, spikes, now, rng),
            What::Home(weather) => self.home.set_weather(weather, now, rng),
            What::CenterLink(weather) => self.center_link.set_weather(weather, now, rng),
            What::CenterUplink(weather) => self.center.link.set_weather(weather, now, rng),
            What::CenterDisk(mood) => self.center.set_disk(mood, now),
            What::CenterCrash { after_effects, how, commit_kept, gap_ms } => {
                self.center.dies(after_effects, how, commit_kept, gap_ms * MS, now, rng);
                self.center_acts();
            }
            What::CenterHang { ms } => self.center.hang(now + ms * MS),
            What::OperatorsAway(away) => self.center.set_operators_away(away, now),
            What::Plan { monitoring } => {
                let plan = if monitoring { "protect_plus" } else { "protect_basic" };
                self.center.change_account(|account| plan.clone_into(&mut account.plan));
            }
            What::AccountClosed(closed) => self.center.change_account(|account| account.closed = closed),
            What::Forge(forgery) => self.forge(forgery),
            What::ForgeSignal(forgery) => self.forge_signal(forgery),
            What::Disk(mood) => self.disk.set_mood(mood, now),
            What::Crash { after_effects, how, commit_kept, gap_ms } => {
                self.dies(after_effects, how, commit_kept, gap_ms * MS);
            }
            What::StepClock { by_ms } => self.clock.off_ms += by_ms,
            What::ClockSynced(synced) => self.clock.synced = synced,
            What::Hang { ms } => self.hang(ms * MS),
        }
    }

    /// Everything works from now on.
    pub fn heal(&mut self) {
        self.healed = true;
        self.home.set_weather(Weather::FAIR, self.now, &mut self.rng);
        self.center_link.set_weather(Weather::FAIR, self.now, &mut self.rng);
        self.center.heal(self.now, &mut self.rng);
        self.disk.set_mood(DiskMood::Well, self.now);
        self.lines.heal(self.now);
        (self.clock.off_ms, self.clock.synced) = (0, true);
        self.show(Entry::Healed);
    }

    fn request(&mut self, service: Service, id: Option<u32>, sent: Sent, how: How) {
        let mut keys = vec![format!(r#""service":"{}""#, service.as_str())];
        let sent_at = match sent {
            Sent::Unsaid => None,
            Sent::Ago(ms) => Some(Wall(true_wall_ms(self.now) - ms)),
        };
        keys.extend(sent_at.map(|at| format!(r#""sent_at":"{}""#, timestamp(at))));
        let is_word = id.is_none() && sent_at.is_none();
        let (json, id) = with_id(id, keys);
        let text = if is_word { service.as_str().to_owned() } else { json };
        self.publish(CommandName::Request, text.into_bytes(), Some(Asked::Request(service)), id, sent_at, how);
    }

    fn cancel(&mut self, target: Target, id: Option<u32>) {
        let incident = match target {
            Target::Every => None,
            Target::Last => self.people.last_incident.clone(),
            Target::Unknown => Some("01920000-0000-7000-8000-000000000000".to_owned()),
        };
        let keys = incident.iter().map(|incident| format!(r#""incident":"{incident}""#)).collect();
        let (text, id) = with_id(id, keys);
        self.publish(CommandName::Cancel, text.into_bytes(), Some(Asked::Cancel(incident)), id, None, How::Live);
    }

    fn publish(
        &mut self,
        command: CommandName,
        payload: Vec<u8>,
        asked: Option<Asked>,
        id: Option<String>,
        sent_at: Option<Wall>,
        how: How,
    ) {
        let number = self.people.published.len() as u64;
        self.people.published.push(Published { asked, id, sent_at });
        let message = Message {
            topic: self.app_topics.command(command),
            payload,
            retained: how == How::Retained,
            duplicate: how == How::Duplicate,
            response_topic: Some("apps/phone/reply".to_owned()),
            correlation: Some(number.to_le_bytes().to_vec()),
        };
        self.home.send_to_hub(message, false, self.now, &mut self.rng);
    }

    /// A message has reached the hub: what it is worth.
    pub fn asked(&mut self, message: &Message) {
        let Some(number) = self.people.ask_of(message.correlation.as_deref()) else { return };
        let Published { asked, id, sent_at } = &self.people.published[number];
        let (asked, id) = (asked.clone(), id.clone());
        let age_ms = sent_at.map_or(0, |sent_at| self.clock.wall_ms(self.now) - sent_at.0);
        let hangs = self.hung_until > self.now;
        let used = id.as_ref().is_some_and(|id| self.people.used_ids.contains(id));
        let worth = match &asked {
            None => Worth::Never(&["malformed", "retained", "rate_limited"]),
            Some(_) if message.retained => Worth::Never(&["retained"]),
            Some(_) if message.duplicate && id.is_none() => Worth::Never(&["stale"]),
            Some(Asked::Cancel(Some(incident))) if incident.starts_with("01920000") => {
                Worth::Never(&["unknown_incident"])
            }
            Some(_) if used || (hangs && sent_at.is_some()) => Worth::Perhaps,
            Some(_) if self.clock.synced && age_ms > MAX_AGE_MS => Worth::Never(&["stale"]),
            Some(_) => Worth::Good,
        };
        if !message.retained {
            self.people.used_ids.extend(id.clone());
        }
        let what = asked.unwrap_or(Asked::Silence);
        self.show(Entry::Asked(Ask { number, at: self.now, what, worth, press: false }));
    }

    /// A button was held for its time.
    pub fn pressed(&mut self, index: usize, sure: bool) {
        let number = self.people.published.len();
        let what = Service::ALL.get(index).map_or(Asked::Cancel(None), |&service| Asked::Request(service));
        self.people.published.push(Published { asked: Some(what.clone()), id: None, sent_at: None });
        // A process that still waits for its disk looks at its buttons later.
        let worth = if sure && self.is_running() { Worth::Good } else { Worth::Perhaps };
        self.show(Entry::Asked(Ask { number, at: self.now, what, worth, press: true }));
    }

    fn forged_word(&mut self, topic: &str, payload: Vec<u8>, retain: bool) {
        let topic = format!("center/{ACCOUNT}/{topic}");
        self.publish_to_hub(Publication { topic, payload, retain, correlation: None });
    }

    fn forge(&mut self, forgery: Forgery) {
        let jti = self.people.last_alarm.clone().unwrap_or_default();
        let incident = self.people.last_incident.clone().unwrap_or_default();
        let ack = |account| format!(r#"{{"account":"{account}","signal":"{jti}","result":"accepted","seq":999999}}"#);
        let sign = |pair: &crate::signatures::Pair, claims: String| {
            pair.signer.sign(claims.as_bytes()).expect("claims are a JSON object").into_bytes()
        };
        let said = &self.people.said;
        let (topic, payload) = match forgery {
            Forgery::Ack => ("ack", sign(&self.keys.stranger, ack(ACCOUNT))),
            Forgery::Closed => {
                let claims = format!(r#"{{"account":"{ACCOUNT}","incident":"{incident}","seq":99,"stage":"closed"}}"#);
                ("update", sign(&self.keys.stranger, claims))
            }
            Forgery::OtherAccount => {
                let closed = format!(r#"{{"account":"b-18","incident":"{incident}","seq":99,"stage":"closed"}}"#);
                let (ack, closed) = (sign(&self.keys.center, ack("b-18")), sign(&self.keys.center, closed));
                self.forged_word("update", closed, false);
                ("ack", ack)
            }
            Forgery::Replay { back } => match said.len().checked_sub(back) {
                Some(place) if said[place].0 != "plan" => said[place].clone(),
                _ => return,
            },
            Forgery::WrongTopic => match said.last() {
                Some(("ack", token)) => ("update", token.clone()),
                Some((_, token)) => ("ack", token.clone()),
                None => return,
            },
            Forgery::OldPlan => match said.iter().find(|(topic, _)| *topic == "plan") {
                Some(plan) => plan.clone(),
                None => return,
            },
            Forgery::Noise => ("plan", b"\xff\x00 no token at all".to_vec()),
        };
        self.forged_word(topic, payload, forgery == Forgery::OldPlan);
    }

    fn forge_signal(&mut self, forgery: SignalForgery) {
        let random = |rng: &mut crate::rng::Rng| sos_hub::controller::moment::Id(rng.wide()).to_string();
        let (jti, incident) = (random(&mut self.rng), random(&mut self.rng));
        let known = self.people.last_alarm.clone().unwrap_or_else(|| jti.clone());
        let alarm = |account: &str, jti: &str, incident: &str| {
            let claims = format!(
                r#"{{"account":"{account}","jti":"{jti}","kind":"alarm","incident":"{incident}","service":"fire","seq":9}}"#
            );
            self.keys.stranger.signer.sign(claims.as_bytes()).expect("claims are a JSON object").into_bytes()
        };
        let (account, payload, retain) = match forgery {
            SignalForgery::Alarm => (ACCOUNT, alarm(ACCOUNT, &jti, &incident), false),
            SignalForgery::KnownJti => (ACCOUNT, alarm(ACCOUNT, &known, &incident), false),
            SignalForgery::Neighbour => match &self.people.last_booked {
                Some(booked) => (NEIGHBOUR, alarm(NEIGHBOUR, &jti, booked), false),
                None => return,
            },
            SignalForgery::WrongTopic => (ACCOUNT, alarm(NEIGHBOUR, &jti, &incident), false),
            SignalForgery::Replay { back, retained } => {
                let signals = &self.people.signals;
                match signals.len().checked_sub(back) {
                    Some(place) => (ACCOUNT, signals[place].clone(), retained),
                    None => return,
                }
            }
            SignalForgery::Noise => (ACCOUNT, b"\xff\x00 no token at all".to_vec(), false),
        };
        self.publish_to_center(format!("center/{account}/signal"), payload, retain);
    }
}

/// A JSON object of these keys and perhaps an id.
fn with_id(id: Option<u32>, mut keys: Vec<String>) -> (String, Option<String>) {
    let id = id.map(|id| format!("c-{id}"));
    keys.extend(id.iter().map(|id| format!(r#""id":"{id}""#)));
    (format!("{{{}}}", keys.join(",")), id)
}
