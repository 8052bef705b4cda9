//! The two brokers and the hub between them, visited under names of our own.

use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::faults::remedy;
use super::finding::{Finding, Findings};
use crate::client::{self, Errand, Failure};
use crate::config::Config;
use crate::controller::input::{LinkChange, LinkProblem, LinkProblemKind};
use crate::drivers::clock;
use crate::drivers::mqtt::{self, Link, Listener, Message};
use crate::wiring;

/// How long the broker has to let a stranger in.
const PATIENCE: Duration = Duration::from_secs(5);
const FAREWELL: Duration = Duration::from_millis(200);
/// Two heartbeats may be missed before the hub itself complains.
const HEARTBEATS: u32 = 3;

/// What came of the visits.
pub struct Visits {
    /// The certificate that was shown, in DER.
    home: Result<Option<Vec<u8>>, LinkProblem>,
    /// `None`: the password may not be read by this user.
    hub: Option<Result<Value, Failure>>,
    /// Whether somebody without a password is let in.
    guests: Option<bool>,
    center: Result<Option<Vec<u8>>, LinkProblem>,
}

impl Visits {
    /// All at once: none waits for another.
    pub fn make(config: &Config) -> Visits {
        let login = config.app.broker.login.as_ref();
        // A login without a password file: either there is none, or this user may not read it.
        let may_log_in = login.is_none_or(|login| login.password_file.is_some());
        thread::scope(|scope| {
            let home = scope.spawn(|| mqtt::reach(&wiring::visitor_link(config)));
            let center = scope.spawn(|| mqtt::reach(&wiring::center_link(config)));
            let guests = scope.spawn(|| login.and_then(|_| lets_guests_in(config)));
            let hub = may_log_in.then(|| client::converse(config, &Errand::Status).map(|(state, _)| state));
            let gone =
                || LinkProblem { kind: LinkProblemKind::Unreachable, detail: "the visit was broken off".to_owned() };
            Visits {
                home: home.join().unwrap_or_else(|_| Err(gone())),
                hub,
                guests: guests.join().unwrap_or_default(),
                center: center.join().unwrap_or_else(|_| Err(gone())),
            }
        })
    }

    /// What the hub says of itself.
    pub fn state(&self) -> Option<&Value> {
        self.hub.as_ref()?.as_ref().ok()
    }

