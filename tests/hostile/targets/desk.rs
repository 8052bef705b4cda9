//! Any memory of the monitoring center, as a damaged disk may hold it, and then anything that can happen: nothing
//! panics, no deadline makes the loop spin, every order is answered once, and no ack leaves before it is on disk.

use std::collections::BTreeSet;
use std::time::Duration;

use sos_hub::center::desk::Desk;
use sos_hub::center::desk::effect::{Batch, Effect, Said, Update};
use sos_hub::center::desk::input::{Input, Past, Placed, StoreReport};
use sos_hub::center::desk::records::{
    CallRecord, DispatchReason, HubRecord, IncidentRecord, PastSignal, Restored, SecurityRecord, StepRecord,
    StepRecordState, StoredIncident,
};
use sos_hub::center::desk::settings::{CallMode, DispatchMode, Settings, SimulatedAnswer};
use sos_hub::center::desk::words::{
    Account, AccountId, CallOutcome, Contact, Order, PasswordCheck, PlanToken, Signal, SignalKind, Verdict,
};
use sos_hub::controller::input::{LinkChange, LinkProblem, LinkProblemKind};
use sos_hub::controller::moment::{Boottime, ClockStanding, Id, Moment, Wall};
use sos_hub::controller::words::{CallStage, Service};

use super::bytes::Bytes;

/// So many things happen at most: a longer story shows nothing new.
const STEPS: usize = 64;

pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mut center = Center::new(settings(&mut bytes));
    let memory = restored(&mut bytes);
    center.step(Input::Restored(Box::new(memory)));
    for _ in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        center.after(Duration::from_millis(bytes.pick(&[0, 0, 1, 900, 30_000, 400_000])));
        let input = center.input(&mut bytes);
        center.step(input);
    }
    center.quiet();
}

/// A center whose store answers when it is told to.
pub struct Center {
    desk: Desk,
    at: Moment,
    store_is_slow: bool,
    on_disk: u64,
    last_ticket: u64,
    unanswered: BTreeSet<u64>,
    orders: u64,
    /// An open incident that the desk has named, so that orders and calls find one.
    incident: Id,
    call: Id,
}

impl Center {
    pub fn new(settings: Settings) -> Center {
        Center {
            desk: Desk::new(settings),
            at: Moment {
                now: Boottime(60_000_000_000),
                wall: Wall(1_795_000_000_000),
                clock: ClockStanding::Synced,
                random: 1,
            },
            store_is_slow: false,
            on_disk: 0,
            last_ticket: 0,
            unanswered: BTreeSet::new(),
            orders: 0,
            incident: Id(1),
            call: Id(1),
        }
    }

