//! The broker of the demo, within this process: one port for MQTT 3.1.1, which is what a plain `mosquitto_pub` speaks,
//! and one for MQTT 5, for the hub's own links. Both are open to this computer alone.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::mpsc::{Sender, channel};
use std::thread::Builder;

use bytes::BytesMut;
use rumqttd::protocol::v4::V4;
use rumqttd::protocol::v5::V5;
use rumqttd::protocol::{self, Packet, Protocol};
use rumqttd::{ConnectionSettings, LinkType, Router, RouterConfig, Server, ServerSettings};
use tokio::select;

use super::Failure;

/// Where a plain `mosquitto_pub` looks for a broker.
const USUAL_PORT: u16 = 1883;

/// What the library keeps of each topic, in bytes: a segment, and how many of them.
const SEGMENT: usize = 64 * 1024;
const SEGMENTS: usize = 4;

/// The ports that the broker listens on.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// MQTT 3.1.1.
    pub v4: u16,
    /// MQTT 5.
    pub v5: u16,
}

/// MQTT 3.1.1 for clients that are told what an MQTT 5 client has said: the library ends the process over properties,
/// which the older version has none of.
#[derive(Clone)]
struct Plain(V4);

impl Protocol for Plain {
    fn read_mut(&mut self, stream: &mut BytesMut, max_size: usize) -> Result<Packet, protocol::Error> {
        self.0.read_mut(stream, max_size)
    }

    fn write(&self, packet: Packet, buffer: &mut BytesMut) -> Result<usize, protocol::Error> {
        let plain = match packet {
            Packet::Publish(publish, _) => Packet::Publish(publish, None),
            Packet::Disconnect(disconnect, _) => Packet::Disconnect(disconnect, None),
            packet => packet,
        };
        self.0.write(plain, buffer)
    }
}

/// Starts the broker, which ends with the process. It listens when this returns.
///
/// `port` is the one for MQTT 3.1.1, 0 for any that is free; without one it is the usual one, or any that is free if
/// somebody has that already.
pub fn start(port: Option<u16>) -> Result<Ports, Failure> {
    let v4 = match port {
        Some(port) => free_port(port, "--port")?,
        None => free_port(USUAL_PORT, "--port").or_else(|_| free_port(0, "--port"))?,
    };
    let ports = Ports { v4, v5: free_port(0, "--port")? };
    let (sender, started) = channel();
    let thread = Builder::new().name("broker".into()).spawn(move || serve(ports, &sender));
    thread.map_err(|error| Failure::System { what: "a thread for the broker", error })?;
    let ended = || Failure::Broker("it ended at once".into());
    started.recv().map_err(|_| ended())?.map_err(Failure::Broker)?;
    Ok(ports)
}

/// A port of the loopback interface that nobody listens on, `wanted` unless that is 0. `option` is where another one can
/// be named.
pub fn free_port(wanted: u16, option: &'static str) -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| Failure::Port { port: wanted, option, error })
}

/// Serves until the process ends; says in between whether both ports could be had.
fn serve(ports: Ports, started: &Sender<Result<(), String>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Who started us waits for this word.
            let _ = started.send(Err(error.to_string()));
            return;
        }
    };
    let router = Router::new(0, router_settings()).spawn();
    let mut v4 = Server::new(server_settings("broker-v4", ports.v4), router.clone(), Plain(V4));
    let mut v5 = Server::new(server_settings("broker-v5", ports.v5), router, V5);
    runtime.block_on(async {
        let (mut v4, mut v5) = (pin!(v4.start(LinkType::Remote)), pin!(v5.start(LinkType::Remote)));
        // Each takes its port when it is polled for the first time, and ends if it cannot.
        let ended = select! {
            biased;
            end = &mut v4 => Some(end),
            end = &mut v5 => Some(end),
            () = std::future::ready(()) => None,
        };
        let refused = ended.is_some();
        let outcome = ended.and_then(Result::err).map_or(Ok(()), |error| Err(error.to_string()));
        // Nobody is told if the demo has given up.
        let _ = started.send(outcome);
        if !refused {
            // Neither ends any more.
            let _ = tokio::join!(v4, v5);
        }
    });
}

fn router_settings() -> RouterConfig {
    RouterConfig {
        // Far more than a process may have open by default.
        max_connections: 4096,
        max_outgoing_packet_count: 200,
        max_segment_size: SEGMENT,
        max_segment_count: SEGMENTS,
        ..RouterConfig::default()
    }
}

fn server_settings(name: &str, port: u16) -> ServerSettings {
    ServerSettings {
        name: name.into(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 5_000,
            max_payload_size: 64 * 1024,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            // Otherwise it throws out whoever publishes what nobody has subscribed to.
            dynamic_filters: true,
        },
    }
}
