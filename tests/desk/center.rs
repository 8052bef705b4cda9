//! A monitoring center in virtual time: the real desk with a store that commits, fails or takes its time. It watches at
//! every step that no ack and no token says more than what is on disk, that no log line names a person, and that no
//! deadline makes the loop spin.

use std::collections::VecDeque;
use std::time::Duration;

use sos_hub::center::desk::Desk;
use sos_hub::center::desk::effect::{AlertRequest, Batch, CallRequest, Changed, DispatchRequest, Effect, Said, Update};
use sos_hub::center::desk::input::{Input, StoreReport};
use sos_hub::center::desk::records::Record;
use sos_hub::center::desk::settings::{CallMode, DispatchMode, Settings, SimulatedAnswer};
use sos_hub::center::desk::words::{Ack, OrderRefusal, PlanToken};
use sos_hub::controller::effect::LogLine;
use sos_hub::controller::input::{LinkChange, LinkProblem, LinkProblemKind};
use sos_hub::controller::moment::{Boottime, ClockStanding, Id, Moment, Wall};

use crate::paper::Paper;
use crate::people::PERSONAL;

/// How the store answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Commits at once.
    Well,
    /// Takes everything and answers when it is told to.
    Slow,
    /// Says that it fails, and commits nothing until it is well.
    Failing,
}

/// What has left the desk, in order.
#[derive(Default)]
pub struct Seen {
    pub acks: Vec<Ack>,
    pub updates: Vec<(Boottime, Update)>,
    pub tokens: Vec<PlanToken>,
    pub calls: Vec<(Boottime, CallRequest)>,
    pub dispatches: Vec<(Boottime, DispatchRequest)>,
    pub alerts: Vec<(Boottime, AlertRequest)>,
    pub answers: Vec<(u64, Result<(), OrderRefusal>)>,
    pub changed: Vec<Changed>,
    pub log: Vec<LogLine>,
    pub batches: Vec<Batch>,
    pub lookups: usize,
    /// The acks, by their signals, and the updates, by their stages, in the order in which they left.
    pub said: Vec<String>,
}

pub struct Center {
    pub desk: Desk,
    settings: Settings,
    pub at: Moment,
    pub paper: Paper,
    mood: Mood,
    /// What the archive is asked waits for [`Center::archive_answers`].
    pub archive_hangs: bool,
    unlooked: Vec<Input>,
    unanswered: VecDeque<Batch>,
    inputs: VecDeque<Input>,
    pub seen: Seen,
    draws: u128,
    pub tickets: u64,
    /// After how many more effects the process dies.
    pub fuel: Option<usize>,
    pub spent: usize,
    pub dead: bool,
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub fn settings(calls: CallMode, dispatch: DispatchMode) -> Settings {
    let plans = [("protect_plus", true), ("protect_basic", false), ("none", false)];
    let plans = plans.into_iter().map(|(plan, monitored)| (plan.to_owned(), monitored)).collect();
    Settings { calls, ring: seconds(30), dispatch, plans }
}

pub fn operator() -> Settings {
    settings(CallMode::Operator, DispatchMode::Operator)
}

pub fn webhook() -> Settings {
    settings(CallMode::Webhook, DispatchMode::Webhook)
}

pub fn simulated(answers: &[SimulatedAnswer]) -> Settings {
    settings(CallMode::Simulated { answers: answers.to_vec() }, DispatchMode::Operator)
}

pub fn link_down() -> Input {
    let detail = "center.example:8883 did not answer in time".to_owned();
    Input::Broker(LinkChange::Down(LinkProblem { kind: LinkProblemKind::Unreachable, detail }))
}

impl Center {
    /// A center in use: its accounts have their tokens and its link is up.
    pub fn open(settings: Settings, paper: Paper) -> Center {
        let mut center = Center::started(settings, paper);
        center.input(Input::Broker(LinkChange::Up));
        center
    }

    /// A center that has just been started; its link is not up yet.
    pub fn started(settings: Settings, paper: Paper) -> Center {
        let at = Moment {
            now: Boottime(60_000_000_000),
            wall: Wall(1_795_000_000_000),
            clock: ClockStanding::Synced,
            random: 0,
        };
        Center::start_at(settings, paper, at, 0)
    }

