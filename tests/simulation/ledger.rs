//! What an observer who sees every entry can know of the incidents: when each countdown has to end, what people were
//! told, what the center has. The hub's own thoughts have no place here.

use std::collections::BTreeMap;

use sos_hub::center::desk::records::StepRecordState;
use sos_hub::center::desk::words::Verdict;

use crate::books::Books;
use crate::center::words::Meaning;
use crate::history::{Ask, Asked, Entry, Worth};
use crate::incident::{Incident, Span};
use crate::plan::Crash;
use crate::time::{At, MS, S};

pub const COUNTDOWN: u64 = 5 * S;
pub const SIREN_MAX: u64 = 240 * S;

#[derive(Default)]
pub struct Ledger {
    pub incidents: BTreeMap<String, Incident>,
    /// What is known of the center.
    pub books: Books,
    /// Every request and press that reached the hub, in order.
    pub asks: Vec<(Ask, AskState)>,
    pub running: bool,
    /// The process has what the disk held.
    pub remembers: bool,
    /// When the process before this one ended, and how much older than that its memory may be.
    ended: At,
    behind: u64,
    rebooted: bool,
    boots: u32,
    /// From when on the loop turns (again).
    pub available: At,
    hung_since: At,
    /// Something that people may have been told was lost with a disk that did not work.
    pub amnesia: bool,
    pub line: bool,
    pub center_up_since: Option<At>,
    pub healed: bool,
    /// How often the process ended.
    pub crashes: u32,
    /// The incidents that the state showed last.
    pub shown: Vec<String>,
    pub last_test: Option<At>,
    last_silence: Option<At>,
}

#[derive(Clone, Debug, Default)]
pub struct AskState {
    /// The incident that it opened, joined or cried again for.
    pub incident: Option<String>,
    pub answered: bool,
}

/// What became of a run's incidents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// Those of police and fire department that the center took.
    pub alarms: u64,
    pub helped: u64,
    pub cancelled: u64,
    /// An alarm that the center does not have; what it has and nobody asked for; what it has twice.
    pub lost: u64,
    pub phantom: u64,
    pub doubled: u64,
    /// How often a process of the hub, and of the center, has ended.
    pub hub_ends: u64,
    pub center_ends: u64,
}

impl Sums {
    pub fn add(&mut self, other: &Sums) {
        let Sums { alarms, helped, cancelled, lost, phantom, doubled, hub_ends, center_ends } = other;
        self.alarms += alarms;
        self.helped += helped;
        self.cancelled += cancelled;
        self.lost += lost;
        self.phantom += phantom;
        self.doubled += doubled;
        self.hub_ends += hub_ends;
        self.center_ends += center_ends;
    }
}

impl Ledger {
    pub fn sums(&self) -> Sums {
        let count = |is: &dyn Fn(&String, &Incident) -> bool| {
            self.incidents.iter().filter(|(id, incident)| is(id, incident)).count() as u64
        };
        let cases = || self.books.cases.iter().filter(|(_, case)| case.step.is_some());
        let is_owed = |incident: &Incident| incident.told_alarm.is_some() && incident.service != "siren";
        Sums {
            alarms: cases().count() as u64,
            helped: cases().filter(|(_, case)| case.dispatched).count() as u64,
            cancelled: cases().filter(|(_, case)| case.step == Some(StepRecordState::Cancelled)).count() as u64,
            lost: count(&|id, incident| {
                let at_the_center = self.books.cases.get(id).is_some_and(|case| case.step.is_some());
                is_owed(incident) && !at_the_center && !incident.refused && !incident.forgiven
            }),
            phantom: cases().filter(|(id, _)| !self.incidents.contains_key(*id)).count() as u64,
            doubled: count(&|_, incident| incident.taken.iter().filter(|(_, repeat)| !repeat).count() > 1),
            hub_ends: u64::from(self.crashes),
            center_ends: self.books.ends,
        }
    }

