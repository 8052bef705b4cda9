//! The world of one hub in virtual time: carries a plan out, runs the very loop of the daemon against it, and shows the
//! checkers what can be seen from outside.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use sos_hub::controller::input::{Input, LinkChange};
use sos_hub::controller::settings::{ButtonSettings, Press, Settings};
use sos_hub::controller::words::Service;
use sos_hub::drivers::mqtt::{Message, Publication};
use sos_hub::mailbox::{Mailbox, Sender, mailbox};
use sos_hub::wire::topics::{AppTopics, CenterTopics, HubTopic};

use crate::center::words::{ACCOUNT, Booked, Meaning};
use crate::center::{Center, Out};
use crate::checkers::Checkers;
use crate::disk::Disk;
use crate::history::Entry;
use crate::life::Life;
use crate::lines::Lines;
use crate::link::Link;
use crate::people::People;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::signatures::Keys;
use crate::time::{At, Clock, MS, S};
use crate::trace::Trace;

pub const HUB: &str = "home";
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
    pub center: Center,
    pub lines: Lines,
    pub people: People,
    pub checkers: Checkers,
    pub trace: Trace,
    pub app_topics: AppTopics,
    pub center_topics: CenterTopics,
    /// The next of the plan's events.
    next_event: usize,
    pub healed: bool,
    pub life: Life,
    pub sender: Sender<Input>,
    pub mailbox: Mailbox<Input>,
    pub waiting: usize,
    /// What came before the loop began to turn.
    pub memory: VecDeque<Input>,
    /// The disk was read, and the loop has not heard of it yet.
    pub memory_was_told: bool,
    pub has_turned: bool,
    /// How often in a row the loop was woken by a deadline at one and the same moment.
    pub idle_turns: u32,
    pub idle_since: At,
    /// A process has died after as many effects as the plan says.
    pub was_cut: bool,
    pub hung_until: At,
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
        let (center, bundle) = Center::new(keys, &plan.center);
        let (sender, mailbox) = mailbox();
        World {
            now: 0,
            clock: Clock::new(),
            disk: Disk::with_plan_file(bundle),
            home: Link::new(),
            center_link: Link::new(),
            center,
            lines: Lines::default(),
            people: People::default(),
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
            idle_turns: 0,
            idle_since: 0,
            was_cut: false,
            hung_until: 0,
            keys: Arc::clone(keys),
            rng: Rng::new(rng.next()),
            plan,
        }
    }

    pub fn is_over(&self) -> bool {
        self.checkers.failure.is_some() || self.now >= self.plan.heals_at_ms * MS + SETTLES
    }

    pub fn show(&mut self, entry: Entry) {
        self.trace.entry(self.now, &entry);
        if let Entry::Sent(sent) = &entry
            && sent.kind == "alarm"
        {
            self.people.last_alarm = Some(sent.jti.clone());
        }
        if let Entry::Booked(Booked::Incident { id, .. }) = &entry {
            self.people.last_booked = Some(id.clone());
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

    pub fn next_mail(&mut self) -> Option<Input> {
        if self.waiting == 0 {
            return None;
        }
        self.waiting -= 1;
        self.mailbox.next(Some(Duration::ZERO))
    }

    /// Lets time pass until then, whatever happens.
    pub fn pass_to(&mut self, end: At) {
        while self.now < end && !self.is_over() && self.step_time(end) {}
        if !self.is_over() {
            self.happen_now();
        }
    }

    /// Goes to the next thing that happens, at most to `end`, and lets it happen; whether anything did.
    pub fn step_time(&mut self, end: At) -> bool {
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
    pub fn happen_now(&mut self) {
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
            self.center.elapse(self.now, &mut self.rng);
            self.center_acts();
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

    /// What the center has done since the last time.
    pub fn center_acts(&mut self) {
        for out in self.center.outs() {
            match out {
                Out::Entry(entry) => self.show(entry),
                Out::ToHub(publication) => self.publish_to_hub(publication),
                Out::Token { topic, token, meaning } => self.people.learn_token(topic, token, meaning),
                Out::Wrong(checker, problem) => self.checkers.fail(checker, problem),
            }
        }
    }

    pub fn link_changed(&mut self, to_center: bool, change: LinkChange) {
        if to_center {
            self.hint(change == LinkChange::Up);
            self.show(Entry::CenterLink { up: change == LinkChange::Up });
            self.mail(Input::CenterLink(change));
        } else {
            self.mail(Input::AppLink(change));
        }
    }

    /// What stands on the hub's topic `link`, by its own word or its will.
    fn hint(&mut self, online: bool) {
        let word = if online { "online" } else { "offline" };
        let topic = self.center_topics.from_hub(HubTopic::Link);
        self.publish_to_center(topic, word.into(), true);
    }

    /// The broker has something for the center.
    pub fn publish_to_center(&mut self, topic: String, payload: Vec<u8>, retain: bool) {
        self.center.link.send_to_hub(message(topic, payload), retain, self.now, &mut self.rng);
    }

    /// The broker has something for the hub.
    pub fn publish_to_hub(&mut self, publication: Publication) {
        let Publication { topic, payload, retain, .. } = publication;
        self.center_link.send_to_hub(message(topic, payload), retain, self.now, &mut self.rng);
    }

    /// A true token reaches the hub.
    pub fn given(&mut self, meaning: Meaning) {
        self.show(Entry::Given(meaning));
    }
}

fn message(topic: String, payload: Vec<u8>) -> Message {
    Message { topic, payload, retained: false, duplicate: false, response_topic: None, correlation: None }
}
