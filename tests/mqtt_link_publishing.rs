//! What becomes of the MQTT link's publications when the link is down, full or fed with what it cannot send.

mod support;

use std::sync::mpsc::channel;

use sos_hub::drivers::mqtt::{Keep, LinkSettings, Room};
use support::DEADLINE;
use support::link::{publication, settings, start};
use support::mosquitto::{Mosquitto, free_port};
use support::peer::Peer;
use support::proxy::Proxy;
use support::script::{Act, Script, published_text};

#[test]
fn what_is_published_while_the_link_is_down_arrives_later_if_it_is_worth_keeping() {
    let port = free_port();
    let (link, heard) = start(settings(port));
    heard.down();
    for number in 0..3 {
        link.publish(publication("out", &format!("event {number}")), Keep::Queue);
        link.publish(publication("out", &format!("state {number}")), Keep::Latest);
        link.publish(publication("out", &format!("now {number}")), Keep::Now);
    }
    let publications = Script::on(port).play_well();
    let arrived: Vec<String> = (0..5).map(|_| publications.recv_timeout(DEADLINE).expect("a publication")).collect();
    assert_eq!(arrived, ["online", "event 0", "event 1", "event 2", "state 2"]);
    link.publish(publication("out", "the next"), Keep::Now);
    assert_eq!(publications.recv_timeout(DEADLINE).as_deref(), Ok("the next"));
}

#[test]
fn of_a_queue_that_is_too_long_the_oldest_go() {
    let port = free_port();
    let (link, heard) = start(settings(port));
    heard.down();
    link.publish(publication("state", "kept"), Keep::Latest);
    for number in 0..300 {
        link.publish(publication("out", &number.to_string()), Keep::Queue);
    }
    let publications = Script::on(port).play_well();
    let next = || publications.recv_timeout(DEADLINE).expect("a publication");
    assert_eq!([next(), next(), next()], ["online", "kept", "45"]);
}

