//! A hub in virtual time: the real controller with a disk, two links, lines and people that do what a scenario says.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use sos_hub::controller::Controller;
use sos_hub::controller::effect::{Batch, Effect, Report};
use sos_hub::controller::input::{Input, LinkChange, LinkProblem, LinkProblemKind, PlanToken, StoreReport};
use sos_hub::controller::moment::{BootId, Boottime, ClockStanding, Id, Moment, Wall};
use sos_hub::controller::settings::{ButtonSettings, Press, Settings};
use sos_hub::controller::words::Service;

use crate::disk::Disk;
use crate::seen::History;

/// How a disk answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskMood {
    /// Commits at once.
    Well,
    /// Takes everything and answers nothing.
    Stalled,
    /// Every commit fails.
    Full,
}

pub struct Hub {
    controller: Controller,
    settings: Settings,
    pub at: Moment,
    pub boot: BootId,
    pub disk: Disk,
    mood: DiskMood,
    unanswered: VecDeque<Batch>,
    /// After how many more effects the process dies.
    fuel: Option<usize>,
    /// How many effects were carried out.
    pub spent: usize,
    /// How many turns the controller took.
    pub turns: usize,
    pub dead: bool,
    center_up: bool,
    pub seen: History,
    draws: u128,
    /// What the center has acked, each with the `seq` of its ack.
    pub acked: BTreeMap<Id, u64>,
    /// How many of the transmissions the center has answered.
    pub answered: usize,
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A plan token as the wire gives it. Its text says what it is, so that a restart can read it again.
pub fn plan(professional_monitoring: bool, serial: u64) -> PlanToken {
    PlanToken {
        plan: if professional_monitoring { "protect_plus".into() } else { "protect_basic".into() },
        professional_monitoring,
        missing: Vec::new(),
        serial,
        issued_at: Wall(1_790_000_000_000),
        expires_at: Wall(1_890_000_000_000),
        token: format!("{professional_monitoring} {serial}"),
    }
}

pub fn plan_of_token(text: &str) -> Option<PlanToken> {
    let (monitoring, serial) = text.split_once(' ')?;
    Some(plan(monitoring == "true", serial.parse().ok()?))
}

/// Without a light: its blinking would wake the hub up so often that no deadline which is missing would be noticed.
pub fn settings() -> Settings {
    let button = |name: &str, press| ButtonSettings { name: name.into(), press, hold: seconds(1) };
    Settings {
        countdown: seconds(5),
        max_age: seconds(60),
        siren_max: seconds(240),
        heartbeat: seconds(60),
        buttons: vec![
            button("hallway", Press::Request(Service::Police)),
            button("kitchen", Press::Request(Service::Fire)),
            button("bedroom", Press::Request(Service::Siren)),
            button("stop", Press::Cancel),
        ],
        led: false,
    }
}

pub fn link_down(kind: LinkProblemKind) -> LinkChange {
    LinkChange::Down(LinkProblem { kind, detail: "home.example:1883 did not answer in time".into() })
}

impl Hub {
    /// A hub in use: it has a plan with monitoring, both links are up, nothing is pressed, nothing has happened.
    pub fn installed() -> Hub {
        Hub::installed_with(Disk::with_plan(plan(true, 1)), settings())
    }

    /// The same with another disk or other settings.
    pub fn installed_with(disk: Disk, settings: Settings) -> Hub {
        let mut hub = Hub::started(disk, settings);
        hub.come_up();
        hub
    }

    /// A hub that has just been started with this disk: lines told, links not yet up.
    pub fn started(disk: Disk, settings: Settings) -> Hub {
        Hub::started_with_levels(disk, settings, &[])
    }

    /// The same with some buttons held.
    pub fn started_with_levels(disk: Disk, settings: Settings, held: &[usize]) -> Hub {
        let at = Moment {
            now: Boottime(60_000_000_000),
            wall: Wall(1_795_000_000_000),
            clock: ClockStanding::Synced,
            random: 0,
        };
        Hub::start_at(disk, settings, at, BootId(1), 0, held)
    }

