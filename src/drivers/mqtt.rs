//! A link to an MQTT 5 broker: the home's own or the monitoring center's.
//!
//! Each link is a thread with a runtime of its own, so that a flood on one cannot delay the other. The thread makes
//! one connection after the other ([`connection`]), with a pause between them ([`life`]). A connection is never
//! repaired: on any error it is dropped with all its state, because the MQTT library loses and mixes up messages when
//! it resumes one. What is to be published waits in a queue of our own ([`outbox`]).

mod connection;
mod dial;
mod extras;
mod life;
mod options;
mod outbox;
mod problem;
mod tls;
mod tunnel;
mod window;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{debug, error_span};

use crate::controller::input::{LinkChange, LinkProblem};
use outbox::Outbox;

/// Enough for a TLS handshake of an unoptimised build.
const STACK_BYTES: usize = 512 * 1024;

/// The largest payload that is sent, in bytes: the `message_size_limit` of the shipped brokers. mosquitto does not announce
/// that one, and answers what is larger with a reason that the library cannot read, which ends the connection.
pub const LARGEST_PAYLOAD: usize = 8192;

/// What a link needs to know of its broker and of what to say there.
#[derive(Clone)]
pub struct LinkSettings {
    /// The thread's name, at most 15 bytes, and the field `link` of every log line.
    pub name: &'static str,
    /// Name or address. With TLS the broker's certificate must be for it.
    pub host: String,
    pub port: u16,
    pub client_id: String,
    pub username: Option<String>,
    /// Its text without the end of the line is the password. Read at every attempt to connect, as the other files are.
    pub password_file: Option<PathBuf>,
    /// `None`: plain TCP.
    pub tls: Option<TlsSettings>,
    /// What the broker publishes when the connection ends without [`Link::stop`].
    pub will: Option<Publication>,
    /// Published on every connection as soon as it is up, before everything else.
    pub on_up: Vec<Publication>,
    /// Published by [`Link::stop`], after everything else.
    pub last_words: Vec<Publication>,
    /// At least one.
    pub subscriptions: Vec<Subscription>,
    /// Subscribed to as well. The link is up even if the broker refuses one of these, or ends connections over them.
    pub optional: Vec<Subscription>,
    /// Published on every connection after [`LinkSettings::on_up`], unless the broker ends connections over it.
    pub announcement: Option<Announce>,
    /// How much may wait for the broker.
    pub room: Room,
    /// Whether the wall clock may be believed. While it may not, a certificate that is not valid *yet* is accepted.
    pub clock_trusted: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What to announce on a connection whose broker does not let us hear these of the [`LinkSettings::optional`] topics.
pub type Announce = Arc<dyn Fn(&[&str]) -> Publication + Send + Sync>;

/// How much a link keeps for its broker. When more waits, the oldest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The most that may be sent without the broker's acknowledgement; the broker's own limit counts if it is lower.
    pub under_way: u16,
    pub waiting: usize,
    /// Of topics and payloads.
    pub waiting_bytes: usize,
}

impl Room {
    /// For a link with one home behind it.
    pub const SMALL: Room = Room { under_way: 16, waiting: 256, waiting_bytes: 256 * 1024 };
}

/// Which brokers to believe, and how to show who we are. All files are PEM.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// The only authorities that count: the system's are not asked.
    pub ca_file: PathBuf,
    /// For a broker that asks its clients for a certificate.
    pub client: Option<ClientCertificate>,
}

/// A certificate (with the chain above it, if there is one) and its private key.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

/// A topic filter to subscribe to, at QoS 1.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub topic: String,
    /// Whether the broker's stored message is wanted on connecting. Messages published while we are connected never
    /// bear the retain flag, even if they were published with it.
    pub wants_retained: bool,
}

/// A message to publish, at QoS 1.
#[derive(Clone, Debug)]
pub struct Publication {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
    /// MQTT 5 Correlation Data, for the answer to a request that bore one.
    pub correlation: Option<Vec<u8>>,
}

/// How long a publication is worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Until the broker has it or a newer one of the same topic is there.
    Latest,
    /// Until the broker has it, in order. When more wait than there is [`Room`] for, the oldest are dropped.
    Queue,
    /// For the connection that stands now: dropped if there is none, or if it ends before the broker has it.
    Now,
}

