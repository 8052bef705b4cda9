//! The loop's world: where it waits, and how each effect is carried out.

use std::sync::Arc;
use std::time::Duration;

use super::turns::{Happening, World};
use super::{Mail, Organ};
use crate::controller::effect::{Effect, Report, Signal};
use crate::controller::input::{Input, ReplyTo};
use crate::controller::moment::{Boottime, Moment};
use crate::controller::report::{EventKind, Phase};
use crate::drivers::clock::{self, Clock};
use crate::drivers::gpio::Gpio;
use crate::drivers::logging;
use crate::drivers::mqtt::{Keep, Link, Publication};
use crate::mailbox::Mailbox;
use crate::panel::Board;
use crate::store::Store;
use crate::vigil::Vigil;
use crate::wire::tokens::Signer;
use crate::wire::topics::{AppTopics, CenterTopics, HubTopic};
use crate::wire::{reports, signals};

pub(super) struct Hands {
    pub clock: Clock,
    pub mailbox: Mailbox<Mail>,
    /// What came before the loop began to turn.
    pub memory: std::vec::IntoIter<Mail>,
    pub vigil: Vigil,
    pub hub: String,
    pub app_topics: AppTopics,
    pub center_topics: CenterTopics,
    pub signer: Signer,
    pub gpio: Gpio,
    pub store: Store,
    pub app_link: Link,
    pub center_link: Link,
    pub board: Arc<Board>,
}

impl World for Hands {
    fn now(&mut self) -> Boottime {
        clock::boottime()
    }

    fn moment(&mut self) -> Moment {
        self.clock.moment()
    }

    fn wait(&mut self, patience: Option<Duration>) -> Happening {
        let until = patience.map(|patience| clock::boottime() + patience);
        loop {
            let now = clock::boottime();
            if let Some(number) = self.vigil.round(now) {
                self.gpio.ping(number);
                if self.vigil.asks_store() {
                    self.store.ping(number);
                }
            }
            let next = [until, self.vigil.next_round()].into_iter().flatten().min();
            match self.memory.next().or_else(|| self.mailbox.next(next.map(|next| next.since(now)))) {
                Some(Mail::Input(input)) => return Happening::Input(input),
                Some(Mail::HomeAssistantStarted) => {
                    self.app_link.announce_again();
                    return Happening::Input(Input::StateWanted);
                }
                Some(Mail::NoMoreAnnounced(topics)) => {
                    for topic in topics {
                        self.publish(topic, Vec::new(), true, Keep::Latest);
                    }
                }
                Some(Mail::Stop) => return Happening::Stop,
                Some(Mail::Life) => self.board.lives(clock::boottime()),
                Some(Mail::Pong(Organ::Store, _)) => self.vigil.store_lives(clock::boottime()),
                Some(Mail::Pong(Organ::Buttons, number)) => self.vigil.all_live(number, clock::boottime()),
                None if until.is_some_and(|until| clock::boottime() >= until) => return Happening::Nothing,
                None => {}
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Siren { asserted } => self.gpio.siren(asserted),
            Effect::Led { lit } => self.gpio.led(lit),
            Effect::Persist(batch) => self.store.persist(batch),
            Effect::Tell(report) => self.tell(report),
            Effect::Transmit(signal) => self.transmit(&signal),
            Effect::Log(line) => logging::emit(&line),
        }
    }
}

impl Hands {
    fn tell(&mut self, report: Report) {
        match report {
            Report::State(mut state) => {
                self.vigil.calm(state.phase == Phase::Idle && !state.siren.sounding);
                let now = clock::boottime();
                // It may have waited for the disk.
                state.bring_to(now);
                let payload = reports::state(&state, &self.hub, env!("CARGO_PKG_VERSION"));
                self.board.state(&payload, now);
                self.publish(self.app_topics.state(), payload, true, Keep::Latest);
            }
            Report::Event(event) => {
                let payload = reports::event(&event);
                self.board.event(&payload);
                let is_tick = matches!(event.kind, EventKind::Countdown { .. });
                if is_tick {
                    self.board.tick();
                }
                // The seconds of a countdown are of no use to anybody later.
                let keep = if is_tick { Keep::Now } else { Keep::Queue };
                self.publish(self.app_topics.event(), payload, false, keep);
            }
            Report::Reply { reply, reply_to } => {
                let payload = reports::reply(&reply);
                match reply_to {
                    Some(ReplyTo::Topic { topic, correlation }) => {
                        let payload = payload.clone();
                        self.app_link.publish(Publication { topic, payload, retain: false, correlation }, Keep::Now);
                    }
                    Some(ReplyTo::Page(page)) => self.board.reply(page, payload.clone()),
                    None => {}
                }
                self.publish(self.app_topics.reply(), payload, false, Keep::Now);
            }
        }
    }

    fn transmit(&self, signal: &Signal) {
        let claims = signals::signal(signal, &self.center_topics.account, &self.hub);
        match self.signer.sign(&claims) {
            Ok(token) => {
                let topic = self.center_topics.from_hub(HubTopic::Signal);
                let publication = Publication { topic, payload: token.into_bytes(), retain: false, correlation: None };
                self.center_link.publish(publication, Keep::Now);
            }
            // The signal stays owed, and is signed anew when it is sent again.
            Err(problem) => tracing::warn!(topic = "signal", "A signal could not be signed: {problem}."),
        }
    }

    fn publish(&self, topic: String, payload: Vec<u8>, retain: bool, keep: Keep) {
        self.app_link.publish(Publication { topic, payload, retain, correlation: None }, keep);
    }
}
