//! Proves the promises of `src/lib.rs` by simulation: the shipped controller, wire and loop of the hub and the shipped
//! desk and wire of the monitoring center run unmodified, in virtual time and on one thread, against simulated clocks,
//! disks, lines, brokers, connections, services and people at either end.
//!
//! A seed draws a [`plan`], which [`world`] carries out; [`checkers`] see what an outsider can see, at every step. Then
//! all is healed, and everything owed has to arrive. Each seed runs twice to the same trace.
//!
//! | to run | |
//! | --- | --- |
//! | the seeds of every day | `cargo test --test simulation` |
//! | more | `SOS_SIM_SEEDS=100000 cargo test --release --test simulation -- --nocapture` |
//! | from another one on | `SOS_SIM_FROM=7000` besides |
//! | on so many threads | `SOS_SIM_THREADS=1` besides |
//! | with all that could be seen in the shrunk run that failed | `SOS_SIM_SHOW=1` besides |

mod books;
mod center;
mod checkers;
mod crash_points;
mod disk;
mod draw;
mod ears;
mod hands;
mod history;
mod incident;
mod ledger;
mod life;
mod lines;
mod link;
#[path = "../desk/paper.rs"]
mod paper;
mod people;
mod plan;
mod rng;
mod rows;
mod run;
mod shrink;
mod signatures;
mod time;
mod trace;
mod world;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use checkers::Watch;
use ledger::Sums;
use run::{Outcome, run_twice};
use signatures::Keys;

/// The seeds of every day.
const SEEDS: u64 = 2_000;

#[derive(Default)]
struct Tally {
    seeds: AtomicU64,
    incidents: AtomicU64,
    turns: AtomicU64,
    virtual_seconds: AtomicU64,
    sums: Mutex<Sums>,
}

#[test]
fn every_seed_keeps_every_promise() {
    let from = number("SOS_SIM_FROM").unwrap_or(0);
    let end = from + number("SOS_SIM_SEEDS").unwrap_or(SEEDS);
    let keys = Arc::new(Keys::new());
    let (next, tally, failed) = (AtomicU64::new(from), Tally::default(), Mutex::new(None::<u64>));
    let began = Instant::now();
    let work = || {
        loop {
            let seed = next.fetch_add(1, Relaxed);
            if seed >= end || lock(&failed).is_some() {
                return;
            }
            let outcome = run_twice(&draw::draw(seed), &keys);
            tally.add(&outcome);
            if outcome.failure.is_some() {
                let mut failed = lock(&failed);
                *failed = Some(failed.map_or(seed, |other| other.min(seed)));
            }
        }
    };
    std::thread::scope(|scope| (0..threads()).for_each(|_| drop(scope.spawn(work))));
    println!("{}", tally.report(began.elapsed().as_secs_f64()));
    if let Some(seed) = *lock(&failed) {
        report_failure(seed, &keys);
    }
}

/// What a variable of the environment says.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn threads() -> u64 {
    number("SOS_SIM_THREADS")
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the test with all that a person needs.
fn report_failure(seed: u64, keys: &Arc<Keys>) {
    let plan = draw::draw(seed);
    let failure = run_twice(&plan, keys).failure.expect("the same as before");
    println!("seed {seed} breaks the promise {:?}; looking for a shorter plan", failure.checker);
    let shrunk = shrink::shrink(&plan, failure.checker, keys);
    let watch = if std::env::var_os("SOS_SIM_SHOW").is_some() { Watch::Person } else { Watch::Checkers };
    let shrunk_failure = run::run_watched(&shrunk, keys, watch).failure;
    let problem = shrunk_failure.map_or(failure.problem, |failure| failure.problem);
    panic!(
        "seed {seed} breaks the promise {:?}\n{problem}\n\n{shrunk}\nto repeat it:\n\
         SOS_SIM_FROM={seed} SOS_SIM_SEEDS=1 cargo test --test simulation\n",
        failure.checker
    );
}

impl Tally {
    fn add(&self, outcome: &Outcome) {
        self.seeds.fetch_add(1, Relaxed);
        self.incidents.fetch_add(outcome.incidents, Relaxed);
        self.turns.fetch_add(outcome.turns, Relaxed);
        self.virtual_seconds.fetch_add(outcome.virtual_time / time::S, Relaxed);
        if outcome.failure.is_none() {
            lock(&self.sums).add(&outcome.sums);
        }
    }

    fn report(&self, seconds: f64) -> String {
        let [seeds, incidents, turns, virtual_seconds] =
            [&self.seeds, &self.incidents, &self.turns, &self.virtual_seconds].map(|count| count.load(Relaxed));
        let Sums { alarms, helped, cancelled, lost, phantom, doubled, hub_ends, center_ends } = *lock(&self.sums);
        format!(
            "{seeds} seeds, each twice: {incidents} incidents, {turns} turns, {} days of virtual time, in {seconds:.1} s: \
             {:.0} incidents a second\n\
             the hub ended {hub_ends} times and the center {center_ends} times; {alarms} alarms came to the center, help \
             was sent for {helped}, the first contact cancelled {cancelled}\n\
             lost {lost}, phantom {phantom}, doubled {doubled}",
            virtual_seconds / 86_400,
            incidents as f64 / seconds
        )
    }
}
