//! What is measured, and how.

use std::fs;
use std::thread;
use std::time::Duration;

use super::floors;
use super::junk::Flood;
use super::measure::clock::Instant;
use super::measure::floors::{Commits, PONG, echo, round_trip_ms};
use super::measure::peer::Peer;
use super::measure::table::{Samples, Table, Target};
use super::rig::{CANCEL, EVENT, HOLD, HUB, Hub, REQUEST, Surroundings};

const REQUESTS: usize = 200;
const A_SECOND: u32 = 20;
const PRESSES: usize = 40;
const COUNTDOWNS: usize = 40;
const LONG_COUNTDOWNS: usize = 3;
const PRESSES_IN_A_FLOOD: usize = 15;
const STARTS: usize = 20;
const IDLE: Duration = Duration::from_secs(25);
/// A disk that has just synced is slower; after this it is not.
const QUIET: Duration = Duration::from_millis(25);
/// After this nothing of the start goes on any more.
const SETTLING: Duration = Duration::from_secs(3);

/// From the publication of a request to the arrival of its `countdown_started`; each incident is cancelled at once.
/// The floor is an echo through the same broker, and a commit on the same disk.
pub fn request(hub: &Hub, around: &Surroundings, table: &mut Table) {
    let peer = Peer::connect(around.home.port(), "app", &[EVENT, PONG]);
    let _echo = echo(around.home.port());
    let commits = Commits::beside(&hub.path("state"));
    let mut beat = Instant::now();
    let (mut echoes, mut committing) = (Vec::new(), Vec::new());
    let (samples, floor): (Vec<f64>, Vec<f64>) = (0..REQUESTS)
        .map(|_| {
            beat = beat.plus(Duration::from_secs(1) / A_SECOND);
            beat.sleep();
            let sent = peer.publish(REQUEST, "police", false);
            let took = peer.wait_for_event("countdown_started").at.ms_since(sent);
            peer.publish(CANCEL, "", false);
            peer.wait_for_event("aborted");
            beat.plus(QUIET).sleep();
            let (there_and_back, commit) = (round_trip_ms(&peer, 200), commits.commit_ms());
            echoes.push(there_and_back);
            committing.push(commit);
            (took, there_and_back + commit)
        })
        .unzip();
    let (samples, floor): (Samples, Samples) = (samples.into_iter().collect(), floor.into_iter().collect());
    let targets = vec![
        Target { what: "p50", value: samples.p50(), most: 2.0 * floor.p50() },
        Target { what: "p99", value: samples.p99(), most: 3.0 * floor.p99() },
    ];
    table.samples("request to countdown_started", &samples, Some(&floor), targets);
    let (echoes, committing): (Samples, Samples) = (echoes.into_iter().collect(), committing.into_iter().collect());
    table.note(format!("Floor of a request, in ms: echo {echoes}; commit {committing}."));
}

/// From the write of the button's line to `countdown_started`, less the time that it has to be held. The floor is a
/// commit and the way through the broker: half an echo.
pub fn button(hub: &Hub, around: &Surroundings, table: &mut Table) {
    let peer = Peer::connect(around.home.port(), "app", &[EVENT, PONG]);
    let _echo = echo(around.home.port());
    let commits = Commits::beside(&hub.path("state/button"));
    let (samples, floor): (Vec<f64>, Vec<f64>) = (0..PRESSES)
        .map(|_| {
            let sleep = floors::sleep_late_ms(HOLD);
            let pressed = hub.press(true);
            let late = peer.wait_for_event("countdown_started").at.ms_since(pressed.plus(HOLD));
            hub.press(false);
            peer.publish(CANCEL, "", false);
            peer.wait_for_event("aborted");
            thread::sleep(QUIET);
            let least = round_trip_ms(&peer, 200) / 2.0 + commits.commit_ms();
            (late, least + sleep.join().expect("a sleep"))
        })
        .unzip();
    let (samples, floor): (Samples, Samples) = (samples.into_iter().collect(), floor.into_iter().collect());
    let targets = vec![Target { what: "max", value: samples.max(), most: 5.0 }];
    table.samples("press to countdown_started, beyond the hold", &samples, Some(&floor), targets);
}

