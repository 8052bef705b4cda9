//! The siren and the LED: who asks the siren to sound, for how long, in which pattern, and the levels of the two lines.

use alloc::vec::Vec;
use core::time::Duration;

use super::effect::{Record, Restored, SoundingRecord};
use super::moment::{Boottime, Id};
use super::turn::{Turn, earliest};
use super::words::{Pattern, Service};

/// How long a test sounds.
const TEST: Duration = Duration::from_secs(2);
/// How often it is written down how much of the maximum is used up, for the case of a reboot.
const MARK: Duration = Duration::from_secs(1);
/// The evacuation signal of ISO 8201: three pulses of half a second with half a second between them, then 1.5 s of
/// silence.
const TEMPORAL3_PERIOD: Duration = Duration::from_millis(4_000);
const TEMPORAL3_PULSE: Duration = Duration::from_millis(500);
const TEMPORAL3_PULSES: u128 = 3;

/// An alarm that asks the siren to sound. It outlives its incident: when the center refuses, the siren goes on.
#[derive(Clone, Debug)]
struct Claim {
    incident: Id,
    service: Service,
    until: Boottime,
    next_mark: Boottime,
}

#[derive(Debug)]
pub(super) struct Siren {
    max: Duration,
    claims: Vec<Claim>,
    test_until: Option<Boottime>,
    /// Since when it sounds without a break; the pattern counts from here.
    sounding_since: Option<Boottime>,
    pattern: Pattern,
    /// The level that was last sent to the line; `None` before the first.
    driven: Option<bool>,
    /// When the pattern changes the level next.
    next_edge: Option<Boottime>,
}

/// What began or ended in this turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Began { about: Option<(Id, Service)>, pattern: Pattern },
    Ended,
}

impl Siren {
    pub fn new(max: Duration) -> Siren {
        Siren {
            max,
            claims: Vec::new(),
            test_until: None,
            sounding_since: None,
            pattern: Pattern::Steady,
            driven: None,
            next_edge: None,
        }
    }

    /// Sounds for this alarm, for the whole maximum from now on.
    pub fn sound(&mut self, incident: Id, service: Service, turn: &mut Turn) {
        let now = turn.at.now;
        self.claims.retain(|claim| claim.incident != incident);
        let claim = Claim { incident, service, until: now + self.max, next_mark: now + MARK };
        turn.record(claim.mark(turn));
        self.claims.push(claim);
    }

    /// Goes on with what sounded before a restart: in the same boot to its end, after a reboot for what was left.
    pub fn restore(&mut self, restored: &Restored, turn: &mut Turn) {
        let now = turn.at.now;
        let unknown = |record: &&SoundingRecord| !self.sounds_for(record.incident);
        for record in restored.sounding.iter().filter(unknown).collect::<Vec<_>>() {
            let same_boot = record.boot == turn.boot;
            let until = if same_boot { record.until } else { now + Duration::from_millis(record.left_ms) };
            // Whatever a damaged disk says: it stops by itself.
            let until = until.min(now + self.max);
            let incident = restored.incidents.iter().find(|incident| incident.id == record.incident);
            match incident.map(|incident| incident.service) {
                Some(service) if until > now => {
                    let claim = Claim { incident: record.incident, service, until, next_mark: now + MARK };
                    turn.record(claim.mark(turn));
                    self.claims.push(claim);
                }
                _ => turn.record(Record::Silenced { incident: record.incident }),
            }
        }
    }

    /// Ends the sound for one alarm.
    pub fn end(&mut self, incident: Id, turn: &mut Turn) {
        let before = self.claims.len();
        self.claims.retain(|claim| claim.incident != incident);
        if self.claims.len() != before {
            turn.record(Record::Silenced { incident });
        }
    }

    /// Ends all that sounds now; gives the incidents it sounded for.
    pub fn silence(&mut self, turn: &mut Turn) -> Vec<Id> {
        self.test_until = None;
        let silenced: Vec<Id> = self.claims.drain(..).map(|claim| claim.incident).collect();
        for &incident in &silenced {
            turn.record(Record::Silenced { incident });
        }
        silenced
    }

    pub fn test(&mut self, now: Boottime) {
        self.test_until = Some(now + TEST);
    }

