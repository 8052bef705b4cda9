//! The center's process: it starts, reads its store, turns its loop, carries effects out, and ends in one of three ways.

use sos_hub::center::desk::Desk;
use sos_hub::center::desk::effect::{Changed, Effect, Said};
use sos_hub::center::desk::input::{Input, StoreReport};
use sos_hub::center::desk::records::Record;
use sos_hub::center::desk::settings::CallMode;
use sos_hub::center::desk::words::{CallOutcome, Order, PasswordCheck};
use sos_hub::center::wire::said;
use sos_hub::controller::moment::Boottime;
use sos_hub::drivers::mqtt::{Keep, Publication};
use sos_hub::wire::topics::{CenterTopic, CenterTopics};

use super::store::Told;
use super::words::{Booked, CenterLost, Meaning, Taking};
use super::{Center, Out, PERSONAL, plan_meaning};
use crate::history::Entry;
use crate::link;
use crate::plan::Crash;
use crate::rng::Rng;
use crate::time::{At, S};

/// The service manager starts it again after this.
const RESTARTED_AFTER: u64 = S;
/// A process that is to die after some effects dies then at the latest.
const LAST_HOUR: u64 = 300 * S;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Down {
        until: At,
        reboot: bool,
    },
    /// The store is being read.
    Starting,
    Running,
    /// It carries out so many more effects, and lives no longer than that.
    Dying {
        effects: u64,
        until: At,
        how: Crash,
        commit_kept: bool,
        gap: u64,
    },
}

impl Life {
    pub fn is_running(self) -> bool {
        matches!(self, Life::Running | Life::Dying { .. })
    }
}

impl Center {
    pub fn deadline(&self) -> Option<At> {
        let own = match self.life {
            Life::Down { until, .. } => return [Some(until), self.services.deadline()].into_iter().flatten().min(),
            Life::Dying { until, .. } => Some(until),
            Life::Starting | Life::Running => None,
        };
        let turn = self.life.is_running().then(|| {
            let mail = if self.inputs.is_empty() { None } else { Some(0) };
            let desk = self.desk.deadline().map(|deadline| self.clock.at(deadline));
            let people = self.operators.deadline();
            [mail, desk, people].into_iter().flatten().min().map(|at| at.max(self.hung_until))
        });
        let parts = [own, turn.flatten(), self.services.deadline(), self.store.deadline(), self.link.deadline()];
        parts.into_iter().flatten().min()
    }

    /// Lets everything happen that has come due.
    pub fn elapse(&mut self, now: At, rng: &mut Rng) {
        match self.life {
            Life::Down { until, reboot } if until <= now => self.start(reboot, now, rng),
            Life::Dying { until, how, commit_kept, gap, .. } if until <= now => {
                self.end(how, commit_kept, gap, now, rng);
            }
            _ => {}
        }
        for told in self.store.elapse(now, rng) {
            self.hear_store(told, now, rng);
        }
        for out in self.link.elapse(now, rng) {
            match out {
                link::Out::Changed(change) => self.inputs.push_back(Input::Broker(change)),
                link::Out::Hub(message) => self.hear(&message),
                link::Out::Peer(publication) => self.outs.push(Out::ToHub(publication)),
            }
        }
        for request in self.services.help(now) {
            let (incident, service) = (request.incident.to_string(), request.service.as_str());
            self.outs.push(Out::Entry(Entry::HelpSent { incident, service }));
        }
        for word in self.services.words(self.process, now) {
            if self.life.is_running() {
                self.contact_speaks(&word);
                self.inputs.push_back(word);
            }
        }
        while self.life.is_running() && self.hung_until <= now {
            if let Some(input) = self.inputs.pop_front() {
                self.turn(input, now, rng);
            } else if self.desk.deadline().is_some_and(|deadline| self.clock.at(deadline) <= now) {
                self.turn(Input::Elapsed, now, rng);
                if self.life.is_running() && self.desk.deadline().is_some_and(|at| self.clock.at(at) <= now) {
                    let problem = "a deadline of the desk that is over leads to nothing".to_owned();
                    self.outs.push(Out::Wrong("the center's loop does not spin", problem));
                    return;
                }
            } else if !self.people_act(now, rng) {
                return;
            }
        }
    }

