//! The commands of `sos-hub` that go through the home's broker, the same way an app's do.

pub mod center_test;

use std::fmt;
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use self::center_test::Events;
use crate::config::Config;
use crate::controller::input::{LinkChange, LinkProblem};
use crate::controller::words::{CommandName, Service, TestKind};
use crate::drivers::mqtt::{Keep, Link, LinkSettings, Listener, Message, Publication};
use crate::store::history::HistoryEntry;
use crate::wire::topics::AppTopics;
use crate::wiring;

/// How long the broker and the hub are given for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
const FAREWELL: Duration = Duration::from_millis(500);

/// What to ask the hub for.
#[derive(Clone, Debug)]
pub enum Errand {
    Status,
    Request(Service),
    /// One incident, or every countdown.
    Cancel(Option<String>),
    Silence,
    /// What becomes of a test of the center is waited for by [`center_test`].
    Test(TestKind),
}

/// Why the hub's word did not come, or was no.
#[derive(Debug)]
pub enum Failure {
    /// The broker cannot be used.
    Broker(LinkProblem),
    /// The broker is there, the hub is not.
    HubAway,
    /// A request that did not get as far as the hub, and why.
    NothingRequested(Box<Failure>),
    /// The connection broke after the hub had been asked, and did not come back in time.
    Broken(LinkProblem),
    /// No answer came in time.
    Silent,
    /// The center has not answered a test; what is known of it, and what to look at.
    Unconfirmed(String),
    /// The hub refused; its own sentence.
    Refused(String),
    System(std::io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Broker(problem) => write!(
                f,
                "There is no connection to the home's broker: {} The button on the hub works without it.",
                problem.sentence()
            ),
            Failure::HubAway => f.write_str(
                "The hub is not running, or not connected to this broker. Start it with: systemctl start sos-hub",
            ),
            Failure::NothingRequested(failure) => {
                write!(f, "Nothing was requested: call the emergency number. {failure}")
            }
            Failure::Broken(problem) => write!(
                f,
                "The connection to the home's broker broke before the hub's answer came, and the hub may have heard \
                 this all the same: see what it does with sos-hub status. In an emergency, call the emergency number. {}",
                problem.sentence()
            ),
            Failure::Silent => f.write_str("The hub has not answered. In an emergency, call the emergency number."),
            Failure::Unconfirmed(message) | Failure::Refused(message) => f.write_str(message),
            Failure::System(error) => write!(f, "The system gives no thread for the connection: {error}."),
        }
    }
}

impl Failure {
    /// Whether the hub has certainly not been asked.
    fn is_before_the_hub(&self) -> bool {
        matches!(self, Failure::Broker(_) | Failure::HubAway | Failure::System(_))
    }
}

/// Does an errand and prints what the hub says, as text or as its JSON.
///
/// # Errors
///
/// Everything but an accepted command, or a state of a hub that is there.
pub fn ask(config: &Config, errand: Errand, json: bool) -> Result<(), Failure> {
    let (answer, text) = converse(config, &errand)?;
    let accepted = errand.is_status() || answer["outcome"] == "accepted";
    if json {
        print(&answer.to_string());
    } else if accepted {
        print(&text);
    }
    if accepted { Ok(()) } else { Err(Failure::Refused(text)) }
}

/// Does an errand: the hub's answer (a reply, or its state), and what it says to a person.
///
/// # Errors
///
/// When no answer came. A refusal is an answer.
pub fn converse(config: &Config, errand: &Errand) -> Result<(Value, String), Failure> {
    talk(config, wiring::visitor_link(config), |talk, link| talk.run(link, errand)).map_err(|failure| {
        // Somebody may need help now: that comes first.
        if errand.is_request() && failure.is_before_the_hub() {
            Failure::NothingRequested(Box::new(failure))
        } else {
            failure
        }
    })
}

/// Does something as the visitor of these settings.
fn talk<T>(
    config: &Config,
    settings: LinkSettings,
    errand: impl FnOnce(&mut Talk, &Link) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let topics = wiring::app_topics(config);
    let (sender, receiver) = channel();
    let link = Link::start(settings, Ear { sender }).map_err(Failure::System)?;
    let deadline = Instant::now() + PATIENCE;
    let mut talk = Talk { topics, receiver, deadline, state: None, online: None, events: Events::default() };
    let outcome = errand(&mut talk, &link);
    link.stop(FAREWELL);
    outcome
}

/// Lists incidents as text or JSON.
pub fn show_history(entries: &[HistoryEntry], json: bool) {
    if json {
        print(&json!(entries).to_string());
        return;
    }
    if entries.is_empty() {
        print("No incidents.");
    }
    for entry in entries {
        print(&format!(
            "{}  {:<6}  {:<20}  {}  {}",
            entry.accepted_at, entry.service, entry.stage, entry.source, entry.id
        ));
        for step in &entry.steps {
            print(&format!("    {}  {:<22}  {}", step.at, step.stage, step.message));
        }
    }
}

impl Errand {
    fn is_request(&self) -> bool {
        matches!(self, Errand::Request(_))
    }

    fn is_status(&self) -> bool {
        matches!(self, Errand::Status)
    }

    /// Topic, payload, and the id that the reply will bear.
    fn command(&self) -> Option<(CommandName, String, Option<String>)> {
        let id = Uuid::new_v4().to_string();
        let (name, payload) = match self {
            Errand::Status => return None,
            Errand::Test(TestKind::Siren) => return Some((CommandName::Test, "siren".into(), None)),
            Errand::Test(TestKind::Center) => return Some((CommandName::Test, "center".into(), None)),
            Errand::Request(service) => {
                (CommandName::Request, json!({"service": service.as_str(), "id": id, "source": "cli"}))
            }
            Errand::Cancel(None) => (CommandName::Cancel, json!({"id": id})),
            Errand::Cancel(Some(incident)) => (CommandName::Cancel, json!({"incident": incident, "id": id})),
            Errand::Silence => (CommandName::Silence, json!({"id": id})),
        };
        Some((name, payload.to_string(), Some(id)))
    }
}