    fn start_at(disk: Disk, settings: Settings, at: Moment, boot: BootId, draws: u128, held: &[usize]) -> Hub {
        let mut hub = Hub {
            controller: Controller::new(settings.clone(), boot, at),
            settings,
            at,
            boot,
            disk,
            mood: DiskMood::Well,
            unanswered: VecDeque::new(),
            fuel: None,
            spent: 0,
            turns: 0,
            dead: false,
            center_up: false,
            seen: History::default(),
            draws,
            acked: BTreeMap::new(),
            answered: 0,
        };
        let restored = hub.disk.restored();
        hub.input(Input::Restored(Box::new(restored)));
        for index in 0..hub.settings.buttons.len() {
            hub.input(Input::Button { index, asserted: held.contains(&index), at: hub.at.now });
        }
        hub
    }

    /// Both links come up, and the center answers the first heartbeat.
    pub fn come_up(&mut self) {
        self.input(Input::AppLink(LinkChange::Up));
        self.center_link_up();
        self.center_acks_everything();
    }

    // What happens to it.

    /// Hands one input to the controller at this moment, and does what it says.
    pub fn input(&mut self, input: Input) {
        if self.dead {
            return;
        }
        self.draws += 1;
        self.turns += 1;
        self.at.random = self.draws.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let passes_time = matches!(input, Input::Elapsed);
        let effects = self.controller.step(self.at, input);
        self.carry_out(effects);
        let deadline = self.controller.deadline().expect("a periodic test is always due some day");
        let in_future = deadline.at > self.at.now;
        assert!(!passes_time || in_future, "the {} deadline would make the loop spin", deadline.reason);
    }

    /// Lets this much time pass; whatever comes due happens at its time, and nothing before.
    pub fn after(&mut self, span: Duration) {
        let end = self.at.now + span;
        // The loop may turn although nothing is due.
        self.input(Input::Elapsed);
        while !self.dead
            && let Some(deadline) = self.controller.deadline().filter(|deadline| deadline.at <= end)
        {
            self.move_to(deadline.at);
            self.input(Input::Elapsed);
        }
        self.move_to(end);
    }

    /// Time passes and the loop does not turn: everything is late.
    pub fn hangs(&mut self, span: Duration) {
        self.move_to(self.at.now + span);
    }

    /// The process dies when it has carried out this many more effects.
    pub fn dies_after(&mut self, effects: usize) {
        self.fuel = Some(effects);
    }

    /// What was with the store when the process died is on disk all the same.
    pub fn pending_commits_are_kept(&mut self) {
        while let Some(batch) = self.unanswered.pop_front() {
            self.disk.commit(batch);
        }
    }

    /// Steps the wall clock, as NTP or a person would.
    pub fn step_wall(&mut self, by_ms: i64) {
        self.at.wall.0 += by_ms;
    }

    pub fn disk_is(&mut self, mood: DiskMood) {
        self.mood = mood;
    }

    /// The disk is well again and answers what it owes.
    pub fn disk_recovers(&mut self) {
        self.mood = DiskMood::Well;
        while let Some(batch) = self.unanswered.pop_front() {
            let ticket = batch.ticket;
            self.disk.commit(batch);
            self.input(Input::Store(StoreReport::Committed { ticket }));
        }
    }

    /// A disk that is stalled answers for the oldest that it owes.
    pub fn disk_answers_once(&mut self) {
        let batch = self.unanswered.pop_front().expect("something was written");
        let ticket = batch.ticket;
        self.disk.commit(batch);
        self.input(Input::Store(StoreReport::Committed { ticket }));
    }

    pub fn center_link_up(&mut self) {
        self.center_up = true;
        self.input(Input::CenterLink(LinkChange::Up));
    }

