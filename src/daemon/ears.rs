//! From the drivers to the loop: bytes become words here, on the threads of the drivers, and land in the mailbox.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use super::{Mail, Organ};
use crate::controller::effect::Restored;
use crate::controller::input::{
    CenterMessage, Content, HardwareReport, Input, LinkChange, Malformed, Received, ReplyTo,
};
use crate::controller::moment::{Boottime, Wall};
use crate::controller::words::CommandName;
use crate::drivers::clock::{self, Clock};
use crate::drivers::mqtt::{Listener, Message, Publication};
use crate::mailbox::Sender;
use crate::panel::Hub;
use crate::store::{Told, history};
use crate::wire::tokens::Verifier;
use crate::wire::topics::{AppTopics, CenterTopics};
use crate::wire::{center, commands, home_assistant};

/// The longest Response Topic that is answered on, in bytes.
const LONGEST_RESPONSE_TOPIC: usize = 256;
/// So many levels it may have: mosquitto throws whoever publishes to a topic of more than 200 off.
const MOST_RESPONSE_LEVELS: usize = 32;

/// Hears apps.
pub(super) struct AppEar {
    sender: Sender<Mail>,
    topics: AppTopics,
    /// Where Home Assistant says that it has started, if it is listened to.
    status_topic: Option<String>,
    /// Gets each topic on which the broker has taken back what lay there.
    taken_back: mpsc::Sender<String>,
}

impl AppEar {
    pub fn new(
        sender: Sender<Mail>,
        topics: AppTopics,
        status_topic: Option<String>,
        taken_back: mpsc::Sender<String>,
    ) -> AppEar {
        AppEar { sender, topics, status_topic, taken_back }
    }

    /// What a message commands; `None` if that is not what it is for.
    fn command(&self, message: &Message) -> Option<(CommandName, Result<Content, Malformed>)> {
        if message.topic == self.topics.siren() {
            return Some(commands::siren(&message.payload));
        }
        let command = self.topics.parse(&message.topic)?;
        Some((command, commands::command(command, &message.payload)))
    }

    /// A reply goes where its requester wants it, but never onto one of the hub's own topics: there it would pass for
    /// the hub's word, or come back as a command. Nor onto one that a broker may end the hub's connection over.
    fn reply_to(&self, message: &mut Message) -> Option<ReplyTo> {
        let may_be_answered_on = |topic: &String| !self.topics.is_taken(topic) && is_modest(topic);
        let topic = message.response_topic.take().filter(may_be_answered_on)?;
        Some(ReplyTo::Topic { topic, correlation: message.correlation.take() })
    }
}

impl Listener for AppEar {
    fn changed(&self, change: LinkChange) {
        self.sender.urgent(Mail::Input(Input::AppLink(change)));
    }

    fn taken(&self, publication: &Publication) {
        if publication.retain && publication.payload.is_empty() {
            // Nobody listens any more once all that was old is taken back.
            let _ = self.taken_back.send(publication.topic.clone());
        }
    }

    async fn message(&self, mut message: Message) {
        let arrived = clock::boottime();
        if self.status_topic.as_ref() == Some(&message.topic) {
            if message.payload == home_assistant::ONLINE {
                self.sender.bulk(Mail::HomeAssistantStarted).await;
            }
            return;
        }
        let Some((command, content)) = self.command(&message) else { return };
        let received = Received {
            arrived,
            command,
            retained: message.retained,
            duplicate: message.duplicate,
            content,
            reply_to: self.reply_to(&mut message),
        };
        self.sender.bulk(Mail::Input(Input::Command(received))).await;
    }
}

/// Whether every broker takes a publication to this topic, or refuses that alone.
fn is_modest(topic: &str) -> bool {
    topic.len() <= LONGEST_RESPONSE_TOPIC && topic.split('/').count() <= MOST_RESPONSE_LEVELS
}

