//! The loop's world: where it waits, and how each effect is carried out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::desk::effect::Effect;
use super::desk::effect::Said;
use super::desk::input::Input;
use super::desk::words::{AccountId, Signal};
use super::office::{Bell, Mail};
use super::store::{Ledger, Store};
use super::telephone::Telephone;
use super::wire::said;
use crate::controller::moment::{Boottime, Id, Moment};
use crate::drivers::clock::{self, Clock};
use crate::drivers::logging;
use crate::drivers::mqtt::{Keep, Link, Publication};
use crate::mailbox::{Mailbox, Sender};
use crate::vigil::Vigil;
use crate::wire::tokens::Signer;
use crate::wire::topics::{CenterTopic, CenterTopics};

pub(super) struct Hands {
    pub clock: Clock,
    pub mailbox: Mailbox<Mail>,
    /// For answers that come back to the loop.
    pub sender: Sender<Mail>,
    pub vigil: Vigil,
    /// Set by the store's thread when it has answered a ping.
    pub store_answered: Arc<AtomicBool>,
    pub signer: Arc<Signer>,
    pub store: Store,
    pub link: Link,
    pub telephone: Telephone,
    pub bell: Bell,
}

impl Hands {
    pub fn moment(&mut self) -> Moment {
        self.clock.moment()
    }

    /// The next mail; `None` when it is time. Sees to the watchdog meanwhile.
    pub fn wait(&mut self, until: Option<Boottime>) -> Option<Mail> {
        loop {
            let now = clock::boottime();
            if let Some(number) = self.vigil.round(now) {
                if self.store_answered.swap(false, Ordering::Relaxed) {
                    self.vigil.store_lives(now);
                }
                if self.vigil.asks_store() {
                    self.store.ping(number);
                }
                self.vigil.all_live(number, now);
            }
            let next = [until, self.vigil.next_round()].into_iter().flatten().min();
            let mail = self.mailbox.next(next.map(|next| next.since(now)));
            if mail.is_some() || until.is_some_and(|until| clock::boottime() >= until) {
                return mail;
            }
        }
    }

    pub fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Persist(batch) => self.store.persist(batch),
            Effect::LookUp { signal, incidents } => self.look_up(signal, incidents),
            Effect::Say(said) => self.say(&said),
            Effect::PlaceCall(request) => self.telephone.place_call(request),
            Effect::AskDispatch(request) => self.telephone.ask_dispatch(request),
            Effect::Alert(request) => self.telephone.alert(request),
            Effect::Answer { ticket, outcome } => self.bell.answer(ticket, outcome),
            Effect::Changed(changed) => self.bell.changed(changed),
            Effect::Log(line) => logging::emit(&line),
        }
    }

    fn look_up(&self, signal: Box<Signal>, incidents: Vec<Id>) {
        let sender = self.sender.clone();
        self.store.look_up(signal, incidents, move |signal, past| match past {
            Ok(past) => sender.urgent(Mail::Input(Input::LookedUp { signal, past })),
            // Nothing is answered, so the hub sends it again.
            Err(problem) => tracing::warn!(topic = "storage", "A signal waits for its next repeat: {problem}"),
        });
    }

    fn say(&self, said: &Said) {
        let (topic, account, claims, keep): (_, &AccountId, _, _) = match said {
            Said::Ack(ack) => (CenterTopic::Ack, &ack.account, said::ack(ack), Keep::Queue),
            Said::Update(update) => (CenterTopic::Update, &update.account, said::update(update), Keep::Queue),
            Said::Plan(token) => (CenterTopic::Plan, &token.account, said::plan(token), Keep::Latest),
        };
        let topics = CenterTopics { account: account.as_str().to_owned() };
        match self.signer.sign(&claims) {
            Ok(token) => {
                let retain = topic == CenterTopic::Plan;
                let (topic, payload) = (topics.from_center(topic), token.into_bytes());
                self.link.publish(Publication { topic, payload, retain, correlation: None }, keep);
            }
            // The hub asks again.
            Err(problem) => {
                tracing::warn!("A message on the topic {} could not be signed: it {problem}.", topic.as_str())
            }
        }
    }
}