    /// Takes one input; gives the batches that it wants kept, which count as committed unless the store is slow.
    pub fn step(&mut self, input: Input) -> Vec<Batch> {
        self.at.random = self.at.random.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).wrapping_add(1);
        if let Input::Order { ticket, .. } = &input {
            self.unanswered.insert(*ticket);
        }
        let (mut batches, mut look_ups) = (Vec::new(), Vec::new());
        for effect in self.desk.step(self.at, input) {
            match effect {
                Effect::Persist(batch) => {
                    assert_eq!(batch.ticket, self.last_ticket + 1, "tickets grow by one");
                    self.last_ticket = batch.ticket;
                    batches.push(batch);
                }
                Effect::Say(Said::Ack(ack)) => assert!(ack.seq > 0, "acks are numbered from 1"),
                Effect::Answer { ticket, .. } => assert!(self.unanswered.remove(&ticket), "an order is answered once"),
                Effect::LookUp { signal, incidents } => {
                    assert!(incidents.len() <= 65, "a look-up is bounded");
                    look_ups.push(signal);
                }
                Effect::PlaceCall(request) => (self.incident, self.call) = (request.incident, request.call),
                Effect::Alert(request) => self.incident = request.incident,
                Effect::Say(Said::Update(_) | Said::Plan(_))
                | Effect::AskDispatch(_)
                | Effect::Changed(_)
                | Effect::Log(_) => {}
            }
        }
        self.look();
        if !self.store_is_slow && self.on_disk < self.last_ticket {
            batches.extend(self.commit());
        }
        for signal in look_ups {
            batches.extend(self.step(Input::LookedUp { signal, past: Past::default() }));
        }
        batches
    }

    fn commit(&mut self) -> Vec<Batch> {
        let tickets = (self.on_disk + 1..=self.last_ticket).collect();
        self.on_disk = self.last_ticket;
        self.step(Input::Store(StoreReport::Committed { tickets }))
    }

    /// What the console may ask for at any time.
    fn look(&self) {
        let queue = self.desk.queue();
        for line in queue.open.iter().chain(&queue.ended) {
            let view = self.desk.incident(line.id, self.at.now);
            assert!(view.is_some_and(|view| view.line.id == line.id), "what is in the queue can be opened");
        }
        assert!(queue.ended.len() <= 20);
        let _ = (self.desk.security(), self.desk.hubs(None), self.desk.is_calm());
    }

    fn after(&mut self, span: Duration) {
        let end = self.at.now + span;
        let mut turns = 0;
        while let Some(deadline) = self.desk.deadline().filter(|deadline| *deadline <= end) {
            self.move_to(deadline.max(self.at.now));
            self.step(Input::Elapsed);
            turns += 1;
            assert!(turns < 3_000, "the deadline makes the loop spin");
        }
        self.move_to(end);
    }

    /// The store works and nothing happens any more: whatever was ordered is answered.
    pub fn quiet(&mut self) {
        self.store_is_slow = false;
        self.commit();
        self.after(Duration::from_secs(2));
        assert!(self.unanswered.is_empty(), "an order is answered");
    }

    fn move_to(&mut self, now: Boottime) {
        let passed = now.since(self.at.now);
        self.at.wall.0 += i64::try_from(passed.as_millis()).expect("stories are short");
        self.at.now = now;
    }

    fn input(&mut self, bytes: &mut Bytes) -> Input {
        match bytes.byte() % 14 {
            0..=3 => Input::Signal(Box::new(signal(bytes))),
            4 => Input::Rejected { account: bytes.maybe(account_id), problem: bytes.text() },
            5 => Input::Hint { account: account_id(bytes), online: bytes.flag() },
            6 => Input::Broker(link(bytes)),
            7 | 8 => {
                self.orders += 1;
                let incident = if bytes.flag() { self.incident } else { id(bytes) };
                let view = self.desk.incident(incident, self.at.now);
                let step = view.map_or(0, |view| view.step.wrapping_add(u32::from(bytes.byte() == 1)));
                Input::Order { ticket: self.orders, operator: "ann".into(), incident, step, order: order(bytes) }
            }
            9 => {
                let call = if bytes.flag() { self.call } else { id(bytes) };
                if bytes.flag() {
                    Input::Call { call, outcome: outcome(bytes) }
                } else {
                    Input::Placed { call, outcome: placed(bytes) }
                }
            }
            10 => {
                let view = self.desk.incident(self.incident, self.at.now);
                let received_wall = view.map_or(self.at.wall, |view| view.line.received_wall);
                Input::DispatchAsked { incident: self.incident, received_wall, outcome: placed(bytes) }
            }
            11 => Input::Accounts((0..bytes.byte() & 3).map(|_| account(bytes)).collect()),
            12 => {
                self.store_is_slow = bytes.flag();
                if self.store_is_slow {
                    Input::Store(StoreReport::Failing { problem: bytes.text() })
                } else {
                    Input::Store(StoreReport::Working)
                }
            }
            _ => Input::LookedUp { signal: Box::new(signal(bytes)), past: past(bytes) },
        }
    }
}

pub fn settings(bytes: &mut Bytes) -> Settings {
    let answers = [
        SimulatedAnswer::Confirmed,
        SimulatedAnswer::Cancelled,
        SimulatedAnswer::CancelledWrongPassword,
        SimulatedAnswer::NoAnswer,
    ];
    let simulated = CallMode::Simulated { answers: vec![bytes.pick(&answers), bytes.pick(&answers)] };
    let plans = [("protect_plus", true), ("protect_basic", false), ("none", false)];
    Settings {
        calls: bytes.pick(&[CallMode::Operator, CallMode::Webhook, simulated]),
        ring: Duration::from_secs(30),
        dispatch: bytes.pick(&[DispatchMode::Operator, DispatchMode::Webhook]),
        plans: plans.into_iter().map(|(plan, monitored)| (plan.to_owned(), monitored)).collect(),
    }
}

fn id(bytes: &mut Bytes) -> Id {
    Id(u128::from(bytes.byte() & 7))
}

fn wall(bytes: &mut Bytes) -> Wall {
    Wall(bytes.number().cast_signed())
}

fn account_id(bytes: &mut Bytes) -> AccountId {
    AccountId::new(bytes.pick(&["a-1", "a-2", "a-3"]))
}

/// No column holds more.
fn stored_number(bytes: &mut Bytes) -> u64 {
    bytes.number() >> 1
}

