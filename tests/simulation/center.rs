//! The monitoring center: the shipped desk and wire, unmodified, in a process that is killed, hangs and starts again, with
//! a link of its own to the broker, a store that fails, and people who work. Its hands and ears do what
//! `src/center/{hands,ears}.rs` do.

mod people;
mod process;
mod services;
mod store;
pub mod words;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sos_hub::center::desk::Desk;
use sos_hub::center::desk::input::Input;
use sos_hub::center::desk::settings::{CallMode, DispatchMode, Settings, SimulatedAnswer};
use sos_hub::center::desk::tokens;
use sos_hub::center::desk::words::{Account, AccountId, Contact, PlanToken, Signal, SignalKind};
use sos_hub::center::wire::said;
use sos_hub::center::wire::signals;
use sos_hub::controller::moment::{Id, Wall};
use sos_hub::drivers::mqtt::{Message, Publication};
use sos_hub::wire::topics::{HubTopic, parse_hub_topic};

use self::people::Operators;
pub use self::process::Life;
use self::services::Services;
use self::store::Store;
use self::words::{ACCOUNT, Meaning, NEIGHBOUR};
use crate::history::Entry;
use crate::link::Link;
use crate::paper::Paper;
use crate::plan::{Calls, CenterPlan, DiskMood, Weather};
use crate::rng::Rng;
use crate::signatures::Keys;
use crate::time::{At, BEGINNING_MS, Clock};

/// What no line of the log may hold.
const PERSONAL: [&str; 6] = ["Ann", "Bob", "Cid", "Doe", "Elm Street", "+44"];

