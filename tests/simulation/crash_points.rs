//! Every crash point of the short stories: the process dies after each single effect, with the commit that was under way
//! kept and lost, and starts again in the same boot and in a new one. `tests/scenarios/crash.rs` does so with a disk that
//! answers at once; here commits take their time, so that a crash also falls between an effect and its commit, and all
//! the checkers look on.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use sos_hub::controller::words::Service;

use crate::checkers::Watch;
use crate::plan::{Calls, CenterPlan, Crash, Event, How, Plan, Sent, Target, What};
use crate::run::run_watched;
use crate::signatures::Keys;
use crate::{lock, threads};

/// When each story begins. What a hub does at its start is not part of it.
const BEGINS_MS: u64 = 2_000;
const COUNTDOWN_MS: u64 = 5_000;

/// A short story, whose process is cut in it, and from when on.
struct Story {
    name: &'static str,
    events: Vec<Event>,
    cut_from_ms: u64,
    center: CenterPlan,
    cuts_center: bool,
}

/// A drill: nobody has to press anything.
const DRILL: CenterPlan = CenterPlan { calls: Calls::Simulated { answers: 3 }, dispatch_service: false, contacts: 2 };

#[test]
fn every_crash_point_of_the_short_stories_keeps_every_promise() {
    let keys = Arc::new(Keys::new());
    let stories = stories();
    let ways = [Crash::Kill, Crash::Power].into_iter().flat_map(|how| [(how, true), (how, false)]);
    let jobs: Vec<(&Story, Crash, bool)> =
        stories.iter().flat_map(|story| ways.clone().map(move |(how, kept)| (story, how, kept))).collect();
    let (next, points, failed) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(None::<String>));
    let work = || {
        while let Some(&(story, how, kept)) = jobs.get(next.fetch_add(1, Relaxed) as usize) {
            match cut_everywhere(story, how, kept, &keys) {
                Ok(count) => drop(points.fetch_add(count, Relaxed)),
                Err(problem) => drop(lock(&failed).replace(problem)),
            }
        }
    };
    std::thread::scope(|scope| (0..threads()).for_each(|_| drop(scope.spawn(work))));
    let problem = lock(&failed).take();
    assert!(problem.is_none(), "{}", problem.unwrap_or_default());
    let points = points.load(Relaxed);
    println!("{points} crash points in {} stories", stories.len());
    // Fewer would mean that the stories are not told to their end.
    assert!(points > 2_500, "only {points} crash points");
}

/// Cuts the story after no effect, after one, and so on to its end; gives how many cuts there were.
fn cut_everywhere(story: &Story, how: Crash, commit_kept: bool, keys: &Arc<Keys>) -> Result<u64, String> {
    for after_effects in 0.. {
        let plan = story.cut(after_effects, how, commit_kept);
        let outcome = run_watched(&plan, keys, Watch::Checkers);
        if let Some(failure) = outcome.failure {
            return Err(format!(
                "the story {:?} breaks {:?}\n{}\n\n{plan}",
                story.name, failure.checker, failure.problem
            ));
        }
        if after_effects > 0 && !outcome.was_cut {
            return Ok(after_effects);
        }
    }
    Ok(0)
}

impl Story {
    fn new(name: &'static str, events: Vec<Event>) -> Story {
        Story { name, events, cut_from_ms: BEGINS_MS - 1, center: DRILL, cuts_center: false }
    }

    /// The center's process is the one that dies.
    fn at_the_center(name: &'static str, center: CenterPlan, events: Vec<Event>) -> Story {
        Story { center, cuts_center: true, ..Story::new(name, events) }
    }

    fn cut(&self, after_effects: u64, how: Crash, commit_kept: bool) -> Plan {
        let gap_ms = if how == Crash::Power { 20_000 } else { 700 };
        let crash = if self.cuts_center {
            What::CenterCrash { after_effects, how, commit_kept, gap_ms }
        } else {
            What::Crash { after_effects, how, commit_kept, gap_ms }
        };
        let mut events = self.events.clone();
        events.push(Event { at_ms: self.cut_from_ms, what: crash });
        events.sort_by_key(|event| event.at_ms);
        Plan {
            seed: 1,
            families: Vec::new(),
            led: false,
            heartbeat_s: 60,
            center: self.center,
            events,
            heals_at_ms: 20_000,
        }
    }
}

fn stories() -> Vec<Story> {
    let end_ms = BEGINS_MS + COUNTDOWN_MS;
    let police = || event(BEGINS_MS, request(Service::Police));
    let cancel = |at_ms| event(at_ms, What::Cancel { target: Target::Every, id: Some(2) });
    let kill = |at_ms| event(at_ms, What::Crash { after_effects: 0, how: Crash::Kill, commit_kept: true, gap_ms: 500 });
    let after_a_kill = |name, at_ms, more: Option<Event>| Story {
        // The second life is the one that is cut.
        cut_from_ms: at_ms + 501,
        ..Story::new(name, [police(), kill(at_ms)].into_iter().chain(more).collect())
    };
    vec![
        Story::new("abort", vec![police(), cancel(BEGINS_MS + 1_500)]),
        Story::new("alarm and ack", vec![police()]),
        Story::new("press", vec![event(BEGINS_MS, What::Hold { button: 1, ms: 1_200, bounces: 0 })]),
        Story::new("two services", vec![police(), event(BEGINS_MS + 1_000, request_of(Service::Fire, None))]),
        Story::new("cancel a millisecond before the end", vec![police(), cancel(end_ms - 1)]),
        Story::new("cancel at the end", vec![police(), cancel(end_ms)]),
        Story::new("cancel a millisecond after the end", vec![police(), cancel(end_ms + 1)]),
        Story::new("a second cry", vec![police(), event(end_ms + 200, request_of(Service::Police, None))]),
        Story::new("silence", vec![police(), event(end_ms + 200, What::Silence { id: Some(2) })]),
        after_a_kill("kill in the countdown, alarm, ack", BEGINS_MS + 2_000, None),
        after_a_kill("kill in the countdown, abort", BEGINS_MS + 2_000, Some(cancel(BEGINS_MS + 4_000))),
        after_a_kill("alarm, kill, ack", end_ms + 1, None),
        Story::at_the_center("a drill", DRILL, vec![police()]),
        Story::at_the_center(
            "operators and a service that sends help",
            CenterPlan { calls: Calls::Operators, dispatch_service: true, contacts: 2 },
            vec![police()],
        ),
        Story::at_the_center(
            "a service that calls, and operators",
            CenterPlan { calls: Calls::Service, dispatch_service: false, contacts: 2 },
            vec![police()],
        ),
        Story::at_the_center(
            "the first contact cancels, and somebody cries again",
            CenterPlan { calls: Calls::Simulated { answers: 1 }, ..DRILL },
            vec![police(), event(end_ms + 1_100, request_of(Service::Police, None))],
        ),
    ]
}

fn request(service: Service) -> What {
    request_of(service, Some(1))
}

fn request_of(service: Service, id: Option<u32>) -> What {
    What::Request { service, id, sent: Sent::Unsaid, how: How::Live }
}

fn event(at_ms: u64, what: What) -> Event {
    Event { at_ms, what }
}
