//! A link of the hub's MQTT driver and the broker at its far end: what the driver promises (`src/drivers/mqtt`), and what
//! brokers and networks do all the same. Messages are accepted and lost, acknowledged and lost, come twice or late; a
//! connection breaks, freezes, or is never granted a subscription.

mod connection;

use std::collections::{BTreeMap, VecDeque};

use sos_hub::controller::input::{LinkChange, LinkProblem, LinkProblemKind};
use sos_hub::drivers::mqtt::{Keep, Message, Publication};

use crate::plan::{Sky, Weather};
use crate::rng::Rng;
use crate::time::{At, MS, S};

const WINDOW: usize = 16;
const MOST_WAITING: usize = 256;
const MOST_TRIES: u8 = 3;
const SUBSCRIBE: u64 = 5 * S;
/// A connection that stood for less, twice in a row, looks like a fight over the client id.
const SHORT_LIFE: u64 = 60 * S;

pub struct Link {
    pub weather: Weather,
    stage: Stage,
    /// Tells the connections apart.
    session: u64,
    queue: VecDeque<Waiting>,
    under_way: VecDeque<(u64, Waiting)>,
    sent: u64,
    air: Vec<Flight>,
    flights: u64,
    /// Nothing on one way overtakes another.
    last_arrival: [At; 2],
    /// What the broker keeps of the topics from the peer that are retained.
    retained: BTreeMap<String, Vec<u8>>,
    failures: u32,
    cut_short: u32,
    told: Option<LinkProblem>,
    outs: Vec<Out>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is no process.
    Off,
    Pausing {
        until: At,
    },
    Connecting {
        until: At,
    },
    Up {
        since: At,
        breaks_at: Option<At>,
    },
}

struct Waiting {
    publication: Publication,
    keep: Keep,
    tries: u8,
}

struct Flight {
    at: At,
    order: u64,
    session: u64,
    what: Cargo,
}

enum Cargo {
    ToBroker { number: u64, publication: Publication },
    PubAck { number: u64 },
    ToPeer(Publication),
    ToHub(Message),
}

/// What comes out at either end.
pub enum Out {
    Changed(LinkChange),
    Hub(Message),
    Peer(Publication),
}

impl Link {
    pub fn new() -> Link {
        Link {
            weather: Weather::FAIR,
            stage: Stage::Off,
            session: 0,
            queue: VecDeque::new(),
            under_way: VecDeque::new(),
            sent: 0,
            air: Vec::new(),
            flights: 0,
            last_arrival: [0; 2],
            retained: BTreeMap::new(),
            failures: 0,
            cut_short: 0,
            told: None,
            outs: Vec::new(),
        }
    }

    // The hub's side.

    pub fn start(&mut self, now: At) {
        (self.failures, self.cut_short, self.told) = (0, 0, None);
        self.stage = Stage::Pausing { until: now };
    }

    pub fn publish(&mut self, publication: Publication, keep: Keep, now: At, rng: &mut Rng) {
        let is_up = matches!(self.stage, Stage::Up { .. });
        if keep == Keep::Now && !is_up {
            return;
        }
        if keep == Keep::Latest {
            self.queue.retain(|other| other.keep != keep || other.publication.topic != publication.topic);
        }
        self.queue.push_back(Waiting { publication, keep, tries: 0 });
        if self.queue.len() > MOST_WAITING {
            let oldest = self.queue.iter().position(|waiting| waiting.keep != Keep::Latest).unwrap_or_default();
            self.queue.remove(oldest);
        }
        self.send_waiting(now, rng);
    }

    /// The process dies; what was on its way to the broker may get there.
    pub fn crash(&mut self, rng: &mut Rng) {
        self.break_up(rng);
        self.stage = Stage::Off;
        self.queue.clear();
    }

    /// The process ends in good order: what waits is said.
    pub fn stop(&mut self, now: At, rng: &mut Rng) {
        if matches!(self.stage, Stage::Up { .. }) && self.weather.sky == Sky::Clear {
            for waiting in std::mem::take(&mut self.queue) {
                self.fly(Cargo::ToPeer(waiting.publication), now, rng);
            }
        }
        self.crash(rng);
    }

    // The world's side.

    pub fn set_weather(&mut self, weather: Weather, now: At, rng: &mut Rng) {
        let was = std::mem::replace(&mut self.weather, weather).sky;
        if was == Sky::HalfOpen && weather.sky != Sky::HalfOpen {
            self.thaw(now);
        }
        match weather.sky {
            Sky::Clear => {}
            Sky::HalfOpen => {
                if let Stage::Up { breaks_at, .. } = &mut self.stage {
                    *breaks_at = Some(now + rng.within(10 * S..18 * S));
                }
            }
            Sky::Cut | Sky::Restarted | Sky::Deaf | Sky::Refuses(_) => {
                if weather.sky == Sky::Restarted {
                    self.air.retain(|flight| !matches!(flight.what, Cargo::ToPeer(_)));
                    self.weather.sky = Sky::Clear;
                }
                self.closed_by_peer(now, rng);
            }
        }
    }

