//! An ordinary MQTT 3.1.1 client that stamps what it hears.

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rumqttc::{Client, Event, MqttOptions, NetworkOptions, Packet, QoS};

use super::clock::Instant;
use super::support::DEADLINE;

/// Connected, and its subscriptions granted.
pub struct Peer {
    client: Client,
    heard: Receiver<Heard>,
}

/// A message, and when this process had it.
pub struct Heard {
    pub at: Instant,
    pub topic: String,
    pub payload: Vec<u8>,
}

impl Peer {
    /// Keeps what it hears for [`Peer::wait`].
    pub fn connect(port: u16, name: &str, topics: &[&str]) -> Peer {
        Peer::answering(port, name, topics, |_, _| {})
    }

    /// The same, and `answer` is called for each message, on the connection's own thread, before it is kept.
    pub fn answering(
        port: u16,
        name: &str,
        topics: &[&str],
        mut answer: impl FnMut(&Client, &Heard) + Send + 'static,
    ) -> Peer {
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = Client::new(options, 1000);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        connection.eventloop.set_network_options(network);
        for topic in topics {
            client.subscribe(*topic, QoS::AtLeastOnce).expect("a subscription");
        }
        let (messages, heard) = channel();
        let (ready, is_ready) = channel();
        let mut granted = 0;
        let wanted = topics.len();
        let answering = client.clone();
        let serve = move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let at = Instant::now();
                        let heard = Heard { at, topic: publish.topic, payload: publish.payload.to_vec() };
                        answer(&answering, &heard);
                        if messages.send(heard).is_err() {
                            break;
                        }
                    }
                    Ok(Event::Incoming(Packet::ConnAck(_))) if wanted == 0 => {
                        let _ = ready.send(());
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        granted += 1;
                        if granted == wanted {
                            {
                                let _ = ready.send(());
                            };
                        }
                    }
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(serve).expect("a thread");
        is_ready.recv_timeout(DEADLINE).expect("the peer connects");
        Peer { client, heard }
    }

    /// Publishes at QoS 1; when it was handed to the client.
    pub fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) -> Instant {
        let at = Instant::now();
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload.into()).expect("a publication");
        at
    }

    /// The next message that is asked for; those before it are forgotten.
    pub fn wait(&self, what: &str, mut wanted: impl FnMut(&Heard) -> bool) -> Heard {
        let until = Instant::now().plus(DEADLINE);
        loop {
            let left = Duration::from_nanos((until.0 - Instant::now().0).max(0) as u64);
            let heard = self.heard.recv_timeout(left).unwrap_or_else(|_| panic!("waited in vain for {what}"));
            if wanted(&heard) {
                return heard;
            }
        }
    }

    /// Whether what is asked for comes within 20 ms.
    pub fn wait_briefly(&self, mut wanted: impl FnMut(&Heard) -> bool) -> bool {
        let until = Instant::now().plus(Duration::from_millis(20));
        loop {
            let left = Duration::from_nanos((until.0 - Instant::now().0).max(0) as u64);
            match self.heard.recv_timeout(left) {
                Ok(heard) if wanted(&heard) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// The next message on this topic.
    pub fn wait_for(&self, topic: &str) -> Heard {
        self.wait(topic, |heard| heard.topic == topic)
    }

    /// What has come and nobody has waited for.
    pub fn drain(&self) -> Vec<Heard> {
        self.heard.try_iter().collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // If the broker is gone already, so is the connection.
        let _ = self.client.try_disconnect();
    }
}