    /// It is to die, or its machine to lose its power.
    pub fn dies(&mut self, effects: u64, how: Crash, commit_kept: bool, gap: u64, now: At, rng: &mut Rng) {
        match self.life {
            Life::Running if effects > 0 && how != Crash::Stop => {
                self.life = Life::Dying { effects, until: now + LAST_HOUR, how, commit_kept, gap };
            }
            Life::Down { until, .. } if how == Crash::Power => {
                self.life = Life::Down { until: until.max(now + gap), reboot: true };
            }
            Life::Down { .. } => {}
            _ => self.end(how, commit_kept, gap, now, rng),
        }
    }

    fn start(&mut self, reboot: bool, now: At, rng: &mut Rng) {
        if reboot {
            self.clock.reboot(now);
        }
        self.life = Life::Starting;
        self.process += 1;
        self.hung_until = now;
        self.desk = Desk::new(self.settings.clone());
        self.store.start(now, rng);
    }

    fn end(&mut self, how: Crash, commit_kept: bool, gap: u64, now: At, rng: &mut Rng) {
        let (kept, lost) = if how == Crash::Stop {
            self.link.stop(now, rng);
            self.store.stop(now)
        } else {
            self.link.crash(rng);
            self.store.crash(now, commit_kept)
        };
        self.inputs.clear();
        self.orders.clear();
        self.life = Life::Down { until: now + gap, reboot: how == Crash::Power };
        self.book(kept);
        self.outs.push(Out::Entry(Entry::CenterEnded(lost)));
    }

    fn hear_store(&mut self, told: Told, now: At, rng: &mut Rng) {
        match told {
            Told::Restored(restored) => {
                self.life = Life::Running;
                let calls_are_simulated = matches!(self.settings.calls, CallMode::Simulated { .. });
                self.outs.push(Out::Entry(Entry::CenterStarted { calls_are_simulated }));
                let open: Vec<_> = restored.incidents.iter().map(|stored| stored.incident.id).collect();
                self.turn(Input::Restored(restored), now, rng);
                if self.life.is_running() {
                    self.link.start(now);
                    open.into_iter().for_each(|id| self.operators.notice(id, now, rng));
                }
            }
            Told::Fatal => {
                self.life = Life::Down { until: now + RESTARTED_AFTER, reboot: false };
                self.outs.push(Out::Entry(Entry::CenterEnded(CenterLost::default())));
            }
            Told::Kept(records) => self.book(records),
            Told::NotLookedUp(signal) => self.is_not_looked_up(&signal),
            Told::Input(input) => self.inputs.push_back(input),
        }
    }

    fn book(&mut self, records: Vec<Record>) {
        for record in records {
            let entry = match record {
                Record::Signal(signal) => {
                    let claims = serde_json::from_str(&signal.claims).expect("the claims of a signal that was taken");
                    Entry::Took(Taking { claims, verdict: signal.verdict })
                }
                Record::Incident(incident) => Entry::Booked(Booked::Incident {
                    id: incident.id.to_string(),
                    account: incident.account.to_string(),
                    service: incident.service.as_str(),
                    step: incident.step,
                }),
                Record::Update(update) => Entry::Booked(Booked::Update {
                    incident: update.incident.to_string(),
                    seq: update.seq,
                    stage: update.stage.stage().as_str(),
                }),
                _ => continue,
            };
            self.outs.push(Out::Entry(entry));
        }
    }

    fn turn(&mut self, input: Input, now: At, rng: &mut Rng) {
        if matches!(input, Input::Store(StoreReport::Working)) {
            self.store.recovery_was_heard();
        }
        let moment = self.clock.moment(now, rng);
        for effect in self.desk.step(moment, input) {
            if let Life::Dying { effects, how, commit_kept, gap, .. } = &mut self.life {
                match effects.checked_sub(1) {
                    Some(left) => *effects = left,
                    None => {
                        let (how, commit_kept, gap) = (*how, *commit_kept, *gap);
                        self.was_cut = true;
                        return self.end(how, commit_kept, gap, now, rng);
                    }
                }
            }
            self.carry_out(effect, now, rng);
        }
    }

