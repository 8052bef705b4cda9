//! Operators in front of the console, and the contacts whom they call: each as people are. Somebody looks when a page has
//! changed, presses what it offers, twice at times, or lets a telephone ring; a contact confirms, cancels with the right
//! word or a wrong one, or does not answer.

use std::collections::BTreeMap;

use sos_hub::center::desk::Desk;
use sos_hub::center::desk::view::{Button, IncidentView};
use sos_hub::center::desk::words::{CallOutcome, Order, PasswordCheck};
use sos_hub::controller::moment::{Boottime, Id};

use crate::rng::Rng;
use crate::time::{At, MS, S};

/// What an operator presses.
pub struct Press {
    pub incident: Id,
    /// Of the page that the button was on.
    pub step: u32,
    pub order: Order,
    /// The service that the page showed.
    pub service: &'static str,
}

#[derive(Default)]
pub struct Operators {
    /// When somebody looks at an incident next.
    agenda: BTreeMap<Id, At>,
    are_away: bool,
}

impl Operators {
    /// The page of this incident has changed.
    pub fn notice(&mut self, incident: Id, now: At, rng: &mut Rng) {
        let soon = now + rng.within(200 * MS..9 * S);
        self.agenda.entry(incident).or_insert(soon);
    }

    pub fn set_away(&mut self, away: bool, now: At) {
        self.are_away = away;
        if !away {
            self.agenda.values_mut().for_each(|at| *at = (*at).max(now + S));
        }
    }

    pub fn deadline(&self) -> Option<At> {
        self.agenda.values().min().copied().filter(|_| !self.are_away)
    }

    /// What is pressed now.
    pub fn presses(&mut self, desk: &Desk, boottime: Boottime, now: At, rng: &mut Rng) -> Vec<Press> {
        let mut presses = Vec::new();
        if self.are_away {
            return presses;
        }
        while let Some(incident) = self.agenda.iter().find(|(_, at)| **at <= now).map(|(id, _)| *id) {
            self.agenda.remove(&incident);
            let Some(view) = desk.incident(incident, boottime) else { continue };
            let Some(order) = order(&view, rng) else { continue };
            let press = |order| Press { incident, step: view.step, order, service: view.line.service.as_str() };
            match rng.within(0..20) {
                // A nervous finger.
                0 => presses.extend([press(order.clone()), press(order)]),
                // The wrong button first.
                1 => presses.extend([press(Order::Close), press(order)]),
                2 => presses.extend([press(Order::Dispatch), press(order)]),
                // Two operators at one incident.
                3 => presses.extend([press(order.clone()), press(self::order(&view, rng).unwrap_or(order))]),
                4 => presses.extend([press(Order::Note("the dog barks".to_owned())), press(order)]),
                _ => presses.push(press(order)),
            }
        }
        presses
    }
}

fn order(view: &IncidentView, rng: &mut Rng) -> Option<Order> {
    if let Some(call) = &view.call {
        let is_answered = call.rings_for.is_none();
        return said_by(call.position == 1, is_answered, rng).map(Order::Outcome);
    }
    let is_tired = view.others.contains(&Button::Close) && rng.percent(30);
    match view.next? {
        _ if is_tired => Some(Order::Close),
        Button::CallFirstContact => Some(Order::CallFirstContact),
        Button::Dispatch => Some(Order::Dispatch),
        Button::CallNextContact => Some(Order::CallNextContact),
        Button::Close => Some(Order::Close),
        Button::Answered | Button::Confirmed | Button::CancelledByContact | Button::NoAnswer => None,
    }
}

/// What comes of a call; `None`: nothing before its time is up.
pub fn said_by(first_contact: bool, is_answered: bool, rng: &mut Rng) -> Option<CallOutcome> {
    let cancelled = CallOutcome::Cancelled;
    match rng.within(0..10) {
        0 | 1 if !is_answered => None,
        0 | 1 => Some(CallOutcome::NoAnswer),
        2 if !is_answered => Some(CallOutcome::Answered),
        2 | 3 => Some(CallOutcome::NoAnswer),
        4 | 5 if first_contact => Some(cancelled(PasswordCheck::Right)),
        6 if first_contact => Some(cancelled(PasswordCheck::Wrong)),
        7 if !first_contact => Some(CallOutcome::Answered),
        _ => Some(CallOutcome::Confirmed),
    }
}