    /// The peer (an app, the center, a stranger) publishes something on a topic that the hub listens on.
    pub fn send_to_hub(&mut self, message: Message, retain: bool, now: At, rng: &mut Rng) {
        if retain {
            self.retained.insert(message.topic.clone(), message.payload.clone());
        }
        // The hub's session ends with its connection: nobody queues for it.
        if !matches!(self.stage, Stage::Up { .. }) || rng.percent(self.weather.loses_down) {
            return;
        }
        if rng.percent(self.weather.repeats) {
            let again = Message { duplicate: true, ..message.clone() };
            let later = now + rng.within(MS..20 * S);
            self.fly(Cargo::ToHub(again), later, rng);
        }
        self.fly(Cargo::ToHub(message), now, rng);
    }

    pub fn deadline(&self) -> Option<At> {
        let stage = match self.stage {
            Stage::Off => None,
            Stage::Pausing { until } | Stage::Connecting { until } => Some(until),
            Stage::Up { breaks_at, .. } => breaks_at,
        };
        let frozen = self.weather.sky == Sky::HalfOpen;
        let air = self.air.iter().filter(|flight| !frozen || flight.stays_near_the_broker()).map(|flight| flight.at);
        air.chain(stage).min()
    }

    pub fn elapse(&mut self, now: At, rng: &mut Rng) -> Vec<Out> {
        match self.stage {
            Stage::Pausing { until } if until <= now => self.connect(now, rng),
            Stage::Connecting { until } if until <= now => self.connected(now, rng),
            Stage::Up { breaks_at: Some(at), .. } if at <= now => {
                self.down(LinkProblemKind::Stalled, "does not answer any more on a connection that stood", now, rng);
            }
            _ => {}
        }
        while let Some(position) = self.next_arrival(now) {
            let flight = self.air.remove(position);
            self.arrived(flight, now, rng);
        }
        std::mem::take(&mut self.outs)
    }

    fn next_arrival(&self, now: At) -> Option<usize> {
        let frozen = self.weather.sky == Sky::HalfOpen;
        let due = |flight: &&Flight| flight.at <= now && (!frozen || flight.stays_near_the_broker());
        let first = self.air.iter().filter(due).min_by_key(|flight| (flight.at, flight.order))?.order;
        self.air.iter().position(|flight| flight.order == first)
    }

    fn arrived(&mut self, flight: Flight, now: At, rng: &mut Rng) {
        match flight.what {
            Cargo::ToBroker { number, publication } => {
                if flight.session == self.session {
                    self.fly(Cargo::PubAck { number }, now, rng);
                }
                if rng.percent(self.weather.loses_up) {
                    return;
                }
                if rng.percent(self.weather.repeats) {
                    let later = now + rng.within(MS..20 * S);
                    self.fly(Cargo::ToPeer(publication.clone()), later, rng);
                }
                self.fly(Cargo::ToPeer(publication), now, rng);
            }
            Cargo::PubAck { number } if flight.session == self.session => {
                self.under_way.retain(|(other, _)| *other != number);
                self.send_waiting(now, rng);
            }
            Cargo::ToHub(message) if flight.session == self.session => self.outs.push(Out::Hub(message)),
            Cargo::PubAck { .. } | Cargo::ToHub(_) => {}
            Cargo::ToPeer(publication) => self.outs.push(Out::Peer(publication)),
        }
    }

    fn send_waiting(&mut self, now: At, rng: &mut Rng) {
        while matches!(self.stage, Stage::Up { .. }) && self.under_way.len() < WINDOW {
            // One that a connection ended on travels alone.
            let alone = self.queue.front().is_some_and(|waiting| waiting.tries > 0);
            if alone && !self.under_way.is_empty() {
                return;
            }
            let Some(waiting) = self.queue.pop_front() else { return };
            self.sent += 1;
            let (number, publication) = (self.sent, waiting.publication.clone());
            self.under_way.push_back((number, waiting));
            self.fly(Cargo::ToBroker { number, publication }, now, rng);
        }
    }

    fn fly(&mut self, what: Cargo, now: At, rng: &mut Rng) {
        let delay = if self.weather.delay_ms == 0 { 0 } else { rng.within(0..self.weather.delay_ms * MS) };
        let way = usize::from(matches!(what, Cargo::ToHub(_) | Cargo::PubAck { .. }));
        let at = match what {
            Cargo::ToPeer(_) => now + delay,
            _ => (now + delay).max(self.last_arrival[way]),
        };
        // What is repeated later does not hold up what comes before it.
        if at <= now + delay {
            self.last_arrival[way] = at;
        }
        self.flights += 1;
        self.air.push(Flight { at, order: self.flights, session: self.session, what });
    }
}

impl Flight {
    /// It does not have to pass the way between hub and broker.
    fn stays_near_the_broker(&self) -> bool {
        matches!(self.what, Cargo::ToPeer(_))
    }
}
