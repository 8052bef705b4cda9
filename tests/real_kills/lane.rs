//! One home whose parts are broken and mended again: rounds of it, one after the other.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::app::{find, topic};
use crate::client::Client;
use crate::console;
use crate::installation::{Installation, Setup};
use crate::ledger::{Ledger, Tally, history};
use crate::lines::{POLICE_BUTTON, SIREN, monotonic};
use crate::office::{Office, Work};
use crate::plan::{Dice, Fault, Part, Plan, Step};
use crate::support::mosquitto::Mosquitto;
use crate::support::{pace, wait_until};

/// The siren's line is right that long after a start, and an alarm at most that late, on a machine that does much else.
pub const RIGHT_AFTER: Duration = Duration::from_secs(10);
/// How often an app that hears nothing asks again.
const ASK_AGAIN: Duration = Duration::from_millis(250);

pub struct Lane {
    /// Before the home, so that whatever it does last is heard there.
    office: Office,
    home: Installation,
    ledger: Ledger,
    name: String,
    seed: u64,
    dice: Dice,
    round: u64,
    plan: Plan,
    /// Of each [`Part`].
    health: [Health; 4],
    /// What was on the wire when the round began.
    wire: usize,
    /// When the hub was last started, and whether in this round.
    started: Option<Duration>,
    publishers: Vec<Child>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Well,
    Dead,
    Frozen,
}

/// What one round asked for.
#[derive(Default)]
pub struct Asked {
    /// Requests by their ids, with their service and when they were first sent.
    pub requests: Vec<(String, &'static str, Duration)>,
    pub presses: Vec<Duration>,
    pub cancels: Vec<String>,
}

impl Lane {
    pub fn new(seed: u64, work: Work) -> Lane {
        // The plan comes from the center.
        let mut home = Installation::new(Setup { plan: None, ..Setup::default() });
        let office = Office::open(&home, work);
        home.start();
        home.in_use();
        Lane {
            office,
            ledger: Ledger::new(&home),
            home,
            name: format!("{seed:x}"),
            seed,
            dice: Dice(seed),
            round: 0,
            plan: Plan { steps: Vec::new() },
            health: [Health::Well; 4],
            wire: 0,
            started: None,
            publishers: Vec::new(),
        }
    }

    pub fn tally(&self) -> Tally {
        self.ledger.tally
    }

    /// Carries out one plan, heals everything, and compares what came of it with what was asked for.
    pub fn round(&mut self) {
        self.round += 1;
        self.plan = Plan::draw(&mut self.dice, &format!("{}-{}", self.name, self.round));
        self.started = None;
        self.wire = self.home.center.mark();
        let asked = self.carry_out();
        self.heal();
        self.ask_again(&asked);
        self.settle();
        let sounds = self.ledger.judge(&self.home, &self.office, &asked);
        self.siren_is_right(sounds);
        self.close_all();
        self.ledger.tally.rounds += 1;
    }

    /// After the last round: whatever was still on its way is here now, and changes nothing.
    pub fn end(&mut self) {
        self.home.center.has_all();
        self.ledger.judge(&self.home, &self.office, &Asked::default());
    }

    fn carry_out(&mut self) -> Asked {
        let mut asked = Asked::default();
        let begin = monotonic();
        for (at, step) in self.plan.steps.clone() {
            pace((begin + Duration::from_millis(at)).saturating_sub(monotonic()));
            match step {
                Step::Request { service, id } => {
                    if asked.requests.iter().all(|(known, ..)| *known != id) {
                        asked.requests.push((id.clone(), service, monotonic()));
                    }
                    self.send("request", &request(service, &id));
                }
                Step::Press => {
                    asked.presses.push(monotonic());
                    self.home.lines.press(POLICE_BUTTON);
                }
                Step::Release => self.home.lines.release(POLICE_BUTTON),
                Step::Cancel { id } => {
                    self.send("cancel", &json!({"id": id}).to_string());
                    asked.cancels.push(id);
                }
                Step::LoseAcks => self.office.lose_what_it_says(true),
                Step::HearAcks => self.office.lose_what_it_says(false),
                Step::Break(part, fault) => self.break_it(part, fault),
                Step::Mend(part) => self.mend(part),
            }
        }
        asked
    }