/// From the end of the countdown to the siren's edge, and from there to the center.
///
/// The hub stamps the arrival of the request, and nobody else can. It lies between the sending and the arrival of
/// `countdown_started`, so the edge is late by at most (edge − sent − 1 s), which holds the request's way through the
/// broker, and at least (edge − started − 1 s). The first is judged. Its floor is half an echo and a bare sleep.
pub fn siren(hub: &Hub, around: &Surroundings, table: &mut Table) {
    let peer = Peer::connect(around.home.port(), "app", &[EVENT, PONG]);
    let _echo = echo(around.home.port());
    let visitor = Peer::connect(around.center_broker.port(), "visitor", &[]);
    let length = Duration::from_secs(1);
    let mut measured = Countdowns::default();
    for _ in 0..COUNTDOWNS {
        measured.one(hub, around, &peer, &visitor, length);
    }
    measured.tell("1 s", table);
    let (alarms, floor): (Samples, Samples) =
        (measured.alarms.into_iter().collect(), measured.one_ways.into_iter().collect());
    let targets = vec![Target { what: "p50", value: alarms.p50(), most: 3.0 }];
    table.samples("siren's edge to the alarm at the center", &alarms, Some(&floor), targets);
}

/// The same with the countdown that hubs have.
pub fn long_countdown(hub: &Hub, around: &Surroundings, table: &mut Table) {
    let peer = Peer::connect(around.home.port(), "app", &[EVENT, PONG]);
    let _echo = echo(around.home.port());
    let visitor = Peer::connect(around.center_broker.port(), "visitor", &[]);
    let mut measured = Countdowns::default();
    for _ in 0..LONG_COUNTDOWNS {
        measured.one(hub, around, &peer, &visitor, Duration::from_secs(5));
    }
    measured.tell("5 s", table);
}

#[derive(Default)]
struct Countdowns {
    at_most: Vec<f64>,
    at_least: Vec<f64>,
    floors: Vec<f64>,
    alarms: Vec<f64>,
    one_ways: Vec<f64>,
}

impl Countdowns {
    fn one(&mut self, hub: &Hub, around: &Surroundings, peer: &Peer, visitor: &Peer, length: Duration) {
        let sleep = floors::sleep_late_ms(length - Duration::from_millis(500));
        let sent = peer.publish(REQUEST, "police", false);
        let started = peer.wait_for_event("countdown_started");
        self.one_ways.push(floors::one_way_ms(visitor, around));
        let half_echo = round_trip_ms(peer, 200) / 2.0;
        let alarm = around.center.wait_for_alarm(&started.incident);
        let edge = hub.siren_asserted();
        self.at_most.push(edge.ms_since(sent.plus(length)));
        self.at_least.push(edge.ms_since(started.at.plus(length)));
        self.alarms.push(alarm.ms_since(edge));
        self.floors.push(half_echo + sleep.join().expect("a sleep"));
        peer.wait_for_event("closed");
    }

    fn tell(&self, length: &str, table: &mut Table) {
        let at_most: Samples = self.at_most.iter().copied().collect();
        let floor: Samples = self.floors.iter().copied().collect();
        let targets = vec![
            Target { what: "p50", value: at_most.p50(), most: 0.5 },
            Target { what: "max", value: at_most.max(), most: 5.0 },
        ];
        let figure = format!("end of a countdown of {length} to the siren's edge, at most");
        table.samples(&figure, &at_most, Some(&floor), targets);
        let at_least: Samples = self.at_least.iter().copied().collect();
        table.note(format!("Countdowns of {length}: the edge is late by at least {at_least} ms."));
    }
}

