//! How we present ourselves to the broker.

use std::time::Duration;

use rumqttc::Transport;
use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, LastWill};

use super::{LinkSettings, problem};
use crate::controller::input::LinkProblem;

/// The library notices a dead peer after two of them, and a link must be known to be dead within 20 seconds. Each costs
/// some wake-ups.
pub const KEEP_ALIVE: Duration = Duration::from_secs(8);
/// How long the broker may take to answer CONNECT, in seconds.
const CONNECT_SECONDS: u64 = 5;
/// What the broker is told to drop (MQTT 5, 3.1.2.11.4), so that nobody can fill our memory. It is far above the limit
/// of our own because mosquitto 2.0.11 counts what it drops as under way for ever: after [`RECEIVE_MAXIMUM`] of them it
/// delivers nothing more. What is larger than the library is told ends the connection.
const LARGEST_PACKET: u32 = 256 * 1024;
/// How many unacknowledged messages the broker may send. They are acknowledged on arrival, so no memory hangs on it.
const RECEIVE_MAXIMUM: u16 = u16::MAX;

/// What to tell the library, with the password read afresh.
pub fn options(settings: &LinkSettings, socket: &str) -> Result<MqttOptions, LinkProblem> {
    let LinkSettings { client_id, username, password_file, will, .. } = settings;
    let mut options = MqttOptions::new(client_id, socket, 0);
    let properties = ConnectProperties {
        session_expiry_interval: Some(0),
        receive_maximum: Some(RECEIVE_MAXIMUM),
        max_packet_size: Some(LARGEST_PACKET),
        ..ConnectProperties::new()
    };
    options
        .set_clean_start(true)
        .set_keep_alive(KEEP_ALIVE)
        .set_connection_timeout(CONNECT_SECONDS)
        .set_outgoing_inflight_upper_limit(settings.room.under_way)
        .set_connect_properties(properties)
        .set_transport(Transport::unix());
    if username.is_some() || password_file.is_some() {
        let password = password_file.as_deref().map(problem::read_password).transpose()?;
        options.set_credentials(username.as_deref().unwrap_or_default(), password.unwrap_or_default());
    }
    if let Some(will) = will {
        options.set_last_will(LastWill::new(&will.topic, will.payload.clone(), QoS::AtLeastOnce, will.retain, None));
    }
    Ok(options)
}