fn small(bytes: &mut Bytes) -> u32 {
    u32::try_from(bytes.number()).unwrap_or(u32::MAX)
}

fn restored(bytes: &mut Bytes) -> Restored {
    let mut restored = Restored {
        accounts: (0..1 + bytes.byte() % 3).map(|_| account(bytes)).collect(),
        hubs: (0..bytes.byte() & 3).map(|_| hub(bytes)).collect(),
        faults: (0..bytes.byte() & 3).map(|_| (account_id(bytes), bytes.text(), bytes.text(), wall(bytes))).collect(),
        tokens: (0..bytes.byte() & 3).map(|_| token(bytes)).collect(),
        incidents: (0..bytes.byte() & 3).map(|_| stored_incident(bytes)).collect(),
        signals: (0..bytes.byte() & 3).map(|_| past_signal(bytes)).collect(),
        security: (0..bytes.byte() & 3).map(|_| rejected(bytes)).collect(),
    };
    // What is a key in the database is there once.
    keep_first(&mut restored.accounts, |account| account.id.clone());
    keep_first(&mut restored.hubs, |hub| hub.account.clone());
    keep_first(&mut restored.tokens, |token| token.account.clone());
    keep_first(&mut restored.incidents, |stored| stored.incident.id);
    keep_first(&mut restored.security, |row| row.number);
    restored
}

fn keep_first<T, K: Ord>(rows: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert(key(row)));
}

fn account(bytes: &mut Bytes) -> Account {
    let contact = |bytes: &mut Bytes| Contact { name: bytes.text(), phone: "+49 1".into() };
    Account {
        id: account_id(bytes),
        name: "Ann".into(),
        address: bytes.text(),
        plan: bytes.pick(&["protect_plus", "protect_plus", "protect_basic", "none", "unheard_of"]).into(),
        contacts: (0..bytes.byte() & 3).map(|_| contact(bytes)).collect(),
        has_password: bytes.flag(),
        closed: bytes.byte() == 1,
    }
}

fn hub(bytes: &mut Bytes) -> HubRecord {
    HubRecord {
        account: account_id(bytes),
        heartbeat_wall: bytes.maybe(wall),
        interval: Duration::from_millis(stored_number(bytes)),
        offline: bytes.flag(),
        ack_seq: stored_number(bytes),
        signal_seq: stored_number(bytes),
        sent_wall: bytes.maybe(wall),
        ahead: bytes.maybe(|bytes| (wall(bytes), wall(bytes))),
    }
}

fn token(bytes: &mut Bytes) -> PlanToken {
    PlanToken {
        account: account_id(bytes),
        plan: bytes.pick(&["protect_plus", "none"]).into(),
        professional_monitoring: bytes.flag(),
        missing: Vec::new(),
        serial: stored_number(bytes),
        issued_wall: wall(bytes),
        expires_wall: wall(bytes),
    }
}

fn stored_incident(bytes: &mut Bytes) -> StoredIncident {
    let (id_of_it, account) = (id(bytes), account_id(bytes));
    let step = |bytes: &mut Bytes| StepRecord {
        incident: id_of_it,
        number: small(bytes),
        wall: wall(bytes),
        operator: None,
        text: bytes.text(),
    };
    let call = |bytes: &mut Bytes| CallRecord {
        id: id(bytes),
        incident: id_of_it,
        position: small(bytes),
        contact: bytes.text(),
        placed_wall: wall(bytes),
        outcome: bytes.maybe(|bytes| bytes.pick(&["confirmed", "cancelled", "no_answer", "answered"])),
    };
    let update = |bytes: &mut Bytes| Update {
        account: account.clone(),
        incident: id_of_it,
        seq: stored_number(bytes),
        stage: bytes.pick(&[CallStage::CallingFirstContact, CallStage::Dispatched, CallStage::Closed]),
        contact: bytes.maybe(|bytes| (small(bytes), bytes.text())),
        note: bytes.maybe(Bytes::text),
        at_wall: wall(bytes),
    };
    StoredIncident {
        updates: (0..bytes.byte() & 3).map(|_| update(bytes)).collect(),
        steps: (0..bytes.byte() & 3).map(|_| step(bytes)).collect(),
        calls: (0..bytes.byte() & 3).map(|_| call(bytes)).collect(),
        incident: IncidentRecord {
            id: id_of_it,
            account: account.clone(),
            service: bytes.pick(&[Service::Police, Service::Fire]),
            source: bytes.maybe(Bytes::text),
            user: None,
            raised_wall: bytes.maybe(wall),
            received_wall: wall(bytes),
            resumed: bytes.flag(),
            first_call_wall: bytes.maybe(wall),
            step: step_state(bytes),
            step_number: small(bytes),
            update_seq: stored_number(bytes),
            operator: bytes.maybe(Bytes::text),
            ended_wall: bytes.maybe(wall),
        },
    }
}