    /// As an app does that does not wait.
    fn send(&mut self, command: &str, payload: &str) {
        let port = self.home.home.port().to_string();
        let publisher = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", &topic(command), "-m", payload])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.publishers.push(publisher.expect("mosquitto_pub (package mosquitto-clients)"));
    }

    fn break_it(&mut self, part: Part, fault: Fault) {
        match (part, fault) {
            (Part::Hub, Fault::Kill) => self.home.kill(),
            (Part::Hub, Fault::Stop) => ends_well(self.home.terminate()),
            (Part::Hub, Fault::Freeze) => self.home.hub().signal(libc::SIGSTOP),
            (Part::Center, Fault::Kill) => self.office.kill(),
            (Part::Center, Fault::Stop) => ends_well(self.office.terminate()),
            (Part::Center, Fault::Freeze) => self.office.process().signal(libc::SIGSTOP),
            (broker, Fault::Freeze) => self.broker(broker).pause(),
            (broker, Fault::Kill) => self.broker(broker).kill(),
            (broker, Fault::Stop) => self.broker(broker).stop(),
        }
        self.ledger.tally.broken[part as usize] += 1;
        *self.health(part) = if fault == Fault::Freeze { Health::Frozen } else { Health::Dead };
    }

    fn mend(&mut self, part: Part) {
        match (part, *self.health(part)) {
            (_, Health::Well) => {}
            (Part::Hub, Health::Frozen) => self.home.hub().signal(libc::SIGCONT),
            (Part::Hub, Health::Dead) => {
                self.started = Some(monotonic());
                self.home.start_without_waiting();
            }
            (Part::Center, Health::Frozen) => self.office.process().signal(libc::SIGCONT),
            (Part::Center, Health::Dead) => self.office.start_without_waiting(),
            (broker, Health::Frozen) => self.broker(broker).resume(),
            (broker, Health::Dead) => self.broker(broker).restart(),
        }
        *self.health(part) = Health::Well;
    }

    fn broker(&mut self, part: Part) -> &mut Mosquitto {
        if part == Part::HomeBroker { &mut self.home.home } else { &mut self.home.center_broker }
    }

    fn health(&mut self, part: Part) -> &mut Health {
        &mut self.health[part as usize]
    }

    /// Everything runs, and what was sent so far was heard or never will be.
    fn heal(&mut self) {
        for part in [Part::HomeBroker, Part::CenterBroker, Part::Center, Part::Hub] {
            self.mend(part);
        }
        self.home.lines.release(POLICE_BUTTON);
        for mut publisher in self.publishers.drain(..) {
            // It may be done already.
            let _ = publisher.kill();
            publisher.wait().expect("mosquitto_pub ends");
        }
        let nobody = format!("{}-{}-probe", self.name, self.round);
        self.until_replied("cancel", &nobody, &json!({"incident": nobody, "id": nobody}).to_string());
        let up = |state: &Value| state["center"]["link"] == "up";
        self.home.app.state("the center's link is up", up);
    }

    /// An app that has heard no reply asks again, with the same id.
    fn ask_again(&mut self, asked: &Asked) {
        for (id, service, _) in &asked.requests {
            if self.ledger.accepted(&self.home, id).is_none() {
                self.until_replied("request", id, &request(service, id));
            }
        }
    }

    /// Says it again and again until there is a reply to it.
    fn until_replied(&self, command: &str, id: &str, payload: &str) {
        let mut next = monotonic();
        wait_until(&format!("a reply to {command} {payload}"), || {
            if monotonic() >= next {
                publish(&self.home.app.client, command, payload);
                next = monotonic() + ASK_AGAIN;
            }
            self.ledger.reply(&self.home, id).is_some()
        });
    }