/// Passes on what the link hears.
struct Ear {
    sender: Sender<Heard>,
}

enum Heard {
    Link(LinkChange),
    Message(Message),
}

impl Listener for Ear {
    fn changed(&self, change: LinkChange) {
        // Nobody listens any more once the errand is done.
        let _ = self.sender.send(Heard::Link(change));
    }

    async fn message(&self, message: Message) {
        let _ = self.sender.send(Heard::Message(message));
    }
}

/// One errand under way.
struct Talk {
    topics: AppTopics,
    receiver: Receiver<Heard>,
    deadline: Instant,
    state: Option<Value>,
    online: Option<bool>,
    events: Events,
}

impl Talk {
    /// The hub's answer, and what it says to a person.
    fn run(&mut self, link: &Link, errand: &Errand) -> Result<(Value, String), Failure> {
        let up = self.hear(|_, heard| matches!(heard, Heard::Link(LinkChange::Up)).then_some(()));
        up?;
        self.hear(|talk, _| (talk.online.is_some() && talk.state.is_some()).then_some(())).map_err(|failure| {
            match failure {
                Failure::Silent => Failure::HubAway,
                other => other,
            }
        })?;
        if self.online != Some(true) {
            return Err(Failure::HubAway);
        }
        let Some((name, payload, id)) = errand.command() else {
            let state = self.state.clone().unwrap_or_default();
            let text = describe(&state);
            return Ok((state, text));
        };
        self.deadline = Instant::now() + PATIENCE;
        self.events = Events::default();
        let topic = self.topics.command(name);
        let publication = Publication { topic, payload: payload.into_bytes(), retain: false, correlation: None };
        let reply_topic = self.topics.reply();
        let is_the_reply = |heard: &Heard| {
            let Heard::Message(message) = heard else { return None };
            let reply: Value =
                serde_json::from_slice(&message.payload).ok().filter(|_| message.topic == reply_topic)?;
            (reply["id"] == json!(id) && reply["command"] == name.as_str()).then_some(reply)
        };
        link.publish(publication.clone(), Keep::Now);
        let answer = match self.hear(|_, heard| is_the_reply(heard)) {
            Err(Failure::Broker(problem)) if id.is_some() => {
                self.ask_again(link, &publication, is_the_reply).ok_or(Failure::Broken(problem))?
            }
            Err(Failure::Broker(problem)) => return Err(Failure::Broken(problem)),
            answer => answer?,
        };
        let text = answer["message"].as_str().unwrap_or_default().to_owned();
        Ok((answer, text))
    }

    /// The connection broke: what has an id is asked for on each one that follows, and done once.
    fn ask_again<T>(
        &mut self,
        link: &Link,
        publication: &Publication,
        is_the_reply: impl Fn(&Heard) -> Option<T>,
    ) -> Option<T> {
        self.deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.hear(|_, heard| {
                if matches!(heard, Heard::Link(LinkChange::Up)) {
                    link.publish(publication.clone(), Keep::Now);
                }
                is_the_reply(heard)
            });
            match found {
                Ok(reply) => return Some(reply),
                Err(Failure::Broker(_)) => {}
                Err(_) => return None,
            }
        }
    }

    /// Listens until something is found in what is heard.
    fn hear<T>(&mut self, mut find: impl FnMut(&mut Talk, &Heard) -> Option<T>) -> Result<T, Failure> {
        loop {
            let patience = self.deadline.saturating_duration_since(Instant::now());
            let heard = match self.receiver.recv_timeout(patience) {
                Ok(heard) => heard,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Err(Failure::Silent),
            };
            match &heard {
                Heard::Link(LinkChange::Down(problem)) => return Err(Failure::Broker(problem.clone())),
                Heard::Message(message) if message.topic == self.topics.availability() => {
                    self.online = Some(message.payload == b"online");
                }
                Heard::Message(message) if message.topic == self.topics.state() => {
                    self.state = serde_json::from_slice(&message.payload).ok();
                }
                Heard::Message(message) if message.topic == self.topics.event() => self.events.heard(&message.payload),
                _ => {}
            }
            if let Some(found) = find(self, &heard) {
                return Ok(found);
            }
        }
    }
}

/// A state in some lines of text.
fn describe(state: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let mut lines = vec![text(&state["message"])];
    for incident in state["incidents"].as_array().into_iter().flatten() {
        let (id, service, stage) = (text(&incident["id"]), text(&incident["service"]), text(&incident["stage"]));
        lines.push(format!("  {service}: {stage}  {id}"));
    }
    let siren = if state["siren"]["sounding"] == true { "sounding" } else { "silent" };
    let plan = format!("{} ({})", text(&state["plan"]["standing"]), state["plan"]["name"].as_str().unwrap_or("none"));
    let center = format!("{}, {} owed", text(&state["center"]["link"]), state["center"]["owed"]);
    let ready = if state["ready"] == true { "yes" } else { "no" };
    for (name, value) in [("ready", ready), ("siren", siren), ("plan", &plan), ("center", &center)] {
        lines.push(format!("{name:<7} {value}"));
    }
    for fault in state["faults"].as_array().into_iter().flatten() {
        lines.push(format!("fault   {}: {}", text(&fault["code"]), text(&fault["message"])));
    }
    lines.join("\n")
}

/// Prints a line; a reader that has gone away is no error.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
