//! One incident: countdown → aborted | requested → … → closed, or for the siren alone countdown → sounding → closed.

use core::time::Duration;

use super::effect::{IncidentRecord, Signal};
use super::moment::{Boottime, Id, Moment, Wall};
use super::report::{IncidentState, Phase};
use super::turn::earliest;
use super::wording;
use super::words::{Service, Stage};

/// How long the state goes on showing an incident that has ended.
const SHOWN_AFTER_END: Duration = Duration::from_secs(10);
/// After this the people are told that the center has not confirmed.
const LATE_AFTER: Duration = Duration::from_secs(10);
/// The user's wish to cancel is passed on at most this often.
const CANCEL_REQUEST_EVERY: Duration = Duration::from_secs(10);

/// Two clocks that drift apart by no more than this were not stepped.
const STEP_MS: u64 = 1_000;

#[derive(Clone, Debug)]
pub(super) struct Incident {
    pub record: IncidentRecord,
    /// When it ended, for how long it is shown.
    ended: Option<Boottime>,
    /// The next whole second of the countdown that is to be told.
    next_tick: Option<Boottime>,
    /// From when on a missing ack is late.
    late_at: Option<Boottime>,
    /// The same of its further cries.
    cry_late_at: Option<Boottime>,
    cry_is_late: bool,
    cancel_requested: Option<Boottime>,
    /// The end of the countdown as the wall clock stood when the incident was taken up.
    ends_wall: Wall,
}

impl Incident {
    pub fn new(record: IncidentRecord, at: Moment) -> Incident {
        let now = at.now;
        let ends_wall = ends_wall(&record, at);
        let mut incident = Incident {
            record,
            ended: None,
            next_tick: None,
            late_at: None,
            cry_late_at: None,
            cry_is_late: false,
            cancel_requested: None,
            ends_wall,
        };
        match incident.record.stage {
            Stage::Countdown => incident.next_tick = incident.tick_after(now),
            Stage::Requested => incident.late_at = Some(incident.record.deadline + LATE_AFTER),
            _ => {}
        }
        incident
    }

    pub fn id(&self) -> Id {
        self.record.id
    }

    pub fn service(&self) -> Service {
        self.record.service
    }

    pub fn stage(&self) -> Stage {
        self.record.stage
    }

    pub fn about(&self) -> Option<(Id, Service)> {
        Some((self.record.id, self.record.service))
    }

    pub fn is_open(&self) -> bool {
        !self.record.stage.is_end()
    }

    pub fn is_counting(&self) -> bool {
        self.record.stage == Stage::Countdown
    }

    /// Past its countdown and not over.
    pub fn is_alarm(&self) -> bool {
        self.is_open() && !self.is_counting()
    }

    /// The center has been asked for help, and has not said that it is over.
    pub fn is_with_center(&self) -> bool {
        self.is_alarm() && self.service().is_monitored()
    }

    /// Nobody can cancel it any more.
    pub fn first_call_is_over(&self) -> bool {
        !matches!(self.record.stage, Stage::Requested | Stage::Acknowledged | Stage::CallingFirstContact)
    }

    pub fn phase(&self) -> Phase {
        match self.is_open() {
            false => Phase::Idle,
            true if self.is_counting() => Phase::Countdown,
            true => Phase::Alarm,
        }
    }

    pub fn enter(&mut self, stage: Stage, now: Boottime, wall: Wall) {
        self.record.stage = stage;
        self.next_tick = None;
        self.late_at = (stage == Stage::Requested).then(|| now + LATE_AFTER);
        if stage.is_end() {
            self.ended = Some(now);
            self.record.ended_wall = Some(wall);
        }
    }

    pub fn is_due(&self, now: Boottime) -> bool {
        self.is_counting() && now >= self.record.deadline
    }

