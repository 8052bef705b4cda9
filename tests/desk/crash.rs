//! Every crash point: the process dies after each single effect of a whole story, what was with the store kept or lost,
//! and starts again. The hub does what hubs do: a signal without an ack is sent again, and each heartbeat says which
//! updates were missed. The story must come to the same end.

use std::collections::BTreeMap;

use sos_hub::center::desk::effect::Update;
use sos_hub::center::desk::settings::{Settings, SimulatedAnswer};
use sos_hub::center::desk::view::Button;
use sos_hub::center::desk::words::{CallOutcome, Order, Verdict};
use sos_hub::controller::moment::Id;
use sos_hub::controller::words::Service;

use crate::center::{Center, Mood, as_text, operator, seconds, simulated};
use crate::paper::Paper;
use crate::people::{RIGHT, account};

/// What the hub has seen, over all restarts of the center.
#[derive(Default)]
struct Hub {
    acks: Vec<(Verdict, u64)>,
    updates: BTreeMap<u64, Update>,
}

impl Hub {
    /// Takes what has left the center since it was last looked at.
    fn takes(&mut self, center: &mut Center) {
        self.acks
            .extend(center.seen.acks.drain(..).filter(|ack| ack.signal == Id(10)).map(|ack| (ack.verdict, ack.seq)));
        for (_, update) in center.seen.updates.drain(..) {
            let seq = update.seq;
            if let Some(before) = self.updates.insert(seq, update.clone()) {
                assert_eq!(as_text(&before), as_text(&update), "update {seq} has changed");
            }
        }
    }

    /// What its heartbeat says: an incident is named until its end was heard.
    fn open(&self) -> Vec<(Id, u64)> {
        let last = self.updates.last_key_value();
        let has_ended = last.is_some_and(|(_, update)| update.stage.stage().is_end());
        if has_ended { Vec::new() } else { vec![(Id(1), last.map_or(0, |(seq, _)| *seq))] }
    }

    fn stages(&self) -> Vec<String> {
        self.updates.values().map(as_text).collect()
    }
}

/// What an operator does: the big button, or what comes of the call, until it is over.
fn operates(center: &mut Center, incident: Id, cancels: bool) {
    for _ in 0..20 {
        let Some(view) = center.desk.incident(incident, center.at.now).filter(|_| !center.dead) else { return };
        let order = match (view.next, &view.call) {
            (Some(Button::CallFirstContact), _) => Order::CallFirstContact,
            (Some(Button::Dispatch), _) => Order::Dispatch,
            (Some(Button::CallNextContact), _) => Order::CallNextContact,
            (Some(Button::Close), _) => Order::Close,
            (_, Some(call)) if call.position == 1 && cancels => Order::Outcome(RIGHT),
            (_, Some(call)) if call.position == 2 => Order::Outcome(CallOutcome::Answered),
            (_, Some(_)) => Order::Outcome(CallOutcome::NoAnswer),
            _ => return,
        };
        center.gives_order(incident, view.step, order);
        center.after(seconds(1));
    }
}

struct Story {
    settings: Settings,
    cancels: bool,
    /// The store answers only once everything of a turn was carried out, and the process may die before.
    mood: Mood,
    end: &'static [&'static str],
}

/// One life of the center, until its story is over or it dies.
fn lives(center: &mut Center, story: &Story, hub: &mut Hub) {
    center.store_is(story.mood);
    for _ in 0..8 {
        if hub.acks.is_empty() {
            let signal = center.alarm_signal("A1", 10, 1, Service::Police);
            center.hears(signal);
        }
        center.heartbeat("A1", &hub.open());
        if story.mood == Mood::Slow && !center.dead {
            center.after(seconds(2));
            center.store_answers();
        }
        if story.settings.calls == operator().calls {
            operates(center, Id(1), story.cancels);
        }
        center.after(seconds(40));
        if story.mood == Mood::Slow && !center.dead {
            center.store_answers();
        }
        hub.takes(center);
    }
}

fn every_crash(story: &Story) {
    let paper = || Paper::with(vec![account("A1")]);
    let mut whole = Center::open(story.settings.clone(), paper());
    let start = whole.spent;
    let mut hub = Hub::default();
    lives(&mut whole, story, &mut hub);
    assert_eq!(hub.stages(), story.end);
    let effects = whole.spent - start;
    assert!(effects > 30, "{effects}");
    for fuel in 0..=effects {
        for kept in [false, true] {
            crashes(story, Center::open(story.settings.clone(), paper()), fuel, kept);
        }
    }
}

fn crashes(story: &Story, mut center: Center, fuel: usize, kept: bool) {
    let case = format!("dies after {fuel} effects, pending commits kept: {kept}");
    let mut hub = Hub::default();
    center.fuel = Some(fuel);
    lives(&mut center, story, &mut hub);
    hub.takes(&mut center);
    if kept {
        center.pending_commits_are_kept();
    }
    let acked = !hub.acks.is_empty();
    assert!(!acked || center.paper.incidents.contains_key(&Id(1)), "{case}: acked, and not on disk");
    let mut center = center.restarted(seconds(3));
    let well = Story { mood: Mood::Well, settings: story.settings.clone(), ..*story };
    lives(&mut center, &well, &mut hub);
    lives(&mut center, &well, &mut hub);
    assert!(!hub.acks.is_empty() && hub.acks.iter().all(|ack| *ack == hub.acks[0]), "{case}: {:?}", hub.acks);
    assert_eq!(center.paper.incidents.len(), 1, "{case}");
    assert_eq!(center.paper.signals.len(), 1, "{case}");
    assert!(center.desk.queue().open.is_empty(), "{case}");
    if story.mood == Mood::Slow && !kept {
        // What helps people left before it was on disk: what was lost with the process is said once more.
        assert_eq!(hub.stages().last().map(String::as_str), story.end.last().copied(), "{case}");
    } else {
        assert_eq!(hub.stages(), story.end, "{case}");
    }
}

const NOT_ANSWERED: [&str; 8] = [
    "calling_first_contact 1",
    "no_answer 1",
    "dispatched",
    "calling_other_contacts 2",
    "calling_other_contacts 2 answered",
    "calling_other_contacts 3",
    "calling_other_contacts 3 no_answer",
    "closed",
];

#[test]
fn an_operators_story_has_the_same_end_at_whatever_effect_the_process_dies() {
    every_crash(&Story { settings: operator(), cancels: false, mood: Mood::Well, end: &NOT_ANSWERED });
    let cancelled = &["calling_first_contact 1", "cancelled_by_contact 1"];
    every_crash(&Story { settings: operator(), cancels: true, mood: Mood::Well, end: cancelled });
}

#[test]
fn a_drill_has_the_same_end_at_whatever_effect_the_process_dies() {
    let answers = [SimulatedAnswer::NoAnswer, SimulatedAnswer::Confirmed, SimulatedAnswer::NoAnswer];
    every_crash(&Story { settings: simulated(&answers), cancels: false, mood: Mood::Well, end: &NOT_ANSWERED });
}

#[test]
fn so_they_have_with_a_store_that_takes_its_time() {
    let answers = [SimulatedAnswer::NoAnswer, SimulatedAnswer::Confirmed, SimulatedAnswer::NoAnswer];
    every_crash(&Story { settings: simulated(&answers), cancels: false, mood: Mood::Slow, end: &NOT_ANSWERED });
}