    fn start_at(settings: Settings, paper: Paper, at: Moment, draws: u128) -> Center {
        let restored = paper.restored();
        let mut center = Center {
            desk: Desk::new(settings.clone()),
            settings,
            at,
            paper,
            mood: Mood::Well,
            archive_hangs: false,
            unlooked: Vec::new(),
            unanswered: VecDeque::new(),
            inputs: VecDeque::new(),
            seen: Seen::default(),
            draws,
            tickets: 0,
            fuel: None,
            spent: 0,
            dead: false,
        };
        center.input(Input::Restored(Box::new(restored)));
        center
    }

    /// The process is killed and starts again, `gap` later; its link is up again.
    pub fn restarted(self, gap: Duration) -> Center {
        let settings = self.settings.clone();
        self.restarted_with(settings, gap)
    }

    /// The same with other settings.
    pub fn restarted_with(mut self, settings: Settings, gap: Duration) -> Center {
        self.move_to(self.at.now + gap);
        let mut center = Center::start_at(settings, self.paper, self.at, self.draws);
        center.tickets = self.tickets;
        center.input(Input::Broker(LinkChange::Up));
        center
    }

    /// What was with the store when the process died is on disk all the same.
    pub fn pending_commits_are_kept(&mut self) {
        while let Some(batch) = self.unanswered.pop_front() {
            self.commit(batch);
        }
    }

    // What happens to it.

    pub fn input(&mut self, input: Input) {
        self.inputs.push_back(input);
        while !self.dead
            && let Some(input) = self.inputs.pop_front()
        {
            self.draws += 1;
            self.at.random = self.draws.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let passes_time = matches!(input, Input::Elapsed);
            for effect in self.desk.step(self.at, input) {
                self.carry_out(effect);
            }
            let spins = passes_time && self.desk.deadline().is_some_and(|deadline| deadline <= self.at.now);
            assert!(!spins, "the deadline would make the loop spin");
        }
    }

    /// Lets this much time pass; whatever comes due happens at its time, and nothing before.
    pub fn after(&mut self, span: Duration) {
        let end = self.at.now + span;
        // The loop may turn although nothing is due.
        self.input(Input::Elapsed);
        while !self.dead
            && let Some(deadline) = self.desk.deadline().filter(|deadline| *deadline <= end)
        {
            self.move_to(deadline.max(self.at.now));
            self.input(Input::Elapsed);
        }
        self.move_to(end);
    }

    /// The loop stands still for this long.
    pub fn hangs(&mut self, span: Duration) {
        self.move_to(self.at.now + span);
    }

    pub fn store_is(&mut self, mood: Mood) {
        let was = core::mem::replace(&mut self.mood, mood);
        if mood == Mood::Failing {
            self.input(Input::Store(StoreReport::Failing { problem: "no space left on device".to_owned() }));
        }
        if mood == Mood::Well {
            if was == Mood::Failing {
                self.input(Input::Store(StoreReport::Working));
            }
            self.store_answers();
        }
    }

    /// The store commits what it has so far.
    pub fn store_answers(&mut self) {
        let mut tickets = Vec::new();
        while let Some(batch) = self.unanswered.pop_front() {
            tickets.push(batch.ticket);
            self.commit(batch);
        }
        self.input(Input::Store(StoreReport::Committed { tickets }));
    }

    /// The archive answers what it was asked, as things stood then.
    pub fn archive_answers(&mut self) {
        self.archive_hangs = false;
        for answer in core::mem::take(&mut self.unlooked) {
            self.input(answer);
        }
    }

    fn move_to(&mut self, now: Boottime) {
        let passed = now.since(self.at.now);
        let milliseconds = now.0 / 1_000_000 - self.at.now.0 / 1_000_000;
        assert!(passed < seconds(100 * 24 * 3_600));
        self.at.wall.0 += i64::try_from(milliseconds).expect("scenarios are short");
        self.at.now = now;
    }