    pub fn note(&mut self, now: At, entry: &Entry) {
        self.books.note(entry);
        match entry {
            Entry::Started { reboot } => {
                // A process that ended before it remembered anything leaves the memory of the boot before.
                self.rebooted |= *reboot;
                (self.running, self.remembers, self.available, self.hung_since) = (true, false, now, now);
            }
            Entry::Ready => self.available = now,
            Entry::Remembers => self.remembered(now),
            Entry::Ended { how, lost } => {
                self.running = false;
                self.crashes += 1;
                self.incidents.values_mut().for_each(|incident| incident.open_cry = None);
                self.center_up_since = None;
                // After a second crash before anything was remembered, the memory is still that of the first.
                if self.remembers {
                    // A loop that hangs writes nothing down, and what it writes after that may be lost with the rest.
                    let hung = if self.available + S > now { now.saturating_sub(self.hung_since) } else { 0 };
                    (self.ended, self.behind) = (now, lost.behind + hung);
                }
                self.rebooted |= *how == Crash::Power;
                if lost.told {
                    self.amnesia = true;
                    // Everything that is open may be affected by what was lost of any of it.
                    self.incidents.values_mut().for_each(|incident| incident.forgiven = true);
                }
            }
            Entry::Hung { until } => {
                let hung_until = self.available;
                self.available = self.available.max(*until);
                if hung_until <= now {
                    self.hung_since = now;
                } else {
                    // What came in a hang that goes on comes later still.
                    for last in [&mut self.last_silence, &mut self.last_test] {
                        *last = last.map(|at| if at == hung_until { self.available } else { at });
                    }
                    let longer = self.available - hung_until;
                    self.incidents.values_mut().for_each(|incident| incident.may_sound_until += longer);
                }
                for incident in self.incidents.values_mut().filter(|incident| incident.undecided()) {
                    if let Some(due) = incident.due.filter(|due| due.to >= now && due.to < *until) {
                        incident.set_due(Span { from: due.from, to: *until });
                    }
                }
            }
            Entry::Asked(ask) => self.asked(now, ask),
            Entry::Siren { asserted } => self.line = *asserted,
            Entry::Reply { ask, reply, .. } => {
                if let (true, Some(id)) = (reply.accepted(), &reply.incident)
                    && reply.command == "request"
                {
                    self.connect(*ask, id, now);
                }
                // Without its memory the hub does not know what there is to silence.
                if reply.command == "silence" && reply.accepted() && self.remembers && !self.amnesia {
                    self.silenced(*ask);
                }
                if let Some((_, state)) = ask.and_then(|number| self.waiting_ask(number)) {
                    state.answered = true;
                }
            }
            Entry::Event(event) => {
                if event.kind == "refused" {
                    // What has not been sent by now may be what was refused.
                    self.incidents
                        .values_mut()
                        .for_each(|incident| drop(incident.open_cry.take_if(|cry| cry.is_none())));
                }
                let Some(id) = &event.incident else { return };
                let incident = self.incident(id, event.service.as_deref().unwrap_or_default(), now);
                incident.see_stage(&event.kind);
                match event.kind.as_str() {
                    "aborted" => incident.told_aborted = Some(now),
                    "requested" | "sounding" => incident.told_alarm = Some(now),
                    "countdown_started" => incident.told_resumed |= event.resumed == Some(true),
                    "closed" | "cancelled_by_contact" => {
                        incident.told_end = true;
                        incident.may_be_silent = true;
                        incident.may_sound_until = now;
                    }
                    "refused_by_center" => incident.told_end = true,
                    _ => {}
                }
            }
            Entry::State(state) => {
                self.shown = state.incidents.iter().map(|shown| shown.id.clone()).collect();
                for shown in &state.incidents {
                    // A crash can come between the commit and the event; then the state alone says it.
                    let incident = self.incident(&shown.id, &shown.service, now);
                    incident.see_stage(&shown.stage);
                    match shown.stage.as_str() {
                        "countdown" => {}
                        "aborted" => drop(incident.told_aborted.get_or_insert(now)),
                        "closed" | "cancelled_by_contact" | "refused_by_center" => incident.told_end = true,
                        _ => drop(incident.told_alarm.get_or_insert(now)),
                    }
                    if shown.source.starts_with("button:") {
                        self.connect_press(&shown.id.clone(), now);
                    }
                }
            }
            Entry::CenterLink { up } => self.center_up_since = up.then_some(now),
            Entry::Took(taking) if taking.claims.kind == "alarm" => {
                let claims = &taking.claims;
                let Some(id) = &claims.incident else { return };
                let incident = self.incident(id, claims.service.as_deref().unwrap_or_default(), now);
                match taking.verdict {
                    Verdict::Accepted => incident.taken.push((claims.jti.clone(), claims.repeat)),
                    _ => incident.refused = true,
                }
            }
            Entry::Sent(sent) if sent.kind == "alarm" => {
                let Some(incident) = sent.incident.as_ref().and_then(|id| self.incidents.get_mut(id)) else { return };
                if !incident.sent.contains(&sent.jti) {
                    incident.sent.push(sent.jti.clone());
                    // The first alarm may have waited as long as the cry, and goes before it.
                    if sent.repeat
                        && let Some(cry) = &mut incident.open_cry
                    {
                        cry.get_or_insert(sent.jti.clone());
                    }
                }
            }
            Entry::Given(Meaning::Ack { jti, incident: Some(id), kind, verdict, .. }) if kind == "alarm" => {
                let incident = self.incident(id, "", now);
                incident.confirmed |= *verdict == Verdict::Accepted;
                incident.open_cry.take_if(|cry| cry.as_ref() == Some(jti));
            }
            Entry::Given(Meaning::Update { incident: id, stage, .. }) => {
                let incident = self.incident(id, "", now);
                incident.confirmed = true;
                if matches!(*stage, "closed" | "cancelled_by_contact") {
                    // Whether the hub takes it is for the hub to say; from now on it need not sound.
                    incident.may_be_silent = true;
                    incident.end_given = true;
                }
            }
            Entry::Healed => self.healed = true,
            _ => {}
        }
    }

