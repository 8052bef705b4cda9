//! How connections come about and end.

use sos_hub::controller::input::{LinkChange, LinkProblem, LinkProblemKind};
use sos_hub::drivers::mqtt::{Keep, Message};

use super::{Cargo, Link, MOST_TRIES, Out, SHORT_LIFE, SUBSCRIBE, Stage, Waiting};
use crate::plan::Sky;
use crate::rng::Rng;
use crate::time::{At, MS, S};

impl Link {
    pub(super) fn connect(&mut self, now: At, rng: &mut Rng) {
        self.stage = match self.weather.sky {
            Sky::Clear | Sky::Restarted => Stage::Connecting { until: now + rng.within(MS..40 * MS) },
            Sky::Deaf | Sky::HalfOpen => Stage::Connecting { until: now + SUBSCRIBE },
            Sky::Cut => return self.down(LinkProblemKind::Unreachable, "cannot be reached", now, rng),
            Sky::Refuses(kind) => return self.down(kind, "refuses this client", now, rng),
        };
    }

    pub(super) fn connected(&mut self, now: At, rng: &mut Rng) {
        match self.weather.sky {
            Sky::Clear | Sky::Restarted => {}
            Sky::Deaf => return self.down(LinkProblemKind::Stalled, "did not confirm the subscriptions", now, rng),
            Sky::HalfOpen | Sky::Cut => {
                return self.down(LinkProblemKind::Unreachable, "did not answer in time", now, rng);
            }
            Sky::Refuses(kind) => return self.down(kind, "refuses this client", now, rng),
        }
        self.session += 1;
        self.stage = Stage::Up { since: now, breaks_at: None };
        self.told = None;
        self.outs.push(Out::Changed(LinkChange::Up));
        let kept: Vec<(String, Vec<u8>)> =
            self.retained.iter().map(|(topic, bytes)| (topic.clone(), bytes.clone())).collect();
        for (topic, payload) in kept {
            let message =
                Message { topic, payload, retained: true, duplicate: false, response_topic: None, correlation: None };
            self.fly(Cargo::ToHub(message), now, rng);
        }
        self.send_waiting(now, rng);
    }

    pub(super) fn closed_by_peer(&mut self, now: At, rng: &mut Rng) {
        if let Stage::Up { since, .. } = self.stage {
            self.cut_short = 1 + if now - since < SHORT_LIFE { self.cut_short } else { 0 };
            let (kind, detail) = match self.cut_short {
                0 | 1 => (LinkProblemKind::Unreachable, "closed the connection"),
                _ => (LinkProblemKind::TakenOver, "keeps closing the connection and takes the next"),
            };
            self.down(kind, detail, now, rng);
        } else if matches!(self.stage, Stage::Connecting { .. }) {
            self.down(LinkProblemKind::Unreachable, "closed the connection", now, rng);
        }
    }

    pub(super) fn down(&mut self, kind: LinkProblemKind, detail: &str, now: At, rng: &mut Rng) {
        if let Stage::Up { since, .. } = self.stage
            && now - since >= 10 * S
        {
            self.failures = 0;
        }
        self.break_up(rng);
        let longest = match kind {
            LinkProblemKind::Unreachable | LinkProblemKind::Stalled => 2 * S,
            _ => 10 * S,
        };
        let pause =
            if kind == LinkProblemKind::TakenOver { longest } else { longest.min((250 * MS) << self.failures.min(10)) };
        self.failures += 1;
        self.stage = Stage::Pausing { until: now + pause / 2 + rng.within(0..pause / 2) };
        let problem = LinkProblem { kind, detail: format!("the broker {detail}") };
        if self.told.as_ref() != Some(&problem) {
            self.outs.push(Out::Changed(LinkChange::Down(problem.clone())));
            self.told = Some(problem);
        }
    }

    /// The connection is gone. Of what was under way to the broker, it has some.
    pub(super) fn break_up(&mut self, rng: &mut Rng) {
        let session = self.session;
        self.session += 1;
        self.air.retain(|flight| match flight.what {
            Cargo::ToPeer(_) => true,
            Cargo::ToBroker { .. } => flight.session != session || rng.percent(50),
            Cargo::PubAck { .. } | Cargo::ToHub(_) => false,
        });
        for (_, mut waiting) in std::mem::take(&mut self.under_way).into_iter().rev() {
            waiting.tries += 1;
            let newer =
                |other: &Waiting| other.keep == Keep::Latest && other.publication.topic == waiting.publication.topic;
            if waiting.tries < MOST_TRIES && !(waiting.keep == Keep::Latest && self.queue.iter().any(newer)) {
                self.queue.push_front(waiting);
            }
        }
        self.queue.retain(|waiting| waiting.keep != Keep::Now);
    }

    pub(super) fn thaw(&mut self, now: At) {
        for flight in &mut self.air {
            flight.at = flight.at.max(now);
        }
        if let Stage::Up { breaks_at, .. } = &mut self.stage {
            *breaks_at = None;
        }
    }
}
