//! What was asked for, and whether what came of it is exactly that: nothing lost, nothing doubled, nothing invented.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde_json::Value;

use crate::auditor::Auditor;
use crate::hub_process::sos_hub;
use crate::installation::Installation;
use crate::lane::Asked;
use crate::lines::{Edge, SIREN};
use crate::office::Office;
use crate::plan::COUNTDOWN;

/// Figures of one lane or of all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub rounds: u64,
    pub requests: u64,
    pub presses: u64,
    pub incidents: u64,
    pub aborted: u64,
    /// Incidents that the center was told of, and sirens alone.
    pub alarms: u64,
    pub sirens: u64,
    /// Copies of alarm signals, and acks of all signals, that were on the wire.
    pub copies: u64,
    pub acks: u64,
    /// How often something was broken: the hub, the center, the home's broker, the center's.
    pub broken: [u64; 4],
    /// An operator's buttons, and how often the center was killed over one more of them.
    pub buttons: u64,
    pub deaths: u64,
    /// Acceptances that came without being on disk.
    pub not_durable: u64,
    /// The longest from a start to the siren that goes on.
    pub slowest_restart: Duration,
}

pub struct Ledger {
    pub tally: Tally,
    /// Each incident of the past and its service.
    incidents: HashMap<String, String>,
    /// Those of them that the center must never hear of.
    aborted: BTreeSet<String>,
    auditor: Auditor,
    /// The alarms of the latest round.
    latest: Vec<String>,
    last_seq: u64,
    /// What was heard and seen up to the latest judgement.
    app_mark: usize,
    edges: usize,
}

/// How a round's asking, and what came of it, belong together.
#[derive(Default)]
pub struct Explained {
    /// The service of each incident, and how often it was asked for.
    pub incidents: BTreeMap<String, (String, u64)>,
}

impl Ledger {
    pub fn new(home: &Installation) -> Ledger {
        Ledger {
            tally: Tally::default(),
            incidents: HashMap::new(),
            aborted: BTreeSet::new(),
            auditor: Auditor::new(home),
            latest: Vec::new(),
            last_seq: 0,
            app_mark: home.app.mark(),
            edges: home.lines.edges(SIREN).len(),
        }
    }

    /// The first reply to this id since the latest judgement.
    pub fn reply(&self, home: &Installation, id: &str) -> Option<Value> {
        home.app.replies(self.app_mark).into_iter().find(|reply| reply["id"] == id)
    }

    /// The first acceptance of this id since the latest judgement.
    pub fn accepted(&self, home: &Installation, id: &str) -> Option<Value> {
        let replies = home.app.replies(self.app_mark);
        replies.into_iter().find(|reply| reply["id"] == id && reply["outcome"] == "accepted")
    }

    /// Incidents that replies and events named since the latest judgement.
    pub fn news(&self, home: &Installation) -> BTreeSet<String> {
        let said = [home.app.replies(self.app_mark), home.app.events(self.app_mark)].concat();
        said.iter().filter_map(|one| one["incident"].as_str().map(str::to_owned)).collect()
    }

    /// Compares what happened since the latest judgement with what was asked for; says whether the siren must sound now.
    pub fn judge(&mut self, home: &Installation, office: &Office, asked: &Asked) -> bool {
        let mut wrong = Vec::new();
        let explained = self.explain(home, asked, &mut wrong);
        let decided = self.decisions(home, office, asked, &explained, &mut wrong);
        self.auditor.compare(home, office, &explained, &decided, &mut self.tally, &mut wrong);
        self.cancels(home, asked, &decided, &mut wrong);
        self.events(home, &mut wrong);
        let sounded = decided.values().any(|stage| stage != "aborted");
        self.siren(home, asked, sounded, &mut wrong);
        assert!(wrong.is_empty(), "{}\n\nhistory: {:#}", wrong.join("\n"), Value::from(history(home)));

        self.app_mark = home.app.mark();
        self.tally.requests += asked.requests.len() as u64;
        self.tally.presses += asked.presses.len() as u64;
        let sounds = decided.values().any(|stage| stage == "sounding" || stage == "acknowledged");
        self.latest.clear();
        for (incident, stage) in decided {
            self.tally.incidents += 1;
            match stage.as_str() {
                "aborted" => self.tally.aborted += 1,
                "sounding" => self.tally.sirens += 1,
                _ => {
                    self.tally.alarms += 1;
                    self.latest.push(incident.clone());
                }
            }
            if stage == "aborted" {
                self.aborted.insert(incident.clone());
            }
            self.incidents.insert(incident.clone(), explained.incidents[&incident].0.clone());
        }
        sounds
    }