pub struct Center {
    keys: Arc<Keys>,
    settings: Settings,
    pub life: Life,
    clock: Clock,
    desk: Desk,
    store: Store,
    pub link: Link,
    operators: Operators,
    services: Services,
    /// What waits for the loop.
    inputs: VecDeque<Input>,
    hung_until: At,
    /// Counts the starts.
    process: u64,
    /// A process has died after as many effects as the plan says.
    pub was_cut: bool,
    /// The orders that were not answered yet, by their tickets.
    orders: BTreeMap<u64, people::Press>,
    tickets: u64,
    /// Kind and incident of each signal that came.
    heard: BTreeMap<Id, (&'static str, Option<Id>)>,
    outs: Vec<Out>,
}

/// What comes out of the center.
pub enum Out {
    /// For the checkers.
    Entry(Entry),
    /// The broker has it for the hub.
    ToHub(Publication),
    /// A true token was made, for this topic.
    Token { topic: &'static str, token: Vec<u8>, meaning: Meaning },
    /// Something that no entry shows is wrong.
    Wrong(&'static str, String),
}

impl Center {
    /// A center that knows the account of the hub and a neighbour's. Gives the plan token of the hub's bundle, too.
    pub fn new(keys: &Arc<Keys>, plan: &CenterPlan) -> (Center, String) {
        let settings = settings(plan);
        let mut paper = Paper::with(vec![account(ACCOUNT, plan.contacts), account(NEIGHBOUR, 1)]);
        let mut bundle = String::new();
        for account in paper.accounts.values() {
            let token = tokens::issue(account, &settings.plans, None, Wall(BEGINNING_MS - 3_600_000));
            if account.id.as_str() == ACCOUNT {
                bundle = sign(keys, &said::plan(&token));
            }
            paper.tokens.insert(account.id.clone(), token);
        }
        let center = Center {
            keys: Arc::clone(keys),
            desk: Desk::new(settings.clone()),
            settings,
            life: Life::Down { until: 0, reboot: false },
            clock: Clock::new(),
            store: Store::new(paper),
            link: Link::new(),
            operators: Operators::default(),
            services: Services::default(),
            inputs: VecDeque::new(),
            hung_until: 0,
            process: 0,
            was_cut: false,
            orders: BTreeMap::new(),
            tickets: 0,
            heard: BTreeMap::new(),
            outs: Vec::new(),
        };
        (center, bundle)
    }

    pub fn outs(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.outs)
    }

    // What the world does to it.

    /// The command line changes the hub's account, and tells a center that runs.
    pub fn change_account(&mut self, change: impl FnOnce(&mut Account)) {
        let Some(account) = self.store.paper.accounts.get_mut(ACCOUNT) else { return };
        change(account);
        let account = account.clone();
        if self.life.is_running() {
            self.inputs.push_back(Input::Accounts(vec![account]));
        }
    }

    pub fn set_disk(&mut self, mood: DiskMood, now: At) {
        self.store.set_mood(mood, now);
    }

    pub fn set_operators_away(&mut self, away: bool, now: At) {
        self.operators.set_away(away, now);
    }

    /// Its loop stands still for so long.
    pub fn hang(&mut self, until: At) {
        self.hung_until = self.hung_until.max(until);
    }

    /// Everything works from now on.
    pub fn heal(&mut self, now: At, rng: &mut Rng) {
        self.store.set_mood(DiskMood::Well, now);
        self.operators.set_away(false, now);
        self.hung_until = now;
        self.change_account(|account| {
            account.closed = false;
            "protect_plus".clone_into(&mut account.plan);
        });
        // What was lost on a connection that stood is said again on the next one.
        self.link.set_weather(Weather { sky: crate::plan::Sky::Restarted, ..Weather::FAIR }, now, rng);
    }

    /// As `src/center/ears.rs` hears it.
    fn hear(&mut self, message: &Message) {
        let Some((account, topic)) = parse_hub_topic(&message.topic) else { return };
        let verifier = match account {
            ACCOUNT => &self.keys.hub.verifier,
            NEIGHBOUR => &self.keys.stranger.verifier,
            _ => return,
        };
        let account = AccountId::new(account);
        let input = match topic {
            HubTopic::Link => Input::Hint { account, online: message.payload == b"online" },
            HubTopic::Signal if message.retained => {
                Input::Rejected { account: Some(account), problem: "was stored by the broker".into() }
            }
            HubTopic::Signal => match signals::signal(&account, &message.payload, verifier) {
                Ok(signal) => {
                    self.note(&signal);
                    Input::Signal(Box::new(signal))
                }
                Err(problem) => Input::Rejected { account: Some(account), problem },
            },
        };
        self.inputs.push_back(input);
    }

    fn note(&mut self, signal: &Signal) {
        let incident = match signal.kind {
            SignalKind::Alarm { incident, .. } | SignalKind::CancelRequest { incident } => Some(incident),
            _ => None,
        };
        if let SignalKind::Alarm { incident, repeat, .. } = signal.kind {
            let (jti, incident) = (signal.jti.to_string(), incident.to_string());
            self.outs.push(Out::Entry(Entry::AlarmHeard { jti, incident, repeat }));
        }
        self.heard.insert(signal.jti, (signal.kind.as_str(), incident));
    }

    /// Nobody will know in time what came of this alarm before: it is taken for a new one.
    fn is_not_looked_up(&mut self, signal: &Signal) {
        if let SignalKind::Alarm { incident, .. } = signal.kind {
            let (jti, incident) = (signal.jti.to_string(), incident.to_string());
            self.outs.push(Out::Entry(Entry::NotLookedUp { jti, incident }));
        }
    }

    fn token(&mut self, topic: &'static str, claims: &[u8], meaning: Meaning) -> Vec<u8> {
        let token = sign(&self.keys, claims).into_bytes();
        self.outs.push(Out::Entry(Entry::Said(meaning.clone())));
        self.outs.push(Out::Token { topic, token: token.clone(), meaning });
        token
    }
}

/// What a plan token says.
pub fn plan_meaning(token: &PlanToken) -> Meaning {
    Meaning::Plan { serial: token.serial, monitoring: token.professional_monitoring }
}

fn sign(keys: &Keys, claims: &[u8]) -> String {
    keys.center.signer.sign(claims).expect("claims are a JSON object")
}

fn settings(plan: &CenterPlan) -> Settings {
    use SimulatedAnswer::{Cancelled, CancelledWrongPassword, Confirmed, NoAnswer};
    let answers =
        [vec![Confirmed, NoAnswer], vec![Cancelled], vec![NoAnswer], vec![CancelledWrongPassword, Confirmed, NoAnswer]];
    let calls = match plan.calls {
        Calls::Operators => CallMode::Operator,
        Calls::Service => CallMode::Webhook,
        Calls::Simulated { answers: which } => CallMode::Simulated { answers: answers[which % 4].clone() },
    };
    let plans = [("protect_plus", true), ("protect_basic", false), ("none", false)];
    Settings {
        calls,
        ring: Duration::from_secs(30),
        dispatch: if plan.dispatch_service { DispatchMode::Webhook } else { DispatchMode::Operator },
        plans: plans.into_iter().map(|(plan, monitored)| (plan.to_owned(), monitored)).collect(),
    }
}

/// A household that lacks nothing.
fn account(id: &str, contacts: usize) -> Account {
    let people = [("Ann", "+44 1"), ("Bob", "+44 2"), ("Cid", "+44 3")];
    let contact = |(name, phone): (&str, &str)| Contact { name: name.into(), phone: phone.into() };
    Account {
        id: AccountId::new(id),
        name: "Doe".into(),
        address: "1 Elm Street".into(),
        plan: "protect_plus".into(),
        contacts: people.into_iter().take(contacts).map(contact).collect(),
        has_password: true,
        closed: false,
    }
}
