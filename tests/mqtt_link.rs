//! The MQTT link against a real mosquitto, and against a scripted broker for what mosquitto does not do.

mod support;

use std::fs;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use sos_hub::controller::input::{LinkChange, LinkProblem, LinkProblemKind};
use sos_hub::drivers::mqtt::{Keep, LinkSettings, Publication, Room};
use support::link::{publication, settings, start};
use support::mosquitto::{Mosquitto, free_port};
use support::peer::Peer;
use support::proxy::Proxy;
use support::script::{Act, Script, published_text};
use support::{DEADLINE, wait_until};

#[test]
fn messages_go_both_ways_with_response_topic_and_correlation() {
    let broker = Mosquitto::start("");
    let (link, heard) = start(settings(broker.port()));
    heard.up();
    let peer = Peer::connect(broker.port(), "peer", &["out", "answers"]);

    peer.ask("in", "police", "answers", b"\x00\xff42");
    let message = heard.message();
    assert_eq!((message.topic.as_str(), message.payload.as_slice()), ("in", b"police".as_slice()));
    assert_eq!(message.response_topic.as_deref(), Some("answers"));
    assert_eq!(message.correlation.as_deref(), Some(b"\x00\xff42".as_slice()));
    assert!(!message.retained && !message.duplicate);

    link.publish(Publication { correlation: message.correlation, ..publication("answers", "accepted") }, Keep::Now);
    let answer = peer.next();
    assert_eq!(answer.payload, b"accepted".as_slice());
    let correlation = answer.properties.and_then(|properties| properties.correlation_data);
    assert_eq!(correlation.as_deref(), Some(b"\x00\xff42".as_slice()));
}

#[test]
fn a_stored_message_is_delivered_only_where_it_is_wanted_and_a_live_one_bears_no_retain_flag() {
    let broker = Mosquitto::start("");
    let peer = Peer::connect(broker.port(), "peer", &["out"]);
    peer.publish("in", "stored", true);
    peer.publish("wanted", "stored", true);
    peer.publish("out", "both are stored by now", false);
    peer.next();

    let (_link, heard) = start(settings(broker.port()));
    heard.up();
    peer.publish("in", "live", true);
    let (first, second) = (heard.message(), heard.message());
    assert_eq!(
        (first.topic.as_str(), first.payload.as_slice(), first.retained),
        ("wanted", b"stored".as_slice(), true)
    );
    assert_eq!((second.topic.as_str(), second.payload.as_slice(), second.retained), ("in", b"live".as_slice(), false));
}

#[test]
fn a_broker_that_was_killed_and_lost_its_sessions_is_subscribed_to_again() {
    let mut broker = Mosquitto::start("");
    let (_link, heard) = start(settings(broker.port()));
    heard.up();
    broker.kill();
    assert_eq!(heard.down().kind, LinkProblemKind::Unreachable);
    broker.restart();
    loop {
        match heard.change() {
            LinkChange::Up => break,
            LinkChange::Down(problem) => assert_eq!(problem.kind, LinkProblemKind::Unreachable),
        }
    }
    Peer::connect(broker.port(), "peer", &[]).publish("in", "fire", false);
    assert_eq!(heard.message().payload, b"fire");
}

#[test]
fn a_broker_that_is_not_there_is_told_of_once() {
    let port = free_port();
    let (_link, heard) = start(settings(port));
    let problem = heard.down();
    assert_eq!(problem.kind, LinkProblemKind::Unreachable);
    assert!(problem.detail.contains(&format!("127.0.0.1:{port}")), "{}", problem.detail);
    // The broker that comes in the end is the next thing to be told of, after more than one attempt.
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port");
    for _ in 0..3 {
        drop(listener.accept().expect("an attempt"));
    }
    assert!(heard.down().detail.contains("closed the connection"));
    drop(listener);
    Script::on(port).play_well();
    while heard.change() != LinkChange::Up {}
}

#[test]
fn a_wrong_password_is_told_of_and_mended_in_the_file_without_a_restart() {
    let broker = Mosquitto::start_with(|dir| Mosquitto::password_lines(dir, &[("hub", "right horse")]));
    let password_file = broker.dir().join("password");
    let settings = LinkSettings {
        username: Some("hub".into()),
        password_file: Some(password_file.clone()),
        ..settings(broker.port())
    };
    let (_link, heard) = start(settings);
    let missing = heard.down();
    assert_eq!(missing.kind, LinkProblemKind::Configuration);
    assert!(missing.detail.contains(&password_file.display().to_string()), "{}", missing.detail);
    fs::write(&password_file, "wrong horse\n").expect("the password file");
    let refused = heard.down();
    assert_eq!(refused.kind, LinkProblemKind::Credentials);
    assert!(!refused.detail.contains("horse"), "{}", refused.detail);
    fs::write(&password_file, "right horse\n").expect("the password file");
    heard.up();
}

