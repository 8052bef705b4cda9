//! Rounds of `kill -9`, SIGTERM and SIGSTOP against the hub, the center and both brokers.
//!
//! `SOS_KILL_ROUNDS=500 cargo test --test real_kills rounds -- --nocapture` runs that many, `SOS_KILL_LANES` of them side
//! by side. A failure prints the line with the seed that draws its plans again; what real processes make of a plan is
//! never quite the same twice.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::thread;

use crate::lane::Lane;
use crate::ledger::Tally;
use crate::office::Work;

/// Two in each lane, and a lane for each way in which a center works.
const ROUNDS: u64 = 12;
const LANES: u64 = 6;

#[test]
fn what_was_accepted_ends_once_whatever_is_killed() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seed = number("SOS_KILL_SEED").unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
    let (rounds, lanes) = (number("SOS_KILL_ROUNDS").unwrap_or(ROUNDS), number("SOS_KILL_LANES").unwrap_or(LANES));
    println!("SOS_KILL_SEED={seed} SOS_KILL_LANES={lanes} SOS_KILL_ROUNDS={rounds}");
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes)
            .map(|number| {
                let rounds = rounds / lanes + u64::from(number < rounds % lanes);
                scope.spawn(move || run(seed.wrapping_add(number), rounds))
            })
            .collect();
        lanes.into_iter().map(|lane| lane.join().expect("a lane without a fault")).collect()
    });
    for tally in tallies {
        println!("{tally:?}");
    }
}

fn run(seed: u64, rounds: u64) -> Tally {
    let mut lane = Lane::new(seed, Work::ALL[(seed % Work::ALL.len() as u64) as usize]);
    for _ in 0..rounds {
        lane.round();
    }
    lane.end();
    lane.tally()
}
