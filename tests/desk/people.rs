//! The households, their hubs' signals, and the operators.

use std::time::Duration;

use sos_hub::center::desk::input::{Input, Placed};
use sos_hub::center::desk::view::IncidentView;
use sos_hub::center::desk::words::{
    Account, AccountId, Ack, CallOutcome, Contact, Order, OrderRefusal, PasswordCheck, Signal, SignalKind,
};
use sos_hub::controller::moment::{ClockStanding, Id};
use sos_hub::controller::words::Service;

use crate::center::{Center, operator, seconds};
use crate::paper::Paper;

/// What no line of the log may hold: what people are called, where they live, how they are reached.
pub const PERSONAL: [&str; 6] = ["Ann", "Bob", "Cid", "Doe", "Elm Street", "+44"];

pub const CONFIRMED: CallOutcome = CallOutcome::Confirmed;
pub const RIGHT: CallOutcome = CallOutcome::Cancelled(PasswordCheck::Right);
pub const WRONG: CallOutcome = CallOutcome::Cancelled(PasswordCheck::Wrong);

pub fn id(text: &str) -> AccountId {
    AccountId::new(text)
}

/// A household with three contacts that lacks nothing.
pub fn account(name: &str) -> Account {
    let contact = |name: &str, number: &str| Contact { name: name.into(), phone: format!("+44 {number}") };
    Account {
        id: id(name),
        name: "Doe".into(),
        address: "1 Elm Street".into(),
        plan: "protect_plus".into(),
        contacts: vec![contact("Ann", "1"), contact("Bob", "2"), contact("Cid", "3")],
        has_password: true,
        closed: false,
    }
}

pub fn with_plan(name: &str, plan: &str) -> Account {
    Account { plan: plan.into(), ..account(name) }
}

pub fn with_contacts(name: &str, contacts: usize) -> Account {
    let mut account = account(name);
    account.contacts.truncate(contacts);
    account
}

/// Two households, worked by operators.
pub fn center() -> Center {
    Center::open(operator(), Paper::with(vec![account("A1"), account("B2")]))
}

/// A center that has had a police alarm from A1, and its incident.
pub fn alarmed() -> (Center, Id) {
    let mut center = center();
    let incident = center.alarm("A1", 1);
    (center, incident)
}

impl Center {
    fn signal(&self, account: &str, jti: u128, kind: SignalKind) -> Signal {
        Signal {
            jti: Id(jti),
            account: id(account),
            kind,
            source: Some("button:hallway".into()),
            user: Some("Doe".into()),
            raised_wall: Some(self.at.wall),
            sent_wall: Some(self.at.wall),
            age: Duration::ZERO,
            clock: ClockStanding::Synced,
            seq: self.at.now.0 / 1_000_000,
            claims: "{}".into(),
        }
    }

    /// The first alarm of an incident has ten times its number as `jti`; any other is a further cry.
    pub fn alarm_signal(&self, account: &str, jti: u128, incident: u128, service: Service) -> Signal {
        let repeat = jti != incident * 10;
        let kind = SignalKind::Alarm { incident: Id(incident), service, resumed: false, repeat };
        self.signal(account, jti, kind)
    }

    pub fn hears(&mut self, signal: Signal) {
        self.input(Input::Signal(Box::new(signal)));
    }

    /// A police alarm whose `jti` is ten times its incident.
    pub fn alarm(&mut self, account: &str, incident: u128) -> Id {
        self.hears(self.alarm_signal(account, incident * 10, incident, Service::Police));
        Id(incident)
    }

    pub fn other(&mut self, account: &str, jti: u128, kind: SignalKind) {
        self.hears(self.signal(account, jti, kind));
    }

    pub fn cancel_request(&mut self, account: &str, jti: u128, incident: Id) {
        self.other(account, jti, SignalKind::CancelRequest { incident });
    }

    /// A heartbeat at one a minute.
    pub fn heartbeat_signal(&self, account: &str, open: &[(Id, u64)]) -> Signal {
        let kind = SignalKind::Heartbeat { interval: seconds(60), open: open.to_vec() };
        self.signal(account, u128::from(self.at.now.0), kind)
    }

    /// A heartbeat a millisecond later: hubs do not send two at once.
    pub fn heartbeat(&mut self, account: &str, open: &[(Id, u64)]) {
        self.after(Duration::from_millis(1));
        self.hears(self.heartbeat_signal(account, open));
    }

    pub fn acks_of(&self, jti: u128) -> Vec<Ack> {
        self.seen.acks.iter().filter(|ack| ack.signal == Id(jti)).cloned().collect()
    }

    pub fn view(&self, incident: Id) -> IncidentView {
        let view = self.desk.incident(incident, self.at.now).expect("it is in memory");
        assert!(view.advice.starts_with(char::is_uppercase) && view.advice.ends_with('.'), "{}", view.advice);
        view
    }

    /// Presses a button of the page as it is now.
    pub fn orders(&mut self, incident: Id, order: Order) -> Result<(), OrderRefusal> {
        let step = self.desk.incident(incident, self.at.now).map_or(0, |view| view.step);
        self.orders_at(incident, step, order)
    }

    /// Presses a button of an older page.
    pub fn orders_at(&mut self, incident: Id, step: u32, order: Order) -> Result<(), OrderRefusal> {
        let ticket = self.gives_order(incident, step, order);
        self.answer(ticket).expect("an order is answered")
    }

    pub fn gives_order(&mut self, incident: Id, step: u32, order: Order) -> u64 {
        self.tickets += 1;
        let ticket = self.tickets;
        self.input(Input::Order { ticket, operator: "eve".into(), incident, step, order });
        ticket
    }

    pub fn answer(&self, ticket: u64) -> Option<Result<(), OrderRefusal>> {
        self.seen.answers.iter().find(|(answered, _)| *answered == ticket).map(|(_, outcome)| *outcome)
    }

    pub fn records(&mut self, incident: Id, outcome: CallOutcome) -> Result<(), OrderRefusal> {
        self.orders(incident, Order::Outcome(outcome))
    }

    /// The orders, one after the other, each allowed.
    pub fn works(&mut self, incident: Id, orders: &[Order]) {
        for order in orders {
            assert_eq!(self.orders(incident, order.clone()), Ok(()), "{order:?}");
        }
    }

    /// The dispatch service's answer to the last request for the incident.
    pub fn dispatch_answer(&mut self, incident: Id, outcome: Placed) {
        let asked = self.seen.dispatches.iter().rev().find(|(_, asked)| asked.incident == incident);
        let received_wall = asked.expect("it was asked").1.received_wall;
        self.input(Input::DispatchAsked { incident, received_wall, outcome });
    }

    /// The first contact confirms and help is sent.
    pub fn works_until_dispatched(&mut self, incident: Id) {
        self.works(incident, &[Order::CallFirstContact, Order::Outcome(CONFIRMED), Order::Dispatch]);
    }

    pub fn history(&self, incident: Id) -> String {
        let lines: Vec<String> = self.view(incident).history.into_iter().map(|step| step.text).collect();
        lines.join("\n")
    }

    pub fn problems(&self) -> Vec<(String, u64)> {
        self.desk.security().rows.into_iter().map(|row| (row.problem, row.count)).collect()
    }
}