/// A message from the broker.
#[derive(Clone, Debug)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    /// It was stored by the broker before we subscribed.
    pub retained: bool,
    /// The sender's side may have sent it before. Not every broker says so.
    pub duplicate: bool,
    /// MQTT 5 Response Topic: where the sender wants the answer.
    pub response_topic: Option<String>,
    pub correlation: Option<Vec<u8>>,
}

/// Who is told of what happens on the link. Called on the link's thread.
pub trait Listener: Send + 'static {
    /// The link came up, went down, or is down for another reason than before. Must not block.
    fn changed(&self, change: LinkChange);
    /// May wait; then the link reads nothing more, and what is left stays with the broker.
    fn message(&self, message: Message) -> impl Future<Output = ()> + Send;
    /// The broker has taken this publication. Must not block.
    fn taken(&self, _publication: &Publication) {}
    /// A message on this topic was too large to be handed on. As [`Listener::message`].
    fn too_large(&self, _topic: &str) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// A link that runs until it is stopped. Dropping it breaks the connection off, so that the broker publishes the will.
pub struct Link {
    outbox: Arc<Outbox>,
    ending: watch::Sender<Option<Instant>>,
    thread: JoinHandle<()>,
}

impl Link {
    /// Starts connecting, and goes on for ever.
    ///
    /// # Errors
    ///
    /// When the system gives no thread or no poll descriptor.
    pub fn start(settings: LinkSettings, listener: impl Listener) -> io::Result<Link> {
        let outbox = Arc::new(Outbox::new(settings.room));
        let (ending, ending_seen) = watch::channel(None);
        // Name look-ups are the only thing that needs other threads. Those that hang must not pile up.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(4)
            .thread_stack_size(STACK_BYTES)
            .build()?;
        let thread = Builder::new().name(settings.name.to_owned()).stack_size(STACK_BYTES).spawn({
            let outbox = Arc::clone(&outbox);
            move || {
                let _span = error_span!("mqtt", link = settings.name).entered();
                runtime.block_on(life::run(&settings, &listener, &outbox, ending_seen));
                // A name look-up that hangs must not hold the end up.
                runtime.shutdown_background();
            }
        })?;
        Ok(Link { outbox, ending, thread })
    }

    /// Hands a publication over. Never blocks. A topic that is empty, too long, or has wildcards or control characters
    /// is dropped: the broker would break the connection off. So is what has more than [`LARGEST_PAYLOAD`], or more than
    /// the broker says it takes, with a warning.
    pub fn publish(&self, publication: Publication, keep: Keep) {
        if is_valid_topic(&publication.topic) {
            self.outbox.push(publication, keep);
        } else {
            debug!("dropped a publication whose topic nothing can be published to: {:?}", publication.topic);
        }
    }

    /// Says once more what this connection has announced, if there is a connection and it has.
    pub fn announce_again(&self) {
        self.outbox.announce_again();
    }

    /// Publishes what still waits, then the last words, and disconnects. Gives up after `within`; without a connection
    /// there is nothing to wait for.
    pub fn stop(self, within: Duration) {
        self.ending.send_replace(Some(Instant::now() + within));
        // The thread ends by itself at the deadline. If it panicked, that has been told already.
        let _ = self.thread.join();
    }
}

/// Whether the broker can be reached, and shows with TLS that it is the right one. Nothing of MQTT is said, so that no
/// other client is disturbed. Takes at most some five seconds, and twenty more where the name servers are silent. Returns
/// the certificate that it has shown, in DER.
///
/// # Errors
///
/// Why not.
pub fn reach(settings: &LinkSettings) -> Result<Option<Vec<u8>>, LinkProblem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    let runtime =
        runtime.map_err(|error| problem::configuration(format!("the system gives no poll descriptor ({error})")))?;
    let dialled = runtime.block_on(dial::dial(settings));
    runtime.shutdown_background();
    dialled.map(|broker| broker.shown.map(|certificate| certificate.to_vec()))
}

/// What MQTT 5 allows in a Topic Name, without what brokers refuse or break off for.
fn is_valid_topic(topic: &str) -> bool {
    let allowed =
        |character: char| !(character.is_control() || matches!(character, '#' | '+' | '\u{feff}'..='\u{ffff}'));
    !topic.is_empty() && topic.len() <= usize::from(u16::MAX) && topic.chars().all(allowed)
}
