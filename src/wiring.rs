//! From the configuration to what the drivers are told: which brokers and topics, which lines.

use std::sync::Arc;

use crate::config::{self, Config, Outputs};
use crate::controller::words::CommandName;
use crate::drivers::clock::Clock;
use crate::drivers::gpio::{Backend, GpioSettings, InputLine, OutputLine};
use crate::drivers::mqtt::{Announce, ClientCertificate, LinkSettings, Publication, Room, Subscription, TlsSettings};
use crate::panel::PanelSettings;
use crate::wire::home_assistant::Announcement;
use crate::wire::topics::{AppTopics, CenterTopic, CenterTopics, HubTopic};

/// The topics of this hub at the home's broker.
pub fn app_topics(config: &Config) -> AppTopics {
    AppTopics { prefix: config.app.topic_prefix.clone(), hub: config.hub.id.clone() }
}

/// The topics of this hub's account at the center's broker.
pub fn center_topics(config: &Config) -> CenterTopics {
    CenterTopics { account: config.center.account.clone() }
}

/// What Home Assistant is told of this hub.
fn announcement(config: &Config) -> Announcement {
    let listen = config.panel.listen;
    let is_known = !listen.ip().is_unspecified() && !listen.ip().is_loopback();
    let scheme = if matches!(config.panel.tls, config::PanelTls::Off) { "http" } else { "https" };
    Announcement {
        prefix: config.home_assistant.prefix.clone(),
        topics: app_topics(config),
        name: config.hub.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        countdown_seconds: config.countdown.as_secs(),
        panel: is_known.then(|| format!("{scheme}://{listen}")),
    }
}

/// The announcement to Home Assistant; `None` if discovery is off.
pub fn discovery(config: &Config) -> Option<Discovery> {
    let announcement = config.home_assistant.discovery.then(|| announcement(config))?;
    Some(Discovery { status_topic: announcement.status_topic(), topic: announcement.topic(), announcement })
}

/// What is published to Home Assistant, and where it says that it has started and wants it again.
pub struct Discovery {
    pub status_topic: String,
    pub topic: String,
    announcement: Announcement,
}

impl Discovery {
    /// The announcement of a hub that does not hear these topics at the broker: a switch that nobody hears is left out.
    pub fn publication(&self, unheard: &[&str]) -> Publication {
        let siren = self.announcement.topics.siren();
        Publication {
            topic: self.topic.clone(),
            payload: self.announcement.payload(!unheard.contains(&siren.as_str())),
            retain: true,
            correlation: None,
        }
    }
}

/// The link to the home's broker. Nothing may be kept for the hub while it is away: an SOS of yesterday is none.
pub fn app_link(config: &Config) -> LinkSettings {
    let topics = app_topics(config);
    let availability = |word: &str| retained(topics.availability(), word);
    let discovery = discovery(config);
    let unstored = |topic| Subscription { topic, wants_retained: false };
    let optional = discovery.iter().flat_map(|it| [it.status_topic.clone(), topics.siren()]).map(unstored).collect();
    let announcement =
        discovery.map(|discovery| -> Announce { Arc::new(move |unheard: &[&str]| discovery.publication(unheard)) });
    LinkSettings {
        name: "link-home",
        client_id: format!("sos-hub-{}", config.hub.id),
        will: Some(availability("offline")),
        on_up: vec![availability("online")],
        last_words: vec![availability("offline")],
        subscriptions: CommandName::ALL.iter().map(|&command| unstored(topics.command(command))).collect(),
        optional,
        announcement,
        ..link(&config.app.broker, is_trusted(config))
    }
}