/// Hears the web panel, whose commands wait where those of all strangers wait.
pub(super) struct PanelEar {
    sender: Sender<Mail>,
    state_dir: PathBuf,
    clock: Mutex<Clock>,
}

impl PanelEar {
    /// `clock` tells whether the time may be believed.
    pub fn new(sender: Sender<Mail>, state_dir: PathBuf, clock: Clock) -> PanelEar {
        PanelEar { sender, state_dir, clock: Mutex::new(clock) }
    }
}

impl Hub for PanelEar {
    fn now(&self) -> Boottime {
        clock::boottime()
    }

    fn wall(&self) -> Wall {
        clock::wall()
    }

    fn is_clock_set(&self) -> bool {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).synced()
    }

    fn ask_for_life(&self) {
        self.sender.urgent(Mail::Life);
    }

    async fn command(&self, received: Received) {
        self.sender.bulk(Mail::Input(Input::Command(received))).await;
    }

    fn history(&self, limit: usize) -> Result<Vec<String>, String> {
        let entries = history::read(&self.state_dir, limit).map_err(|problem| problem.to_string())?;
        entries.iter().map(|entry| serde_json::to_string(entry).map_err(|error| error.to_string())).collect()
    }

    fn panel_standing(&self, problem: Option<String>) {
        let report = match problem {
            Some(problem) => HardwareReport::PanelFailed { problem },
            None => HardwareReport::PanelWorks,
        };
        self.sender.urgent(Mail::Input(Input::Hardware(report)));
    }
}

/// Hears the monitoring center, and believes only its key.
pub(super) struct CenterEar {
    sender: Sender<Mail>,
    topics: CenterTopics,
    verifier: Arc<Verifier>,
}

impl CenterEar {
    pub fn new(sender: Sender<Mail>, topics: CenterTopics, verifier: Arc<Verifier>) -> CenterEar {
        CenterEar { sender, topics, verifier }
    }
}

impl Listener for CenterEar {
    fn changed(&self, change: LinkChange) {
        self.sender.urgent(Mail::Input(Input::CenterLink(change)));
    }

    async fn message(&self, message: Message) {
        let Some(topic) = self.topics.parse(&message.topic) else { return };
        let word = center::center_message(topic, &self.topics.account, &message.payload, &self.verifier);
        self.sender.bulk(Mail::Input(Input::Center(word))).await;
    }
}

/// Hears the store.
pub(super) struct StoreEar {
    sender: Sender<Mail>,
    account: String,
    verifier: Arc<Verifier>,
}

impl StoreEar {
    pub fn new(sender: Sender<Mail>, account: String, verifier: Arc<Verifier>) -> StoreEar {
        StoreEar { sender, account, verifier }
    }

    pub fn hear(&self, told: Told) {
        match told {
            Told::Restored { restored, plan_tokens } => self.restored(restored, &plan_tokens),
            Told::PlanToken(token) => self.restored(Box::default(), &[token]),
            Told::Report(report) => self.sender.urgent(Mail::Input(Input::Store(report))),
            Told::Pong(number) => self.sender.urgent(Mail::Pong(Organ::Store, number)),
        }
    }

    /// Of the plan tokens that were kept, the one with the highest serial counts, if it is the center's.
    fn restored(&self, mut restored: Box<Restored>, plan_tokens: &[String]) {
        let mut problems = Vec::new();
        for token in plan_tokens {
            match center::plan_token(token, &self.account, &self.verifier) {
                Ok(plan) if restored.plan.as_ref().is_none_or(|kept| plan.serial > kept.serial) => {
                    restored.plan = Some(plan);
                }
                Ok(_) => {}
                Err(problem) => problems.push(problem),
            }
        }
        self.sender.urgent(Mail::Input(Input::Restored(restored)));
        for problem in problems {
            let problem = format!("the token of the stored plan {problem}");
            self.sender.urgent(Mail::Input(Input::Center(CenterMessage::Rejected { problem })));
        }
    }
}
