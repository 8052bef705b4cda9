//! Junk and floods: nothing starts, nothing breaks, and no button waits.

use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::v5::PublishProperties;

use crate::app::topic;
use crate::installation::{Installation, Setup};
use crate::lines::POLICE_BUTTON;

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
    while Instant::now() < until {
        for payload in [&b"\xff\x00junk"[..], br#"{"incident": "11111111-2222-4333-8444-555555555555"}"#] {
            home.app.client.publish_with(&topic("cancel"), payload, PublishProperties::default());
            sent += 1;
        }
        if sent == 400 {
            home.lines.press(POLICE_BUTTON);
        }
        crate::support::pace(Duration::from_millis(1));
    }
    assert!(sent > 400, "{sent}");
    home.app.event(since, "countdown_started");
    let press = home.lines.edges(POLICE_BUTTON)[0];
    let siren = home.lines.siren_edge(0);
    // Held for 300 ms, then a countdown of a second.
    let took = siren.at - press.at;
    assert!((Duration::from_millis(1_300)..Duration::from_secs(4)).contains(&took), "{took:?}");
    home.center.alarm(0);
    home.lines.release(POLICE_BUTTON);
    home.app.accepted("silence", r#"{"id": "after"}"#);
    assert_eq!(home.app.count(since, "countdown_started"), 1);
    assert!(home.hub().is_running());
}

/// How often `mosquitto_pub` has connected.
fn connections_of_tools(home: &Installation) -> usize {
    let log = home.home.log();
    log.lines().filter(|line| line.contains("New client connected") && line.contains(" as auto-")).count()
}