#[test]
fn a_refused_subscription_is_a_problem_that_names_its_topic() {
    let script = Script { codes: Some([1, 0x87]), ..Script::new() };
    let (_link, heard) = start(settings(script.port()));
    script.play_well();
    let problem = heard.down();
    assert_eq!(problem.kind, LinkProblemKind::Subscription);
    assert!(problem.detail.contains("wanted"), "{}", problem.detail);
}

#[test]
fn a_refused_subscription_that_is_optional_keeps_no_link_down() {
    let script = Script { codes: Some([1, 0x87]), ..Script::new() };
    let (_link, heard) = start(announcing(script.port()));
    let published = script.play_well();
    heard.up();
    let said = || published.recv_timeout(DEADLINE).expect("a publication");
    assert_eq!([said(), said()], ["online", "announced without wanted"]);
    heard.has_not_changed();
}

/// Receive Maximum 1: the next publication comes when the link has heard of the acknowledgement of the one before.
const ONE_AT_A_TIME: &[u8] = &[0x21, 0, 1];

/// With `wanted` among the optional subscriptions, and an announcement that says what is not heard.
fn announcing(port: u16) -> LinkSettings {
    let mut settings = settings(port);
    settings.optional.extend(settings.subscriptions.pop());
    let announce = |unheard: &[&str]| publication("announcement", &format!("announced without {}", unheard.join(" ")));
    LinkSettings { announcement: Some(Arc::new(announce)), ..settings }
}

fn is_subscription_to(packet: u8, body: &[u8], topic: &str) -> bool {
    packet & 0xf0 == 0x80 && body.windows(topic.len()).any(|part| part == topic.as_bytes())
}

#[test]
fn a_broker_that_ends_connections_over_an_optional_subscription_is_not_asked_for_it_until_the_next_break() {
    let script = Script { properties: ONE_AT_A_TIME, ..Script::new() };
    let (link, heard) = start(announcing(script.port()));
    let (seen, told) = channel();
    script.play(move |packet, body| {
        if is_subscription_to(packet, body, "wanted") {
            let _ = seen.send("ended".to_owned());
            return Act::Close(&[]);
        }
        let Some(text) = published_text(packet, body) else { return Act::Answer };
        let act = if text == "break" { Act::Close(&[]) } else { Act::Answer };
        let _ = seen.send(text);
        act
    });
    let told = || told.recv_timeout(DEADLINE).expect("what the broker sees");
    let round = ["ended", "ended", "online", "announced without wanted"];
    assert_eq!([told(), told(), told(), told()], round);
    assert_eq!(heard.down().kind, LinkProblemKind::Unreachable);
    heard.up();
    link.publish(publication("out", "break"), Keep::Now);
    assert_eq!(told(), "break");
    assert_eq!([told(), told(), told(), told()], round, "somebody may have given the right since");
}

#[test]
fn a_broker_that_ends_connections_over_the_announcement_is_spared_it() {
    let not_authorized: &[u8] = &[0xe0, 1, 0x87];
    // Without a word it is not taken for another client of our id.
    for (farewell, kind) in [(&[][..], LinkProblemKind::Unreachable), (not_authorized, LinkProblemKind::Credentials)] {
        let script = Script::new();
        let (link, heard) = start(announcing(script.port()));
        let (seen, told) = channel();
        script.play(move |packet, body| {
            let Some(text) = published_text(packet, body) else { return Act::Answer };
            let act = if text.starts_with("announced") { Act::Close(farewell) } else { Act::Answer };
            let _ = seen.send(text);
            act
        });
        let told = || told.recv_timeout(DEADLINE).expect("what the broker sees");
        for _ in 0..2 {
            heard.up();
            assert_eq!([told(), told()], ["online", "announced without "]);
            assert_eq!(heard.down().kind, kind);
        }
        heard.up();
        assert_eq!(told(), "online");
        link.announce_again();
        link.publish(publication("out", "stands"), Keep::Now);
        assert_eq!(told(), "stands");
        heard.has_not_changed();
    }
}

