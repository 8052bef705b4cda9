//! The log. A line of `tracing` (or of a library's `log`) becomes a [`Record`] with the fields of its spans, waits in a
//! bounded queue and is written by a thread of its own, to the systemd journal or else to standard error: whatever
//! stalls there, no caller waits.

mod journald;
mod layer;
mod queue;
mod stderr;

use std::env;
use std::io;
use std::panic;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use self::layer::{Layer, Record};

use self::journald::Journal;
use self::queue::Queue;
use self::stderr::Stderr;
use crate::controller::effect::{LogLine, Severity};
use crate::controller::moment::Wall;

/// How much is logged: a level for our own lines, or a list such as `sos_hub=debug,rumqttc=info`.
const LEVEL_VARIABLE: &str = "SOS_LOG";

/// Whose lines are our own. Of the libraries, only warnings are of interest.
const OURS: [&str; 2] = ["sos_hub", "sos_center"];

/// How long the end of the process may be held up by lines that are not written yet.
const PATIENCE_AT_END: Duration = Duration::from_millis(500);

/// Where records go. Called on the log's own thread, so it may block.
pub trait Sink {
    fn write(&mut self, record: &Record) -> io::Result<()>;
}

/// Keeps the log going; dropping it writes what is waiting, for at most half a second.
pub struct LogGuard {
    queue: Arc<Queue>,
}

impl LogGuard {
    /// Waits until everything logged so far is written, at most for `limit`. Returns whether it is.
    pub fn flush(&self, limit: Duration) -> bool {
        self.queue.flush(limit)
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.queue.flush(PATIENCE_AT_END);
        self.queue.close();
    }
}

/// Starts the log of this process: to the journal if standard error is connected to it, else to standard error. `wall`
/// is the clock for the times of its lines. Also logs panics.
///
/// Fails if a thread cannot be started, or if the process already has a log.
pub fn init(wall: fn() -> Wall) -> io::Result<LogGuard> {
    let (layer, guard) = start(wall, choose_sink)?;
    let (filter, complaint) = filter(&env::var(LEVEL_VARIABLE).unwrap_or_default());
    tracing_subscriber::registry().with(filter).with(layer).try_init().map_err(io::Error::other)?;
    if let Some(complaint) = complaint {
        tracing::warn!("{complaint}");
    }
    log_panics(Arc::clone(&guard.queue));
    Ok(guard)
}

/// The parts of [`init`] without anything global: a layer for a subscriber, and the thread that writes its records to
/// the sink. `sink` is called on that thread, because already the first word to a stalled journal may block.
pub fn start<S: Sink>(wall: fn() -> Wall, sink: impl FnOnce() -> S + Send + 'static) -> io::Result<(Layer, LogGuard)> {
    let queue = Arc::new(Queue::new(wall));
    let guard = LogGuard { queue: Arc::clone(&queue) };
    let writer = Arc::clone(&queue);
    thread::Builder::new().name("log".to_owned()).stack_size(128 * 1024).spawn(move || writer.drain(&mut sink()))?;
    Ok((Layer::new(queue), guard))
}

/// Logs a line of the controller.
pub fn emit(line: &LogLine) {
    let LogLine { severity, incident, topic, text } = line;
    let incident = incident.map(tracing::field::display);
    match severity {
        Severity::Debug => tracing::debug!(target: "sos_hub", topic, incident, "{text}"),
        Severity::Info => tracing::info!(target: "sos_hub", topic, incident, "{text}"),
        Severity::Warning => tracing::warn!(target: "sos_hub", topic, incident, "{text}"),
    }
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        (**self).write(record)
    }
}

fn choose_sink() -> Box<dyn Sink> {
    if systemd_journal_logger::connected_to_journal()
        && let Ok(journal) = Journal::connect()
    {
        Box::new(journal)
    } else {
        Box::new(Stderr::open())
    }
}

/// What is let in by this value of [`LEVEL_VARIABLE`], and a complaint if it means nothing.
fn filter(setting: &str) -> (Targets, Option<String>) {
    let ours_from = |level: LevelFilter| {
        let others = Targets::new().with_default(level.min(LevelFilter::WARN));
        // It calls ordinary outages errors; the links tell of them in their own words.
        let others = others.with_target("rumqttc", LevelFilter::OFF);
        OURS.iter().fold(others, |targets, name| targets.with_target(*name, level))
    };
    let setting = setting.trim();
    if setting.is_empty() {
        return (ours_from(LevelFilter::INFO), None);
    }
    if let Ok(level) = setting.parse() {
        return (ours_from(level), None);
    }
    let is_list = setting.split(',').all(|part| part.contains('=') || part.parse::<LevelFilter>().is_ok());
    if let (true, Ok(targets)) = (is_list, setting.parse()) {
        return (targets, None);
    }
    let complaint = format!(
        "{LEVEL_VARIABLE}={setting:?} means nothing, so the level is info; use error, warn, info, debug, trace, off, or \
         a list such as sos_hub=debug,rumqttc=info"
    );
    (ours_from(LevelFilter::INFO), Some(complaint))
}

/// A panic's words go the way of every line, and get the time to arrive before the process ends.
fn log_panics(queue: Arc<Queue>) {
    panic::set_hook(Box::new(move |panic| {
        let thread = thread::current();
        let message = format!("thread {} {panic}", thread.name().unwrap_or("without a name")).replace('\n', " ");
        queue.push(Record::own(Level::ERROR, "panic", message));
        queue.flush(PATIENCE_AT_END);
    }));
}
