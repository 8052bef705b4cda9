//! Draws a plan from a seed: people with something on their mind, and one or two families of faults.

use sos_hub::controller::input::LinkProblemKind;
use sos_hub::controller::words::{Service, TestKind};

use crate::plan::{
    Calls, CenterPlan, Crash, DiskMood, Event, Family, Forgery, How, JUNK, Plan, Sent, SignalForgery, Sky, Target,
    Weather, What,
};
use crate::rng::Rng;

/// The countdown's length in milliseconds, as every run has it.
const COUNTDOWN_MS: u64 = 5_000;

pub fn draw(seed: u64) -> Plan {
    let mut rng = Rng::new(seed ^ 0x0050_1a17);
    let mut families = Vec::new();
    for _ in 0..rng.one_of(&[0, 1, 1, 1, 1, 1, 2, 2, 3]) {
        let family = rng.one_of(&Family::ALL);
        if !families.contains(&family) {
            families.push(family);
        }
    }
    let mut draft = Draft { rng, events: Vec::new(), ids: 0 };
    let mut at_ms = 2_000;
    for _ in 0..draft.rng.within(3..9) {
        let episode = draft.somebody_needs_help(at_ms);
        for &family in &families {
            for _ in 0..draft.rng.within(1..3) {
                let fault_at = at_ms.saturating_sub(2_000) + draft.rng.within(0..episode + 4_000);
                draft.something_goes_wrong(family, fault_at);
            }
        }
        at_ms += episode + draft.rng.within(0..15_000);
    }
    let Draft { mut rng, mut events, .. } = draft;
    events.sort_by_key(|event| event.at_ms);
    let (led, heartbeat_s) = (rng.percent(10), rng.one_of(&[60, 60, 120]));
    let center = center(&mut rng);
    Plan { seed, families, led, heartbeat_s, center, events, heals_at_ms: at_ms + 1_000 }
}

fn center(rng: &mut Rng) -> CenterPlan {
    let calls = match rng.within(0..10) {
        0..4 => Calls::Operators,
        4..7 => Calls::Service,
        _ => Calls::Simulated { answers: rng.within(0..4) as usize },
    };
    CenterPlan { calls, dispatch_service: rng.percent(40), contacts: rng.one_of(&[1, 2, 3]) }
}

struct Draft {
    rng: Rng,
    events: Vec<Event>,
    /// How many ids of commands were used.
    ids: u32,
}

impl Draft {
    fn add(&mut self, at_ms: u64, what: What) {
        self.events.push(Event { at_ms, what });
    }

    fn id(&mut self) -> Option<u32> {
        match self.rng.within(0..10) {
            0..4 => None,
            // Somebody's library repeats what it has sent, or numbers anew.
            4 if self.ids > 0 => Some(self.rng.within(0..u64::from(self.ids)) as u32),
            _ => {
                self.ids += 1;
                Some(self.ids)
            }
        }
    }

    /// One or more requests, and what comes of them; gives how long that takes.
    fn somebody_needs_help(&mut self, at_ms: u64) -> u64 {
        let service =
            self.rng.one_of(&[Service::Police, Service::Police, Service::Fire, Service::Fire, Service::Siren]);
        let first_press = self.rng.percent(35);
        let starts_ms = if first_press { at_ms + 1_000 } else { at_ms };
        self.ask(at_ms, service, first_press);
        let ends_ms = starts_ms + COUNTDOWN_MS;
        match self.rng.within(0..12) {
            0..3 => {
                let when = starts_ms + self.rng.within(50..COUNTDOWN_MS - 50);
                self.cancel(when);
            }
            // At the end of the countdown, a millisecond before it or after it.
            3 | 4 => {
                let when = ends_ms - 1 + self.rng.within(0..3);
                self.cancel(when);
            }
            // A frightened person presses again and again.
            5 => {
                for _ in 0..self.rng.within(1..6) {
                    let when = at_ms + self.rng.within(1_100..12_000);
                    let press = self.rng.percent(50);
                    self.ask(when, service, press);
                }
            }
            // Somebody else needs something else.
            6 | 7 => {
                let other = self.rng.one_of(&Service::ALL);
                let when = at_ms + self.rng.within(0..8_000);
                self.ask(when, other, false);
            }
            // The network repeats the very message.
            8 => {
                if let Some(Event { what: What::Request { service, id, sent, .. }, .. }) = self.events.last().cloned() {
                    let when = at_ms + self.rng.within(1..20_000);
                    let how = self.rng.one_of(&[How::Live, How::Duplicate]);
                    if id.is_some() || how == How::Duplicate {
                        self.add(when, What::Request { service, id, sent, how });
                    }
                }
            }
            _ => {}
        }
        if self.rng.percent(35) {
            let (when, id) = (ends_ms + self.rng.within(0..20_000), self.id());
            self.add(when, What::Silence { id });
        }
        if self.rng.percent(15) {
            let when = ends_ms + self.rng.within(10..15_000);
            self.cancel(when);
        }
        if self.rng.percent(10) {
            let when = at_ms + self.rng.within(0..20_000);
            let kind = self.rng.one_of(&[TestKind::Siren, TestKind::Center]);
            self.add(when, What::Test(kind));
        }
        self.rng.within(8_000..30_000)
    }

