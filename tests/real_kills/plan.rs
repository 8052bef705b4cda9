//! What a round does, drawn from a seed: data that prints.

use std::time::Duration;

/// The countdown of these tests.
pub const COUNTDOWN: Duration = Duration::from_secs(1);

const SERVICES: [&str; 3] = ["police", "fire", "siren"];
/// A press counts from 300 ms on; a little more, so that most do.
const PRESS_MS: u64 = 360;
/// Faults at no special moment begin until here.
const LAST_FAULT_MS: u64 = 1_700;
/// For so long after its alarm an incident's calls last, where the center calls by itself.
const LAST_CALL_MS: u64 = 2_500;

#[derive(Debug)]
pub struct Plan {
    /// In the order of their time, which is counted in ms from the round's begin.
    pub steps: Vec<(u64, Step)>,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// With an id of its own, sent with `mosquitto_pub`.
    Request {
        service: &'static str,
        id: String,
    },
    /// The police button's contact is closed, or opened again.
    Press,
    Release,
    /// An empty cancel with an id of its own.
    Cancel {
        id: String,
    },
    /// The center hears and what it says is lost, or it is heard again.
    LoseAcks,
    HearAcks,
    Break(Part, Fault),
    Mend(Part),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Hub,
    Center,
    HomeBroker,
    CenterBroker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`.
    Kill,
    /// SIGTERM, as `systemctl stop` sends it; the part must end well.
    Stop,
    /// SIGSTOP until it is mended: to the others a half-open connection.
    Freeze,
}

impl Plan {
    /// `name` makes the ids of this round unlike those of all others.
    pub fn draw(dice: &mut Dice, name: &str) -> Plan {
        let mut steps = Vec::new();
        let mut moments = Vec::new();
        for number in 0..dice.between(1, 3) {
            let (at, service) = (dice.between(0, 400), SERVICES[dice.below(3) as usize]);
            moments.push(at);
            let id = format!("{name}-request-{number}");
            steps.push((at, Step::Request { service, id: id.clone() }));
            if dice.below(4) == 0 {
                // An app that has not heard a reply says it again.
                steps.push((at + dice.between(0, 1_200), Step::Request { service, id }));
            }
        }
        if dice.below(3) == 0 {
            let at = dice.between(0, 500);
            moments.push(at + PRESS_MS);
            steps.push((at, Step::Press));
            steps.push((at + PRESS_MS, Step::Release));
        }
        let countdown = COUNTDOWN.as_millis() as u64;
        for number in 0..dice.below(3) {
            let moment = moments[dice.below(moments.len() as u64) as usize];
            let race = moment + countdown - 40 + dice.between(0, 60);
            let at = if dice.below(2) == 0 { race } else { dice.between(0, 1_300) };
            steps.push((at, Step::Cancel { id: format!("{name}-cancel-{number}") }));
        }
        for part in parts(dice) {
            steps.extend(faults(dice, part, &moments));
        }
        // Until a new connection, on which the hub sends again at once what it still owes.
        let reconnects = steps.iter().filter(|(_, step)| matches!(step, Step::Mend(Part::Hub | Part::CenterBroker)));
        if let Some(until) = reconnects.map(|(at, _)| *at).max()
            && dice.below(2) == 0
        {
            steps.extend([(0, Step::LoseAcks), (until, Step::HearAcks)]);
        }
        steps.sort_by_key(|(at, _)| *at);
        Plan { steps }
    }
}

/// Which parts fail in this round: hub and center more often than a broker, and often not alone.
fn parts(dice: &mut Dice) -> Vec<Part> {
    let hub = dice.below(4) != 0;
    let center = dice.below(2) == 0;
    let rarely = if hub { 3 } else { 2 };
    let brokers = [dice.below(rarely) == 0, dice.below(rarely) == 0];
    let parts =
        [(hub, Part::Hub), (center, Part::Center), (brokers[0], Part::HomeBroker), (brokers[1], Part::CenterBroker)];
    parts.into_iter().filter(|(fails, _)| *fails).map(|(_, part)| part).collect()
}

fn faults(dice: &mut Dice, part: Part, moments: &[u64]) -> Vec<(u64, Step)> {
    let mut steps = Vec::new();
    let mut from = 0;
    let is_service = part == Part::Hub || part == Part::Center;
    for _ in 0..if is_service { dice.between(1, 2) } else { 1 } {
        let moment = moments[dice.below(moments.len() as u64) as usize];
        let at = match dice.below(5) {
            // While the center works on it.
            0 | 3 if part == Part::Center => moment + COUNTDOWN.as_millis() as u64 + dice.between(0, LAST_CALL_MS),
            // While the request is on its way to the disk.
            0 => moment + dice.between(0, 60),
            // While the alarm is raised.
            1 => moment + COUNTDOWN.as_millis() as u64 - 20 + dice.between(0, 80),
            // While the center may have it and the hub does not know.
            2 => moment + COUNTDOWN.as_millis() as u64 + dice.between(0, 300),
            _ => dice.between(0, LAST_FAULT_MS),
        };
        let at = at.max(from);
        let fault = match dice.below(6) {
            0 => Fault::Freeze,
            1 if is_service => Fault::Stop,
            _ => Fault::Kill,
        };
        let until = at + dice.between(0, 500);
        steps.extend([(at, Step::Break(part, fault)), (until, Step::Mend(part))]);
        from = until + 1;
    }
    steps
}

/// Random numbers that a seed repeats (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to one less than the end.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    /// Both ends included.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }
}