#[test]
fn a_broker_that_goes_away_of_its_own_is_asked_and_told_everything_the_next_time() {
    let shutting_down: &[u8] = &[0xe0, 1, 0x8b];
    let script = Script::new();
    let (_link, heard) = start(announcing(script.port()));
    let (seen, told) = channel();
    let mut rounds = 0;
    script.play(move |packet, body| {
        let asked = is_subscription_to(packet, body, "wanted").then(|| "asked".to_owned());
        let Some(text) = asked.or_else(|| published_text(packet, body)) else { return Act::Answer };
        let ends = match text.as_str() {
            "asked" => {
                rounds += 1;
                rounds <= 2
            }
            "online" => false,
            _ => rounds <= 4,
        };
        let _ = seen.send(text);
        if ends { Act::Close(shutting_down) } else { Act::Answer }
    });
    let told = || told.recv_timeout(DEADLINE).expect("what the broker sees");
    assert_eq!([told(), told()], ["asked", "asked"]);
    assert_eq!(heard.down().kind, LinkProblemKind::Unreachable);
    for _ in 0..3 {
        assert_eq!([told(), told(), told()], ["asked", "online", "announced without "]);
    }
}

#[test]
fn another_client_of_our_id_is_told_of_though_it_came_while_a_subscription_was_out() {
    let script = Script { properties: ONE_AT_A_TIME, ..Script::new() };
    let (link, heard) = start(announcing(script.port()));
    let (seen, told) = channel();
    let mut rounds = 0;
    script.play(move |packet, body| {
        if is_subscription_to(packet, body, "wanted") {
            rounds += 1;
            return if rounds == 2 { Act::Close(&[]) } else { Act::Answer };
        }
        let Some(text) = published_text(packet, body) else { return Act::Answer };
        let act = if text == "break" { Act::Close(&[]) } else { Act::Answer };
        let _ = seen.send(text);
        act
    });
    let told = || told.recv_timeout(DEADLINE).expect("what the broker sees");
    for kind in [LinkProblemKind::Unreachable, LinkProblemKind::TakenOver] {
        assert_eq!([told(), told()], ["online", "announced without "]);
        heard.up();
        link.publish(publication("out", "break"), Keep::Now);
        assert_eq!(told(), "break");
        assert_eq!(heard.down().kind, kind);
    }
}

#[test]
fn an_announcement_that_is_asked_for_at_speed_takes_no_room_from_what_waits() {
    let script = Script { properties: ONE_AT_A_TIME, ..Script::new() };
    let (link, heard) = start(announcing(script.port()));
    let (seen, told) = channel();
    let (go_on, may_go_on) = channel::<()>();
    script.play(move |packet, body| {
        if let Some(text) = published_text(packet, body) {
            let is_hold = text == "hold";
            let _ = seen.send(text);
            if is_hold {
                let _ = may_go_on.recv_timeout(DEADLINE);
            }
        }
        Act::Answer
    });
    let told = || told.recv_timeout(DEADLINE).expect("what the broker sees");
    heard.up();
    link.publish(publication("out", "hold"), Keep::Now);
    assert_eq!([told(), told(), told()], ["online", "announced without ", "hold"]);
    link.publish(publication("out", "reply"), Keep::Now);
    link.publish(publication("out", "event"), Keep::Queue);
    for _ in 0..2 * Room::SMALL.waiting {
        link.announce_again();
    }
    link.publish(publication("out", "last"), Keep::Queue);
    go_on.send(()).expect("the broker waits");
    assert_eq!([told(), told(), told(), told()], ["reply", "event", "announced without ", "last"]);
    heard.has_not_changed();
}

#[test]
fn a_broker_that_never_confirms_the_subscriptions_is_given_up() {
    let script = Script { codes: None, ..Script::new() };
    let (_link, heard) = start(settings(script.port()));
    script.play_well();
    assert_eq!(heard.down().kind, LinkProblemKind::Stalled);
}

#[test]
fn a_broker_that_wants_no_pings_is_not_flooded_with_them() {
    let server_keep_alive_zero = &[0x13, 0, 0];
    let script = Script { properties: server_keep_alive_zero, ..Script::new() };
    let (_link, heard) = start(settings(script.port()));
    let (pings, pinged) = channel();
    script.play(move |packet, _| {
        if packet == 0xc0 {
            let _ = pings.send(());
        }
        Act::Answer
    });
    heard.up();
    pinged.recv_timeout(DEADLINE).expect("the first ping");
    // The library's own pace would be thousands in this time.
    assert!(pinged.recv_timeout(Duration::from_secs(2)).is_err());
}

#[test]
fn a_stopped_broker_is_noticed_and_its_return_too() {
    let broker = Mosquitto::start("");
    let (_link, heard) = start(settings(broker.port()));
    heard.up();
    broker.pause();
    let problem = heard.down();
    assert_eq!(problem.kind, LinkProblemKind::Stalled);
    broker.resume();
    while heard.change() != LinkChange::Up {}
}