    /// The whole seconds left, where a second has just passed.
    pub fn tick(&mut self, now: Boottime) -> Option<u64> {
        let due = self.next_tick.filter(|&tick| now >= tick)?;
        self.next_tick = self.tick_after(now);
        let left = self.record.deadline.since(due.max(now));
        Some(left.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX))
    }

    /// Whether the center has not confirmed the alarm although it should have.
    pub fn is_unconfirmed(&self) -> bool {
        self.record.stage == Stage::Requested && self.late_at.is_none()
    }

    /// Whether the center has the alarm, and has not confirmed a further cry although it should have.
    pub fn is_cry_unconfirmed(&self) -> bool {
        self.is_with_center() && self.record.stage != Stage::Requested && self.cry_is_late
    }

    /// Takes the further cries that are owed to the center. Whether it has just become late to confirm one, or has
    /// just confirmed the last that it was late for.
    pub fn cries_owed<'a>(&mut self, cries: impl Iterator<Item = &'a Signal>, now: Boottime) -> bool {
        let late_at = cries.map(cry_late_at).min();
        let is_late = late_at.is_some_and(|late_at| now >= late_at);
        self.cry_late_at = late_at.filter(|_| !is_late);
        core::mem::replace(&mut self.cry_is_late, is_late) != is_late
    }

    /// Whether the ack has just become late.
    pub fn becomes_late(&mut self, now: Boottime) -> bool {
        let late = self.late_at.is_some_and(|late_at| now >= late_at);
        if late {
            self.late_at = None;
        }
        late
    }

    /// It was asked for before a reboot: nobody needs to wait ten seconds more to be told that nothing was confirmed.
    pub fn ack_is_late(&mut self) {
        self.late_at = None;
    }

    pub fn may_request_cancel(&mut self, now: Boottime) -> bool {
        let may = self.cancel_requested.is_none_or(|last| now >= last + CANCEL_REQUEST_EVERY);
        if may {
            self.cancel_requested = Some(now);
        }
        may
    }

    /// Whether the state still shows it.
    pub fn is_shown(&self, now: Boottime) -> bool {
        self.is_open() || self.ended.is_some_and(|ended| now < ended + SHOWN_AFTER_END)
    }

    pub fn deadline(&self) -> Option<Boottime> {
        let countdown = self.is_counting().then_some(self.record.deadline);
        let hidden = self.ended.map(|ended| ended + SHOWN_AFTER_END);
        let late = earliest(self.late_at, self.cry_late_at);
        earliest(earliest(countdown, self.next_tick), earliest(late, hidden))
    }

    /// What is said of it when it comes to this stage: of the step alone.
    pub fn step_message(&self) -> alloc::string::String {
        wording::stage(self.service(), self.stage(), self.is_unconfirmed())
    }

    pub fn message(&self) -> alloc::string::String {
        let message = self.step_message();
        if self.is_cry_unconfirmed() { wording::cry_unconfirmed(self.service(), &message) } else { message }
    }

    pub fn state(&self, at: Moment) -> IncidentState {
        let left = if self.is_counting() { self.record.deadline.since(at.now) } else { Duration::ZERO };
        let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        // The label stays the same to the millisecond, unless the wall clock was stepped.
        let ends_now = ends_wall(&self.record, at);
        let stepped = ends_now.0.abs_diff(self.ends_wall.0) > STEP_MS;
        IncidentState {
            id: self.record.id,
            service: self.record.service,
            source: self.record.source.clone(),
            stage: self.record.stage,
            countdown_ends_at: if stepped { ends_now } else { self.ends_wall },
            remaining_ms: left_ms,
            resumed: self.record.resumed,
            message: self.message(),
        }
    }

    /// The next full second before the end of the countdown, after `now`; the end itself is no tick.
    fn tick_after(&self, now: Boottime) -> Option<Boottime> {
        let left = self.record.deadline.since(now);
        let seconds = left.as_nanos().div_ceil(1_000_000_000).saturating_sub(1);
        let seconds = u64::try_from(seconds).ok().filter(|&seconds| seconds > 0)?;
        Some(self.record.deadline - Duration::from_secs(seconds))
    }
}

/// From when on a missing ack of this cry is late: at once, if it is from before a reboot.
fn cry_late_at(cry: &Signal) -> Boottime {
    if cry.age_base_ms > 0 { Boottime::default() } else { cry.raised + LATE_AFTER }
}

/// What the wall clock shows at the end of the countdown, as it goes now.
fn ends_wall(record: &IncidentRecord, at: Moment) -> Wall {
    let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    let (ahead, behind) = (ms(record.deadline.since(at.now)), ms(at.now.since(record.deadline)));
    Wall(at.wall.0.saturating_add(ahead).saturating_sub(behind))
}
