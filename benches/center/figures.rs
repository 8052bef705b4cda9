//! The figures, each taken beside its floor.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::fleet::{Fleet, Signal, acknowledged};
use super::measure::clock::Instant;
use super::measure::floors::{Commits, PONG, echo, round_trip_ms};
use super::measure::peer::{Heard, Peer};
use super::measure::table::{Samples, Table, Target};
use super::page::Page;
use super::rig::Center;

const ACKS: &str = "center/+/ack";
/// As large as a signed alarm.
const SIGNAL_BYTES: usize = 700;

/// From the alarm's publication to its ack. The floor is an echo through the same broker, and a commit on the same
/// disk.
pub fn alarm(center: &Center, fleet: &Fleet, table: &mut Table) {
    let (alarms, floors) = alarms_one_by_one(center, fleet, 300, Duration::from_millis(50), true);
    let targets = vec![
        Target { what: "p50 ratio", value: alarms.p50() / floors.p50(), most: 2.0 },
        Target { what: "p99 ratio", value: alarms.p99() / floors.p99(), most: 3.0 },
    ];
    table.samples("alarm to ack, idle", &alarms, Some(&floors), targets);
}

/// The alarms' times, and those of as many floors.
fn alarms_one_by_one(
    center: &Center,
    fleet: &Fleet,
    count: usize,
    gap: Duration,
    with_floors: bool,
) -> (Samples, Samples) {
    let peer = Peer::connect(center.broker.port(), "alarms", &[ACKS, PONG]);
    let _echo = echo(center.broker.port());
    let commits = Commits::beside(&center.path("state"));
    let (mut took, mut floors) = (Vec::new(), Vec::new());
    for number in 0..count {
        // A machine that was busy a moment ago is quicker than one at rest: both start from the same rest.
        Instant::now().plus(gap / 2).sleep();
        let alarm = fleet.alarm(number * 7, 1_000_000 + number);
        let sent = peer.publish(&alarm.topic, alarm.token.clone(), false);
        took.push(peer.wait("an ack", |heard| is_ack_of(heard, &alarm)).at.ms_since(sent));
        if with_floors {
            Instant::now().plus(gap / 2).sleep();
            floors.push(round_trip_ms(&peer, SIGNAL_BYTES) + commits.commit_ms());
        }
    }
    (took.into_iter().collect(), floors.into_iter().collect())
}

fn is_ack_of(heard: &Heard, signal: &Signal) -> bool {
    heard.topic.ends_with("/ack") && acknowledged(&heard.payload).is_some_and(|jti| jti == signal.jti)
}

/// From an alarm's publication to the page that shows it.
pub fn page(center: &Center, fleet: &Fleet, table: &mut Table) {
    let peer = Peer::connect(center.broker.port(), "page", &[]);
    let mut page = Page::open(center);
    let took = (0..50).map(|number| {
        Instant::now().plus(Duration::from_millis(150)).sleep();
        let alarm = fleet.alarm(number * 11, 2_000_000 + number);
        let sent = peer.publish(&alarm.topic, alarm.token.clone(), false);
        page.wait_for(&alarm.incident).ms_since(sent)
    });
    let took: Samples = took.collect();
    let targets = vec![Target { what: "max", value: took.max(), most: 100.0 }];
    table.samples("alarm to the console's page", &took, None, targets);
}

/// Signals from every account, as fast as their acks come back.
pub fn throughput(center: &Center, fleet: &Fleet, table: &mut Table) {
    const COUNT: usize = 60_000;
    let signals: Vec<Signal> = (0..COUNT).map(|number| fleet.test(number, 3_000_000 + number)).collect();
    let (seconds, doubled) = exchange(center, signals.iter());
    let rate = COUNT as f64 / seconds;
    table.single(
        "durable signals acknowledged a second",
        rate,
        vec![Target { what: "the inverse, µs", value: 1e6 / rate, most: 200.0 }],
    );
    let stored = center.stored_tests();
    table.note(format!("Of {COUNT} signals {stored} are in the store; {doubled} were acknowledged twice."));
    assert_eq!(stored, COUNT, "signals lost, or stored twice");
    assert_eq!(doubled, 0, "signals acknowledged twice");
}

/// Publishes all of them, at most 1,000 without an ack at a time; how many seconds it took until the last ack, and how
/// many acks came twice.
fn exchange<'a>(center: &Center, signals: impl Iterator<Item = &'a Signal>) -> (f64, usize) {
    const UNDER_WAY: usize = 1_000;
    let publisher = Peer::connect(center.broker.port(), "publisher", &[]);
    let listener = Peer::connect(center.broker.port(), "listener", &[ACKS]);
    let mut acks: HashMap<String, usize> = HashMap::new();
    let mut under_way = 0;
    let begun = Instant::now();
    let mut take = |under_way: &mut usize| {
        let heard = listener.wait("an ack", |heard| heard.topic.ends_with("/ack"));
        let jti = acknowledged(&heard.payload).expect("an ack that accepts");
        let count = acks.entry(jti).or_insert(0);
        *count += 1;
        *under_way -= usize::from(*count == 1);
    };
    for signal in signals {
        publisher.publish(&signal.topic, signal.token.clone(), false);
        under_way += 1;
        while under_way >= UNDER_WAY {
            take(&mut under_way);
        }
    }
    while under_way > 0 {
        take(&mut under_way);
    }
    let seconds = Instant::now().ms_since(begun) / 1000.0;
    (seconds, acks.values().filter(|count| **count > 1).count())
}

