//! An ordinary MQTT 5 client: the app, or whoever else is on the broker.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish, PublishProperties};
use rumqttc::v5::{Client, Event, MqttOptions};

use super::DEADLINE;

/// Connected, and its subscriptions granted.
pub struct Peer {
    client: Client,
    incoming: Receiver<Publish>,
}

impl Peer {
    /// Connects to this port of 127.0.0.1.
    pub fn connect(port: u16, client_id: &str, topics: &[&str]) -> Peer {
        Peer::connect_with(MqttOptions::new(client_id, "127.0.0.1", port), topics)
    }

    /// The same with options (user name, password) of the test's own.
    pub fn connect_with(mut options: MqttOptions, topics: &[&str]) -> Peer {
        options.set_max_packet_size(Some(1 << 20)).set_outgoing_inflight_upper_limit(100);
        let (client, mut connection) = Client::new(options, 1000);
        for topic in topics {
            client.subscribe(*topic, QoS::AtLeastOnce).expect("a subscription");
        }
        let (messages, incoming) = channel();
        let (ready, is_ready) = channel();
        let mut missing = topics.len();
        thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        if messages.send(publish).is_err() {
                            break;
                        }
                    }
                    Ok(Event::Incoming(Packet::ConnAck(_))) if missing == 0 => {
                        let _ = ready.send(());
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        missing -= 1;
                        if missing == 0 {
                            {
                                let _ = ready.send(());
                            };
                        }
                    }
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
        });
        is_ready.recv_timeout(DEADLINE).expect("the peer connects");
        Peer { client, incoming }
    }

    pub fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload.into()).expect("a publication");
    }

    /// With an MQTT 5 Response Topic and Correlation Data.
    pub fn ask(&self, topic: &str, payload: &str, response_topic: &str, correlation: &[u8]) {
        let properties = PublishProperties {
            response_topic: Some(response_topic.to_owned()),
            correlation_data: Some(correlation.to_vec().into()),
            ..PublishProperties::default()
        };
        let payload = payload.as_bytes().to_vec();
        self.client.publish_with_properties(topic, QoS::AtLeastOnce, false, payload, properties).expect("a request");
    }

    /// The next message, which must come.
    pub fn next(&self) -> Publish {
        self.incoming.recv_timeout(DEADLINE).expect("a message for the peer")
    }

    /// The next message's topic and payload as text.
    pub fn next_text(&self) -> (String, String) {
        let publish = self.next();
        (text(&publish.topic), text(&publish.payload))
    }

    /// The next message if one comes within this time.
    pub fn next_within(&self, time: Duration) -> Option<Publish> {
        match self.incoming.recv_timeout(time) {
            Ok(publish) => Some(publish),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the peer lost its connection"),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // If the broker is gone already, so is the connection.
        let _ = self.client.try_disconnect();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