    /// Judges those incidents of the latest round that the center had, once their end has come.
    /// `since` is where on the wire the round began.
    pub fn ended(&self, home: &Installation, office: &Office, since: usize) {
        let wrong = self.auditor.ended(home, office, since, &self.latest);
        assert!(wrong.is_empty(), "{}\n\nhistory: {:#}", wrong.join("\n"), Value::from(history(home)));
    }

    /// The siren's edges since the round's begin.
    pub fn siren_edges(&self, home: &Installation) -> Vec<Edge> {
        home.lines.edges(SIREN).split_off(self.edges)
    }

    /// The siren is off again: its pulses so far are of the past.
    pub fn siren_is_over(&mut self, home: &Installation) {
        self.edges = home.lines.edges(SIREN).len();
    }

    pub fn restored_after(&mut self, time: Duration) {
        self.tally.slowest_restart = self.tally.slowest_restart.max(time);
    }

    /// Which incident each request belongs to, and which are the buttons'. Every request has been replied to.
    fn explain(&mut self, home: &Installation, asked: &Asked, wrong: &mut Vec<String>) -> Explained {
        let mut explained = Explained::default();
        let replies = home.app.replies(self.app_mark);
        for (id, service, _) in &asked.requests {
            let mine: Vec<&Value> = replies.iter().filter(|reply| reply["id"] == id.as_str()).collect();
            let refused = mine.iter().find(|reply| reply["outcome"] != "accepted");
            wrong.extend(refused.map(|reply| format!("lost: a request was refused: {reply}")));
            let Some(first) = mine.first() else {
                wrong.push(format!("lost: no reply to {id}"));
                continue;
            };
            let undurable = mine.iter().filter(|reply| reply["durable"] != true).count();
            self.tally.not_durable += undurable as u64;
            // What was not on disk when it was accepted may have begun anew with the repeat.
            if undurable == 0 && mine.iter().any(|reply| reply["incident"] != first["incident"]) {
                wrong.push(format!("doubled: one id has several incidents: {mine:?}"));
            }
            for reply in mine.iter().take(if undurable == 0 { 1 } else { mine.len() }) {
                let incident = reply["incident"].as_str().unwrap_or_default().to_owned();
                let entry = explained.incidents.entry(incident).or_insert((service.to_string(), 0));
                entry.1 += 1;
                if entry.0 != *service {
                    wrong.push(format!("{id} asked for {service}, and belongs to an incident for {}", entry.0));
                }
            }
        }
        // A press counts for one incident at most, or for a second cry of one that is open.
        let mut presses = asked.presses.len() as u64;
        for entry in history(home) {
            let incident = text(&entry["id"]);
            if entry["source"] == "button:hallway" && !self.incidents.contains_key(&incident) {
                let known = explained.incidents.entry(incident).or_insert(("police".to_owned(), 0));
                if presses == 0 && known.1 == 0 {
                    wrong.push(format!("phantom: nobody pressed for {entry}"));
                }
                known.1 += presses;
                presses = 0;
            }
        }
        let police = explained.incidents.values_mut().filter(|(service, _)| service == "police");
        police.for_each(|(_, count)| *count += presses);
        explained
    }

