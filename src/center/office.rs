//! How the console and the telephony callback reach the desk, which lives on the loop's thread: questions and orders go
//! into its mailbox, and a number that grows says when to ask again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

use super::desk::Desk;
use super::desk::effect::Changed;
use super::desk::input::Input;
use super::desk::words::{CallOutcome, Order, OrderRefusal};
use crate::controller::moment::{Boottime, Id};
use crate::mailbox::Sender;

/// Asks the desk something on the loop's thread, between two turns; must be quick.
pub type Question = Box<dyn FnOnce(&Desk, Boottime) + Send>;

/// What became of an order.
type Outcome = Result<(), OrderRefusal>;

/// What lands in the loop's mailbox.
pub enum Mail {
    Input(Input),
    Question(Question),
    Stop,
}

/// How often each part of what the console shows has changed since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub queue: u64,
    pub hubs: u64,
    pub security: u64,
}

/// The desk has ended, and the process with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the center is shutting down")]
pub struct Gone;

/// Why an order was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderFailure {
    Refused(OrderRefusal),
    Gone,
}

/// The console's side. Cheap to clone.
#[derive(Clone)]
pub struct Office {
    mail: Sender<Mail>,
    changes: watch::Receiver<Changes>,
    answers: Answers,
}

/// The loop's side.
pub struct Bell {
    changes: watch::Sender<Changes>,
    answers: Answers,
}

/// Who waits for the answer to which order.
#[derive(Clone, Default)]
struct Answers {
    next_ticket: Arc<AtomicU64>,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Outcome>>>>,
}

impl Answers {
    /// A panic of another thread ends the whole process, so a poisoned lock is only seen on the way out.
    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Outcome>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both sides, for a loop that reads what `mail` sends.
pub fn office(mail: Sender<Mail>) -> (Office, Bell) {
    let (sender, changes) = watch::channel(Changes::default());
    let answers = Answers::default();
    (Office { mail, changes, answers: answers.clone() }, Bell { changes: sender, answers })
}

impl Office {
    /// Asks the desk something and waits for the answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Desk, Boottime) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (sender, answer) = oneshot::channel();
        self.mail.urgent(Mail::Question(Box::new(move |desk, now| {
            // Who asked may have gone away.
            let _ = sender.send(question(desk, now));
        })));
        answer.await.map_err(|_| Gone)
    }

    /// Has an order carried out; returns once that is on disk. `step` is that of the page that the order came from.
    pub async fn order(&self, operator: &str, incident: Id, step: u32, order: Order) -> Result<(), OrderFailure> {
        let ticket = self.answers.next_ticket.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.answers.waiting().insert(ticket, sender);
        self.tell(Input::Order { ticket, operator: operator.to_owned(), incident, step, order });
        answer.await.map_err(|_| OrderFailure::Gone)?.map_err(OrderFailure::Refused)
    }

    /// What a telephony provider says of a call.
    pub fn call_outcome(&self, call: Id, outcome: CallOutcome) {
        self.tell(Input::Call { call, outcome });
    }

    /// A line for the audit trail.
    pub fn audit(&self, who: impl Into<String>, what: impl Into<String>) {
        self.tell(Input::Audit { who: who.into(), what: what.into() });
    }

    /// Tells of every change from now on.
    pub fn changes(&self) -> watch::Receiver<Changes> {
        self.changes.clone()
    }

    fn tell(&self, input: Input) {
        self.mail.urgent(Mail::Input(input));
    }
}

impl Bell {
    pub fn changed(&self, changed: Changed) {
        self.changes.send_modify(|changes| match changed {
            Changed::Incident(_) => changes.queue += 1,
            Changed::Hubs => changes.hubs += 1,
            Changed::Security => changes.security += 1,
            Changed::Health => {
                changes.queue += 1;
                changes.hubs += 1;
                changes.security += 1;
            }
        });
    }

    pub fn answer(&self, ticket: u64, outcome: Outcome) {
        if let Some(sender) = self.answers.waiting().remove(&ticket) {
            // Who ordered may have gone away.
            let _ = sender.send(outcome);
        }
    }
}
