//! The world of one hub in virtual time: carries a plan out, runs the very loop of the daemon against it, and shows the
//! checkers what can be seen from outside.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use sos_hub::controller::effect::{Effect, Report, Restored, Signal, SignalKind};
use sos_hub::controller::input::{Input, LinkChange};
use sos_hub::controller::moment::{Boottime, Moment};
use sos_hub::controller::settings::{ButtonSettings, Press, Settings};
use sos_hub::controller::words::Service;
use sos_hub::daemon::turns::{Happening, World as LoopsWorld};
use sos_hub::drivers::mqtt::{Keep, Publication};
use sos_hub::mailbox::{Mailbox, Sender, mailbox};
use sos_hub::wire::topics::{AppTopics, CenterTopics, HubTopic};
use sos_hub::wire::{reports, signals};

use crate::center::{ACCOUNT, Meaning, Model, MonitoringCenter, plan_token};
use crate::checkers::Checkers;
use crate::disk::Disk;
use crate::history::{Entry, Sent};
use crate::lines::Lines;
use crate::link::Link;
use crate::plan::{Crash, Plan};
use crate::rng::Rng;
use crate::signatures::Keys;
use crate::time::{At, Clock, MS, S};
use crate::trace::Trace;

pub const HUB: &str = "home";
/// How long the start waits for the disk.
const DISK_PATIENCE: u64 = 2_500 * MS;
/// How long after the healing everything has to be well: the longest-lived fault passes after ten minutes.
const SETTLES: u64 = 700 * S;

pub struct World {
    pub plan: Plan,
    pub now: At,
    pub rng: Rng,
    pub keys: Arc<Keys>,
    pub clock: Clock,
    pub disk: Disk,
    pub home: Link,
    pub center_link: Link,
    pub center: Box<dyn MonitoringCenter>,
    pub lines: Lines,
    pub people: crate::people::People,
    pub checkers: Checkers,
    pub trace: Trace,
    pub app_topics: AppTopics,
    center_topics: CenterTopics,
    /// The next of the plan's events.
    next_event: usize,
    pub healed: bool,
    life: Life,
    sender: Sender<Input>,
    mailbox: Mailbox<Input>,
    waiting: usize,
    /// What came before the loop began to turn.
    memory: VecDeque<Input>,
    /// The disk was read, and the loop has not heard of it yet.
    pub memory_was_told: bool,
    has_turned: bool,
    /// A process has died after as many effects as the plan says.
    pub was_cut: bool,
    pub hung_until: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// The process starts then; after a power cut the machine boots first.
    Down {
        until: At,
        reboot: bool,
    },
    Starting,
    Running,
    /// It carries out so many more effects, and lives no longer than that.
    Dying {
        effects: u64,
        until: At,
        how: Crash,
        commit_kept: bool,
        gap: u64,
    },
}

pub fn settings(plan: &Plan) -> Settings {
    let button = |name: &str, press| ButtonSettings { name: name.into(), press, hold: Duration::from_secs(1) };
    Settings {
        countdown: Duration::from_secs(5),
        max_age: Duration::from_secs(60),
        siren_max: Duration::from_secs(240),
        heartbeat: Duration::from_secs(plan.heartbeat_s),
        buttons: vec![
            button("hallway", Press::Request(Service::Police)),
            button("kitchen", Press::Request(Service::Fire)),
            button("bedroom", Press::Request(Service::Siren)),
            button("stop", Press::Cancel),
        ],
        led: plan.led,
    }
}

impl World {
    pub fn new(plan: Plan, keys: &Arc<Keys>, checkers: Checkers) -> World {
        let mut rng = Rng::new(plan.seed);
        let mut center = Model::new(Arc::clone(keys));
        center.set_plan(true, 0);
        let (sender, mailbox) = mailbox();
        let mut world = World {
            now: 0,
            clock: Clock::new(),
            disk: Disk::with_plan_file(plan_token(keys, true, 1, 0)),
            home: Link::new(),
            center_link: Link::new(),
            center: Box::new(center),
            lines: Lines::default(),
            people: crate::people::People::default(),
            checkers,
            trace: Trace::default(),
            app_topics: AppTopics { prefix: "sos".into(), hub: HUB.into() },
            center_topics: CenterTopics { account: ACCOUNT.into() },
            next_event: 0,
            healed: false,
            life: Life::Down { until: 0, reboot: false },
            sender,
            mailbox,
            waiting: 0,
            memory: VecDeque::new(),
            memory_was_told: false,
            has_turned: false,
            was_cut: false,
            hung_until: 0,
            keys: Arc::clone(keys),
            rng: Rng::new(rng.next()),
            plan,
        };
        world.center_speaks();
        world
    }

