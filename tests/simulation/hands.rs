//! What the loop asks of its world: the time, the next thing to happen, and that each effect is carried out, as the
//! daemon's own hands do it.

use std::time::Duration;

use sos_hub::controller::effect::{Effect, Report, Signal, SignalKind};
use sos_hub::controller::input::{Input, ReplyTo, StoreReport};
use sos_hub::controller::moment::{Boottime, Moment};
use sos_hub::daemon::turns::{Happening, World as LoopsWorld};
use sos_hub::drivers::mqtt::{Keep, Publication};
use sos_hub::wire::topics::HubTopic;
use sos_hub::wire::{reports, signals};

use crate::center::words::ACCOUNT;
use crate::history::{Entry, Sent};
use crate::life::Life;
use crate::time::At;
use crate::world::{HUB, World};

/// More turns for a deadline than that at one moment, and the loop would never come to the next.
const MOST_IDLE_TURNS: u32 = 50;

impl LoopsWorld for World {
    fn now(&mut self) -> Boottime {
        self.clock.boottime(self.now)
    }

    fn moment(&mut self) -> Moment {
        self.clock.moment(self.now, &mut self.rng)
    }

    fn wait(&mut self, patience: Option<Duration>) -> Happening {
        if self.has_turned && self.is_running() {
            self.show(Entry::Turned);
        }
        self.has_turned = true;
        let until =
            patience.map(|patience| self.now + u64::try_from(patience.as_nanos()).expect("a deadline in sight"));
        loop {
            while self.now < self.hung_until && self.is_running() && !self.is_over() {
                self.pass_to(self.hung_until);
            }
            self.happen_now();
            if self.is_over() || !self.is_running() {
                return Happening::Stop;
            }
            if let Some(input) = self.memory.pop_front().or_else(|| self.next_mail()) {
                self.trace.input(&input);
                if matches!(input, Input::Restored(_)) && std::mem::take(&mut self.memory_was_told) {
                    self.show(Entry::Remembers);
                }
                if matches!(input, Input::Store(StoreReport::Committed { .. })) {
                    self.disk.commit_was_heard();
                }
                return Happening::Input(input);
            }
            if until.is_some_and(|until| until <= self.now) {
                self.idle_turns = if self.idle_since == self.now { self.idle_turns + 1 } else { 0 };
                self.idle_since = self.now;
                if self.idle_turns > MOST_IDLE_TURNS {
                    self.checkers.fail("the loop does not spin", "a deadline that is over leads to nothing".to_owned());
                }
                return Happening::Nothing;
            }
            self.step_time(until.unwrap_or(At::MAX));
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        if let Life::Dying { effects, how, commit_kept, gap, .. } = &mut self.life {
            match effects.checked_sub(1) {
                Some(left) => *effects = left,
                None => {
                    let (how, commit_kept, gap) = (*how, *commit_kept, *gap);
                    self.was_cut = true;
                    self.end(how, commit_kept, gap);
                }
            }
        }
        if !self.is_running() {
            return;
        }
        match effect {
            Effect::Siren { asserted } => self.drive_siren(asserted),
            Effect::Led { .. } | Effect::Log(_) => {}
            Effect::Persist(batch) => {
                for told in self.disk.persist(batch, self.now, &mut self.rng) {
                    self.hear_store(told);
                }
            }
            Effect::Tell(report) => self.tell(report),
            Effect::Transmit(signal) => self.transmit(&signal),
        }
    }
}

impl World {
    pub fn drive_siren(&mut self, asserted: bool) {
        if self.lines.siren != asserted {
            self.lines.siren = asserted;
            self.show(Entry::Siren { asserted });
        }
    }

    fn transmit(&mut self, signal: &Signal) {
        let kind = match signal.kind {
            SignalKind::Alarm => "alarm",
            SignalKind::CancelRequest => "cancel_request",
            SignalKind::Test { .. } => "test",
            SignalKind::Heartbeat { .. } => "heartbeat",
            SignalKind::Fault { .. } => "fault",
            SignalKind::Restore { .. } => "restore",
        };
        let claims = signals::signal(signal, ACCOUNT, HUB);
        let token = self.keys.hub.signer.sign(&claims).expect("claims are a JSON object");
        let incident = signal.incident.map(|id| id.to_string());
        self.show(Entry::Sent(Sent { jti: signal.jti.to_string(), kind, incident, repeat: signal.repeat }));
        let topic = self.center_topics.from_hub(HubTopic::Signal);
        let publication = Publication { topic, payload: token.into_bytes(), retain: false, correlation: None };
        self.center_link.publish(publication, Keep::Now, self.now, &mut self.rng);
    }

    fn tell(&mut self, report: Report) {
        let (topic, payload, keep) = match &report {
            Report::State(state) => (self.app_topics.state(), reports::state(state, HUB, "0.1.0"), Keep::Latest),
            Report::Event(event) => (self.app_topics.event(), reports::event(event), Keep::Queue),
            Report::Reply { reply, .. } => (self.app_topics.reply(), reports::reply(reply), Keep::Now),
        };
        self.trace.bytes(self.now, &payload);
        if self.checkers.are_watching() {
            let entry = match &report {
                Report::State(_) => Entry::State(read(&payload)),
                Report::Event(_) => Entry::Event(read(&payload)),
                Report::Reply { reply_to, .. } => {
                    let ask = match reply_to {
                        Some(ReplyTo::Topic { correlation, .. }) => self.people.ask_of(correlation.as_deref()),
                        Some(ReplyTo::Page(_)) | None => None,
                    };
                    let reply = read(&payload);
                    let on_disk = self.disk.holds(&reply);
                    Entry::Reply { ask, reply, on_disk }
                }
            };
            self.checkers.see(self.now, &entry);
        }
        if let Report::Event(event) = &report
            && let Some(incident) = event.incident
        {
            self.people.last_incident = Some(incident.to_string());
        }
        let publication = Publication { topic, payload, retain: keep == Keep::Latest, correlation: None };
        self.home.publish(publication, keep, self.now, &mut self.rng);
    }
}

/// What the hub writes is JSON of the contract's shape.
fn read<'a, T: serde::Deserialize<'a>>(payload: &'a [u8]) -> T {
    serde_json::from_slice(payload).expect("a report of the contract's shape")
}