    /// A countdown begins: nothing may sound in it but a real alarm.
    pub fn end_test(&mut self) {
        self.test_until = None;
    }

    /// Ends what is over; gives the alarms whose maximum was reached.
    pub fn elapse(&mut self, turn: &mut Turn) -> Vec<Id> {
        let now = turn.at.now;
        self.test_until = self.test_until.filter(|&until| now < until);
        let over: Vec<Id> = self.claims.iter().filter(|claim| now >= claim.until).map(|claim| claim.incident).collect();
        for &incident in &over {
            self.end(incident, turn);
        }
        for claim in self.claims.iter_mut().filter(|claim| now >= claim.next_mark) {
            claim.next_mark = now + MARK;
            turn.records.push(claim.mark(turn));
        }
        over
    }

    pub fn is_sounding(&self) -> bool {
        self.sounding_since.is_some()
    }

    pub fn sounds_for(&self, incident: Id) -> bool {
        self.claims.iter().any(|claim| claim.incident == incident)
    }

    /// Whether an alarm, and not only a test, makes it sound.
    pub fn sounds_for_alarm(&self) -> bool {
        !self.claims.is_empty()
    }

    pub fn pattern(&self) -> Pattern {
        self.pattern
    }

    pub fn stops_at(&self) -> Option<Boottime> {
        self.claims.iter().map(|claim| claim.until).chain(self.test_until).max()
    }

    /// Brings pattern and level into line with what asks for sound now: the last thing in every turn. Gives the level
    /// to drive where it has to change.
    pub fn settle(&mut self, now: Boottime) -> (Option<Change>, Option<bool>) {
        let asked = !self.claims.is_empty() || self.test_until.is_some();
        let change = match (self.sounding_since, asked) {
            (None, true) => {
                self.sounding_since = Some(now);
                Some(true)
            }
            (Some(_), false) => {
                self.sounding_since = None;
                Some(false)
            }
            _ => None,
        };
        if asked {
            let fire = self.claims.iter().any(|claim| claim.service == Service::Fire);
            let pattern = if fire { Pattern::Temporal3 } else { Pattern::Steady };
            if pattern != self.pattern {
                self.pattern = pattern;
                self.sounding_since = Some(now);
            }
        }
        let level;
        (level, self.next_edge) = match (self.sounding_since, self.pattern) {
            (None, _) => (false, None),
            (Some(_), Pattern::Steady) => (true, None),
            (Some(since), Pattern::Temporal3) => {
                let (level, lasts) = temporal3(now.since(since));
                (level, Some(now + lasts))
            }
        };
        let drive = (self.driven != Some(level)).then_some(level);
        self.driven = Some(level);
        let change = change.map(|began| match began {
            true => {
                let latest = self.claims.last().map(|claim| (claim.incident, claim.service));
                Change::Began { about: latest, pattern: self.pattern }
            }
            false => Change::Ended,
        });
        (change, drive)
    }

    pub fn deadline(&self) -> Option<Boottime> {
        let claims = self.claims.iter().map(|claim| claim.until.min(claim.next_mark)).min();
        earliest(earliest(claims, self.test_until), self.next_edge)
    }
}

/// The level of temporal-3 this long after its start, and how long it stays so.
fn temporal3(elapsed: Duration) -> (bool, Duration) {
    let within = elapsed.as_nanos() % TEMPORAL3_PERIOD.as_nanos();
    let (pulse, into) = (within / TEMPORAL3_PULSE.as_nanos(), within % TEMPORAL3_PULSE.as_nanos());
    let on = pulse % 2 == 0 && pulse / 2 < TEMPORAL3_PULSES;
    let last_pulse_over = pulse >= 2 * TEMPORAL3_PULSES - 1;
    let end = if last_pulse_over { TEMPORAL3_PERIOD.as_nanos() - within } else { TEMPORAL3_PULSE.as_nanos() - into };
    (on, Duration::from_nanos(u64::try_from(end).unwrap_or(u64::MAX)))
}

impl Claim {
    fn mark(&self, turn: &Turn) -> Record {
        let left = self.until.since(turn.at.now);
        Record::Sounding(SoundingRecord {
            incident: self.incident,
            pattern: if self.service == Service::Fire { Pattern::Temporal3 } else { Pattern::Steady },
            boot: turn.boot,
            until: self.until,
            left_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        })
    }
}