    pub fn incident(&mut self, id: &str, service: &str, now: At) -> &mut Incident {
        let known = self.incidents.entry(id.to_owned()).or_default();
        if known.service.is_empty() {
            known.service = service.to_owned();
        }
        if known.first_seen == 0 {
            known.first_seen = now;
        }
        known
    }

    /// The loop has turned without a break for so long.
    pub fn turns_since(&self, span: u64, now: At) -> bool {
        self.running && self.remembers && now >= self.available + span
    }

    fn waiting_ask(&mut self, number: usize) -> Option<&mut (Ask, AskState)> {
        self.asks.iter_mut().find(|(ask, state)| ask.number == number && !state.answered)
    }

    fn asked(&mut self, now: At, ask: &Ask) {
        let never = matches!(ask.worth, Worth::Never(_));
        // A disk that came late can leave two of one service, and the hub alone knows for which of them it cries.
        let of_service = |incident: &&Incident| incident.service == service_of(ask) && incident.may_be_open();
        let is_single = self.incidents.values().filter(of_service).count() == 1;
        match &ask.what {
            Asked::Request(service) if !never => {
                let until = now.max(self.available) + SIREN_MAX;
                for incident in self.incidents.values_mut() {
                    if incident.service == service.as_str() && incident.due.is_none_or(|due| due.from <= now) {
                        incident.last_cry = now;
                        if is_single
                            && ask.worth == Worth::Good
                            && self.remembers
                            && incident.cries_again(now)
                            && now >= self.available
                        {
                            incident.open_cry = Some(None);
                        }
                        incident.may_sound_until = incident.may_sound_until.max(until);
                    }
                }
            }
            Asked::Cancel(target) if !never => {
                for (id, incident) in &mut self.incidents {
                    let due = incident.due.is_none_or(|due| now <= due.to.max(self.available));
                    if due && target.as_ref().is_none_or(|target| target == id) {
                        incident.cancel_asked = Some(now.min(incident.due.map_or(now, |due| due.to)));
                    }
                }
            }
            Asked::Silence if !never => {
                self.last_silence = Some(now.max(self.available));
                for incident in self.incidents.values_mut() {
                    if incident.due.is_none_or(|due| due.from <= now.max(self.available)) {
                        incident.may_be_silent = true;
                    }
                }
            }
            Asked::Test(_) => self.last_test = Some(now.max(self.available)),
            _ => {}
        }
        self.asks.push((ask.clone(), AskState::default()));
    }

    /// An accepted request names its incident; the first one that does has opened it.
    fn connect(&mut self, number: Option<usize>, id: &str, now: At) {
        let Some(place) = self.asks.iter().position(|(ask, state)| Some(ask.number) == number && !state.answered)
        else {
            return;
        };
        self.asks[place].1.incident = Some(id.to_owned());
        let ask = &self.asks[place].0;
        let (at, service, worth) = (ask.at, service_of(ask), ask.worth);
        // A loop that was late takes what waits in an order of its own: another one may have opened it.
        let is_rival = |(other, state): &(Ask, AskState)| {
            let waits = state.incident.is_none() && !state.answered && other.at + 15 * S >= now;
            waits && other.number != ask.number && service_of(other) == service_of(ask)
        };
        let has_rival = self.asks.iter().any(is_rival);
        let (last_silence, available, cancel_asked) = (self.last_silence, self.available, self.cancel_asked_since(at));
        let incident = self.incident(id, service, now);
        let has_opened = incident.first_seen == now && !std::mem::replace(&mut incident.has_opener, true);
        if has_opened {
            incident.cancel_asked = incident.cancel_asked.or(cancel_asked);
        }
        if has_opened && incident.due.is_none() && worth == Worth::Good && !has_rival {
            incident.set_due(Span { from: at + COUNTDOWN, to: available.max(at + COUNTDOWN) });
            // A loop that was late took both in one go.
            if last_silence >= Some(at + COUNTDOWN) {
                incident.may_be_silent = true;
            }
        }
    }

