//! Junk and floods: nothing starts, nothing breaks, and no button waits.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::v5::PublishProperties;

use crate::app::topic;
use crate::installation::{Installation, Setup};
use crate::lines::POLICE_BUTTON;

/// Hold, countdown, and what a slow machine may add that does other things as well.
const PRESS_TO_SIREN: Duration = Duration::from_secs(12);

#[test]
fn junk_of_every_kind_is_refused_and_costs_no_connection() {
    let mut home = Installation::running(Setup { countdown_seconds: 30, ..Setup::default() });
    let since = home.app.mark();
    let huge = vec![b'x'; 1 << 20];
    let mut deep = b"{\"service\":".to_vec();
    deep.extend([b'['; 3_000]);
    let junk: Vec<Vec<u8>> = vec![
        vec![0, 159, 146, 150],
        b"\xff\xfe\x00".to_vec(),
        b"Police".to_vec(),
        b"police fire".to_vec(),
        b"{".to_vec(),
        b"{}".to_vec(),
        b"[\"police\"]".to_vec(),
        br#"{"service": "polis"}"#.to_vec(),
        br#"{"service": ["police"]}"#.to_vec(),
        br#"{"service": "police", "id": 7}"#.to_vec(),
        br#"{"service": "police", "sent_at": "yesterday"}"#.to_vec(),
        br#"{"service": "police", "service": "fire"}"#.to_vec(),
        format!(r#"{{"service": "police", "id": "{}"}}"#, "x".repeat(65)).into_bytes(),
        deep,
        vec![b' '; 10_000],
        huge,
    ];
    for payload in junk {
        for command in ["request", "test"] {
            home.app.client.publish(&topic(command), payload.clone(), false);
        }
    }
    home.app.client.publish(&topic("silence"), b"\xc3\x28".to_vec(), false);
    home.app.client.publish(&topic("cancel"), b"{\"incident\": 5}".to_vec(), false);
    home.app.client.publish(&topic("request/more"), "police", false);
    home.app.client.publish(&topic("nothing"), "police", false);
    for last_level in ["ack", "update", "plan"] {
        home.center.say(last_level, &"x".repeat(1 << 20));
        home.center.say(last_level, "\u{0}\u{1}");
    }
    home.app.fault("center_message");
    let incident = home.app.accepted("request", r#"{"service": "police", "id": "good"}"#);
    let replies = home.app.replies(since);
    assert!(replies.len() > 20, "{replies:?}");
    for reply in replies.iter().filter(|reply| reply["id"] != "good") {
        assert_eq!(reply["outcome"], "refused", "{reply}");
        let reason = reply["reason"].as_str().unwrap_or_default();
        assert!(["malformed", "rate_limited"].contains(&reason), "{reply}");
    }
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    assert_eq!(home.app.accepted("cancel", ""), incident);
    assert_eq!(
        home.home.log().matches("New client connected").filter(|_| true).count(),
        connections_of_tools(&home) + 2
    );
    assert!(home.hub().is_running());
}

#[test]
fn a_flood_of_commands_delays_no_button() {
    let mut home = Installation::running(Setup::default());
    let since = home.app.mark();
    let until = Instant::now() + Duration::from_millis(1_500);
    let mut sent = 0;
    // A tick of a millisecond, two messages each: 2,000 a second.
    while sent <= 400 || Instant::now() < until {
        for payload in [&b"\xff\x00junk"[..], br#"{"incident": "11111111-2222-4333-8444-555555555555"}"#] {
            home.app.client.publish_with(&topic("cancel"), payload, PublishProperties::default());
            sent += 1;
        }
        if sent == 400 {
            home.lines.press(POLICE_BUTTON);
        }
        crate::support::pace(Duration::from_millis(1));
    }
    home.app.event(since, "countdown_started");
    let press = home.lines.edges(POLICE_BUTTON)[0];
    let siren = home.lines.siren_edge(0);
    // Held for 300 ms, then a countdown of a second.
    let took = siren.at - press.at;
    assert!((Duration::from_millis(1_300)..PRESS_TO_SIREN).contains(&took), "{took:?}");
    home.center.alarm(0);
    home.lines.release(POLICE_BUTTON);
    home.app.accepted("silence", r#"{"id": "after"}"#);
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    assert!(home.hub().is_running());
}

#[test]
fn a_flood_of_retained_huge_and_binary_messages_delays_no_button() {
    let mut home = Installation::running(Setup::default());
    let since = home.app.mark();
    let connections = home.app.client.connections();
    let flood = Flood::start(home.home.port());
    // It has come to the hub when the hub has begun to answer it sparingly.
    home.app.client.wait("a reply to the flood", since, |heard| {
        heard.iter().any(|one| one.topic == topic("reply") && one.json()["reason"] == "rate_limited").then_some(())
    });
    home.lines.press(POLICE_BUTTON);
    let siren = home.lines.siren_edge(0);
    let press = home.lines.edges(POLICE_BUTTON)[0];
    let took = siren.at - press.at;
    assert!((Duration::from_millis(1_300)..PRESS_TO_SIREN).contains(&took), "{took:?}");
    home.center.alarm(0);
    let sent = flood.stop();
    home.lines.release(POLICE_BUTTON);
    home.app.accepted("silence", r#"{"id": "after"}"#);
    assert_eq!(home.app.count(since, "countdown_started"), 1, "of {sent} messages none started anything");
    assert_eq!(home.app.client.connections(), connections);
    let offline = home.app.client.heard(since).iter().any(|one| one.topic == topic("availability"));
    assert!(!offline, "the hub's own connection stood");
    assert!(home.hub().is_running());
}

/// Twenty messages a millisecond of every unpleasant kind, at QoS 0, for as long as the broker takes them.
struct Flood {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Flood {
    fn start(port: u16) -> Flood {
        let stop = Arc::<AtomicBool>::default();
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut broker = TcpStream::connect(("127.0.0.1", port)).expect("the broker");
            broker.write_all(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05flood").expect("a connection");
            let small: Vec<Vec<u8>> = [&b"\xff\x00\xfejunk"[..], b"{\"service\": \"polis\"}", b"\x00", b"[[[[[["]
                .iter()
                .flat_map(|payload| ["request", "test"].map(|command| (command, *payload)))
                .flat_map(|(command, payload)| [false, true].map(|retain| packet(command, payload, retain)))
                .collect();
            let beat = small.iter().cycle().take(20).flatten().copied().collect::<Vec<u8>>();
            let huge = packet("request", &[0xa5; 100_000], true);
            let mut sent = 0;
            while !until.load(Ordering::Relaxed) {
                broker.write_all(&beat).expect("the broker takes junk");
                if sent % 2_000 == 0 {
                    broker.write_all(&huge).expect("the broker takes junk");
                }
                sent += 20;
                crate::support::pace(Duration::from_millis(1));
            }
            sent
        });
        Flood { stop, thread }
    }

    fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the flood's thread")
    }
}

/// PUBLISH of MQTT 3.1.1 at QoS 0.
fn packet(command: &str, payload: &[u8], retain: bool) -> Vec<u8> {
    let topic = topic(command);
    let mut left = 2 + topic.len() + payload.len();
    let mut packet = vec![0x30 | u8::from(retain)];
    while left >= 128 {
        packet.push((left % 128) as u8 | 128);
        left /= 128;
    }
    packet.push(left as u8);
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend(topic.as_bytes());
    packet.extend(payload);
    packet
}

/// How often `mosquitto_pub` has connected.
fn connections_of_tools(home: &Installation) -> usize {
    let log = home.home.log();
    log.lines().filter(|line| line.contains("New client connected") && line.contains(" as auto-")).count()
}