    /// The stage of each new incident in the hub's own history, where each has come to exactly one end of its countdown.
    fn decisions(
        &self,
        home: &Installation,
        office: &Office,
        asked: &Asked,
        explained: &Explained,
        wrong: &mut Vec<String>,
    ) -> BTreeMap<String, String> {
        let mut decided = BTreeMap::new();
        let mut there = BTreeSet::new();
        for entry in history(home) {
            let incident = text(&entry["id"]);
            there.insert(incident.clone());
            if let Some(service) = self.incidents.get(&incident) {
                let aborted = self.aborted.contains(&incident);
                if entry["service"] != service.as_str() || aborted != (entry["stage"] == "aborted") {
                    wrong.push(format!("changed after its end: {entry}"));
                }
                continue;
            }
            let Some((service, _)) = explained.incidents.get(&incident) else {
                wrong.push(format!("phantom: nobody asked for {entry}"));
                continue;
            };
            if entry["service"] != service.as_str() {
                wrong.push(format!("{service} was asked for: {entry}"));
            }
            let ends = ["aborted", "requested", "sounding"];
            let steps = entry["steps"].as_array().expect("steps").iter();
            let ends: Vec<&str> = steps.filter_map(|step| ends.into_iter().find(|end| step["stage"] == *end)).collect();
            if ends.len() != 1 {
                wrong.push(format!("its countdown ended {} times: {entry}", ends.len()));
            }
            let stage = text(&entry["stage"]);
            let reached = match ends.first().copied() {
                Some("aborted") => "aborted",
                Some("sounding") => "sounding",
                _ => office.work.rests_at(),
            };
            if stage != reached {
                wrong.push(format!("lost: it is at {stage} instead of {reached}: {entry}"));
            }
            decided.insert(incident, stage);
        }
        let durable = home.app.replies(self.app_mark).into_iter().filter(|reply| reply["durable"] == true);
        for reply in durable.filter(|reply| reply["command"] == "request") {
            // It may be a late one, of a round before.
            if !there.contains(&text(&reply["incident"])) {
                wrong.push(format!("lost: accepted, and not in the history: {reply}"));
            }
        }
        let started = home.app.events(self.app_mark).into_iter().filter(|event| event["type"] == "countdown_started");
        for event in started {
            if !there.contains(&text(&event["incident"])) && !asked.requests.is_empty() {
                wrong.push(format!("lost: told of, and not in the history: {event}"));
            }
        }
        decided
    }

    /// Who was told that it is aborted can rely on it.
    fn cancels(&self, home: &Installation, asked: &Asked, decided: &BTreeMap<String, String>, wrong: &mut Vec<String>) {
        let aborted = |incident: &Value| decided.get(&text(incident)).is_some_and(|stage| stage == "aborted");
        for id in &asked.cancels {
            if let Some(reply) = self.accepted(home, id)
                && reply["durable"] == true
                && !aborted(&reply["incident"])
            {
                wrong.push(format!("an accepted cancel did not abort: {reply}"));
            }
        }
        for event in home.app.events(self.app_mark) {
            if event["type"] == "aborted" && !aborted(&event["incident"]) {
                wrong.push(format!("told to be aborted, and is not: {event}"));
            }
        }
    }

    /// The numbers of events grow, over every restart; what is said again is the same.
    fn events(&mut self, home: &Installation, wrong: &mut Vec<String>) {
        let mut said: HashMap<u64, Value> = HashMap::new();
        for event in home.app.events(self.app_mark) {
            let seq = event["seq"].as_u64().expect("a seq");
            let again = said.insert(seq, event.clone());
            if again.as_ref().is_some_and(|again| *again != event) {
                wrong.push(format!("two events have one number: {again:?} {event}"));
            } else if again.is_none() && seq <= self.last_seq {
                wrong.push(format!("the numbers of events went back from {}: {event}", self.last_seq));
            }
            self.last_seq = self.last_seq.max(seq);
        }
    }

    /// The siren sounds for what was asked for, not before its countdown can have ended, and for nothing else.
    fn siren(&self, home: &Installation, asked: &Asked, sounded: bool, wrong: &mut Vec<String>) {
        let first = self.siren_edges(home).into_iter().find(|edge| edge.level == 1);
        let moments = asked.requests.iter().map(|(_, _, at)| *at).chain(asked.presses.iter().copied());
        match (first, moments.min()) {
            (Some(edge), _) if !sounded => wrong.push(format!("phantom: the siren sounded without a reason: {edge:?}")),
            (Some(edge), Some(asked)) if edge.at < asked + COUNTDOWN => {
                wrong.push(format!("phantom: the siren sounded {edge:?}, {asked:?} was the first request"));
            }
            (None, _) if sounded => wrong.push("lost: the siren was silent".to_owned()),
            _ => {}
        }
    }
}

/// The newest incidents as `sos-hub history` shows them.
pub fn history(home: &Installation) -> Vec<Value> {
    let config = home.config();
    let mut command = sos_hub(&["history", "--json", "--limit", "12", "--config"]);
    let output = command.arg(&config).output().expect("sos-hub history");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("a list of incidents")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