    /// The certificates, in DER, that the brokers have shown.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let brokers = [("the home's broker", &self.home), ("the center's broker", &self.center)];
        brokers.into_iter().filter_map(|(broker, visit)| Some((broker, visit.as_ref().ok()?.as_deref()?)))
    }

    pub fn hub_is_there(&self) -> bool {
        self.state().is_some()
    }

    /// `runs`: whether systemd says that the hub does.
    pub fn report(&self, findings: &mut Findings, config: &Config, runs: bool) {
        self.report_broker(findings, config);
        self.report_guests(findings, config);
        self.report_hub(findings, runs);
        self.report_center(findings, config);
    }

    fn report_broker(&self, findings: &mut Findings, config: &Config) {
        let broker = format!("{}:{}", config.app.broker.host, config.app.broker.port);
        let mend = "See that it runs (`sudo systemctl status mosquitto`; `sudo systemctl restart mosquitto` starts it), and \
                    compare host, port, user and password in [app].";
        findings.add(match (&self.home, &self.hub) {
            (Err(problem), _) | (Ok(_), Some(Err(Failure::Broker(problem)))) => {
                let problem = problem.sentence();
                Finding::fail("broker", format!("The home's broker cannot be used: {problem}"), mend)
            }
            (Ok(_), None) => Finding::warn(
                "broker",
                format!("The home's broker {broker} can be reached; its login was not tried."),
                "Run it with sudo: this user may not read the password.",
            ),
            (Ok(_), Some(Err(Failure::Silent | Failure::System(_)))) => {
                Finding::fail("broker", format!("The home's broker {broker} takes no MQTT connection in time."), mend)
            }
            (Ok(_), Some(_)) => Finding::ok(
                "broker",
                format!("The home's broker {broker} lets the hub in and takes its subscriptions."),
            ),
        });
    }

    fn report_guests(&self, findings: &mut Findings, config: &Config) {
        if config.app.broker.login.is_none() {
            findings.add(Finding::warn(
                "guests",
                "The hub has no login at the home's broker, so whoever reaches it can call for help in your name.",
                "Give every client a user and rights: sudo sos-hub setup.",
            ));
            return;
        }
        match self.guests {
            Some(true) => findings.add(Finding::warn(
                "guests",
                "The home's broker lets clients in without a password: whoever reaches it may be able to call for help.",
                "Set allow_anonymous false, as config/mosquitto-home.conf does.",
            )),
            Some(false) => {
                findings.add(Finding::ok("guests", "The home's broker lets nobody in without a password."));
            }
            None => findings.add(Finding::warn(
                "guests",
                "Whether the home's broker asks everybody for a password was not seen: the visit failed before it said so.",
                "Look again when it can be reached.",
            )),
        }
    }

    fn report_hub(&self, findings: &mut Findings, runs: bool) {
        let state = match &self.hub {
            None => {
                let message = "What the hub says of itself was not asked for.";
                findings.add(Finding::warn("hub", message, "Run it with sudo."));
                return;
            }
            Some(Err(failure)) => {
                findings.add(unasked(failure, runs));
                return;
            }
            Some(Ok(state)) => state,
        };
        let version = state["version"].as_str().unwrap_or("unknown");
        findings.add(if state["ready"] == true {
            Finding::ok("hub", format!("The hub runs (version {version}) and is ready."))
        } else {
            Finding::fail("hub", format!("The hub runs (version {version}) and is not ready."), "See the faults below.")
        });
        for fault in state["faults"].as_array().into_iter().flatten() {
            let code = fault["code"].as_str().unwrap_or("unknown");
            let message = format!("{code}: {}", fault["message"].as_str().unwrap_or_default());
            let mend = remedy(code).unwrap_or("See the journal: journalctl -u sos-hub.");
            findings.add(if state["ready"] == true {
                Finding::warn("fault", message, mend)
            } else {
                Finding::fail("fault", message, mend)
            });
        }
    }

    fn report_center(&self, findings: &mut Findings, config: &Config) {
        let center = format!("{}:{}", config.center.broker.host, config.center.broker.port);
        let mend = "Check the internet connection, then host, port and ca_file in [center].";
        if let Err(problem) = &self.center {
            let problem = problem.sentence();
            findings.add(Finding::fail("center", format!("The center's broker cannot be used: {problem}"), mend));
            return;
        }
        let Some(state) = self.state() else {
            let message =
                format!("The center's broker {center} can be reached; whether it lets this hub in was not seen.");
            let mend = match &self.hub {
                Some(Err(Failure::HubAway)) => "Look again when the hub runs.",
                Some(_) => "Look again when the home's broker can be used.",
                None => "Run it with sudo.",
            };
            findings.add(Finding::warn("center", message, mend));
            return;
        };
        let owed = state["center"]["owed"].as_u64().unwrap_or_default();
        let heard = state["center"]["last_heard_at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let age = heard.map(|at| {
            Duration::from_millis(clock::wall().0.saturating_sub(at.as_millisecond()).max(0).cast_unsigned())
        });
        let up = state["center"]["link"] == "up";
        let mend = "See the faults; `sudo sos-hub test center` asks the center for a word.";
        findings.add(match age {
            _ if !up => Finding::fail("center", format!("The hub has no connection to the center at {center}."), mend),
            None => Finding::fail("center", "The center has never said anything to this hub.".to_owned(), mend),
            Some(age) if age > config.center.heartbeat * HEARTBEATS => Finding::fail(
                "center",
                format!("The center's last word is {} s old; {owed} signal(s) wait for it.", age.as_secs()),
                mend,
            ),
            Some(age) => Finding::ok(
                "center",
                format!("The center is connected; its last word is {} s old, {owed} signal(s) wait.", age.as_secs()),
            ),
        });
    }
}

/// What is known of a hub that has said nothing. `runs`: systemd says that it runs.
fn unasked(failure: &Failure, runs: bool) -> Finding {
    match (failure, runs) {
        (Failure::HubAway, true) => Finding::fail(
            "hub",
            "The hub runs, and its state cannot be read at the broker.",
            "Its user may lack rights there, or it has another broker than [app] names now: journalctl -u sos-hub.",
        ),
        (Failure::HubAway, false) => Finding::fail(
            "hub",
            "The hub is not running, or its state cannot be read at the broker.",
            "Start it with `sudo systemctl start sos-hub`; if it runs, its user may lack rights at the broker.",
        ),
        // Nothing is known to be wrong with the hub itself.
        (_, true) => Finding::warn(
            "hub",
            "The hub runs, and could not be asked whether it is ready: the way to it is the home's broker.",
            "Mend the broker (see above), and look again. Buttons, siren and alarms work without it.",
        ),
        (_, false) => Finding::warn(
            "hub",
            "Whether the hub runs was not seen: the way to it is the home's broker.",
            "Mend the broker (see above), and look again.",
        ),
    }
}

/// Whether the home's broker takes a client without a name; `None`: it did not say.
fn lets_guests_in(config: &Config) -> Option<bool> {
    let mut settings = wiring::visitor_link(config);
    settings.username = None;
    settings.password_file = None;
    let (sender, changes) = channel();
    let link = Link::start(settings, Ear { sender }).ok()?;
    let change = changes.recv_timeout(PATIENCE);
    link.stop(FAREWELL);
    match change.ok()? {
        LinkChange::Up => Some(true),
        LinkChange::Down(problem) if problem.kind == LinkProblemKind::Credentials => Some(false),
        // Let in, and only then refused what it asked for.
        LinkChange::Down(problem) if problem.kind == LinkProblemKind::Subscription => Some(true),
        LinkChange::Down(_) => None,
    }
}

/// Passes on whether the link is up.
struct Ear {
    sender: Sender<LinkChange>,
}

impl Listener for Ear {
    fn changed(&self, change: LinkChange) {
        // Nobody listens any more once the answer is known.
        let _ = self.sender.send(change);
    }

    async fn message(&self, _message: Message) {}
}