    /// Goes on to the next start of the process; `None` when the run is over. Gives the moment of its birth.
    pub fn next_life(&mut self) -> Option<Moment> {
        while !self.is_over() {
            match self.life {
                Life::Down { until, reboot } if until <= self.now => {
                    if let Some(born) = self.start(reboot) {
                        return Some(born);
                    }
                }
                Life::Down { until, .. } => self.pass_to(until),
                _ => self.pass_to(self.now),
            }
        }
        None
    }

    /// The process starts and waits for what the disk holds. `None` if it dies before.
    fn start(&mut self, reboot: bool) -> Option<Moment> {
        if reboot {
            self.clock.reboot(self.now);
        }
        self.life = Life::Starting;
        (self.sender, self.mailbox) = mailbox();
        (self.waiting, self.has_turned, self.hung_until) = (0, false, self.now);
        self.memory.clear();
        self.memory_was_told = false;
        self.drive_siren(false);
        self.show(Entry::Started { reboot });
        let born = self.clock.moment(self.now, &mut self.rng);
        for told in self.disk.start(self.now, &mut self.rng) {
            self.hear_store(told);
        }
        for heard in self.lines.start(self.now) {
            self.hear_line(heard);
        }
        let patience = self.now + DISK_PATIENCE;
        let mut held = VecDeque::new();
        while self.life == Life::Starting && !self.is_over() {
            while let Some(input) = self.next_mail() {
                if matches!(input, Input::Restored(_)) {
                    held.push_front(input);
                    self.memory = held;
                    return self.begin(born);
                }
                held.push_back(input);
            }
            if self.now >= patience {
                held.push_front(Input::Restored(Box::<Restored>::default()));
                self.memory = held;
                return self.begin(born);
            }
            self.step_time(patience);
        }
        None
    }

    fn begin(&mut self, born: Moment) -> Option<Moment> {
        self.life = Life::Running;
        self.home.start(self.now);
        self.center_link.start(self.now);
        self.show(Entry::Ready);
        Some(born)
    }

    pub fn is_running(&self) -> bool {
        matches!(self.life, Life::Running | Life::Dying { .. })
    }

    pub fn is_over(&self) -> bool {
        self.checkers.failure.is_some() || self.now >= self.plan.heals_at_ms * MS + SETTLES
    }

    /// The process is to die, or the machine to lose its power.
    pub fn dies(&mut self, effects: u64, how: Crash, commit_kept: bool, gap: u64) {
        match self.life {
            Life::Running if effects > 0 && how != Crash::Stop => {
                self.life = Life::Dying { effects, until: self.now + 10 * S, how, commit_kept, gap };
            }
            Life::Down { until, .. } if how == Crash::Power => {
                self.life = Life::Down { until: until.max(self.now + gap), reboot: true };
                self.drive_siren(false);
            }
            Life::Down { .. } => {}
            _ => self.end(how, commit_kept, gap),
        }
    }

    fn end(&mut self, how: Crash, commit_kept: bool, gap: u64) {
        let (now, rng) = (self.now, &mut self.rng);
        let lost = match how {
            Crash::Stop => {
                self.home.stop(now, rng);
                self.center_link.stop(now, rng);
                self.disk.stop(now)
            }
            Crash::Kill | Crash::Power => {
                self.home.crash(rng);
                self.center_link.crash(rng);
                self.disk.crash(now, commit_kept)
            }
        };
        self.lines.stop();
        if how != Crash::Kill {
            self.drive_siren(false);
        }
        self.life = Life::Down { until: now + gap, reboot: how == Crash::Power };
        self.show(Entry::Ended { how, lost });
        self.show(Entry::CenterLink { up: false });
    }

    /// The loop stands still for so long.
    pub fn hang(&mut self, span: u64) {
        if self.is_running() {
            self.hung_until = self.now + span;
            self.show(Entry::Hung { until: self.hung_until });
        }
    }

    pub fn show(&mut self, entry: Entry) {
        self.trace.entry(self.now, &entry);
        if let Entry::Sent(sent) = &entry
            && sent.kind == "alarm"
        {
            self.people.last_alarm = Some(sent.jti.clone());
        }
        self.checkers.see(self.now, &entry);
    }

