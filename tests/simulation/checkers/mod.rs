//! The promises of `src/lib.rs`, each as somebody who watches from outside and knows nothing of the hub's insides. Each
//! entry is shown to each of them; what has to come about in the end is asked for when all has settled.

mod asked;
mod books;
mod countdown;
mod delivery;
mod disk;
mod ending;
mod faults;
mod procedure;
mod siren;
mod strangers;
mod words;

use crate::history::Entry;
use crate::ledger::Ledger;
use crate::time::{At, show};

/// What is wrong, for a person.
pub type Verdict = Result<(), String>;

pub trait Checker: Send {
    /// The promise, short.
    fn name(&self) -> &'static str;
    /// Called for each entry, after the ledger has noted it.
    fn see(&mut self, now: At, entry: &Entry, ledger: &Ledger) -> Verdict;
    /// Called when everything has been well for long enough.
    fn settled(&self, _ledger: &Ledger) -> Verdict {
        Ok(())
    }
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Failure {
    pub checker: &'static str,
    pub problem: String,
}

pub struct Checkers {
    pub ledger: Ledger,
    checkers: Vec<Box<dyn Checker>>,
    pub failure: Option<Failure>,
    watch: Watch,
}

/// How closely a run is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    Nobody,
    Checkers,
    /// Each entry is printed as well.
    Person,
}

impl Checkers {
    pub fn new(watch: Watch) -> Checkers {
        let checkers: Vec<Box<dyn Checker>> = vec![
            Box::new(asked::NothingElseStartsAnIncident::default()),
            Box::new(ending::ExactlyOneEnding),
            Box::new(ending::TheCenterNeverHearsOfWhatWasAborted),
            Box::new(countdown::TheCountdownIsItsLength),
            Box::new(siren::TheSirenSoundsForAlarmsAlone),
            Box::new(siren::TheSirenWaitsForNothing::default()),
            Box::new(disk::AcceptedIsOnDisk),
            Box::new(disk::EveryCommandIsAnsweredInTime::default()),
            Box::new(disk::OneIdIsAnsweredOnce::default()),
            Box::new(delivery::DeliveredIsTheCentersWord::default()),
            Box::new(delivery::WhatIsOwedIsSentAgain::default()),
            Box::new(delivery::AlarmsGoFirst::default()),
            Box::new(delivery::OneIncidentAtTheCenter),
            Box::new(delivery::NoEndSwallowsACry),
            Box::new(strangers::StrangersChangeNothing::default()),
            Box::new(books::AnAckIsOnDisk::default()),
            Box::new(books::NothingIsThereThatNoHubAskedFor::default()),
            Box::new(procedure::TheProcedureIsFollowed::default()),
            Box::new(procedure::HelpIsSentForWhomItWasAsked::default()),
            Box::new(books::EveryAlarmIsWorkedToItsEnd),
            Box::new(words::HelpIsRequestedOnceTheCenterSaysSo),
            Box::new(words::EventsAreNumbered::default()),
            Box::new(faults::EveryFaultHasItsRestore::default()),
        ];
        Checkers { ledger: Ledger::default(), checkers, failure: None, watch }
    }

    pub fn are_watching(&self) -> bool {
        self.watch != Watch::Nobody
    }

    /// For what no entry shows.
    pub fn fail(&mut self, checker: &'static str, problem: String) {
        self.failure.get_or_insert(Failure { checker, problem });
    }

    pub fn see(&mut self, now: At, entry: &Entry) {
        if self.failure.is_some() || !self.are_watching() {
            return;
        }
        if self.watch == Watch::Person && !matches!(entry, Entry::Turned) {
            println!("{:>16}  {entry:?}", show(now));
        }
        self.ledger.note(now, entry);
        for checker in &mut self.checkers {
            if let Err(problem) = checker.see(now, entry, &self.ledger) {
                self.failure =
                    Some(Failure { checker: checker.name(), problem: format!("at {}: {problem}", show(now)) });
                return;
            }
        }
    }

    pub fn settled(&mut self) {
        for checker in &self.checkers {
            if self.failure.is_none()
                && self.are_watching()
                && let Err(problem) = checker.settled(&self.ledger)
            {
                self.failure = Some(Failure { checker: checker.name(), problem: format!("in the end: {problem}") });
            }
        }
    }
}

/// `Err` with this problem where the condition does not hold.
fn holds(condition: bool, problem: impl FnOnce() -> String) -> Verdict {
    if condition { Ok(()) } else { Err(problem()) }
}
