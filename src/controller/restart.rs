//! Going on after a restart. In the same boot every deadline stands; after a reboot a countdown starts afresh, once.

use alloc::collections::BTreeMap;

use super::Controller;
use super::alarm::tell_countdown;
use super::effect::{IncidentRecord, Record, Restored, Signal, SignalKind, SignalRecord};
use super::incident::Incident;
use super::outbox::WITHDRAWN;
use super::turn::Turn;
use super::words::Stage;

impl Controller {
    pub(super) fn restore(&mut self, mut restored: Restored, turn: &mut Turn) {
        self.plan.expected(turn.at.now);
        turn.tell_state = true;
        self.restore_counters(&restored, turn);
        if let Some(token) = restored.plan.take() {
            self.plan.restore(token, turn);
        }
        self.replies.restore(core::mem::take(&mut restored.replies));
        self.siren.restore(&restored, turn);
        self.adopt_faults(&restored, turn);
        let known = core::mem::take(&mut restored.incidents);
        self.outbox.restore(restored, turn);
        // Where the disk came late, what it holds is older than what has happened since.
        let newer = core::mem::take(&mut self.incidents);
        for record in known {
            if newer.iter().all(|incident| incident.id() != record.id) {
                self.restore_incident(record, turn);
            }
        }
        self.incidents.extend(newer);
    }

    fn restore_counters(&mut self, restored: &Restored, turn: &mut Turn) {
        let found = restored.counters;
        turn.event_seq = turn.event_seq.max(found.event_seq);
        self.signal_seq = self.signal_seq.max(found.signal_seq);
        self.counters.signal_seq = self.counters.signal_seq.max(found.signal_seq);
        self.counters.ack_seq = self.counters.ack_seq.max(found.ack_seq);
        self.supervision.restore(found.periodic_test, turn.at);
    }

    /// Takes over the faults that the center holds to be standing: its last word of each was no restore.
    fn adopt_faults(&mut self, restored: &Restored, turn: &Turn) {
        let mut latest: BTreeMap<&str, &Signal> = BTreeMap::new();
        let heard = restored.signals.iter().filter(|record| record.signal.seq != WITHDRAWN);
        for SignalRecord { signal, .. } in heard {
            if let SignalKind::Fault { code, .. } | SignalKind::Restore { code, .. } = &signal.kind {
                let held = latest.entry(code).or_insert(signal);
                *held = if signal.seq > held.seq { signal } else { held };
            }
        }
        for signal in latest.into_values() {
            if let SignalKind::Fault { code, message, .. } = &signal.kind {
                self.faults.adopt(code, message, signal.raised_wall, turn.at.now);
            }
        }
    }

    fn restore_incident(&mut self, mut record: IncidentRecord, turn: &mut Turn) {
        if record.stage.is_end() {
            self.remember_ended(record.id, record.stage);
            return;
        }
        let rebooted = record.boot != turn.boot;
        let second_reboot = rebooted && record.resumed;
        if rebooted {
            record.boot = turn.boot;
            record.accepted = turn.at.now;
            record.deadline = turn.at.now;
            if record.stage == Stage::Countdown && !second_reboot {
                record.resumed = true;
                record.deadline = turn.at.now + self.settings.countdown;
            }
        }
        // It has never been later; a damaged disk must not make a countdown without end.
        record.deadline = record.deadline.min(turn.at.now + self.settings.countdown);
        let id = record.id;
        let mut incident = Incident::new(record, turn.at);
        if rebooted {
            incident.ack_is_late();
        }
        match incident.stage() {
            Stage::Countdown if rebooted && !second_reboot => tell_countdown(&incident, turn),
            _ if rebooted => turn.record(Record::Incident(incident.record.clone())),
            _ => {}
        }
        // The siren's maximum was over, but the end had not been written down any more.
        let fell_silent = incident.stage() == Stage::Sounding && !self.siren.sounds_for(id);
        self.incidents.push(incident);
        if fell_silent {
            self.siren_fell_silent(id, turn);
        }
    }
}
