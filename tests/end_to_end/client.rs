//! An MQTT 5 client that remembers all it hears and connects again for as long as it lives.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::pace;
use rumqttc::NetworkOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish, PublishProperties};
use rumqttc::v5::{Event, MqttOptions};
use serde_json::Value;

use crate::support::DEADLINE;

const RECONNECT_PAUSE: Duration = Duration::from_millis(20);

/// A message, in the order of its arrival.
#[derive(Clone, Debug)]
pub struct Heard {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retained: bool,
    pub correlation: Option<Vec<u8>>,
}

impl Heard {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload)
            .unwrap_or_else(|error| panic!("no JSON on {} ({error}): {}", self.topic, self.text()))
    }
}

/// What a client does with a message, on the client's own thread.
type Hook = Box<dyn FnMut(&Heard, &rumqttc::v5::Client) + Send>;

pub struct Client {
    client: rumqttc::v5::Client,
    memory: Arc<Memory>,
    ending: Arc<AtomicBool>,
}

#[derive(Default)]
struct Memory {
    past: Mutex<Past>,
    news: Condvar,
}

#[derive(Default)]
struct Past {
    heard: Vec<Heard>,
    /// How often it was connected with every subscription granted.
    connections: usize,
}

impl Memory {
    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For a broker on this port of 127.0.0.1.
pub fn options(client_id: &str, port: u16) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    options.set_max_packet_size(Some(4 << 20)).set_outgoing_inflight_upper_limit(100);
    options
}

impl Client {
    /// Connected, and its subscription granted.
    pub fn connect(options: MqttOptions, topic: &str) -> Client {
        Client::connect_with(options, topic, Box::new(|_, _| {}))
    }

    pub fn connect_with(options: MqttOptions, topic: &str, mut hook: Hook) -> Client {
        let (client, mut connection) = rumqttc::v5::Client::new(options, 10_000);
        let (memory, ending) = (Arc::<Memory>::default(), Arc::<AtomicBool>::default());
        let (its_client, its_memory, its_ending) = (client.clone(), Arc::clone(&memory), Arc::clone(&ending));
        let topic = topic.to_owned();
        thread::spawn(move || {
            for event in connection.iter() {
                if its_ending.load(Ordering::SeqCst) && !matches!(event, Ok(Event::Outgoing(_))) {
                    break;
                }
                match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        its_client.try_subscribe(topic.as_str(), QoS::AtLeastOnce).expect("room for a subscription");
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        its_memory.past().connections += 1;
                        its_memory.news.notify_all();
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let heard = heard(publish);
                        hook(&heard, &its_client);
                        its_memory.past().heard.push(heard);
                        its_memory.news.notify_all();
                    }
                    Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => break,
                    Ok(_) => {}
                    Err(_) => pace(RECONNECT_PAUSE),
                }
            }
        });
        let client = Client { client, memory, ending };
        client.connected(1);
        client
    }

    /// Waits until it was connected this often in all.
    pub fn connected(&self, times: usize) {
        self.wait_past("a connection to the broker", DEADLINE, |past| (past.connections >= times).then_some(()));
    }

    pub fn connections(&self) -> usize {
        self.memory.past().connections
    }

    /// How much was heard so far: what comes from now on has this index or a higher one.
    pub fn mark(&self) -> usize {
        self.memory.past().heard.len()
    }

    /// Waits until something is found in all that was heard since the mark.
    pub fn wait<T>(&self, what: &str, since: usize, find: impl FnMut(&[Heard]) -> Option<T>) -> T {
        self.wait_within(DEADLINE, what, since, find)
    }

    pub fn wait_within<T>(
        &self,
        deadline: Duration,
        what: &str,
        since: usize,
        mut find: impl FnMut(&[Heard]) -> Option<T>,
    ) -> T {
        self.wait_past(what, deadline, |past| find(&past.heard[since..]))
    }

    pub fn heard(&self, since: usize) -> Vec<Heard> {
        self.memory.past().heard[since..].to_vec()
    }

    pub fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload.into()).expect("a publication");
    }

    /// At QoS 0, with whatever else MQTT 5 has for it.
    pub fn publish_with(&self, topic: &str, payload: impl Into<Vec<u8>>, properties: PublishProperties) {
        self.client
            .publish_with_properties(topic, QoS::AtMostOnce, false, payload.into(), properties)
            .expect("a publication");
    }

    fn wait_past<T>(&self, what: &str, deadline: Duration, mut find: impl FnMut(&Past) -> Option<T>) -> T {
        let until = Instant::now() + deadline;
        let mut past = self.memory.past();
        loop {
            if let Some(found) = find(&past) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let last: Vec<String> = past.heard.iter().rev().take(12).rev().map(summary).collect();
                drop(past);
                panic!("waited in vain: {what}\nlast heard:\n  {}", last.join("\n  "));
            }
            past = self.memory.news.wait_timeout(past, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // If the connection is gone already, the thread ends by itself.
        let _ = self.client.try_disconnect();
    }
}

fn heard(publish: Publish) -> Heard {
    Heard {
        topic: String::from_utf8_lossy(&publish.topic).into_owned(),
        payload: publish.payload.to_vec(),
        retained: publish.retain,
        correlation: publish.properties.and_then(|properties| properties.correlation_data).map(|data| data.to_vec()),
    }
}

fn summary(heard: &Heard) -> String {
    let text: String = heard.text().chars().take(600).collect();
    format!("{}: {text}", heard.topic)
}