    /// Waits until every incident has been decided, and the center has what is owed to it. A slow disk may have it later
    /// than people.
    fn settle(&mut self) {
        let incidents = self.ledger.news(&self.home);
        self.home.app.state("everything is decided", |state| {
            let decided = |stage: &Value| stage != "countdown" && stage != "requested";
            let all = state["incidents"].as_array().expect("incidents");
            state["center"]["owed"] == 0
                && all.iter().all(|incident| decided(&incident["stage"]))
                && incidents.iter().all(|id| find(state, id).is_none_or(|incident| decided(&incident["stage"])))
        });
        let rests_at = self.office.work.rests_at();
        wait_until("everything is decided on disk, and has gone as far as it goes by itself", || {
            let rests = |incident: &Value| {
                ["aborted", "sounding", "closed", rests_at].contains(&incident["stage"].as_str().unwrap_or_default())
            };
            history(&self.home).iter().all(rests)
        });
    }

    /// After a start the line soon says what the incidents say, and goes on saying it.
    fn siren_is_right(&mut self, sounds: bool) {
        let state = self.home.app.state("the siren as decided", |state| state["siren"]["sounding"] == sounds);
        if !sounds {
            assert_eq!(self.home.lines.output(SIREN), Some(0), "the line sounds without a reason: {state}");
            return;
        }
        if let Some(started) = self.started {
            let sounded_before = self.edge_to_on(Duration::ZERO).is_some_and(|at| at < started);
            // Both patterns are on at their begin.
            wait_until("the siren after the start", || self.edge_to_on(started).is_some());
            let after = self.edge_to_on(started).unwrap_or_default() - started;
            // Else it waited for the end of a countdown, not for the hub.
            if sounded_before {
                assert!(after < RIGHT_AFTER, "the siren went on {after:?} after the start");
                self.ledger.restored_after(after);
            }
        }
        self.home.lines.siren_is(1);
    }

    /// When the siren first went on in this round, counted from then.
    fn edge_to_on(&self, from: Duration) -> Option<Duration> {
        let edges = self.ledger.siren_edges(&self.home).into_iter();
        edges.filter(|edge| edge.level == 1 && edge.at >= from).map(|edge| edge.at).next()
    }

    /// The round's end: help was there, and the siren is off.
    fn close_all(&mut self) {
        let state = self.home.app.state("the incidents", |_| true);
        let all = state["incidents"].as_array().expect("incidents").iter();
        for incident in all.filter(|incident| incident["stage"] == "acknowledged") {
            let id = incident["id"].as_str().expect("an id");
            let worked = console::work(&mut self.office, id, &mut self.dice);
            self.ledger.tally.buttons += worked.buttons;
            self.ledger.tally.deaths += worked.deaths;
        }
        let silence = format!("{}-{}-silence", self.name, self.round);
        self.until_replied("silence", &silence, &json!({"id": silence}).to_string());
        self.home.app.state("all is over", |state| state["phase"] == "idle" && state["siren"]["sounding"] == false);
        self.home.lines.siren_is(0);
        self.ledger.ended(&self.home, &self.office, self.wire);
        self.ledger.siren_is_over(&self.home);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Lane { seed, round, plan, office, .. } = self;
            eprintln!("Round {round} of the seed {seed} with {:?}, whose plan was {plan:#?}", office.work);
            eprintln!(
                "SOS_KILL_SEED={seed} SOS_KILL_LANES=1 SOS_KILL_ROUNDS={round} cargo test --test real_kills rounds"
            );
        }
    }
}

/// Also if it has only just been started and does not listen yet.
fn ends_well(status: ExitStatus) {
    assert!(status.success() || status.signal() == Some(libc::SIGTERM), "{status}");
}

fn request(service: &str, id: &str) -> String {
    json!({"service": service, "id": id}).to_string()
}

fn publish(client: &Client, command: &str, payload: &str) {
    client.publish_with(&topic(command), payload, Default::default());
}
