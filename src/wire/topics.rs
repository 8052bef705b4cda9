//! The MQTT topics of both brokers: made, and recognised when a message comes in.

use crate::controller::words::CommandName;

/// What hub and apps say to each other, under `<prefix>/<hub>/` on the home's own broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppTopics {
    /// `app.topic_prefix`; may itself have levels.
    pub prefix: String,
    /// `hub.id`.
    pub hub: String,
}

impl AppTopics {
    /// Where the hub listens for this command.
    pub fn command(&self, name: CommandName) -> String {
        self.under(name.as_str())
    }

    /// Where Home Assistant switches the siren.
    pub fn siren(&self) -> String {
        self.under("siren")
    }

    /// `online` or `offline`; retained, and the hub's will.
    pub fn availability(&self) -> String {
        self.under("availability")
    }

    /// The whole state; retained.
    pub fn state(&self) -> String {
        self.under("state")
    }

    pub fn event(&self) -> String {
        self.under("event")
    }

    pub fn reply(&self) -> String {
        self.under("reply")
    }

    /// The command that a message on `topic` is; `None` if the topic is no command topic of this hub.
    pub fn parse(&self, topic: &str) -> Option<CommandName> {
        let rest = topic.strip_prefix(self.prefix.as_str())?.strip_prefix('/')?;
        let last = rest.strip_prefix(self.hub.as_str())?.strip_prefix('/')?;
        CommandName::ALL.into_iter().find(|name| name.as_str() == last)
    }

    /// Whether a topic is one that only the hub may speak on, or one that it listens on.
    pub fn is_taken(&self, topic: &str) -> bool {
        let others = [self.availability(), self.state(), self.event(), self.reply(), self.siren()];
        self.parse(topic).is_some() || others.iter().any(|taken| taken == topic)
    }

    fn under(&self, last: &str) -> String {
        format!("{}/{}/{last}", self.prefix, self.hub)
    }
}

/// The topics that the center speaks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CenterTopic {
    Ack,
    Update,
    /// Retained.
    Plan,
}

impl CenterTopic {
    pub const ALL: [CenterTopic; 3] = [CenterTopic::Ack, CenterTopic::Update, CenterTopic::Plan];

    /// The topic's last level.
    pub fn as_str(self) -> &'static str {
        match self {
            CenterTopic::Ack => "ack",
            CenterTopic::Update => "update",
            CenterTopic::Plan => "plan",
        }
    }
}

/// The topics that a hub speaks on to the center.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubTopic {
    Signal,
    /// `online` or `offline`; retained, and the hub's will.
    Link,
}

impl HubTopic {
    pub const ALL: [HubTopic; 2] = [HubTopic::Signal, HubTopic::Link];

    /// The topic's last level.
    pub fn as_str(self) -> &'static str {
        match self {
            HubTopic::Signal => "signal",
            HubTopic::Link => "link",
        }
    }
}

/// What hub and center say to each other, under `center/<account>/` on the center's broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CenterTopics {
    pub account: String,
}

impl CenterTopics {
    /// Where the center speaks to this account's hub.
    pub fn from_center(&self, topic: CenterTopic) -> String {
        format!("center/{}/{}", self.account, topic.as_str())
    }

    /// Where this account's hub speaks to the center.
    pub fn from_hub(&self, topic: HubTopic) -> String {
        format!("center/{}/{}", self.account, topic.as_str())
    }

    /// For the hub: which of the center's topics `topic` is; `None` if it is none of this account's.
    pub fn parse(&self, topic: &str) -> Option<CenterTopic> {
        let (account, last) = account_and_last(topic)?;
        (account == self.account).then_some(())?;
        CenterTopic::ALL.into_iter().find(|topic| topic.as_str() == last)
    }
}

/// For the center: whose hub spoke, and on which of its topics.
pub fn parse_hub_topic(topic: &str) -> Option<(&str, HubTopic)> {
    let (account, last) = account_and_last(topic)?;
    Some((account, HubTopic::ALL.into_iter().find(|topic| topic.as_str() == last)?))
}

fn account_and_last(topic: &str) -> Option<(&str, &str)> {
    let (account, last) = topic.strip_prefix("center/")?.split_once('/')?;
    (!account.is_empty()).then_some((account, last))
}