/// Button and siren while junk rains on the request topic. The button begins the countdown, so that the request itself
/// does not queue behind the junk; the siren's edge is late by at most (edge − press − hold − countdown).
pub fn flood(hub: &Hub, around: &Surroundings, a_second: u32, table: &mut Table) {
    let peer = Peer::connect(around.home.port(), "app", &[EVENT]);
    let flood = Flood::start(around.home.port(), REQUEST, a_second);
    thread::sleep(SETTLING);
    let before = hub.process().usage();
    let begun = Instant::now();
    let (buttons, sirens): (Vec<f64>, Vec<f64>) = (0..PRESSES_IN_A_FLOOD)
        .map(|_| {
            let pressed = hub.press(true);
            let due = pressed.plus(HOLD);
            let started = peer.wait_for_event("countdown_started");
            hub.press(false);
            around.center.wait_for_alarm(&started.incident);
            let late = hub.siren_asserted().ms_since(due.plus(Duration::from_secs(1)));
            peer.wait_for_event("closed");
            (started.at.ms_since(due), late)
        })
        .unzip();
    let lasted = Instant::now().ms_since(begun);
    let after = hub.process().usage();
    let rate = flood.stop();
    let (buttons, sirens): (Samples, Samples) = (buttons.into_iter().collect(), sirens.into_iter().collect());
    let within = |samples: &Samples| vec![Target { what: "max", value: samples.max(), most: 10.0 }];
    table.samples(&format!("{a_second} junk/s: press to countdown_started"), &buttons, None, within(&buttons));
    table.samples(&format!("{a_second} junk/s: end to the siren's edge"), &sirens, None, within(&sirens));
    table.note(format!(
        "Flood of {a_second} a second: {:.0} a second published, {:.0} a second delivered; the hub used {:.0} % of a core.",
        rate.published,
        rate.delivered,
        (after.cpu_ms - before.cpu_ms) / lasted * 100.0,
    ));
}

/// What it costs to do nothing, with the unit's watchdog on.
pub fn idle(hub: &Hub, table: &mut Table) {
    thread::sleep(SETTLING);
    let process = hub.process();
    let (before, threads_before) = (process.usage(), process.switches_of_threads());
    thread::sleep(IDLE);
    let (after, threads_after) = (process.usage(), process.switches_of_threads());
    let seconds = IDLE.as_secs_f64();
    let switches = (after.voluntary_switches - before.voluntary_switches) as f64 / seconds;
    let target = Target { what: "", value: switches, most: 2.0 };
    table.single("idle: wake-ups a second", switches, vec![target]);
    let cpu = (after.cpu_ms - before.cpu_ms) / seconds;
    table.single("idle: CPU time, ms a second", cpu, Vec::new());
    let each: Vec<String> = threads_after
        .iter()
        .zip(&threads_before)
        .map(|((name, after), (_, before))| format!("{name} {:.2}", (after - before) as f64 / seconds))
        .collect();
    table.note(format!("Idle wake-ups a second of each thread: {}.", each.join(", ")));
    let memory = process.memory();
    table.note(format!("Resident after the start: {} KiB, of it anonymous {} KiB.", memory.rss, memory.anonymous));
}

/// From the start of the process to READY=1, with the database of all the requests before. The floor is the same
/// program that only says its version.
pub fn start(hub: &mut Hub, table: &mut Table) {
    let (samples, floor): (Vec<f64>, Vec<f64>) = (0..STARTS)
        .map(|_| {
            hub.restart();
            (hub.ready_ms, floors::program_start_ms())
        })
        .unzip();
    let (samples, floor): (Samples, Samples) = (samples.into_iter().collect(), floor.into_iter().collect());
    let targets = vec![Target { what: "p50", value: samples.p50(), most: 50.0 }];
    table.samples("start to READY", &samples, Some(&floor), targets);
}

/// Memory after all the load, and the program's file.
pub fn size(hub: &Hub, table: &mut Table) {
    let memory = hub.process().memory();
    let mib = memory.rss as f64 / 1024.0;
    table.single("resident memory after load, MiB", mib, vec![Target { what: "", value: mib, most: 8.0 }]);
    table.note(format!("After load: Pss {} KiB, anonymous {} KiB.", memory.pss, memory.anonymous));
    let megabytes = fs::metadata(HUB).expect("the program").len() as f64 / 1e6;
    if cfg!(feature = "demo") {
        table.single("the program with the demo, MB", megabytes, Vec::new());
    } else {
        let target = Target { what: "", value: megabytes, most: 8.0 };
        table.single("the program without the demo, MB", megabytes, vec![target]);
    }
}