    fn carry_out(&mut self, effect: Effect, now: At, rng: &mut Rng) {
        match effect {
            Effect::Persist(batch) => self.store.persist(batch, now, rng),
            Effect::LookUp { signal, incidents } => {
                if !self.store.look_up(signal.clone(), incidents, now, rng) {
                    self.is_not_looked_up(&signal);
                }
            }
            Effect::Say(said) => self.say(&said, now, rng),
            Effect::PlaceCall(request) => self.services.call(&request, self.process, now, rng),
            Effect::AskDispatch(request) => {
                let (incident, service) = (request.incident.to_string(), request.service.as_str());
                self.outs.push(Out::Entry(Entry::HelpAsked { incident, service }));
                self.services.dispatch(*request, self.process, now, rng);
            }
            Effect::Answer { ticket, outcome } => {
                let Some(press) = self.orders.remove(&ticket) else { return };
                let incident = press.incident.to_string();
                match (outcome, press.order) {
                    (Ok(()), Order::Outcome(CallOutcome::Cancelled(PasswordCheck::Right))) => {
                        self.outs.push(Out::Entry(Entry::CancelRecorded { incident }));
                    }
                    (Ok(()), Order::Dispatch) => {
                        self.outs.push(Out::Entry(Entry::HelpSent { incident, service: press.service }));
                    }
                    _ => {}
                }
                self.operators.notice(press.incident, now, rng);
            }
            Effect::Changed(Changed::Incident(incident)) => self.operators.notice(incident, now, rng),
            Effect::Alert(_) | Effect::Changed(_) => {}
            Effect::Log(line) => {
                if let Some(named) = PERSONAL.iter().find(|word| line.text.contains(*word)) {
                    let problem = format!("{named:?} is in {:?}", line.text);
                    self.outs.push(Out::Wrong("10: the center's log names no person", problem));
                }
            }
        }
    }

    fn say(&mut self, words: &Said, now: At, rng: &mut Rng) {
        let (topic, account, claims, meaning, keep) = match words {
            Said::Ack(ack) => {
                let (kind, incident) = self.heard.get(&ack.signal).copied().unwrap_or(("unknown", None));
                let (kind, incident) = (kind.to_owned(), incident.map(|id| id.to_string()));
                let jti = ack.signal.to_string();
                let meaning = Meaning::Ack { jti, kind, incident, verdict: ack.verdict, seq: ack.seq };
                (CenterTopic::Ack, &ack.account, said::ack(ack), meaning, Keep::Queue)
            }
            Said::Update(update) => {
                let (incident, stage) = (update.incident.to_string(), update.stage.stage().as_str());
                let meaning = Meaning::Update { incident, seq: update.seq, stage };
                (CenterTopic::Update, &update.account, said::update(update), meaning, Keep::Queue)
            }
            Said::Plan(token) => {
                (CenterTopic::Plan, &token.account, said::plan(token), plan_meaning(token), Keep::Latest)
            }
        };
        let topics = CenterTopics { account: account.as_str().to_owned() };
        let payload = self.token(topic.as_str(), &claims, meaning);
        let retain = topic == CenterTopic::Plan;
        let publication = Publication { topic: topics.from_center(topic), payload, retain, correlation: None };
        self.link.publish(publication, keep, now, rng);
    }

    /// Whether an operator did anything.
    fn people_act(&mut self, now: At, rng: &mut Rng) -> bool {
        if self.operators.deadline().is_none_or(|at| at > now) {
            return false;
        }
        let boottime: Boottime = self.clock.boottime(now);
        for press in self.operators.presses(&self.desk, boottime, now, rng) {
            self.tickets += 1;
            let (ticket, incident, step, order) = (self.tickets, press.incident, press.step, press.order.clone());
            if order == Order::Outcome(CallOutcome::Cancelled(PasswordCheck::Right)) {
                self.outs.push(Out::Entry(Entry::ContactCancels { incident: incident.to_string() }));
            }
            self.orders.insert(ticket, press);
            self.inputs.push_back(Input::Order { ticket, operator: "eve".to_owned(), incident, step, order });
        }
        true
    }

    /// A service tells what a contact has said.
    fn contact_speaks(&mut self, word: &Input) {
        if let Input::Call { call, outcome: CallOutcome::Cancelled(PasswordCheck::Right) } = word
            && let Some(incident) = self.desk.incident_of_call(*call)
        {
            self.outs.push(Out::Entry(Entry::ContactCancels { incident: incident.to_string() }));
        }
    }
}