    fn ask(&mut self, at_ms: u64, service: Service, press: bool) {
        if press {
            let button = Service::ALL.iter().position(|&one| one == service).unwrap_or_default();
            let (ms, bounces) = (self.rng.within(1_010..1_400), self.rng.one_of(&[0, 0, 3]));
            self.add(at_ms, What::Hold { button, ms, bounces });
            return;
        }
        let id = self.id();
        let sent = match self.rng.within(0..10) {
            0 | 1 => Sent::Ago(self.rng.within(0..2_000) as i64),
            _ => Sent::Unsaid,
        };
        self.add(at_ms, What::Request { service, id, sent, how: How::Live });
    }

    fn cancel(&mut self, at_ms: u64) {
        let what = match self.rng.within(0..10) {
            0..2 => What::Hold { button: 3, ms: 1_200, bounces: 0 },
            2..5 => What::Cancel { target: Target::Last, id: self.id() },
            _ => What::Cancel { target: Target::Every, id: self.id() },
        };
        // A button aborts when it was held for its time.
        let early = if matches!(what, What::Hold { .. }) { 1_000 } else { 0 };
        self.add(at_ms - early, what);
    }

    fn something_goes_wrong(&mut self, family: Family, at_ms: u64) {
        let rng = &mut self.rng;
        let lasts_ms = rng.one_of(&[300, 2_000, 7_000, 25_000]) + rng.within(0..1_000);
        match family {
            Family::Crashes => {
                let how = rng.one_of(&[Crash::Kill, Crash::Kill, Crash::Kill, Crash::Stop]);
                self.crash(at_ms, how);
            }
            Family::PowerCuts => self.crash(at_ms, Crash::Power),
            Family::HomeBroker | Family::CenterBroker | Family::CenterUplink => {
                let weather = rough_weather(rng);
                let wrap = match family {
                    Family::HomeBroker => What::Home,
                    Family::CenterBroker => What::CenterLink,
                    _ => What::CenterUplink,
                };
                self.add(at_ms, wrap(weather));
                self.add(at_ms + lasts_ms, wrap(Weather::FAIR));
            }
            Family::Center => {
                let (from, to) = match rng.within(0..5) {
                    0 => (What::Plan { monitoring: false }, What::Plan { monitoring: true }),
                    1 => (What::AccountClosed(true), What::AccountClosed(false)),
                    2 => (What::OperatorsAway(true), What::OperatorsAway(false)),
                    _ => return self.add(at_ms, What::CenterHang { ms: lasts_ms }),
                };
                self.add(at_ms, from);
                self.add(at_ms + lasts_ms, to);
            }
            Family::CenterCrashes => {
                let how = rng.one_of(&[Crash::Kill, Crash::Kill, Crash::Kill, Crash::Power, Crash::Stop]);
                let gap_ms = if how == Crash::Power { rng.within(3_000..40_000) } else { rng.within(100..4_000) };
                let (after_effects, commit_kept) = (rng.one_of(&[0, 0, 1, 2, 3, 5, 8, 13]), rng.percent(50));
                self.add(at_ms, What::CenterCrash { after_effects, how, commit_kept, gap_ms });
            }
            Family::CenterDisk => {
                let slow = DiskMood::Slow { ms: rng.one_of(&[200, 900, 5_000, 20_000]) };
                let mood = rng.one_of(&[slow, slow, DiskMood::Fails, DiskMood::Stalls]);
                self.add(at_ms, What::CenterDisk(mood));
                self.add(at_ms + lasts_ms, What::CenterDisk(DiskMood::Well));
                if rng_is_unlucky(&mut self.rng) {
                    self.something_goes_wrong(Family::CenterCrashes, at_ms + lasts_ms / 2);
                }
            }
            Family::Disk => {
                let slow = DiskMood::Slow { ms: rng.within(50..900) };
                let mood = rng.one_of(&[slow, slow, DiskMood::Fails, DiskMood::Stalls]);
                self.add(at_ms, What::Disk(mood));
                self.add(at_ms + lasts_ms, What::Disk(DiskMood::Well));
                if rng_is_unlucky(&mut self.rng) {
                    self.crash(at_ms + lasts_ms / 2, Crash::Power);
                }
            }
            Family::Clocks => {
                let years = 365 * 24 * 3_600 * 1_000;
                let by_ms = rng.one_of(&[-10 * years, -3_600_000, -1_500, 1_500, 90_000, 3_600_000, 10 * years]);
                match rng.within(0..3) {
                    0 => self.add(at_ms, What::StepClock { by_ms }),
                    1 => {
                        self.add(at_ms, What::ClockSynced(false));
                        self.add(at_ms + 1, What::StepClock { by_ms });
                        self.add(at_ms + lasts_ms, What::StepClock { by_ms: -by_ms });
                        self.add(at_ms + lasts_ms + 1, What::ClockSynced(true));
                    }
                    _ => self.add(at_ms, What::ClockSynced(false)),
                }
            }
            Family::Lines => {
                let button = rng.within(0..4) as usize;
                let what = match rng.within(0..4) {
                    0 => What::Glitches { button, spikes: rng.within(1..5) },
                    1 => What::Glitches { button, spikes: rng.within(20..60) },
                    2 => What::Hold { button, ms: rng.within(10..999), bounces: rng.within(0..6) },
                    _ => What::Hold { button, ms: rng.within(59_000..95_000), bounces: rng.within(0..6) },
                };
                self.add(at_ms, what);
            }
            Family::Strangers => self.stranger(at_ms),
            Family::Load => {
                let ms = rng.one_of(&[5, 40, 300, 2_000, 6_500]);
                self.add(at_ms, What::Hang { ms });
                if self.rng.percent(30) {
                    for _ in 0..60 {
                        let which = self.rng.within(0..JUNK.len() as u64) as usize;
                        self.add(at_ms, What::Junk { which, how: How::Live });
                    }
                }
            }
        }
    }

