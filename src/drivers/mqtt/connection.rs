//! One connection, from the dial to its end.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::time::Duration;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, DisconnectReasonCode, Filter, Packet, PubAck, PubAckReason, Publish, PublishProperties, RetainForwardRule,
    SubAck, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use tokio::select;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep};
use tracing::{debug, warn};

use super::extras::{Doubt, Extras};
use super::options::{KEEP_ALIVE, options};
use super::outbox::{Outbox, Waiting};
use super::problem::{self, Broker};
use super::tunnel::Tunnel;
use super::window::Window;
use super::{LARGEST_PAYLOAD, LinkSettings, Listener, Message, Publication, Subscription, dial};
use crate::controller::input::{LinkProblem, LinkProblemKind};

/// How long the broker may take to confirm the subscriptions.
const SUBSCRIBE: Duration = Duration::from_secs(5);
/// The longest silence of the broker, PINGRESP included. The library has no time-out while it writes.
const SILENCE: Duration = Duration::from_secs(18);
/// The largest message that is handed on; one that is larger is read and forgotten.
const LARGEST_MESSAGE: usize = 16 * 1024;
/// Why a connection is over.
pub enum End {
    /// The link was asked to end, and all was said.
    Asked,
    Broken {
        problem: LinkProblem,
        over: Doubt,
    },
}

/// One connection, or the attempt at one.
pub struct Connection<'a, L> {
    settings: &'a LinkSettings,
    listener: &'a L,
    outbox: &'a Outbox,
    extras: &'a Extras,
    doubt: Doubt,
    /// Where this connection announces something, if it does.
    announced_on: Option<String>,
    stage: Stage,
    window: Window,
    /// The broker's own limit.
    most_outgoing_bytes: usize,
    last_heard: Instant,
    /// How long to wait for the next sign of life.
    patience: Duration,
    has_warned: bool,
    has_warned_of_size: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Subscribing,
    Up,
    /// Publishing the rest.
    Closing,
    /// DISCONNECT is on its way; the broker closes the connection.
    Disconnecting,
}

impl<'a, L: Listener> Connection<'a, L> {
    pub fn new(settings: &'a LinkSettings, listener: &'a L, outbox: &'a Outbox, extras: &'a Extras) -> Self {
        Connection {
            settings,
            listener,
            outbox,
            extras,
            doubt: Doubt::Nothing,
            announced_on: None,
            stage: Stage::Connecting,
            window: Window::new(settings.room.under_way, None),
            most_outgoing_bytes: usize::MAX,
            last_heard: Instant::now(),
            patience: SILENCE,
            has_warned: false,
            has_warned_of_size: false,
        }
    }

    /// Connects and stays. `on_up` is called once every subscription is granted.
    pub async fn run(mut self, on_up: impl FnOnce(), ending: &mut watch::Receiver<Option<Instant>>) -> End {
        let end = self.connect(on_up, ending).await;
        self.outbox.down(self.window.into_waiting());
        let over = self.doubt;
        end.map_or_else(|problem| End::Broken { problem, over }, |()| End::Asked)
    }

    async fn connect(
        &mut self,
        on_up: impl FnOnce(),
        ending: &mut watch::Receiver<Option<Instant>>,
    ) -> Result<(), LinkProblem> {
        let broker = self.broker();
        let tunnel = Tunnel::open().map_err(|error| problem::of_io(&error, broker))?;
        let channel_room = usize::from(self.settings.room.under_way) + 2;
        let (client, events) = AsyncClient::new(options(self.settings, tunnel.name())?, channel_room);
        let far = select! {
            far = dial::dial(self.settings) => far?.stream,
            _ = ending.wait_for(Option::is_some) => return Ok(()),
        };
        let farewell = Cell::new(None);
        let mut relay = pin!(tunnel.relay(far, &farewell));
        let mut exchange = pin!(self.exchange(&client, events, on_up, ending));
        let mut relayed = None;
        let end = loop {
            select! {
                biased;
                // When it ends, the library finds its socket closed, after all that came before.
                end = &mut relay, if relayed.is_none() => relayed = Some(end),
                end = &mut exchange => break end,
            }
        };
        // The stream's own end says more than that the library's socket was closed.
        end.map_err(|problem| match (farewell.get().map(DisconnectReasonCode::try_from), relayed) {
            (Some(Ok(reason)), _) => problem::of_disconnect(reason, broker),
            (_, Some(Err(error))) => problem::of_io(&error, broker),
            _ => problem,
        })
    }

