//! Compares four stories of one home: what the hub has accepted, what the center's books hold, what was said between them
//! on the wire, and what the app was told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::books::{Books, Signal};
use crate::installation::Installation;
use crate::ledger::{Explained, Tally, history};
use crate::office::Office;
use crate::support::wait_until;

/// The stages that a hub has from the center's updates.
const CENTERS: [&str; 7] = [
    "calling_first_contact",
    "confirmed",
    "cancelled_by_contact",
    "no_answer",
    "dispatched",
    "calling_other_contacts",
    "closed",
];

#[derive(Default)]
pub struct Auditor {
    /// The service of each incident that the center is to have, and the jti of its one alarm.
    incidents: HashMap<String, String>,
    alarms: HashMap<String, String>,
    /// Every signal of the books: the number of its ack, and the verdict.
    signals: HashMap<String, (u64, String)>,
    /// Whose ack each number was, heartbeats' included.
    acked: HashMap<u64, String>,
    /// The last signal of the books, and how much of the wire was heard.
    ordinal: i64,
    wire: usize,
}

impl Auditor {
    pub fn new(home: &Installation) -> Auditor {
        Auditor { wire: home.center.mark(), ..Auditor::default() }
    }

    /// What came since the latest time. `decided` are the stages that the new incidents have reached at the hub.
    pub fn compare(
        &mut self,
        home: &Installation,
        office: &Office,
        explained: &Explained,
        decided: &BTreeMap<String, String>,
        tally: &mut Tally,
        wrong: &mut Vec<String>,
    ) {
        let since = self.wire;
        self.wire = home.center.mark();
        let (sent, acks) = (home.center.signals(since), home.center.said(since, "ack"));
        tally.copies += sent.iter().filter(|signal| signal["kind"] == "alarm").count() as u64;
        tally.acks += acks.len() as u64;
        // After the wire: what was acked by then was in the books before.
        let books = Books::open(&office.database());
        let signals = books.signals(self.ordinal);
        self.alarms(&signals, explained, decided, wrong);
        self.incidents(&books, explained, decided, wrong);
        self.acks(&sent, &acks, wrong);
    }

    /// The center has taken each alarm once, for what was asked for, and none of what was aborted.
    fn alarms(
        &mut self,
        signals: &[Signal],
        explained: &Explained,
        decided: &BTreeMap<String, String>,
        wrong: &mut Vec<String>,
    ) {
        let mut repeats: BTreeMap<&str, u64> = BTreeMap::new();
        for Signal { ordinal, jti, kind, incident, verdict, ack_seq, claims } in signals {
            self.ordinal = self.ordinal.max(*ordinal);
            self.signals.insert(jti.clone(), (*ack_seq, verdict.clone()));
            if verdict != "accepted" {
                wrong.push(format!("lost: the center has refused ({verdict}) {claims}"));
            }
            if kind != "alarm" {
                continue;
            }
            let service = claims["service"].as_str().unwrap_or_default();
            let wanted = explained.incidents.get(incident).map(|(service, _)| service);
            match wanted.or(self.incidents.get(incident)) {
                None => wrong.push(format!("phantom: the center has {incident} ({service}) that nobody asked for")),
                Some(wanted) if wanted != service => wrong.push(format!("{wanted} was asked for, not {service}")),
                Some(_) => {}
            }
            if decided.get(incident).is_some_and(|stage| stage == "aborted") {
                wrong.push(format!("phantom: {incident} was aborted, and the center has it"));
            }
            if claims["repeat"] == true {
                *repeats.entry(incident).or_default() += 1;
            } else if self.alarms.entry(incident.clone()).or_insert_with(|| jti.clone()) != jti {
                wrong.push(format!("doubled: the center has several alarms of {incident}"));
            }
        }
        for (incident, repeats) in repeats {
            let asked = explained.incidents.get(incident).map_or(0, |(_, count)| *count);
            if repeats >= asked.max(1) {
                wrong.push(format!("doubled: {incident} was asked for {asked} times and cried {repeats} more"));
            }
        }
    }