    fn crash(&mut self, at_ms: u64, how: Crash) {
        let rng = &mut self.rng;
        let gap_ms = if how == Crash::Power { rng.within(3_000..40_000) } else { rng.within(100..4_000) };
        let (after_effects, commit_kept) = (rng.one_of(&[0, 0, 1, 2, 3, 5, 8]), rng.percent(50));
        self.add(at_ms, What::Crash { after_effects, how, commit_kept, gap_ms });
    }

    fn stranger(&mut self, at_ms: u64) {
        let rng = &mut self.rng;
        let how = rng.one_of(&[How::Live, How::Retained]);
        let service = rng.one_of(&Service::ALL);
        let what = match rng.within(0..11) {
            0 => What::Junk { which: rng.within(0..JUNK.len() as u64) as usize, how },
            1 => What::Request { service, id: None, sent: Sent::Unsaid, how: How::Retained },
            2 => What::Request { service, id: None, sent: Sent::Unsaid, how: How::Duplicate },
            3 => What::Request {
                service,
                id: None,
                sent: Sent::Ago(rng.within(61_000..9_000_000) as i64),
                how: How::Live,
            },
            4 => What::Cancel { target: Target::Unknown, id: None },
            5..8 => What::ForgeSignal(match rng.within(0..7) {
                0 => SignalForgery::Alarm,
                1 => SignalForgery::KnownJti,
                2 => SignalForgery::Neighbour,
                3 => SignalForgery::WrongTopic,
                4 => SignalForgery::Noise,
                _ => SignalForgery::Replay { back: rng.within(1..30) as usize, retained: rng.percent(30) },
            }),
            _ => What::Forge(match rng.within(0..7) {
                0 => Forgery::Ack,
                1 => Forgery::Closed,
                2 => Forgery::OtherAccount,
                3 => Forgery::WrongTopic,
                4 => Forgery::OldPlan,
                5 => Forgery::Noise,
                _ => Forgery::Replay { back: rng.within(1..30) as usize },
            }),
        };
        self.add(at_ms, what);
    }
}

fn rng_is_unlucky(rng: &mut Rng) -> bool {
    rng.percent(15)
}

fn rough_weather(rng: &mut Rng) -> Weather {
    let refuses = Sky::Refuses(rng.one_of(&[
        LinkProblemKind::Credentials,
        LinkProblemKind::Tls,
        LinkProblemKind::Subscription,
        LinkProblemKind::TakenOver,
    ]));
    let sky = rng.one_of(&[
        Sky::Clear,
        Sky::Clear,
        Sky::Clear,
        Sky::Cut,
        Sky::Cut,
        Sky::HalfOpen,
        Sky::Restarted,
        Sky::Deaf,
        refuses,
    ]);
    let share = |rng: &mut Rng| rng.one_of(&[0, 0, 30, 60, 90]);
    Weather {
        sky,
        delay_ms: rng.one_of(&[0, 20, 200, 3_000, 15_000]),
        loses_up: share(rng),
        loses_down: share(rng),
        repeats: share(rng),
    }
}
