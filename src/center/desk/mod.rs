//! PURE. Decides what becomes of a signal, an order or a call. No clock, thread, file, socket, randomness or log: an
//! [`input::Input`] goes in, [`effect::Effect`]s come out, and [`view`] is what the console may ask for in between.
//!
//! One [`Desk::step`] is one turn:
//!
//! 1. what has come due by now happens: telephones that ring no longer, incidents that nobody takes, silent hubs;
//! 2. the input happens;
//! 3. plan tokens and the list of what was rejected are brought into line;
//! 4. the turn's records go to the store together, and what must or may wait for them waits.
//!
//! [`Desk::deadline`] then says when to come back at the latest.

pub mod effect;
pub mod input;
pub mod records;
pub mod settings;
pub mod tokens;
pub mod view;
pub mod words;

mod calls;
mod cases;
mod dispatch;
mod held;
mod incident;
mod lookups;
mod memory;
mod orders;
mod procedure;
mod residents;
mod restart;
mod security;
mod signals;
mod supervision;
mod turn;
mod views;
mod wording;

use crate::controller::effect::Severity;
use crate::controller::moment::{Boottime, Moment};
use cases::Cases;
use effect::{Changed, Effect};
use held::Held;
use input::{Input, StoreReport};
use lookups::LookUps;
use memory::Memory;
use orders::Ordered;
use residents::Residents;
use security::Security;
use settings::Settings;
use supervision::Watch;
use tokens::Plans;
use turn::Turn;
use view::SecurityView;

/// The desk of a monitoring center. See the module's documentation for what a turn is.
pub struct Desk {
    settings: Settings,
    last: Moment,
    residents: Residents,
    cases: Cases,
    memory: Memory,
    look_ups: LookUps,
    held: Held,
    watch: Watch,
    plans: Plans,
    security: Security,
    alarm_number: u64,
}

impl Desk {
    /// A desk that knows nothing yet: its first input is to be [`Input::Restored`].
    pub fn new(settings: Settings) -> Desk {
        Desk {
            settings,
            last: Moment::default(),
            residents: Residents::default(),
            cases: Cases::default(),
            memory: Memory::default(),
            look_ups: LookUps::default(),
            held: Held::default(),
            watch: Watch::default(),
            plans: Plans::default(),
            security: Security::default(),
            alarm_number: 0,
        }
    }

    /// When the desk has to be stepped with [`Input::Elapsed`] at the latest.
    pub fn deadline(&self) -> Option<Boottime> {
        [
            self.cases.deadline(),
            self.look_ups.deadline(),
            self.held.deadline(),
            self.watch.deadline(),
            self.plans.deadline(self.last, self.watch.is_up()),
            self.security.deadline().filter(|_| !self.held.is_full()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Takes what has happened and says what is to be done about it, in order.
    pub fn step(&mut self, moment: Moment, input: Input) -> Vec<Effect> {
        self.last = moment;
        let mut effects = Vec::new();
        let mut turn = Turn::new(moment, self.held.upcoming_ticket());
        self.elapse_cases(&mut turn);
        self.elapse_look_ups(&mut turn);
        self.elapse_watch(&mut turn);
        self.happen(input, &mut turn, &mut effects);
        self.settle_tokens(&mut turn);
        if !self.held.is_full() {
            self.security.settle(&mut turn);
        }
        self.alarm_number += turn.cries;
        if self.held.judge_silence(moment.now) {
            turn.changed(Changed::Health);
        }
        self.held.take(&mut turn, &mut effects);
        self.held.release(moment.now, &mut effects);
        self.note_tokens_stored(&mut effects);
        turn.finish(&mut effects);
        self.memory.trim(&self.held);
        self.cases.trim(&self.held);
        effects
    }

    /// No incident is open: a restart would throw nothing away that a disk which hangs has not taken.
    pub fn is_calm(&self) -> bool {
        self.cases.all_have_ended()
    }

    pub fn security(&self) -> SecurityView {
        self.security.view()
    }

    fn happen(&mut self, input: Input, turn: &mut Turn, effects: &mut Vec<Effect>) {
        match input {
            Input::Restored(restored) => self.restore(*restored, turn),
            Input::Elapsed => {}
            Input::Signal(signal) => self.signal(signal, None, turn),
            Input::LookedUp { signal, past } => {
                self.look_ups.answered(&signal);
                self.signal(signal, Some(past), turn);
            }
            Input::Rejected { account, problem } => self.security.reject(account, problem, turn),
            Input::Hint { account, online } => self.hint(&account, online, turn),
            Input::Broker(change) => self.broker(change, turn),
            Input::Order { ticket, operator, incident, step, order } => {
                self.order(Ordered { ticket, operator, incident, step, order }, turn);
            }
            Input::Audit { who, what } => turn.audit(who, what, None, None),
            Input::Call { call, outcome } => self.call_reported(call, outcome, turn),
            Input::Placed { call, outcome } => self.call_placed(call, outcome, turn),
            Input::DispatchAsked { incident, received_wall, outcome } => {
                self.dispatch_asked(incident, received_wall, outcome, turn);
            }
            Input::Accounts(accounts) => self.accounts_changed(accounts, turn),
            Input::Store(report) => self.store_reported(report, turn, effects),
        }
    }

    fn store_reported(&mut self, report: StoreReport, turn: &mut Turn, effects: &mut Vec<Effect>) {
        match report {
            StoreReport::Committed { tickets } => self.held.committed(&tickets, effects),
            StoreReport::Failing { problem } => {
                if self.held.problem().is_none() {
                    turn.log(Severity::Warning, None, "storage", wording::log_store_fails(&problem));
                }
                self.held.store_is(Some(problem));
                turn.changed(Changed::Health);
            }
            StoreReport::Working => {
                self.held.store_is(None);
                turn.log(Severity::Info, None, "storage", wording::log_store_works());
                turn.changed(Changed::Health);
            }
        }
    }
}
