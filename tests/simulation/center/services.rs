//! The services that the center may ask over the network: one that calls people, and one that sends help. They take what
//! they are asked, refuse it, or break while they work; and they outlive the center's process.

use std::collections::BTreeSet;

use sos_hub::center::desk::effect::{CallRequest, DispatchRequest};
use sos_hub::center::desk::input::{Input, Placed};
use sos_hub::center::desk::words::CallOutcome;
use sos_hub::controller::moment::{Id, Wall};

use super::people::said_by;
use crate::rng::Rng;
use crate::time::{At, MS, S};

#[derive(Default)]
pub struct Services {
    /// To be told then; answers to a request are lost with the process that asked (its number), callbacks are not.
    words: Vec<(At, Option<u64>, Input)>,
    called: BTreeSet<Id>,
    sent: BTreeSet<(Id, Wall)>,
    help: Vec<(At, DispatchRequest)>,
}

impl Services {
    pub fn call(&mut self, request: &CallRequest, process: u64, now: At, rng: &mut Rng) {
        let at = now + rng.within(5 * MS..800 * MS);
        let (outcome, acts) = answer(rng);
        self.words.push((at, Some(process), Input::Placed { call: request.call, outcome }));
        if !acts || !self.called.insert(request.call) {
            return;
        }
        let mut at = at + rng.within(300 * MS..20 * S);
        let mut is_answered = false;
        while let Some(outcome) = said_by(request.position == 1, is_answered, rng) {
            self.words.push((at, None, Input::Call { call: request.call, outcome }));
            if outcome != CallOutcome::Answered {
                return;
            }
            is_answered = true;
            at += rng.within(S..40 * S);
        }
    }

    pub fn dispatch(&mut self, request: DispatchRequest, process: u64, now: At, rng: &mut Rng) {
        let at = now + rng.within(5 * MS..800 * MS);
        let (outcome, acts) = answer(rng);
        let DispatchRequest { incident, received_wall, .. } = request;
        self.words.push((at, Some(process), Input::DispatchAsked { incident, received_wall, outcome }));
        if acts && self.sent.insert((request.incident, request.received_wall)) {
            self.help.push((at, request));
        }
    }

    pub fn deadline(&self) -> Option<At> {
        let help = self.help.iter().map(|(at, _)| *at);
        self.words.iter().map(|(at, ..)| *at).chain(help).min()
    }

    /// The help that leaves now.
    pub fn help(&mut self, now: At) -> Vec<DispatchRequest> {
        let (due, later) = std::mem::take(&mut self.help).into_iter().partition(|(at, _)| *at <= now);
        self.help = later;
        let due: Vec<(At, DispatchRequest)> = due;
        due.into_iter().map(|(_, request)| request).collect()
    }

    /// What is said now, to this process.
    pub fn words(&mut self, process: u64, now: At) -> Vec<Input> {
        let (due, later) = std::mem::take(&mut self.words).into_iter().partition(|(at, ..)| *at <= now);
        self.words = later;
        let mut due: Vec<(At, Option<u64>, Input)> = due;
        due.sort_by_key(|(at, ..)| *at);
        let is_for_it = |asker: &Option<u64>| asker.is_none_or(|asker| asker == process);
        due.into_iter().filter(|(_, asker, _)| is_for_it(asker)).map(|(.., input)| input).collect()
    }
}

/// What a service answers, and whether it acts.
fn answer(rng: &mut Rng) -> (Placed, bool) {
    match rng.within(0..10) {
        0 | 1 => (Placed::NotTaken { problem: "it answered 503: it cannot take requests now".to_owned() }, false),
        2 => (Placed::Unclear { problem: "it gave no answer".to_owned() }, rng.percent(50)),
        _ => (Placed::Taken, true),
    }
}