    /// Its incidents are those that the hub has raised an alarm for, and no others, whatever came twice.
    fn incidents(
        &mut self,
        books: &Books,
        explained: &Explained,
        decided: &BTreeMap<String, String>,
        wrong: &mut Vec<String>,
    ) {
        let cases = books.cases();
        for (incident, _) in decided.iter().filter(|(_, stage)| !["aborted", "sounding"].contains(&stage.as_str())) {
            let service = &explained.incidents[incident].0;
            match cases.get(incident) {
                Some(case) if case.service == *service => {}
                Some(case) => wrong.push(format!("{service} was asked for, and the center has {case:?}")),
                None => wrong.push(format!("lost: {incident} is not in the center's books")),
            }
            if !self.alarms.contains_key(incident) {
                wrong.push(format!("lost: the center has no alarm of {incident}"));
            }
            self.incidents.insert(incident.clone(), service.clone());
        }
        for (incident, case) in cases {
            if !self.incidents.contains_key(&incident) {
                wrong.push(format!("phantom: the center works on {incident}, {case:?}"));
            }
        }
    }

    /// What was acked is in the books, as it was acked, and each ack has a number of its own, over every death.
    fn acks(&mut self, sent: &[Value], acks: &[Value], wrong: &mut Vec<String>) {
        let kept = |signal: &&Value| signal["kind"] != "heartbeat";
        let kept: BTreeSet<&str> = sent.iter().filter(kept).filter_map(|signal| signal["jti"].as_str()).collect();
        for ack in acks {
            let (signal, seq) = (text(&ack["signal"]), ack["seq"].as_u64().unwrap_or_default());
            match self.signals.get(&signal) {
                Some(kept) if *kept != (seq, text(&ack["result"])) => {
                    wrong.push(format!("the books have {kept:?}, and this was said: {ack}"));
                }
                None if kept.contains(signal.as_str()) => wrong.push(format!("acked, and not in the books: {ack}")),
                _ => {}
            }
            if *self.acked.entry(seq).or_insert_with(|| signal.clone()) != signal {
                wrong.push(format!("one number for two acks, {} and {ack}", self.acked[&seq]));
            }
        }
    }

    /// Once their end has come: each incident has gone through its procedure step by step, the hub was told so, and no
    /// contact was called twice because somebody died. `since` is where on the wire they began.
    pub fn ended(&self, home: &Installation, office: &Office, since: usize, incidents: &[String]) -> Vec<String> {
        let mut wrong = Vec::new();
        let books = Books::open(&office.database());
        wait_until("the center's incidents have ended", || books.cases().values().all(|case| case.has_ended));
        wait_until("the hub knows of their end", || {
            let last = |entry: &Value| CENTERS.contains(&entry["stage"].as_str().unwrap_or_default());
            let mine = |entry: &Value| incidents.contains(&text(&entry["id"]));
            history(home).iter().filter(|entry| mine(entry)).all(|entry| last(entry) && is_end(&entry["stage"]))
        });
        let procedure = office.work.stages();
        for incident in incidents {
            let updates = books.updates(incident);
            let mut stages: Vec<&str> = updates.values().map(String::as_str).collect();
            stages.dedup();
            // A cry after the end begins it anew.
            let rounds = stages.len() / procedure.len();
            if rounds == 0 || stages != procedure.repeat(rounds) {
                wrong.push(format!("{incident} did not go through {procedure:?}: {stages:?}"));
            }
            let calls = books.calls(incident);
            if calls.values().any(|times| usize::try_from(*times).is_ok_and(|times| times > rounds)) {
                wrong.push(format!("{incident}: somebody was called twice (calls by contact {calls:?})"));
            }
            let told = told(home, incident);
            let mut rest = stages.iter();
            if !told.iter().all(|told| rest.any(|stage| stage == told))
                || told.last().map(String::as_str) != stages.last().copied()
            {
                wrong.push(format!("the hub knows {told:?} of {incident}, the center {stages:?}"));
            }
        }
        for update in home.center.said(since, "update") {
            let (incident, seq) = (text(&update["incident"]), update["seq"].as_i64().unwrap_or_default());
            if incidents.contains(&incident)
                && books.updates(&incident).get(&seq).is_none_or(|stage| update["stage"] != stage.as_str())
            {
                wrong.push(format!("said, and not in the books: {update}"));
            }
        }
        wrong
    }
}

/// The center's stages in the hub's history of an incident, in order.
fn told(home: &Installation, incident: &str) -> Vec<String> {
    let entry = history(home).into_iter().find(|entry| entry["id"] == incident).unwrap_or_default();
    let steps = entry["steps"].as_array().into_iter().flatten().map(|step| text(&step["stage"]));
    let mut told: Vec<String> = steps.filter(|stage| CENTERS.contains(&stage.as_str())).collect();
    told.dedup();
    told
}

fn is_end(stage: &Value) -> bool {
    stage == "closed" || stage == "cancelled_by_contact"
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