fn step_state(bytes: &mut Bytes) -> StepRecordState {
    let reasons =
        [DispatchReason::Confirmed, DispatchReason::NoAnswer, DispatchReason::WrongPassword, DispatchReason::NoContact];
    match bytes.byte() % 6 {
        0 => StepRecordState::Waiting,
        1 => StepRecordState::CallingFirst { call: id(bytes), answered: bytes.flag() },
        2 => StepRecordState::DispatchDue { reason: bytes.pick(&reasons) },
        3 => StepRecordState::Dispatched { called: small(bytes), call: bytes.maybe(id) },
        4 => StepRecordState::Cancelled,
        _ => StepRecordState::Closed,
    }
}

fn past_signal(bytes: &mut Bytes) -> PastSignal {
    PastSignal {
        jti: id(bytes),
        verdict: bytes.pick(&[Verdict::Accepted, Verdict::NoMonitoring, Verdict::UnknownAccount]),
        ack_seq: stored_number(bytes).max(1),
        received_wall: wall(bytes),
        reopened_after: bytes.maybe(stored_number),
    }
}

fn rejected(bytes: &mut Bytes) -> SecurityRecord {
    SecurityRecord {
        number: stored_number(bytes),
        first_wall: wall(bytes),
        last_wall: wall(bytes),
        count: stored_number(bytes),
        account: bytes.maybe(account_id),
        problem: bytes.text(),
    }
}

fn past(bytes: &mut Bytes) -> Past {
    Past {
        signal: bytes.maybe(past_signal),
        incidents: (0..bytes.byte() & 1).map(|_| stored_incident(bytes)).collect(),
    }
}

fn signal(bytes: &mut Bytes) -> Signal {
    let kind = match bytes.byte() % 8 {
        0..=2 => SignalKind::Alarm {
            incident: id(bytes),
            service: bytes.pick(&[Service::Police, Service::Fire]),
            resumed: bytes.flag(),
            repeat: bytes.flag(),
        },
        3 => SignalKind::CancelRequest { incident: id(bytes) },
        4 => SignalKind::Test { periodic: bytes.flag() },
        5 => SignalKind::Heartbeat {
            interval: Duration::from_secs(bytes.pick(&[1, 60, 3_600])),
            open: (0..bytes.byte() & 3).map(|_| (id(bytes), bytes.number())).collect(),
        },
        6 => SignalKind::Fault { code: bytes.text(), message: bytes.text() },
        _ => SignalKind::Restore { code: bytes.text(), message: bytes.text() },
    };
    Signal {
        jti: id(bytes),
        account: account_id(bytes),
        kind,
        source: bytes.maybe(Bytes::text),
        user: None,
        raised_wall: bytes.maybe(wall),
        sent_wall: bytes.maybe(wall),
        age: Duration::from_millis(bytes.number()),
        clock: bytes.pick(&[ClockStanding::Synced, ClockStanding::Unsynced]),
        seq: bytes.number(),
        claims: "{}".into(),
    }
}

fn link(bytes: &mut Bytes) -> LinkChange {
    if bytes.flag() {
        LinkChange::Up
    } else {
        LinkChange::Down(LinkProblem { kind: LinkProblemKind::Unreachable, detail: bytes.text() })
    }
}

fn outcome(bytes: &mut Bytes) -> CallOutcome {
    bytes.pick(&[
        CallOutcome::Answered,
        CallOutcome::Confirmed,
        CallOutcome::Cancelled(PasswordCheck::Right),
        CallOutcome::Cancelled(PasswordCheck::Wrong),
        CallOutcome::NoAnswer,
    ])
}

fn placed(bytes: &mut Bytes) -> Placed {
    match bytes.byte() % 3 {
        0 => Placed::Taken,
        1 => Placed::NotTaken { problem: bytes.text() },
        _ => Placed::Unclear { problem: bytes.text() },
    }
}

fn order(bytes: &mut Bytes) -> Order {
    match bytes.byte() % 6 {
        0 => Order::CallFirstContact,
        1 => Order::Outcome(outcome(bytes)),
        2 => Order::Dispatch,
        3 => Order::CallNextContact,
        4 => Order::Close,
        _ => Order::Note(bytes.text()),
    }
}