    /// Talks to the broker until the connection or the link ends.
    async fn exchange(
        &mut self,
        client: &AsyncClient,
        mut events: EventLoop,
        on_up: impl FnOnce(),
        ending: &mut watch::Receiver<Option<Instant>>,
    ) -> Result<(), LinkProblem> {
        let mut on_up = Some(on_up);
        let mut watchdog = pin!(sleep(self.patience));
        loop {
            // The library loses its place if a poll is given up half-way, so each one is kept until it is done.
            let event = {
                let mut poll = pin!(events.poll());
                loop {
                    self.publish_waiting(client);
                    let is_ending = matches!(self.stage, Stage::Closing | Stage::Disconnecting);
                    select! {
                        biased;
                        // An error means that the link was dropped: that leaves the will, not the last words.
                        Ok(_) = ending.wait_for(Option::is_some), if !is_ending => {
                            if self.stage != Stage::Up {
                                return Ok(());
                            }
                            self.outbox.closing(&self.settings.last_words);
                            self.stage = Stage::Closing;
                        }
                        event = &mut poll => break event,
                        () = self.outbox.arrival() => {}
                        () = &mut watchdog => self.check_silence(watchdog.as_mut())?,
                    }
                }
            };
            let event = match event {
                Ok(event) => event,
                Err(_) if self.stage == Stage::Disconnecting => return Ok(()),
                Err(error) => return Err(problem::of_connection(&error, self.broker())),
            };
            match event {
                Event::Incoming(packet) => {
                    self.last_heard = Instant::now();
                    match packet {
                        Packet::ConnAck(granted) => {
                            self.connected(&granted, client)?;
                            // The library pings at once and without a pause if the broker asks for no pings at all.
                            if events.options.keep_alive().is_zero() {
                                events.options.set_keep_alive(KEEP_ALIVE);
                            }
                            watchdog.as_mut().reset(self.last_heard + SUBSCRIBE);
                        }
                        Packet::SubAck(answer) => {
                            self.subscribed(&answer)?;
                            if let Some(on_up) = on_up.take() {
                                self.stage = Stage::Up;
                                self.announce(&answer);
                                on_up();
                            }
                        }
                        Packet::PubAck(answer) => self.acknowledged(&answer),
                        Packet::Publish(publish) => {
                            self.hand_on(publish).await;
                            // While it waited, nobody listened to the broker.
                            self.last_heard = Instant::now();
                        }
                        _ => {}
                    }
                }
                Event::Outgoing(Outgoing::Publish(packet_id)) => self.window.sent(packet_id),
                Event::Outgoing(_) => {}
            }
        }
    }

    /// Not what is too large, nor what has a topic that is not text, which no broker should let through.
    async fn hand_on(&self, publish: Publish) {
        let bytes = publish.size();
        let Ok(topic) = String::from_utf8(publish.topic.into()) else { return };
        if bytes > LARGEST_MESSAGE {
            debug!(bytes, "forgot a message that is too large");
            return self.listener.too_large(&topic).await;
        }
        let properties = publish.properties.unwrap_or_default();
        let message = Message {
            topic,
            payload: publish.payload.into(),
            retained: publish.retain,
            duplicate: publish.dup,
            response_topic: properties.response_topic,
            correlation: properties.correlation_data.map(Into::into),
        };
        self.listener.message(message).await;
    }

    fn connected(&mut self, granted: &ConnAck, client: &AsyncClient) -> Result<(), LinkProblem> {
        self.stage = Stage::Subscribing;
        if let Some(properties) = &granted.properties {
            self.window = Window::new(self.settings.room.under_way, properties.receive_max);
            self.most_outgoing_bytes = properties.max_packet_size.map_or(usize::MAX, |bytes| bytes as usize);
            // A broker may ask for fewer pings than ours; then its silence says less.
            let asked = Duration::from_secs(properties.server_keep_alive.unwrap_or_default().into());
            self.patience = SILENCE.max(asked.mul_f64(2.5));
        }
        let wanted = self.settings.subscriptions.iter().chain(self.optional());
        let filters = wanted.map(|subscription| Filter {
            retain_forward_rule: if subscription.wants_retained {
                RetainForwardRule::OnEverySubscribe
            } else {
                RetainForwardRule::Never
            },
            ..Filter::new(&subscription.topic, QoS::AtLeastOnce)
        });
        if !self.optional().is_empty() {
            self.doubt = Doubt::Optional;
        }
        client.try_subscribe_many(filters).map_err(|_| LinkProblem {
            kind: LinkProblemKind::Subscription,
            detail: format!("one of the topics to subscribe to at {} is not valid", self.broker()),
        })
    }

