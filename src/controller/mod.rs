//! The controller decides. It is pure: time, randomness and everything that happens come in as values, and what is to
//! be done goes out as values. Nothing here can reach a clock, a thread, a file or a socket.
//!
//! One [`Controller::step`] is one turn:
//!
//! 1. what has come due by now happens, countdowns first;
//! 2. the input happens, and a countdown that it brought may be over already;
//! 3. the lines, the faults and the outbox are brought into line with what is now true;
//! 4. records go to the store, and what people are told waits for them.
//!
//! [`Controller::deadline`] then says when to come back at the latest.

pub mod effect;
pub mod input;
pub mod moment;
pub mod report;
pub mod settings;
pub mod words;

mod alarm;
mod button;
mod center;
mod faults;
mod hardware;
mod incident;
mod led;
mod outbox;
mod plan;
mod replies;
mod request;
mod restart;
mod siren;
mod snapshot;
mod supervision;
mod telling;
mod turn;
mod wording;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use button::Buttons;
use effect::{CountersRecord, Effect, Record, Report};
use faults::{FaultCode, Faults};
use incident::Incident;
use input::{Input, LinkChange};
use led::Led;
use moment::{BootId, Boottime, Id, Moment};
use outbox::Outbox;
use plan::Plan;
use replies::Replies;
use report::{EventKind, State};
use settings::Settings;
use siren::{Change, Siren};
use supervision::{Due, LinkWatch, Supervision};
use telling::Telling;
use turn::{Bucket, Turn, earliest};
use words::Stage;

/// How many ended incidents are remembered, to tell a late update from a foreign one.
const ENDED_KNOWN: usize = 200;
/// How many ended incidents the state shows at most: with more of them it could outgrow what a broker takes.
const ENDED_SHOWN: usize = 8;
/// Signals draw their `seq` from blocks of this size, so that a heartbeat costs no write.
const SIGNAL_SEQ_BLOCK: u64 = 1_000;

/// The code of every fault that there is.
pub fn fault_codes() -> impl Iterator<Item = &'static str> {
    FaultCode::ALL.into_iter().map(FaultCode::as_str)
}

/// The hub's mind. See the module's documentation for what a turn is.
#[derive(Debug)]
pub struct Controller {
    settings: Settings,
    boot: BootId,
    last: Moment,
    /// Open ones and those that are still shown, oldest first.
    incidents: Vec<Incident>,
    /// Incidents that have ended, and how; oldest first.
    ended: VecDeque<(Id, Stage)>,
    buttons: Buttons,
    siren: Siren,
    led: Led,
    outbox: Outbox,
    replies: Replies,
    plan: Plan,
    faults: Faults,
    app_link: LinkWatch,
    center_link: LinkWatch,
    supervision: Supervision,
    telling: Telling,
    counters: CountersRecord,
    /// The counters as they were last written down.
    counters_written: CountersRecord,
    signal_seq: u64,
    /// Replies to malformed messages, events of refusals, and tests of each kind.
    malformed_bucket: Bucket,
    refused_bucket: Bucket,
    siren_test_bucket: Bucket,
    center_test_bucket: Bucket,
    malformed_limited: bool,
    told: Option<State>,
}

/// When [`Controller::step`] has to be called again at the latest, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    pub at: Boottime,
    pub reason: &'static str,
}

impl Controller {
    /// A hub that knows nothing yet: its first input is to be [`Input::Restored`].
    pub fn new(settings: Settings, boot: BootId, at: Moment) -> Controller {
        let test_bucket = Bucket::new(3, Duration::from_secs(10));
        Controller {
            boot,
            last: at,
            incidents: Vec::new(),
            ended: VecDeque::new(),
            buttons: Buttons::new(&settings.buttons),
            siren: Siren::new(settings.siren_max),
            led: Led::default(),
            outbox: Outbox::default(),
            replies: Replies::default(),
            plan: Plan::default(),
            faults: Faults::default(),
            app_link: LinkWatch::new(FaultCode::AppLink, 0, at.now),
            center_link: LinkWatch::new(FaultCode::CenterLink, 1, at.now),
            supervision: Supervision::new(settings.heartbeat, at.now),
            telling: Telling::default(),
            counters: CountersRecord::default(),
            counters_written: CountersRecord::default(),
            signal_seq: 0,
            malformed_bucket: Bucket::new(20, Duration::from_millis(200)),
            refused_bucket: Bucket::new(20, Duration::from_millis(200)),
            siren_test_bucket: test_bucket.clone(),
            center_test_bucket: test_bucket,
            malformed_limited: false,
            told: None,
            settings,
        }
    }

    /// One turn: takes one input at one moment and gives what is to be done, in order.
    pub fn step(&mut self, at: Moment, input: Input) -> Vec<Effect> {
        self.last = at;
        let mut turn = Turn::new(at, self.boot, self.telling.upcoming_ticket(), self.counters.event_seq);
        self.elapse(&mut turn);
        // After a stall of the loop a release may wait behind what comes first: only when nothing urgent waits any more
        // is a button that was pressed really held.
        if matches!(input, Input::Elapsed | Input::Command(_) | Input::Center(_)) {
            self.hold_buttons(&mut turn);
        }
        self.happen(input, &mut turn);
        self.end_countdowns(&mut turn);
        self.settle(&mut turn);
        self.finish(turn)
    }