    pub fn mail(&mut self, input: Input) {
        self.waiting += 1;
        self.sender.urgent(input);
    }

    /// The mailbox's other lane. It is never full here, so there is nothing to wait for.
    pub fn bulk_mail(&mut self, input: Input) {
        self.waiting += 1;
        let sent = pin!(self.sender.bulk(input)).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(sent, "a plan floods the mailbox");
    }

    fn next_mail(&mut self) -> Option<Input> {
        if self.waiting == 0 {
            return None;
        }
        self.waiting -= 1;
        self.mailbox.next(Some(Duration::ZERO))
    }

    /// Lets time pass until then, whatever happens.
    fn pass_to(&mut self, end: At) {
        while self.now < end && !self.is_over() && self.step_time(end) {}
        if !self.is_over() {
            self.happen_now();
        }
    }

    /// Goes to the next thing that happens, at most to `end`, and lets it happen; whether anything did.
    fn step_time(&mut self, end: At) -> bool {
        let end = end.min(self.plan.heals_at_ms * MS + SETTLES);
        let next = self.next_happening().filter(|&at| at <= end);
        self.now = self.now.max(next.unwrap_or(end));
        self.happen_now();
        next.is_some()
    }

    fn next_happening(&self) -> Option<At> {
        let event = if self.healed {
            None
        } else {
            let heals = self.plan.heals_at_ms * MS;
            Some(self.plan.events.get(self.next_event).map_or(heals, |event| (event.at_ms * MS).min(heals)))
        };
        let death = if let Life::Dying { until, .. } = self.life { Some(until) } else { None };
        let parts = [
            event,
            death,
            self.lines.deadline(),
            self.home.deadline(),
            self.center_link.deadline(),
            self.center.deadline(),
            self.disk.deadline(),
        ];
        parts.into_iter().flatten().min()
    }

    /// Whatever is due at this moment, and whatever follows from it at the same moment.
    fn happen_now(&mut self) {
        while !self.is_over() && self.next_happening().is_some_and(|at| at <= self.now) {
            if let Life::Dying { until, how, commit_kept, gap, .. } = self.life
                && until <= self.now
            {
                self.end(how, commit_kept, gap);
            }
            self.events_happen();
            for heard in self.lines.elapse(self.now) {
                self.hear_line(heard);
            }
            for out in self.home.elapse(self.now, &mut self.rng) {
                self.home_out(out);
            }
            for out in self.center_link.elapse(self.now, &mut self.rng) {
                self.center_out(out);
            }
            self.center.elapse(self.now);
            self.center_speaks();
            for told in self.disk.elapse(self.now, &mut self.rng) {
                self.hear_store(told);
            }
        }
    }

    fn events_happen(&mut self) {
        while !self.healed {
            let Some(event) = self.plan.events.get(self.next_event) else { break };
            if event.at_ms * MS > self.now || event.at_ms >= self.plan.heals_at_ms {
                break;
            }
            self.next_event += 1;
            let what = event.what.clone();
            self.carry_out_event(what);
        }
        if !self.healed && self.now >= self.plan.heals_at_ms * MS {
            self.heal();
        }
    }

    fn center_speaks(&mut self) {
        for taking in self.center.takings() {
            self.show(Entry::Took(taking));
        }
        for saying in self.center.sayings() {
            self.center_says(saying);
        }
    }

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
        self.show(Entry::Sent(Sent { jti: signal.jti.to_string(), kind, incident }));
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
                    let ask = reply_to.as_ref().and_then(|to| self.people.ask_of(to.correlation.as_deref()));
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

    pub fn link_changed(&mut self, to_center: bool, change: LinkChange) {
        if to_center {
            self.show(Entry::CenterLink { up: change == LinkChange::Up });
            self.mail(Input::CenterLink(change));
        } else {
            self.mail(Input::AppLink(change));
        }
    }

    /// A true token reaches the hub.
    pub fn given(&mut self, meaning: Meaning) {
        self.show(Entry::Given(meaning));
    }
}

/// What the hub writes is JSON of the contract's shape.
fn read<'a, T: serde::Deserialize<'a>>(payload: &'a [u8]) -> T {
    serde_json::from_slice(payload).expect("a report of the contract's shape")
}

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
            if self.now < self.hung_until && self.is_running() {
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
                return Happening::Input(input);
            }
            if until.is_some_and(|until| until <= self.now) {
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