    pub fn center_link_down(&mut self) {
        self.center_up = false;
        self.input(Input::CenterLink(link_down(LinkProblemKind::Unreachable)));
    }

    /// The process is killed and starts again in the same boot, `gap` later. The links are up again.
    pub fn killed(self, gap: Duration) -> Hub {
        let boot = self.boot;
        let now = self.at.now + gap;
        self.restarted(boot, now, gap)
    }

    /// The power goes and comes back; the boot clock starts again. The links are up again.
    pub fn rebooted(self, gap: Duration) -> Hub {
        let boot = BootId(self.boot.0 + 1);
        self.restarted(boot, Boottime(8_000_000_000), gap)
    }

    fn restarted(self, boot: BootId, now: Boottime, gap: Duration) -> Hub {
        let wall = Wall(self.at.wall.0 + i64::try_from(gap.as_millis()).expect("short gaps"));
        let at = Moment { now, wall, ..self.at };
        let mut hub = Hub::start_at(self.disk, self.settings, at, boot, self.draws, &[]);
        hub.acked = self.acked;
        hub.input(Input::AppLink(LinkChange::Up));
        hub.center_link_up();
        hub
    }

    fn move_to(&mut self, now: Boottime) {
        let passed = now.since(self.at.now);
        self.at.wall.0 += i64::try_from(passed.as_nanos() / 1_000_000).expect("scenarios are short");
        self.at.now = now;
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let now = self.at.now;
        let mut batches = VecDeque::new();
        for effect in effects {
            if !self.lives_on() {
                break;
            }
            match effect {
                Effect::Siren { asserted } => self.seen.siren.push((now, asserted)),
                Effect::Led { lit } => self.seen.led.push((now, lit)),
                Effect::Transmit(signal) if self.center_up => self.seen.transmitted.push((now, signal)),
                Effect::Transmit(signal) => panic!("{:?} was sent on a link that is down", signal.kind),
                Effect::Tell(Report::State(state)) => {
                    let faults = state.faults.iter().map(|fault| &fault.message);
                    let incidents = state.incidents.iter().map(|incident| &incident.message);
                    faults.chain(incidents).chain([&state.message]).for_each(|message| assert_is_said_well(message));
                    self.seen.states.push((now, state));
                }
                Effect::Tell(Report::Event(event)) => {
                    assert_is_said_well(&event.message);
                    self.seen.events.push((now, event));
                }
                Effect::Tell(Report::Reply { reply, reply_to }) => {
                    assert_is_said_well(&reply.message);
                    self.seen.replies.push((now, reply, reply_to));
                }
                Effect::Log(line) => self.seen.log.push(line),
                Effect::Persist(batch) => {
                    self.seen.batches += 1;
                    batches.push_back(batch);
                }
            }
        }
        while let Some(batch) = batches.pop_front() {
            let ticket = batch.ticket;
            let answers = self.mood != DiskMood::Stalled && self.lives_on();
            if !answers || self.mood == DiskMood::Full {
                self.unanswered.push_back(batch);
            } else {
                self.disk.commit(batch);
            }
            match self.mood {
                _ if !answers => {}
                DiskMood::Full => {
                    let problem = format!("no space left on device for batch {ticket}");
                    self.input(Input::Store(StoreReport::Failed { ticket, problem }));
                }
                _ => self.input(Input::Store(StoreReport::Committed { ticket })),
            }
        }
    }

    /// Whether the process may carry out one more effect.
    fn lives_on(&mut self) -> bool {
        self.spent += 1;
        self.dead |= self.fuel == Some(0);
        self.fuel = self.fuel.map(|fuel| fuel.saturating_sub(1));
        !self.dead
    }
}

/// Whatever people are told is whole sentences, or shows that something is left out.
fn assert_is_said_well(message: &str) {
    let begins = message.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    assert!(begins && message.ends_with(['.', '?', '!', '…']) && !message.contains(" ."), "{message:?}");
}
