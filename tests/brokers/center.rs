//! At the center: each hub shows a certificate, and has the topics of its account alone.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client as Plain, Event, MqttOptions};
use sos_hub::drivers::mqtt::LinkSettings;

use crate::certificates::Authority;
use crate::support::link;
use crate::support::mosquitto::program;
use crate::world::{Broker, Client, EYE, set};

const TOPICS: [&str; 14] = [
    "center/a-1/signal",
    "center/a-1/link",
    "center/a-1/ack",
    "center/a-1/update",
    "center/a-1/plan",
    "center/a-2/signal",
    "center/a-2/link",
    "center/a-2/ack",
    "center/a-2/update",
    "center/a-2/plan",
    "center/a-1",
    "center/a-1/signal/more",
    "center/+x/signal",
    "sos/home/request",
];

fn center() -> Broker {
    Broker::start(&["center"], "center", &["sos-center"])
}

/// A hub with a certificate for this account, whatever else it says of itself.
fn hub(broker: &Broker, account: &str, said: LinkSettings) -> LinkSettings {
    broker.within_tls(said, Some(broker.certificate(account)))
}

fn silent(broker: &Broker) -> LinkSettings {
    LinkSettings { username: None, password_file: None, ..broker.login("sos-center", broker.tls) }
}

#[test]
fn each_hub_has_the_topics_of_its_own_account_and_the_center_says_the_rest() {
    let broker = center();
    let topics: Vec<&str> = TOPICS.into_iter().filter(|topic| !topic.contains('+')).collect();
    let a_1 = || Client::connect(hub(&broker, "a-1", silent(&broker)));
    let says = ["center/a-1/signal", "center/a-1/link"];
    assert_eq!(broker.heard_of(&a_1(), &topics, says[0]), set(&says));
    let hears = ["center/a-1/ack", "center/a-1/update", "center/a-1/plan"];
    assert_eq!(broker.read_by(a_1, &topics, hears[0]), set(&hears));

    let broker = center();
    let of_all =
        |last: &[&str]| topics.iter().copied().filter(|topic| last.iter().any(|l| topic.ends_with(l))).collect();
    let (orders, reports): (Vec<&str>, Vec<&str>) =
        (of_all(&["/ack", "/update", "/plan"]), of_all(&["/signal", "/link"]));
    assert_eq!(broker.heard_of(&broker.client("sos-center"), &topics, orders[0]), set(&orders));
    assert_eq!(broker.read_by(|| broker.client("sos-center"), &topics, reports[0]), set(&reports));
}

#[test]
fn a_hub_is_who_its_certificate_says() {
    let broker = center();
    let liar = Client::connect(hub(&broker, "a-1", broker.login("sos-center", broker.tls)));
    let says = ["center/a-1/signal", "center/a-1/link"];
    let topics: Vec<&str> = TOPICS.into_iter().filter(|topic| !topic.contains('+')).collect();
    assert_eq!(broker.heard_of(&liar, &topics, says[0]), set(&says));

    // An account that is a wildcard is none.
    let eye = broker.client(EYE);
    for wildcard in ["+", "#"] {
        let settings = LinkSettings { client_id: wildcard.into(), ..hub(&broker, wildcard, silent(&broker)) };
        let (link, _heard) = link::start(settings);
        link.publish(link::publication("center/a-1/signal", "forged"), sos_hub::drivers::mqtt::Keep::Queue);
        link.stop(std::time::Duration::from_secs(1));
    }
    eye.say("next", "");
    assert_eq!(eye.next().0, "next");
}

#[test]
fn without_a_certificate_of_the_centers_authority_no_hub_comes_in() {
    let broker = center();
    Client::refused(broker.within_tls(silent(&broker), None));
    Client::refused(broker.within_tls(broker.login("sos-center", broker.tls), None));
    let foreign = Authority::new().issue("a-1", broker.dir(), "foreign");
    Client::refused(broker.within_tls(silent(&broker), Some(foreign)));
    Client::refused(silent(&broker));
    Client::refused(LinkSettings { port: broker.plain, ..silent(&broker) });
    Client::connect(hub(&broker, "a-1", silent(&broker)));
}

#[test]
fn nobody_takes_the_centers_place_and_a_look_at_the_broker_throws_nobody_out() {
    let broker = center();
    let center = broker.client_called("sos-center", "sos-center-center");
    let hub_in_its_name =
        LinkSettings { client_id: "sos-center-center".into(), ..hub(&broker, "a-1", silent(&broker)) };
    let hub = Client::connect(hub_in_its_name);
    hub.say("center/a-1/signal", "alarm");
    assert_eq!(center.next(), ("center/a-1/signal".into(), "alarm".into()));
    hub.is_still_connected();

    let mut command = Command::new(program("mosquitto_sub"));
    command.args(["-h", "127.0.0.1", "-p", &broker.plain.to_string(), "-u", "sos-center", "-P", "sos-center"]);
    let looker = command.args(["-t", "center/+/signal"]).stdout(Stdio::piped()).spawn().expect("mosquitto_sub");
    let mut looker = Looker(looker);
    let mut lines = BufReader::new(looker.0.stdout.take().expect("its output")).lines();
    // Until it is subscribed it hears nothing.
    let seen = std::thread::spawn(move || lines.next());
    crate::support::wait_until("somebody who looks sees a signal", || {
        hub.say("center/a-1/signal", "alarm");
        seen.is_finished()
    });
    center.is_still_connected();
}

struct Looker(std::process::Child);

impl Drop for Looker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn acks_may_go_out_in_numbers() {
    let broker = center();
    let mut options = MqttOptions::new("anything", "127.0.0.1", broker.plain);
    options.set_credentials("sos-center", "sos-center");
    let (_client, mut connection) = Plain::new(options, 10);
    let granted = connection.iter().find_map(|event| match event.expect("a connection") {
        Event::Incoming(Packet::ConnAck(granted)) => Some(granted),
        _ => None,
    });
    assert_eq!(granted.expect("a CONNACK").properties.expect("its properties").receive_max, Some(1000));
}