#[test]
fn a_peer_that_stops_reading_in_the_middle_of_a_flood_is_noticed() {
    let script = Script::new();
    script.keep_buffers_small();
    let room = Room { under_way: 1_000, waiting: 2_000, waiting_bytes: 16 << 20 };
    let (link, heard) = start(LinkSettings { room, ..settings(script.port()) });
    script.play(|packet, body| match published_text(packet, body) {
        Some(text) if text == "freeze" => Act::Freeze,
        _ => Act::Answer,
    });
    heard.up();
    link.publish(publication("out", "freeze"), Keep::Now);
    // More than the sockets on the way take, so that the library's write never ends.
    for _ in 0..1_000 {
        link.publish(Publication { payload: vec![b'x'; 8_192], ..publication("out", "") }, Keep::Now);
    }
    assert_eq!(heard.down().kind, LinkProblemKind::Stalled);
}

#[test]
fn large_messages_of_strangers_end_no_connection() {
    let broker = Mosquitto::start("");
    let proxy = Proxy::to(broker.port());
    let (_link, heard) = start(settings(proxy.port()));
    heard.up();
    let peer = Peer::connect(broker.port(), "peer", &[]);
    // The first are read and forgotten, the second dropped by the broker, which must not count them as under way.
    for length in [20_000, 300_000] {
        for _ in 0..100 {
            peer.publish("in", vec![b'x'; length], false);
        }
    }
    peer.publish("in", "small", false);
    assert_eq!(heard.message().payload, b"small");
    assert_eq!(proxy.connections(), 1);
    assert!(proxy.bytes() < 100 * 300_000, "{} bytes: what the broker drops fills no memory of ours", proxy.bytes());
}

#[test]
fn two_clients_of_one_id_are_told_so_and_do_not_fight_at_speed() {
    let broker = Mosquitto::start("");
    let (_one, heard_by_one) = start(settings(broker.port()));
    heard_by_one.up();
    let (_other, heard_by_other) = start(settings(broker.port()));
    for heard in [heard_by_one, heard_by_other] {
        while !matches!(heard.change(), LinkChange::Down(LinkProblem { kind: LinkProblemKind::TakenOver, .. })) {}
    }
    let connections = broker.log().matches(" as hub (").count();
    assert!(connections <= 8, "{connections} connections until both had noticed");
}

#[test]
fn a_broker_that_names_the_takeover_is_believed_at_once() {
    let script = Script::new();
    let (_link, heard) = start(settings(script.port()));
    script.play(|packet, body| match published_text(packet, body) {
        // The shortest form, without properties.
        Some(_) => Act::Close(&[0xe0, 1, 0x8e]),
        None => Act::Answer,
    });
    heard.up();
    assert_eq!(heard.down().kind, LinkProblemKind::TakenOver);
}

#[test]
fn a_connection_that_breaks_off_leaves_the_will_and_a_stop_leaves_the_last_words() {
    let broker = Mosquitto::start("");
    let peer = Peer::connect(broker.port(), "peer", &["availability", "out"]);
    let proxy = Proxy::to(broker.port());
    let (link, heard) = start(settings(proxy.port()));
    heard.up();
    assert_eq!(peer.next_text().1, "online");
    proxy.cut();
    assert_eq!(peer.next_text().1, "offline by will");
    heard.down();
    heard.up();
    assert_eq!(peer.next_text().1, "online");
    for number in 0..50 {
        link.publish(publication("out", &number.to_string()), Keep::Queue);
    }
    link.stop(DEADLINE);
    for number in 0..50 {
        assert_eq!(peer.next_text().1, number.to_string());
    }
    assert_eq!(peer.next_text().1, "offline");
    wait_until("the broker sees a clean end", || broker.log().contains("Received DISCONNECT from hub"));
    peer.publish("out", "no will came", false);
    assert_eq!(peer.next_text().1, "no will came");
}

#[test]
fn a_link_that_is_dropped_leaves_the_will() {
    let broker = Mosquitto::start("");
    let peer = Peer::connect(broker.port(), "peer", &["availability"]);
    // More than once, because what a drop wakes first is a matter of chance.
    for _ in 0..20 {
        let (link, heard) = start(settings(broker.port()));
        heard.up();
        assert_eq!(peer.next_text().1, "online");
        drop(link);
        assert_eq!(peer.next_text().1, "offline by will");
    }
}

#[test]
fn a_stop_does_not_wait_for_a_broker_that_is_silent() {
    let broker = Mosquitto::start("");
    let (link, heard) = start(settings(broker.port()));
    heard.up();
    broker.pause();
    let (stopped, is_stopped) = channel();
    thread::spawn(move || {
        link.stop(Duration::from_millis(200));
        let _ = stopped.send(());
    });
    // Long before the broker's silence would be noticed.
    is_stopped.recv_timeout(Duration::from_secs(4)).expect("the stop comes to its end");
}
