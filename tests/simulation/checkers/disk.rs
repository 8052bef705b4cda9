//! Accepted means committed, or says that it is not; every command is answered within the disk's quarter of a second; and
//! one id has one answer over everything that can happen.

use std::collections::BTreeMap;

use super::{Checker, Verdict, holds};
use crate::history::{Ask, Asked, Entry, Worth};
use crate::ledger::Ledger;
use crate::time::{At, MS};

const PATIENCE: u64 = 250 * MS;

pub struct AcceptedIsOnDisk;

impl Checker for AcceptedIsOnDisk {
    fn name(&self) -> &'static str {
        "5: accepted means committed to disk"
    }

    fn see(&mut self, _now: At, entry: &Entry, _ledger: &Ledger) -> Verdict {
        match entry {
            Entry::Reply { reply, on_disk, .. } if reply.accepted() => {
                holds(reply.durable != Some(true) || *on_disk, || format!("{reply:?} is not on disk"))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
pub struct EveryCommandIsAnsweredInTime {
    waiting: Vec<Ask>,
}

impl Checker for EveryCommandIsAnsweredInTime {
    fn name(&self) -> &'static str {
        "5, 7: every command is answered, within a quarter of a second"
    }

    fn see(&mut self, now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        match entry {
            Entry::Asked(ask) if !ask.press && ask.worth == Worth::Good => self.waiting.push(ask.clone()),
            Entry::Reply { ask, .. } => {
                if let Some(place) = self.waiting.iter().position(|waiting| Some(waiting.number) == *ask) {
                    self.waiting.remove(place);
                }
            }
            Entry::Ended { .. } => self.waiting.clear(),
            Entry::Turned if ledger.turns_since(PATIENCE + 1, now) => {
                let late = self.waiting.iter().find(|ask| now > ask.at + PATIENCE);
                return holds(late.is_none(), || format!("{late:?} has no answer"));
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
pub struct OneIdIsAnsweredOnce {
    /// What was asked with an id, and the incident of the answer that was accepted for good.
    answered: BTreeMap<String, (Asked, Option<String>)>,
}

impl Checker for OneIdIsAnsweredOnce {
    fn name(&self) -> &'static str {
        "7: one id is answered once"
    }

    fn see(&mut self, _now: At, entry: &Entry, ledger: &Ledger) -> Verdict {
        if let Entry::Ended { lost, .. } = entry {
            lost.replies.iter().for_each(|id| drop(self.answered.remove(id)));
            if lost.told {
                self.answered.clear();
            }
        }
        let Entry::Reply { ask: Some(number), reply, .. } = entry else { return Ok(()) };
        let Some(id) = &reply.id else { return Ok(()) };
        let Some((ask, _)) = ledger.asks.iter().find(|(ask, _)| ask.number == *number) else { return Ok(()) };
        if reply.reason.as_deref() == Some("retained") {
            return Ok(());
        }
        if !ledger.remembers {
            // A disk that comes late brings answers back that the hub could not know of.
            self.answered.remove(id);
            return Ok(());
        }
        match self.answered.get(id) {
            Some((asked, incident)) if *asked == ask.what => {
                let same = reply.accepted() && reply.incident == *incident;
                holds(same, || format!("the id {id} was accepted for {incident:?}, and now {reply:?}"))
            }
            Some((asked, _)) => holds(reply.reason.as_deref() == Some("id_reused"), || {
                format!("the id {id} was used for {asked:?}, and now {reply:?}")
            }),
            None if reply.accepted() => {
                self.answered.insert(id.clone(), (ask.what.clone(), reply.incident.clone()));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
