//! From the drivers' models to the loop, as the daemon's own ears do it: bytes become words here.

use sos_hub::controller::input::{CenterMessage, Input, Received, ReplyTo};
use sos_hub::store::Told;
use sos_hub::wire::topics::CenterTopics;
use sos_hub::wire::{center, commands};

use crate::center::words::ACCOUNT;
use crate::lines::{Heard, Lines};
use crate::link::Out;
use crate::world::World;

impl World {
    pub fn hear_line(&mut self, heard: Heard) {
        match heard {
            Heard::Level { index, asserted } => {
                let at = self.clock.boottime(self.now);
                self.mail(Lines::input(index, asserted, at));
            }
            Heard::Press { index, sure } => self.pressed(index, sure),
        }
    }

    pub fn home_out(&mut self, out: Out) {
        match out {
            Out::Changed(change) => self.link_changed(false, change),
            Out::Hub(message) => {
                let Some(command) = self.app_topics.parse(&message.topic) else { return };
                self.asked(&message);
                let correlation = message.correlation;
                let reply_to = message.response_topic.map(|topic| ReplyTo::Topic { topic, correlation });
                let received = Received {
                    arrived: self.clock.boottime(self.now),
                    command,
                    retained: message.retained,
                    duplicate: message.duplicate,
                    content: commands::command(command, &message.payload),
                    reply_to,
                };
                self.bulk_mail(Input::Command(received));
            }
            // What apps hear is what the hub has said: the checkers saw it when it was said.
            Out::Peer(_) => {}
        }
    }

    pub fn center_out(&mut self, out: Out) {
        match out {
            Out::Changed(change) => self.link_changed(true, change),
            Out::Hub(message) => {
                let topics = CenterTopics { account: ACCOUNT.into() };
                let Some(topic) = topics.parse(&message.topic) else { return };
                if let Some(meaning) = self.people.meaning(&message.topic, &message.payload) {
                    self.given(meaning);
                }
                let word = center::center_message(topic, ACCOUNT, &message.payload, &self.keys.center.verifier);
                self.bulk_mail(Input::Center(word));
            }
            Out::Peer(publication) => {
                self.people.signals.push(publication.payload.clone());
                self.publish_to_center(publication.topic, publication.payload, false);
            }
        }
    }

    pub fn hear_store(&mut self, told: Told) {
        match told {
            Told::Restored { mut restored, plan_tokens } => {
                self.memory_was_told = true;
                for token in plan_tokens {
                    match center::plan_token(&token, ACCOUNT, &self.keys.center.verifier) {
                        Ok(plan) if restored.plan.as_ref().is_none_or(|kept| plan.serial > kept.serial) => {
                            restored.plan = Some(plan);
                        }
                        Ok(_) => {}
                        Err(problem) => self.mail(Input::Center(CenterMessage::Rejected { problem })),
                    }
                }
                self.mail(Input::Restored(restored));
            }
            Told::PlanToken(token) => {
                let plan = center::plan_token(&token, ACCOUNT, &self.keys.center.verifier).ok();
                let restored = sos_hub::controller::effect::Restored { plan, ..Default::default() };
                self.mail(Input::Restored(Box::new(restored)));
            }
            Told::Report(report) => self.mail(Input::Store(report)),
            Told::Pong(_) => {}
        }
    }
}
