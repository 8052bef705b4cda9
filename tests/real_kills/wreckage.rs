//! Random bytes are written over the hub's memory between two runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

use serde_json::Value;

use crate::installation::{Installation, Setup};
use crate::lines::SIREN;
use crate::plan::Dice;
use crate::support::DEADLINE;

const SEEDS: u64 = 20;
const LANES: u64 = 4;

/// Half of them with nothing open, half with an alarm that is owed: the center's broker is away all the time.
#[test]
fn a_memory_that_was_written_over_invents_nothing_and_keeps_the_plan() {
    let outcomes: Vec<[u32; 2]> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|lane| scope.spawn(move || lane_of_damage(lane))).collect();
        lanes.into_iter().map(|lane| lane.join().expect("a lane without a fault")).collect()
    });
    let [went_on, told] = [0, 1].map(|which| outcomes.iter().map(|lane| lane[which]).sum::<u32>());
    println!("said nothing {went_on} times, told of a loss {told} times");
    assert!(told > 0, "none of them was damage");
}

/// One home, and its share of the seeds.
fn lane_of_damage(lane: u64) -> [u32; 2] {
    // Each cancels one of them, on a machine that may be slow.
    let mut home = Installation::running(Setup { countdown_seconds: 5, ..Setup::default() });
    home.center_broker.stop();
    home.app.state("the center's link is down", |state| state["center"]["link"] == "down");
    let mut real = BTreeSet::new();
    let mut outcomes = [0, 0];
    for seed in (0..SEEDS).filter(|seed| seed / 2 % LANES == lane) {
        let aborted = home.app.accepted("request", "fire");
        home.app.accepted("cancel", "");
        home.app.stage(&aborted, "aborted");
        real.insert(aborted);
        if seed % 2 == 1 {
            let owed = home.app.accepted("request", "police");
            home.app.stage(&owed, "requested");
            real.insert(owed);
        }
        let edges = home.lines.edges(SIREN).len();
        if seed % 4 < 2 {
            home.kill()
        } else {
            home.stop()
        }
        for name in ["hub.db", "hub.db-wal"] {
            write_over(&home.state_dir().join(name), &mut Dice(seed));
        }
        let mark = home.app.mark();
        home.start();
        home.app.availability(mark, "online");
        // What it found it has said by now.
        assert_eq!(home.app.refused("cancel", r#"{"incident": "nobody"}"#), "unknown_incident");
        let state = home.app.state_within(DEADLINE, mark, "a state", |_| true);
        let open: Vec<&Value> = state["incidents"].as_array().expect("incidents").iter().collect();
        let invented = open.iter().find(|one| !real.contains(one["id"].as_str().unwrap_or_default()));
        assert!(invented.is_none(), "seed {seed}: nobody asked for that: {state}");
        assert_eq!(state["plan"]["standing"], "active", "seed {seed}: {state}");
        let alarm = open.iter().any(|incident| incident["stage"] == "requested");
        let aside = state["faults"].as_array().expect("faults").iter().any(|one| one["code"] == "storage_put_aside");
        assert!(alarm || aside || seed % 2 == 0, "seed {seed}: what was owed is gone in silence: {state}");
        outcomes[usize::from(aside)] += 1;
        if !alarm {
            let sounded = home.lines.edges(SIREN)[edges..].iter().any(|edge| edge.level == 1);
            assert!(!sounded && state["siren"]["sounding"] == false, "seed {seed}: it sounds for nothing: {state}");
        }
        // Each begins with a memory of its own, and with the plan of the first.
        let mark = home.app.mark();
        home.stop();
        home.app.availability(mark, "offline");
        let files = fs::read_dir(home.state_dir()).expect("the hub's memory").flatten().map(|file| file.path());
        for file in files.filter(|file| file.file_name().is_some_and(|name| name != "plan.jwt")) {
            fs::remove_file(file).expect("a file of the hub's memory");
        }
        let mark = home.app.mark();
        home.start();
        home.app.availability(mark, "online");
    }
    outcomes
}

fn write_over(path: &Path, dice: &mut Dice) {
    let Ok(mut content) = fs::read(path) else { return };
    for _ in 0..dice.between(1, 6) {
        let from = dice.below(content.len().max(1) as u64) as usize;
        let to = (from + dice.between(1, 600) as usize).min(content.len());
        content[from..to].fill_with(|| dice.roll() as u8);
    }
    fs::write(path, content).expect("a file written over");
}