#[test]
fn a_link_with_more_room_loses_nothing_of_a_long_queue_and_keeps_the_latest_of_each_topic() {
    let port = free_port();
    let room = Room { under_way: 200, waiting: 5_000, waiting_bytes: 1 << 20 };
    let (link, heard) = start(LinkSettings { room, ..settings(port) });
    heard.down();
    for number in 0..2_000 {
        link.publish(publication("out", &number.to_string()), Keep::Queue);
        link.publish(publication(&format!("plan/{}", number % 100), &format!("plan {number}")), Keep::Latest);
    }
    let publications = Script::on(port).play_well();
    let next = || publications.recv_timeout(DEADLINE).expect("a publication");
    assert_eq!(next(), "online");
    let (plans, queue): (Vec<String>, Vec<String>) = (0..2_100).map(|_| next()).partition(|text| text.contains("plan"));
    assert_eq!(queue, (0..2_000).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(plans, (1_900..2_000).map(|number| format!("plan {number}")).collect::<Vec<_>>());
}

#[test]
fn a_thousand_in_a_burst_arrive_in_order() {
    let broker = Mosquitto::start("");
    let (link, heard) = start(settings(broker.port()));
    heard.up();
    let peer = Peer::connect(broker.port(), "peer", &["out"]);
    let mut arrived = 0;
    for number in 0..1000 {
        link.publish(publication("out", &number.to_string()), Keep::Queue);
        // Never more on the way than the queue takes.
        while number - arrived >= 250 {
            assert_eq!(peer.next_text().1, arrived.to_string());
            arrived += 1;
        }
    }
    for number in arrived..1000 {
        assert_eq!(peer.next_text().1, number.to_string());
    }
}

#[test]
fn what_the_broker_had_not_acknowledged_is_sent_again() {
    let broker = Mosquitto::start("");
    let proxy = Proxy::to(broker.port());
    let (link, heard) = start(settings(proxy.port()));
    heard.up();
    let peer = Peer::connect(broker.port(), "peer", &["out"]);
    proxy.set_silent(true);
    for number in 0..40 {
        link.publish(publication("out", &number.to_string()), Keep::Queue);
    }
    link.publish(publication("out", "old state"), Keep::Latest);
    link.publish(publication("out", "state"), Keep::Latest);
    proxy.cut();
    proxy.set_silent(false);
    heard.down();
    heard.up();
    // What was on its way may have got through the first time too, but nothing is missing.
    let mut arrived: Vec<String> = Vec::new();
    while arrived.last().is_none_or(|last| last != "state") {
        arrived.push(peer.next_text().1);
    }
    for number in 0..40 {
        assert!(arrived.contains(&number.to_string()), "{number} is missing in {arrived:?}");
    }
    assert!(!arrived.contains(&"old state".to_owned()), "{arrived:?}");
}

#[test]
fn a_publication_that_the_broker_says_is_too_large_is_dropped_alone() {
    let broker = Mosquitto::start("max_packet_size 2000");
    let proxy = Proxy::to(broker.port());
    let (link, heard) = start(settings(proxy.port()));
    heard.up();
    let peer = Peer::connect(broker.port(), "peer", &["out"]);
    link.publish(publication("out", "before"), Keep::Queue);
    link.publish(publication("out", &"x".repeat(3000)), Keep::Queue);
    link.publish(publication("out", "after"), Keep::Queue);
    assert_eq!((peer.next_text().1, peer.next_text().1), ("before".into(), "after".into()));
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_publication_larger_than_brokers_silently_take_is_dropped_alone() {
    let broker = Mosquitto::start("message_size_limit 8192");
    let proxy = Proxy::to(broker.port());
    let (link, heard) = start(settings(proxy.port()));
    heard.up();
    let peer = Peer::connect(broker.port(), "peer", &["out"]);
    for text in ["before", &"x".repeat(8_193), &"y".repeat(8_192), "after"] {
        link.publish(publication("out", text), Keep::Queue);
    }
    assert_eq!(peer.next_text().1, "before");
    assert_eq!(peer.next_text().1, "y".repeat(8_192));
    assert_eq!(peer.next_text().1, "after");
    // This comes after what the broker has answered to all of them.
    peer.publish("in", "fence", false);
    assert_eq!(heard.message().payload, b"fence");
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_publication_that_ends_every_connection_is_given_up_and_the_others_are_not() {
    // Without announcing it, and with an answer that the library cannot read.
    let broker = Mosquitto::start("message_size_limit 2000");
    let (link, heard) = start(settings(broker.port()));
    heard.up();
    let peer = Peer::connect(broker.port(), "peer", &["out"]);
    for text in ["before", &"x".repeat(3000), "after", "later"] {
        link.publish(publication("out", text), Keep::Queue);
    }
    while peer.next_text().1 != "later" {}
    link.publish(publication("out", "alive"), Keep::Queue);
    while peer.next_text().1 != "alive" {}
}

#[test]
fn only_the_publication_that_ends_the_connections_is_given_up() {
    let script = Script::new();
    let (link, heard) = start(settings(script.port()));
    let (published, publications) = channel();
    script.play(move |packet, body| match published_text(packet, body) {
        Some(text) if text == "poison" => Act::Close(&[]),
        Some(text) => {
            let _ = published.send(text);
            Act::Answer
        }
        None => Act::Answer,
    });
    heard.up();
    for text in ["poison", "one", "two", "three"] {
        link.publish(publication("out", text), Keep::Queue);
    }
    let next = || publications.recv_timeout(DEADLINE).expect("a publication");
    let innocent: Vec<String> = std::iter::repeat_with(next).filter(|text| text != "online").take(3).collect();
    assert_eq!(innocent, ["one", "two", "three"]);
}

#[test]
fn what_was_for_the_connection_alone_ends_with_it() {
    let script = Script::new();
    let (link, heard) = start(settings(script.port()));
    let (published, publications) = channel();
    script.play(move |packet, body| match published_text(packet, body) {
        Some(text) if text == "end" => Act::Close(&[]),
        Some(text) => {
            let _ = published.send(text);
            Act::Answer
        }
        None => Act::Answer,
    });
    heard.up();
    link.publish(publication("out", "end"), Keep::Now);
    heard.down();
    heard.up();
    link.publish(publication("out", "later"), Keep::Queue);
    let next = || publications.recv_timeout(DEADLINE).expect("a publication");
    assert_eq!([next(), next(), next()], ["online", "online", "later"]);
}

#[test]
fn topics_that_nothing_can_be_published_to_are_dropped_alone() {
    let broker = Mosquitto::start("");
    let proxy = Proxy::to(broker.port());
    let (link, heard) = start(settings(proxy.port()));
    heard.up();
    let peer = Peer::connect(broker.port(), "peer", &["#"]);
    assert_eq!(peer.next_text().1, "online");
    for topic in ["", "a/#", "+/b", "nul\0", "bell\u{7}", &"x".repeat(70_000)] {
        link.publish(publication(topic, "never"), Keep::Queue);
    }
    link.publish(publication("out", "good"), Keep::Queue);
    assert_eq!(peer.next_text(), ("out".into(), "good".into()));
    assert_eq!(proxy.connections(), 1);
}
