//! A link under test, and an ear on it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use sos_hub::controller::input::{LinkChange, LinkProblem};
use sos_hub::drivers::mqtt::{Link, LinkSettings, Listener, Message, Publication, Room, Subscription};

use super::DEADLINE;

struct Ear {
    changes: Sender<LinkChange>,
    messages: Sender<Message>,
}

impl Listener for Ear {
    fn changed(&self, change: LinkChange) {
        // At the end of a test nobody may listen any more.
        let _ = self.changes.send(change);
    }

    async fn message(&self, message: Message) {
        let _ = self.messages.send(message);
    }
}

pub struct Heard {
    changes: Receiver<LinkChange>,
    messages: Receiver<Message>,
}

impl Heard {
    pub fn change(&self) -> LinkChange {
        self.changes.recv_timeout(DEADLINE).expect("a change of the link")
    }

    pub fn up(&self) {
        assert_eq!(self.change(), LinkChange::Up);
    }

    pub fn down(&self) -> LinkProblem {
        match self.change() {
            LinkChange::Down(problem) => problem,
            LinkChange::Up => panic!("the link came up"),
        }
    }

    /// Nothing of the link itself was told that was not looked at.
    pub fn has_not_changed(&self) {
        let change = self.changes.try_recv();
        assert!(change.is_err(), "{change:?}");
    }

    pub fn message(&self) -> Message {
        self.messages.recv_timeout(DEADLINE).expect("a message on the link")
    }
}

pub fn start(settings: LinkSettings) -> (Link, Heard) {
    let (changes, changes_heard) = channel();
    let (messages, messages_heard) = channel();
    let link = Link::start(settings, Ear { changes, messages }).expect("the link starts");
    (link, Heard { changes: changes_heard, messages: messages_heard })
}

/// Subscribes to `in` (nothing stored) and `wanted` (stored too).
pub fn settings(port: u16) -> LinkSettings {
    let availability = |text| Publication { retain: true, ..publication("availability", text) };
    LinkSettings {
        name: "mqtt-test",
        host: "127.0.0.1".into(),
        port,
        client_id: "hub".into(),
        username: None,
        password_file: None,
        tls: None,
        will: Some(availability("offline by will")),
        on_up: vec![availability("online")],
        last_words: vec![availability("offline")],
        subscriptions: vec![
            Subscription { topic: "in".into(), wants_retained: false },
            Subscription { topic: "wanted".into(), wants_retained: true },
        ],
        optional: Vec::new(),
        announcement: None,
        room: Room::SMALL,
        clock_trusted: Arc::new(|| true),
    }
}

pub fn publication(topic: &str, text: &str) -> Publication {
    Publication { topic: topic.into(), payload: text.into(), retain: false, correlation: None }
}
