//! A stand-in for the monitoring center: it acks every signal of the hub and walks each alarm through the call, for
//! which it calls nobody.

use std::collections::VecDeque;
use std::io;
use std::thread::Builder;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::files::{ACCOUNT, Files};
use crate::config::Config;
use crate::controller::input::LinkChange;
use crate::controller::words::CallStage;
use crate::drivers::clock;
use crate::drivers::mqtt::{Keep, Link, LinkSettings, Listener, Message, Publication, Subscription};
use crate::mailbox::{Mailbox, Sender, mailbox};
use crate::wire::text::timestamp;
use crate::wire::tokens::{Signer, Verifier};
use crate::wire::topics::{CenterTopic, CenterTopics, HubTopic};
use crate::wiring;

const ANN: Contact = Contact { position: 1, name: "Ann" };
const BEN: Contact = Contact { position: 2, name: "Ben" };

/// What follows an alarm, and after how many seconds.
const WALK: [(u64, CallStage, Option<Contact>); 5] = [
    (2, CallStage::CallingFirstContact, Some(ANN)),
    (7, CallStage::NoAnswer, Some(ANN)),
    (10, CallStage::Dispatched, None),
    (13, CallStage::CallingOtherContacts, Some(BEN)),
    (20, CallStage::Closed, None),
];

/// How many acks are kept for a signal that comes again, and how many incidents for an alarm that does.
const KEPT: usize = 256;

#[derive(Clone, Copy)]
struct Contact {
    position: u32,
    name: &'static str,
}

/// Starts it; it ends with the process.
pub fn start(config: &Config, files: &Files) -> io::Result<()> {
    let topics = CenterTopics { account: ACCOUNT.into() };
    let (sender, mailbox) = mailbox();
    let settings = LinkSettings {
        name: "demo-center",
        client_id: "demo-center".into(),
        subscriptions: vec![Subscription { topic: topics.from_hub(HubTopic::Signal), wants_retained: false }],
        ..wiring::visitor_link(config)
    };
    let center = Center {
        signer: Signer::from_pem(files.center_key.private_pem.as_bytes(), "center").map_err(io::Error::other)?,
        verifier: Verifier::from_pem(files.hub_key.public_pem.as_bytes()).map_err(io::Error::other)?,
        link: Link::start(settings, Ear { sender })?,
        topics,
        acks: VecDeque::new(),
        ack_seq: 0,
        calls: VecDeque::new(),
    };
    Builder::new().name("demo-center".into()).spawn(move || center.work(&mailbox))?;
    Ok(())
}

struct Ear {
    sender: Sender<Vec<u8>>,
}

impl Listener for Ear {
    fn changed(&self, _: LinkChange) {}

    async fn message(&self, message: Message) {
        self.sender.bulk(message.payload).await;
    }
}

struct Center {
    topics: CenterTopics,
    signer: Signer,
    verifier: Verifier,
    link: Link,
    /// The signals taken last, with their acks.
    acks: VecDeque<(String, Vec<u8>)>,
    ack_seq: u64,
    /// The incidents of the latest alarms.
    calls: VecDeque<Call>,
}

struct Call {
    incident: String,
    began: Instant,
    /// Which step of the walk is the next.
    next: usize,
}

impl Call {
    fn due(&self) -> Option<Instant> {
        WALK.get(self.next).map(|(seconds, ..)| self.began + Duration::from_secs(*seconds))
    }
}

#[derive(Deserialize)]
struct Signal {
    jti: String,
    account: String,
    kind: String,
    incident: Option<String>,
}

impl Center {
    fn work(mut self, mailbox: &Mailbox<Vec<u8>>) {
        loop {
            let due = self.calls.iter().filter_map(Call::due).min();
            let patience = due.map(|due| due.saturating_duration_since(Instant::now()));
            if let Some(token) = mailbox.next(patience) {
                self.take(&token);
            }
            self.walk_on();
        }
    }

    /// A signal that is not this hub's own is not answered.
    fn take(&mut self, token: &[u8]) {
        let Ok(claims) = self.verifier.verify(token) else { return };
        let Ok(signal) = serde_json::from_str::<Signal>(&claims) else { return };
        if signal.account != ACCOUNT {
            return;
        }
        self.ack(signal.jti);
        if let (Some(incident), "alarm") = (signal.incident, signal.kind.as_str())
            && !self.calls.iter().any(|call| call.incident == incident)
        {
            self.calls.truncate(KEPT - 1);
            self.calls.push_front(Call { incident, began: Instant::now(), next: 0 });
        }
    }

    fn ack(&mut self, jti: String) {
        if let Some((_, ack)) = self.acks.iter().find(|(taken, _)| *taken == jti) {
            return self.publish(CenterTopic::Ack, ack.clone(), Keep::Now);
        }
        self.ack_seq += 1;
        let claims = json!({
            "account": ACCOUNT,
            "signal": jti,
            "result": "accepted",
            "seq": self.ack_seq,
            "received_at": timestamp(clock::wall()),
        });
        let Some(ack) = self.sign(&claims) else { return };
        self.acks.truncate(KEPT - 1);
        self.acks.push_front((jti, ack.clone()));
        self.publish(CenterTopic::Ack, ack, Keep::Now);
    }

    /// Says of each incident what is due.
    fn walk_on(&mut self) {
        let now = Instant::now();
        let mut updates = Vec::new();
        for call in self.calls.iter_mut().filter(|call| call.due().is_some_and(|due| due <= now)) {
            let (_, stage, contact) = WALK[call.next];
            call.next += 1;
            updates.push(json!({
                "account": ACCOUNT,
                "incident": call.incident,
                "seq": call.next,
                "stage": stage.stage().as_str(),
                "contact": contact.map(|Contact { position, name }| json!({"position": position, "name": name})),
                "at": timestamp(clock::wall()),
            }));
        }
        for update in updates.iter().filter_map(|claims| self.sign(claims)) {
            self.publish(CenterTopic::Update, update, Keep::Queue);
        }
    }

    /// `None` never comes: the claims are an object.
    fn sign(&self, claims: &Value) -> Option<Vec<u8>> {
        self.signer.sign(claims.to_string().as_bytes()).ok().map(String::into_bytes)
    }

    fn publish(&self, topic: CenterTopic, payload: Vec<u8>, keep: Keep) {
        let topic = self.topics.from_center(topic);
        self.link.publish(Publication { topic, payload, retain: false, correlation: None }, keep);
    }
}