/// With ten thousand open incidents in the store, until the center is ready and until it acknowledges again.
pub fn restart(center: &mut Center, fleet: &Fleet, table: &mut Table) {
    let open = center.stored_incidents();
    let alarms: Vec<Signal> = (open..10_000).map(|number| fleet.alarm(number, 4_000_000 + number)).collect();
    exchange(center, alarms.iter());
    let peer = Peer::connect(center.broker.port(), "after", &[ACKS]);
    let (mut ready, mut heard) = (Vec::new(), Vec::new());
    for number in 0..5 {
        let began = Instant::now();
        ready.push(center.restart_after_kill());
        let alarm = fleet.alarm(number, 5_000_000 + number);
        // Nothing is kept for a center that is away: said again until it hears.
        let acknowledged = loop {
            peer.publish(&alarm.topic, alarm.token.clone(), false);
            if peer.wait_briefly(|heard| is_ack_of(heard, &alarm)) {
                break Instant::now();
            }
        };
        heard.push(acknowledged.ms_since(began));
    }
    let (ready, heard): (Samples, Samples) = (ready.into_iter().collect(), heard.into_iter().collect());
    let target = |value| vec![Target { what: "max", value, most: 1_000.0 }];
    table.samples("kill -9 and start to READY, 10,000 incidents", &ready, None, target(ready.max()));
    table.samples("the same to the first ack", &heard, None, target(heard.max()));
}

/// A hundred thousand hubs, each heard once a minute, and an alarm among them now and then.
pub fn heartbeats(center: &Center, fleet: &Fleet, table: &mut Table) {
    const LONG: Duration = Duration::from_secs(40);
    let (idle, _) = alarms_one_by_one(center, fleet, 200, Duration::from_millis(50), false);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let heartbeats = scope.spawn(|| beat(center, fleet, &over));
        // The fleet has to reach its pace.
        Instant::now().plus(Duration::from_secs(5)).sleep();
        let (before, began) = (center.process().usage(), Instant::now());
        let (loaded, _) = alarms_one_by_one(center, fleet, 400, Duration::from_millis(80), false);
        let rest = began.plus(LONG);
        rest.sleep();
        let seconds = Instant::now().ms_since(began) / 1000.0;
        let cpu = (center.process().usage().cpu_ms - before.cpu_ms) / seconds;
        let memory = center.process().memory();
        over.store(true, Ordering::Relaxed);
        let (sent, acknowledged, seconds) = heartbeats.join().expect("the fleet");
        table.note(format!(
            "{sent} heartbeats in {seconds:.1} s ({:.0} a second), {acknowledged} acknowledged.",
            sent as f64 / seconds
        ));
        assert_eq!(sent, acknowledged, "heartbeats without an ack");
        table.single(
            "CPU with 100,000 hubs, ms a second",
            cpu,
            vec![Target { what: "a third of a core", value: cpu, most: 333.0 }],
        );
        let resident = memory.rss as f64 / 1024.0;
        table.single(
            "resident with 100,000 hubs, MiB",
            resident,
            vec![Target { what: "250 MB", value: resident, most: 250.0 / 1.048_576 }],
        );
        table.samples(
            "alarm to ack among heartbeats (floor: idle)",
            &loaded,
            Some(&idle),
            vec![Target { what: "p99 ratio", value: loaded.p99() / idle.p99(), most: 3.0 }],
        );
    });
}

/// Sends a heartbeat of one account after the other, a hundred thousand a minute; how many were sent and acknowledged,
/// and how many seconds it took.
fn beat(center: &Center, fleet: &Fleet, over: &AtomicBool) -> (usize, usize, f64) {
    const A_SECOND: f64 = 100_000.0 / 60.0;
    let publisher = Peer::connect(center.broker.port(), "beats", &[]);
    let listener = Peer::connect(center.broker.port(), "beat-acks", &[ACKS]);
    let began = Instant::now();
    let (mut sent, mut pending) = (0, HashMap::new());
    while !over.load(Ordering::Relaxed) {
        let due = (Instant::now().ms_since(began) / 1000.0 * A_SECOND) as usize;
        while sent < due {
            let heartbeat = fleet.heartbeat(sent, sent / fleet.size + 1);
            publisher.publish(&heartbeat.topic, heartbeat.token, false);
            pending.insert(heartbeat.jti, ());
            sent += 1;
        }
        for heard in listener.drain() {
            acknowledged(&heard.payload).map(|jti| pending.remove(&jti));
        }
        Instant::now().plus(Duration::from_millis(5)).sleep();
    }
    let seconds = Instant::now().ms_since(began) / 1000.0;
    let patience = Instant::now().plus(Duration::from_secs(5));
    while !pending.is_empty() && Instant::now() < patience {
        for heard in listener.drain() {
            acknowledged(&heard.payload).map(|jti| pending.remove(&jti));
        }
        Instant::now().plus(Duration::from_millis(5)).sleep();
    }
    (sent, sent - pending.len(), seconds)
}