    fn carry_out(&mut self, effect: Effect) {
        self.spent += 1;
        self.dead |= self.fuel == Some(0);
        self.fuel = self.fuel.map(|fuel| fuel.saturating_sub(1));
        if self.dead {
            return;
        }
        let now = self.at.now;
        match effect {
            Effect::Persist(batch) => self.persist(batch),
            Effect::LookUp { signal, incidents } => {
                self.seen.lookups += 1;
                let past = self.paper.look_up(&signal, &incidents);
                let answer = Input::LookedUp { signal, past };
                if self.archive_hangs {
                    self.unlooked.push(answer);
                } else {
                    self.inputs.push_back(answer);
                }
            }
            Effect::Say(Said::Ack(ack)) => {
                self.assert_stored(&ack);
                self.seen.said.push(format!("ack of {}", ack.signal.0));
                self.seen.acks.push(ack);
            }
            Effect::Say(Said::Update(update)) => {
                self.seen.said.push(as_text(&update));
                self.seen.updates.push((now, update));
            }
            Effect::Say(Said::Plan(token)) => {
                let on_disk = self.paper.tokens.get(&token.account).is_some_and(|kept| kept.serial >= token.serial);
                assert!(on_disk, "a token left before it was on disk: {token:?}");
                self.seen.tokens.push(token);
            }
            Effect::PlaceCall(request) => self.seen.calls.push((now, *request)),
            Effect::AskDispatch(request) => self.seen.dispatches.push((now, *request)),
            Effect::Alert(request) => self.seen.alerts.push((now, *request)),
            Effect::Answer { ticket, outcome } => self.seen.answers.push((ticket, outcome)),
            Effect::Changed(changed) => self.seen.changed.push(changed),
            Effect::Log(line) => {
                let named = PERSONAL.iter().find(|word| line.text.contains(*word));
                assert_eq!(named, None, "the log names a person: {}", line.text);
                assert!(line.text.split(' ').count() > 2, "the log says nothing: {}", line.text);
                self.seen.log.push(line);
            }
        }
    }

    fn persist(&mut self, batch: Batch) {
        let expected = self.seen.batches.last().map_or(1, |last| last.ticket + 1);
        assert_eq!(batch.ticket, expected, "tickets grow by one");
        batch.records.iter().for_each(assert_says_something);
        self.seen.batches.push(batch.clone());
        if self.mood == Mood::Well {
            let ticket = batch.ticket;
            self.commit(batch);
            self.inputs.push_front(Input::Store(StoreReport::Committed { tickets: vec![ticket] }));
        } else {
            self.unanswered.push_back(batch);
        }
    }

    fn commit(&mut self, batch: Batch) {
        self.paper.commit(batch.records);
        assert_eq!(self.paper.repeated, 0, "a signal, an update's seq or a line of a history was written twice");
    }

    fn assert_stored(&self, ack: &Ack) {
        let hub = self.paper.hubs.get(&ack.account);
        assert!(hub.is_some_and(|hub| hub.ack_seq >= ack.seq), "an ack's seq is not on disk: {ack:?}");
        if let Some(kept) = self.paper.signal(&ack.account, ack.signal) {
            assert_eq!((kept.verdict, kept.ack_seq), (ack.verdict, ack.seq), "an ack differs from the one on disk");
        }
    }

    // What can be seen.

    /// The updates of an incident that have left, as `stage` or `stage(note)`.
    pub fn told(&self, incident: Id) -> Vec<String> {
        let updates = self.seen.updates.iter().map(|(_, update)| update).filter(|update| update.incident == incident);
        updates.map(as_text).collect()
    }
}

/// The history is in whole sentences, but for what an operator writes; the audit trail says what was done, and a problem
/// goes on after "A message".
fn assert_says_something(record: &Record) {
    let begins = |text: &str| text.starts_with(char::is_uppercase);
    let says_it = match record {
        Record::Step(step) => begins(&step.text) && (step.text.ends_with('.') || step.text.starts_with("Note: ")),
        Record::Audit(audit) => begins(&audit.what),
        Record::Security(row) => row.problem.contains(' '),
        _ => true,
    };
    assert!(says_it, "{record:?}");
}

/// `stage`, with the contact's position and the note where there are any.
pub fn as_text(update: &Update) -> String {
    let contact = update.contact.as_ref().map(|(position, _)| format!(" {position}")).unwrap_or_default();
    let note = update.note.as_ref().map(|note| format!(" {note}")).unwrap_or_default();
    format!("{}{contact}{note}", update.stage.stage().as_str())
}
