//! The state as people see it, and whether it is worth telling again.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::Controller;
use super::faults::FaultCode;
use super::led::Show;
use super::moment::{Boottime, Id, Moment, Wall};
use super::report::{CenterState, Phase, SirenState, State};
use super::turn::Turn;
use super::wording;
use super::words::{PlanStanding, Stage};
use super::{ENDED_KNOWN, ENDED_SHOWN, incident::Incident};

impl Controller {
    /// The state, if something in it has changed since it was last told, or if it was asked for.
    pub(super) fn state_to_tell(&mut self, turn: &Turn) -> Option<State> {
        let clock_changed = self.told.as_ref().is_some_and(|told| told.clock != turn.at.clock);
        if !(turn.changed || turn.tell_state || clock_changed) {
            return None;
        }
        let state = self.snapshot(turn.at);
        let lasting = without_passing_times(&state, self.siren.stops_at());
        let worth_telling = turn.tell_state || self.told.as_ref() != Some(&lasting);
        self.told = Some(lasting);
        worth_telling.then_some(state)
    }

    pub(super) fn led_shows(&self) -> Show {
        match self.phase() {
            _ if self.siren.is_sounding() => Show::Solid,
            Phase::Countdown => Show::COUNTDOWN,
            _ if self.faults.any() || !self.is_ready() => Show::FAULT,
            _ => Show::Solid,
        }
    }

    /// Takes ended incidents out of the state when they were shown long enough, or there are too many of them: somebody
    /// who requests and cancels without a pause must not fill the memory.
    pub(super) fn forget_ended(&mut self, turn: &mut Turn) {
        let now = turn.at.now;
        let mut ended = self.incidents.iter().filter(|incident| !incident.is_open()).count();
        let over: Vec<(Id, Stage)> = self
            .incidents
            .iter()
            .filter(|incident| {
                let goes = !incident.is_shown(now) || (!incident.is_open() && ended > ENDED_SHOWN);
                ended -= usize::from(goes);
                goes
            })
            .map(|incident| (incident.id(), incident.stage()))
            .collect();
        for (id, stage) in over {
            self.incidents.retain(|incident| incident.id() != id);
            self.remember_ended(id, stage);
            turn.changed = true;
        }
    }

    pub(super) fn remember_ended(&mut self, id: Id, stage: Stage) {
        self.ended.push_back((id, stage));
        if self.ended.len() > ENDED_KNOWN {
            self.ended.pop_front();
        }
    }

    fn phase(&self) -> Phase {
        self.incidents.iter().map(Incident::phase).max().unwrap_or(Phase::Idle)
    }

    fn is_ready(&self) -> bool {
        self.obstacle(self.last).is_none()
    }

    /// What keeps an SOS from working end to end, in a sentence.
    fn obstacle(&self, at: Moment) -> Option<String> {
        match self.faults.obstacle() {
            Some(fault) => Some(fault),
            None if !self.center_link.is_up() => Some(wording::link_not_up(true)),
            None if self.plan.standing(at) == PlanStanding::Unknown => Some(wording::not_provisioned()),
            None => None,
        }
    }

    fn snapshot(&self, at: Moment) -> State {
        let open: Vec<&Incident> = self.incidents.iter().filter(|incident| incident.is_open()).collect();
        // The most urgent first, and what has just ended where nothing is open.
        let mut speaking = if open.is_empty() { self.incidents.iter().collect() } else { open };
        speaking.sort_by_key(|incident| core::cmp::Reverse(incident.phase()));
        let messages: Vec<_> = speaking.iter().map(|incident| incident.message()).collect();
        // It outlives the incident that the center has refused.
        let broken = self.faults.message(FaultCode::Siren);
        let siren = self.siren.is_sounding().then(|| wording::siren_on(!self.siren.sounds_for_alarm(), broken));
        let obstacle = self.obstacle(at);
        State {
            at: at.wall,
            turned: at.now,
            clock: at.clock,
            phase: self.phase(),
            message: wording::overall(&messages, siren, broken, obstacle.as_deref()),
            incidents: self.incidents.iter().map(|incident| incident.state(at)).collect(),
            siren: SirenState {
                sounding: self.siren.is_sounding(),
                pattern: self.siren.pattern(),
                stops_at: self.siren.stops_at().map(|stops_at| wall_at(stops_at, at)),
            },
            plan: self.plan.state(at),
            center: CenterState {
                link_up: self.center_link.is_up(),
                last_heard_at: self.supervision.last_heard,
                owed: self.outbox.len(),
            },
            ready: obstacle.is_none(),
            faults: self.faults.states(),
        }
    }
}

/// The wall time of a point on the boot clock, as far as the wall clock is right now.
fn wall_at(point: Boottime, at: Moment) -> Wall {
    let (ahead, behind) = (point.since(at.now), at.now.since(point));
    let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Wall(at.wall.0.saturating_add(ms(ahead)).saturating_sub(ms(behind)))
}

/// What is left of a state when the times that pass by themselves are taken out.
fn without_passing_times(state: &State, siren_stops_at: Option<Boottime>) -> State {
    let mut lasting = state.clone();
    lasting.at = Wall(0);
    lasting.turned = Boottime::default();
    // A further cry puts the end off; a flood of them is told once a second.
    lasting.siren.stops_at = siren_stops_at.map(|stops_at| Wall((stops_at.0 / 1_000_000_000).cast_signed()));
    for incident in &mut lasting.incidents {
        incident.remaining_ms = 0;
    }
    lasting
}