    /// The optional subscriptions of this connection.
    fn optional(&self) -> &'a [Subscription] {
        if self.extras.optional { &self.settings.optional } else { &[] }
    }

    fn subscribed(&mut self, answer: &SubAck) -> Result<(), LinkProblem> {
        self.doubt = Doubt::Nothing;
        let subscriptions = &self.settings.subscriptions;
        if answer.return_codes.len() < subscriptions.len() {
            return Err(problem::of_short_suback(self.broker()));
        }
        // The answers come in the order of the topics, so those of the optional ones are the last.
        match subscriptions.iter().zip(&answer.return_codes).find(|(_, code)| !is_granted(code)) {
            None => Ok(()),
            Some((subscription, code)) => Err(problem::of_subscription(&subscription.topic, code, self.broker())),
        }
    }

    /// Says what there is to say first, and what may be announced where these subscriptions were granted.
    fn announce(&mut self, answer: &SubAck) {
        let codes = answer.return_codes.iter().skip(self.settings.subscriptions.len());
        let answers = self.optional().iter().zip(codes);
        for (subscription, code) in answers.clone().filter(|(_, code)| !is_granted(code)) {
            let problem = problem::of_subscription(&subscription.topic, code, self.broker());
            warn!("{}; until then the link does without it.", problem.detail);
        }
        let is_heard = |wanted: &Subscription| {
            answers.clone().any(|(asked, code)| asked.topic == wanted.topic && is_granted(code))
        };
        let unheard = self.settings.optional.iter().filter(|wanted| !is_heard(wanted));
        let unheard: Vec<&str> = unheard.map(|subscription| subscription.topic.as_str()).collect();
        let announce = self.settings.announcement.as_ref().filter(|_| self.extras.announcement);
        let announcement = announce.map(|announce| announce(&unheard));
        self.announced_on = announcement.as_ref().map(|announcement| announcement.topic.clone());
        self.outbox.up(&self.settings.on_up, announcement);
    }

    /// Hands over what the window has room for.
    fn publish_waiting(&mut self, client: &AsyncClient) {
        if !matches!(self.stage, Stage::Up | Stage::Closing) {
            return;
        }
        while self.window.has_room() {
            let Some(waiting) = self.outbox.next(self.window.is_empty()) else { break };
            self.publish(waiting, client);
        }
        let all_said = self.stage == Stage::Closing && self.window.is_empty() && self.outbox.is_empty();
        if all_said && client.try_disconnect().is_ok() {
            self.stage = Stage::Disconnecting;
        }
    }

    fn publish(&mut self, waiting: Waiting, client: &AsyncClient) {
        let bytes = waiting.packet_bytes();
        let publication = &waiting.publication;
        let is_announcement = self.announced_on.as_ref() == Some(&publication.topic);
        // A broker that ends connections over the announcement is spared it anyway.
        let is_too_large = publication.payload.len() > LARGEST_PAYLOAD && !is_announcement;
        if is_too_large || bytes > self.most_outgoing_bytes {
            return self.leave_out(publication, bytes);
        }
        let properties = PublishProperties {
            correlation_data: publication.correlation.clone().map(Into::into),
            ..PublishProperties::default()
        };
        let handed_over = client.try_publish_with_properties(
            &publication.topic,
            QoS::AtLeastOnce,
            publication.retain,
            publication.payload.clone(),
            properties,
        );
        if is_announcement {
            self.doubt = Doubt::Announcement;
        }
        match handed_over {
            Ok(()) => self.window.handed_over(waiting),
            Err(_) => debug!(topic = publication.topic, "dropped a publication that cannot be sent"),
        }
    }

    /// Drops what the broker would not take, or what it might end the connection over.
    fn leave_out(&mut self, publication: &Publication, bytes: usize) {
        if !self.has_warned_of_size {
            // Once a connection.
            let broker = self.broker();
            warn!(bytes, "a publication to {broker} is too large for it or for most brokers, and is not sent");
            self.has_warned_of_size = true;
        }
        debug!(topic = publication.topic, bytes, "dropped a publication that is too large");
    }

    fn acknowledged(&mut self, answer: &PubAck) {
        let publication = self.window.acknowledged(answer.pkid).map(|waiting| waiting.publication);
        let topic = publication.as_ref().map(|publication| publication.topic.as_str()).unwrap_or_default();
        if self.announced_on.as_deref() == Some(topic) {
            self.doubt = Doubt::Nothing;
        }
        if matches!(answer.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers) {
            if let Some(publication) = &publication {
                self.listener.taken(publication);
            }
            return;
        }
        if self.has_warned {
            debug!(topic, reason = ?answer.reason, "the broker refused a publication");
        } else {
            // Once a connection: a missing right would otherwise fill the log.
            warn!(reason = ?answer.reason, "{} refused a publication: check what this client may write", self.broker());
            debug!(topic, "refused");
            self.has_warned = true;
        }
    }

    /// Called when the watchdog rings: sets it anew if there was a sign of life in time.
    fn check_silence(&self, watchdog: Pin<&mut Sleep>) -> Result<(), LinkProblem> {
        let silent = self.last_heard.elapsed();
        if self.stage == Stage::Subscribing {
            Err(problem::of_missing_suback(SUBSCRIBE, self.broker()))
        } else if silent >= self.patience {
            Err(problem::of_silence(self.broker()))
        } else {
            watchdog.reset(self.last_heard + self.patience);
            Ok(())
        }
    }

    fn broker(&self) -> Broker<'a> {
        Broker { host: &self.settings.host, port: self.settings.port }
    }
}

fn is_granted(code: &SubscribeReasonCode) -> bool {
    matches!(code, SubscribeReasonCode::Success(_))
}
