//! What can be seen of a hub from outside: its lines, what it told people, what it sent to the center.

use sos_hub::controller::effect::{LogLine, Signal, SignalKind};
use sos_hub::controller::input::ReplyTo;
use sos_hub::controller::moment::{Boottime, Id};
use sos_hub::controller::report::{Event, EventKind, IncidentState, Phase, Reply, State};
use sos_hub::controller::words::{Reason, Stage};

use crate::hub::Hub;

/// What a hub did and said, each with its time.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub siren: Vec<(Boottime, bool)>,
    pub led: Vec<(Boottime, bool)>,
    pub transmitted: Vec<(Boottime, Signal)>,
    pub states: Vec<(Boottime, State)>,
    pub events: Vec<(Boottime, Event)>,
    pub replies: Vec<(Boottime, Reply, Option<ReplyTo>)>,
    /// How many batches went to the disk.
    pub batches: usize,
    pub log: Vec<LogLine>,
}

impl Hub {
    /// The state that the app sees now.
    pub fn state(&self) -> &State {
        &self.seen.states.last().expect("a state was published").1
    }

    pub fn phase(&self) -> Phase {
        self.state().phase
    }

    pub fn incident(&self, id: Id) -> &IncidentState {
        let found = self.state().incidents.iter().find(|incident| incident.id == id);
        found.expect("the state shows the incident")
    }

    pub fn stage(&self, id: Id) -> Stage {
        self.incident(id).stage
    }

    pub fn siren_line(&self) -> bool {
        self.seen.siren.last().is_some_and(|&(_, asserted)| asserted)
    }

    pub fn led_line(&self) -> bool {
        self.seen.led.last().is_some_and(|&(_, lit)| lit)
    }

    /// The alarm signals that went out, oldest first, with every resend.
    pub fn alarms(&self) -> Vec<Signal> {
        self.signals(|signal| signal.kind == SignalKind::Alarm)
    }

    pub fn signals(&self, wanted: impl Fn(&Signal) -> bool) -> Vec<Signal> {
        self.seen.transmitted.iter().map(|(_, signal)| signal).filter(|signal| wanted(signal)).cloned().collect()
    }

    pub fn event_types(&self) -> Vec<&'static str> {
        self.seen.events.iter().map(|(_, event)| event.kind.as_str()).collect()
    }

    pub fn count(&self, wanted: impl Fn(&EventKind) -> bool) -> usize {
        self.seen.events.iter().filter(|(_, event)| wanted(&event.kind)).count()
    }

    pub fn has_fault(&self, code: &str) -> bool {
        self.state().faults.iter().any(|fault| fault.code == code)
    }

    pub fn events(&self, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        self.seen.events.iter().map(|(_, event)| event).filter(|event| wanted(event)).cloned().collect()
    }

    pub fn refusals(&self) -> Vec<Reason> {
        let reason = |event: &Event| match event.kind {
            EventKind::Refused { reason, .. } => Some(reason),
            _ => None,
        };
        self.seen.events.iter().filter_map(|(_, event)| reason(event)).collect()
    }

    /// The stages that an incident was told to have come to, in order.
    pub fn stages(&self, id: Id) -> Vec<Stage> {
        let stage = |event: &Event| match event.kind {
            EventKind::Stage { stage, .. } if event.incident == Some(id) => Some(stage),
            _ => None,
        };
        self.seen.events.iter().filter_map(|(_, event)| stage(event)).collect()
    }

    /// Level changes of the siren's line after this point, as milliseconds from it.
    pub fn siren_edges_since(&self, start: Boottime) -> Vec<(u128, bool)> {
        let mut level = false;
        let changes =
            self.seen.siren.iter().filter(|&&(_, asserted)| std::mem::replace(&mut level, asserted) != asserted);
        changes.filter(|(at, _)| *at >= start).map(|&(at, asserted)| (at.since(start).as_millis(), asserted)).collect()
    }

    /// The times, as milliseconds from this point, at which wanted signals went out.
    pub fn sent_since(&self, start: Boottime, wanted: impl Fn(&Signal) -> bool) -> Vec<u128> {
        let later = self.seen.transmitted.iter().filter(|(at, signal)| *at >= start && wanted(signal));
        later.map(|(at, _)| at.since(start).as_millis()).collect()
    }

    pub fn fault_message(&self, code: &str) -> String {
        let fault = self.state().faults.iter().find(|fault| fault.code == code);
        fault.expect("the fault stands").message.clone()
    }
}

pub fn is_cancel_request(signal: &Signal) -> bool {
    signal.kind == SignalKind::CancelRequest
}

pub fn is_alarm(signal: &Signal) -> bool {
    signal.kind == SignalKind::Alarm
}

pub fn is_heartbeat(signal: &Signal) -> bool {
    matches!(signal.kind, SignalKind::Heartbeat { .. })
}