    /// The next moment at which something happens by itself.
    pub fn deadline(&self) -> Option<Deadline> {
        let incidents = self.incidents.iter().fold(None, |soonest, incident| earliest(soonest, incident.deadline()));
        [
            (incidents, "incident"),
            (self.siren.deadline(), "siren"),
            (self.buttons.deadline(), "button"),
            (self.telling.deadline(), "telling"),
            (self.outbox.deadline(), "outbox"),
            (self.supervision.deadline(), "supervision"),
            (self.app_link.deadline(), "app link"),
            (self.center_link.deadline(), "center link"),
            (self.faults.deadline(), "fault"),
            (self.plan.deadline(self.last), "plan"),
            (self.led.deadline(), "led"),
        ]
        .into_iter()
        .filter_map(|(at, reason)| Some(Deadline { at: at?, reason }))
        .min()
    }

    /// What the time alone brings about. Countdowns come first: nothing may delay their end.
    fn elapse(&mut self, turn: &mut Turn) {
        self.end_countdowns(turn);
        for incident in self.siren.elapse(turn) {
            self.siren_fell_silent(incident, turn);
        }
        self.faults.elapse(turn);
        self.app_link.elapse(&mut self.faults, turn);
        self.center_link.elapse(&mut self.faults, turn);
        if self.telling.stalls(turn.at.now) {
            self.faults.raise(FaultCode::Storage, wording::storage_stalled(), turn);
        }
    }

    fn hold_buttons(&mut self, turn: &mut Turn) {
        for finding in self.buttons.elapse(turn.at.now) {
            self.button_found(finding, turn);
        }
    }

    fn happen(&mut self, input: Input, turn: &mut Turn) {
        match input {
            Input::Elapsed => {}
            Input::Command(received) => self.command(received, turn),
            Input::Button { index, asserted, at } => {
                for finding in self.buttons.level(index, asserted, at) {
                    self.button_found(finding, turn);
                }
            }
            Input::ButtonLost { index } => self.buttons.lost(index),
            Input::AppLink(change) => {
                turn.tell_state |= change == LinkChange::Up;
                self.app_link.change(change, &mut self.faults, turn);
            }
            Input::CenterLink(change) => {
                match change {
                    LinkChange::Up => {
                        self.outbox.link_up();
                        self.supervision.link_up(turn.at.now);
                    }
                    LinkChange::Down(_) => {
                        self.outbox.link_down();
                        self.supervision.link_down();
                    }
                }
                self.center_link.change(change, &mut self.faults, turn);
            }
            Input::Center(message) => self.center_message(message, turn),
            Input::Restored(restored) => self.restore(*restored, turn),
            Input::Store(report) => self.store_reported(report, turn),
            Input::Hardware(report) => self.hardware_reported(report, turn),
            Input::StateWanted => turn.tell_state = true,
        }
    }

    /// Makes the lines, the plan's faults and the outbox what they now have to be. The siren comes first of all effects.
    fn settle(&mut self, turn: &mut Turn) {
        let now = turn.at.now;
        while let Some(due) = self.supervision.elapse(&mut self.faults, turn) {
            match due {
                Due::Heartbeat => self.send_heartbeat(turn),
                Due::PeriodicTest => self.send_test(true, turn),
            }
        }
        let (change, level) = self.siren.settle(now);
        if let Some(asserted) = level {
            turn.effects.push(Effect::Siren { asserted });
        }
        match change {
            Some(Change::Began { about, pattern }) => {
                let said = wording::siren_on(about.is_none(), self.faults.message(FaultCode::Siren));
                turn.event(EventKind::SirenOn { pattern }, about, said);
            }
            Some(Change::Ended) => {
                turn.event(EventKind::SirenOff, None, wording::siren_off());
            }
            None => {}
        }
        self.judge_plan(turn);
        self.judge_confirmations(turn);
        self.send_notices(turn);
        self.outbox.elapse(&self.telling, turn);
        if self.settings.led
            && let Some(lit) = self.led.settle(self.led_shows(), now)
        {
            turn.effects.push(Effect::Led { lit });
        }
        self.forget_ended(turn);
        turn.effects.sort_by_key(Effect::urgency);
    }

    fn finish(&mut self, mut turn: Turn) -> Vec<Effect> {
        self.counters.event_seq = turn.event_seq;
        self.counters.signal_seq = self.counters.signal_seq.max(self.signal_seq);
        self.counters.periodic_test = self.supervision.last_test;
        let worth_a_write = CountersRecord { ack_seq: self.counters_written.ack_seq, ..self.counters };
        if !turn.records.is_empty() || worth_a_write != self.counters_written {
            turn.records.push(Record::Counters(self.counters));
            self.counters_written = self.counters;
        }
        if let Some(state) = self.state_to_tell(&turn) {
            turn.reports.push(Report::State(state));
        }
        let (now, mut effects) = (turn.at.now, turn.effects);
        self.telling.take(turn.records, turn.reports, now, &mut effects);
        for id in self.telling.release(now, &mut effects) {
            self.replies.was_not_durable(&id);
        }
        effects.extend(turn.log.into_iter().map(Effect::Log));
        effects
    }
}