/// The link to the monitoring center's broker.
pub fn center_link(config: &Config) -> LinkSettings {
    let topics = center_topics(config);
    let link_word = |word: &str| retained(topics.from_hub(HubTopic::Link), word);
    let subscription = |&topic: &CenterTopic| Subscription {
        topic: topics.from_center(topic),
        wants_retained: topic == CenterTopic::Plan,
    };
    LinkSettings {
        name: "link-center",
        client_id: format!("sos-account-{}", config.center.account),
        will: Some(link_word("offline")),
        on_up: vec![link_word("online")],
        last_words: vec![link_word("offline")],
        subscriptions: CenterTopic::ALL.iter().map(subscription).collect(),
        ..link(&config.center.broker, is_trusted(config))
    }
}

fn is_trusted(config: &Config) -> bool {
    config.hub.clock == config::Clock::Trusted
}

/// A link to this broker with nothing to say or hear yet, and with little room. `trusted`: whether the clock counts as
/// synchronised whatever the kernel says.
pub(crate) fn link(broker: &config::Broker, trusted: bool) -> LinkSettings {
    LinkSettings {
        name: "",
        host: broker.host.clone(),
        port: broker.port,
        client_id: String::new(),
        username: broker.login.as_ref().map(|login| login.username.clone()),
        password_file: broker.login.as_ref().and_then(|login| login.password_file.clone()),
        tls: broker.tls.as_ref().map(|tls| TlsSettings {
            ca_file: tls.ca_file.clone(),
            client: tls.client.as_ref().map(|client| ClientCertificate {
                cert_file: client.cert_file.clone(),
                key_file: client.key_file.clone(),
            }),
        }),
        will: None,
        on_up: Vec::new(),
        last_words: Vec::new(),
        subscriptions: Vec::new(),
        optional: Vec::new(),
        announcement: None,
        room: Room::SMALL,
        clock_trusted: Arc::new(move || Clock::new(trusted).synced()),
    }
}

fn retained(topic: String, word: &str) -> Publication {
    Publication { topic, payload: word.into(), retain: true, correlation: None }
}

/// A link to the home's broker for somebody who asks the hub something and goes again.
pub fn visitor_link(config: &Config) -> LinkSettings {
    let topics = app_topics(config);
    let subscription = |topic, wants_retained| Subscription { topic, wants_retained };
    LinkSettings {
        name: "visitor",
        client_id: format!("sos-hub-visitor-{}", uuid::Uuid::new_v4()),
        subscriptions: vec![
            subscription(topics.availability(), true),
            subscription(topics.state(), true),
            subscription(topics.reply(), false),
        ],
        ..link(&config.app.broker, is_trusted(config))
    }
}

/// The web panel, with its cameras.
pub fn panel(config: &Config) -> PanelSettings {
    PanelSettings {
        listen: config.panel.listen,
        hosts: config.panel.hosts.clone(),
        tls: config.panel.tls.clone(),
        pin_file: config.panel.pin_file.clone(),
        cameras: config.cameras.clone(),
        state_dir: config.hub.state_dir.clone(),
        name: config.hub.name.clone(),
    }
}

/// The lines of the configuration, for the driver.
pub fn gpio(config: &Config) -> GpioSettings {
    let button = |button: &config::Button| InputLine { line: button.line.into(), active_low: button.active_low };
    GpioSettings { buttons: config.buttons.iter().map(button).collect(), ..outputs(&config.outputs()) }
}

/// The lines that are driven, and no others.
pub fn outputs(outputs: &Outputs) -> GpioSettings {
    let (backend, mock_dir) = match &outputs.gpio {
        config::Gpio::Auto => (Backend::Auto, None),
        config::Gpio::Rppal => (Backend::Rppal, None),
        config::Gpio::Cdev => (Backend::Cdev, None),
        config::Gpio::Mock(dir) => (Backend::Mock, Some(dir.clone())),
    };
    GpioSettings {
        backend,
        mock_dir,
        siren: OutputLine { line: outputs.siren.line.into(), active_low: outputs.siren.active_low },
        led: outputs.led.map(|line| OutputLine { line: line.into(), active_low: false }),
        buttons: Vec::new(),
    }
}