    /// The last wish to cancel whatever counts down: a disk that is late has people told of an incident after that.
    fn cancel_asked_since(&self, at: At) -> Option<At> {
        let wishes = self.asks.iter().map(|(ask, _)| ask).filter(|ask| {
            ask.at >= at && matches!(ask.what, Asked::Cancel(None)) && !matches!(ask.worth, Worth::Never(_))
        });
        wishes.map(|ask| ask.at).max()
    }

    fn connect_press(&mut self, id: &str, now: At) {
        let available = self.available;
        let Some(incident) = self.incidents.get(id) else { return };
        if incident.due.is_some() || incident.first_seen != now {
            return;
        }
        let service = incident.service.clone();
        let fits = |(ask, state): &&mut (Ask, AskState)| {
            ask.press && state.incident.is_none() && service_of(ask) == service && ask.at + 60 * S >= now
        };
        let Some((ask, state)) = self.asks.iter_mut().rfind(|candidate| fits(candidate)) else { return };
        state.incident = Some(id.to_owned());
        let at = ask.at;
        // A loop that hangs notices late that a button is held.
        let latest = if available > at { available } else { at };
        let cancel_asked = self.cancel_asked_since(at);
        if let Some(incident) = self.incidents.get_mut(id) {
            incident.cancel_asked = incident.cancel_asked.or(cancel_asked);
            incident.set_due(Span { from: at + COUNTDOWN, to: latest + COUNTDOWN });
            incident.must_sound_until = at + COUNTDOWN + SIREN_MAX;
        }
    }

    /// What was accepted is silent now, as far as it cried before that.
    fn silenced(&mut self, number: Option<usize>) {
        let Some((ask, _)) = number.and_then(|number| self.waiting_ask(number)) else { return };
        // A repeat of an old one gets the old answer, and nothing else.
        if ask.worth != Worth::Good {
            return;
        }
        let (asked, turned) = (ask.at, ask.at.max(self.available));
        for incident in self.incidents.values_mut() {
            let cried = incident.last_cry.max(incident.due.map_or(At::MAX, |due| due.to));
            if cried < asked {
                incident.may_sound_until = incident.may_sound_until.min(turned);
            }
        }
    }

    /// The rules of a restart: in the same boot the deadline stands, after a reboot there is one fresh countdown.
    fn remembered(&mut self, now: At) {
        let (ended, behind) = (self.ended, self.behind);
        self.remembers = true;
        self.available = self.available.max(now);
        // What began since then, while the disk was late, is of this process.
        for incident in self.incidents.values_mut().filter(|incident| incident.first_seen <= ended) {
            let Some(due) = incident.due else { continue };
            let unspent = |until: At| now + until.saturating_sub(ended);
            if incident.undecided() && self.rebooted {
                incident.reboots += 1;
                // Whether it was an alarm already is on the disk or not; and whether it was resumed already.
                let was_due = due.from <= ended;
                let (from, to) = match (was_due, incident.told_resumed, incident.reboots) {
                    (true, ..) => (0, now + COUNTDOWN),
                    (false, true, _) => (now, now),
                    (false, false, 1) => (now + COUNTDOWN, now + COUNTDOWN),
                    _ => (now, now + COUNTDOWN),
                };
                incident.set_due(Span { from, to });
                if was_due {
                    incident.must_sound_until = now + SIREN_MAX.saturating_sub(ended - due.from + 2 * MS);
                }
            } else if incident.undecided() {
                // An alarm that came due while nobody turned comes at once.
                let to = due.to.max(now);
                incident.set_due(Span { from: due.from, to });
                // Or it had come before the crash.
                incident.must_sound_until = due.from + SIREN_MAX;
            } else if self.rebooted || (self.boots > 0 && behind > 0) {
                // What the boot before had left counts again where the first mark of this boot was lost.
                if self.rebooted && incident.must_sound_until > ended {
                    incident.must_sound_until = unspent(incident.must_sound_until) - 2 * MS;
                }
                if incident.may_sound_until > ended {
                    incident.may_sound_until = unspent(incident.may_sound_until) + S + behind + 250 * MS;
                }
            }
        }
        self.boots += u32::from(std::mem::take(&mut self.rebooted));
    }
}

pub fn service_of(ask: &Ask) -> &'static str {
    match ask.what {
        Asked::Request(service) => service.as_str(),
        _ => "",
    }
}
