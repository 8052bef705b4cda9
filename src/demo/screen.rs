//! What the terminal shows: first how to try the hub, then a line for each thing that happens.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd;
use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::config::Config;
use crate::controller::input::LinkChange;
use crate::drivers::mqtt::{Link, LinkSettings, Listener, Message, Subscription};
use crate::mailbox::{Mailbox, Sender, mailbox};
use crate::wire::topics::AppTopics;
use crate::wiring;

/// How long the last line may take to be written: the other end of a pipe may have stopped to read.
const PATIENCE: Duration = Duration::from_millis(300);
/// With less room than this for a message, the terminal may break its lines where it likes.
const NARROWEST: usize = 24;

/// Shows the hub to people, from a thread of its own: a terminal that stands still holds up nobody.
pub struct Screen {
    news: Sender<News>,
    ended: Receiver<()>,
    _link: Link,
}

enum News {
    State(Vec<u8>),
    Event(Vec<u8>),
    End(String),
}

impl Screen {
    /// Shows `welcome`, then what the hub of `config` says. `on_deaf` is called when nobody reads any more.
    pub fn start(config: &Config, welcome: String, on_deaf: impl FnOnce() + Send + 'static) -> io::Result<Screen> {
        let topics = wiring::app_topics(config);
        let (news, mailbox) = mailbox();
        let (ending, ended) = channel();
        let settings = LinkSettings {
            name: "demo-screen",
            subscriptions: vec![
                Subscription { topic: topics.state(), wants_retained: true },
                Subscription { topic: topics.event(), wants_retained: false },
            ],
            ..wiring::visitor_link(config)
        };
        let link = Link::start(settings, Ear { topics, news: news.clone() })?;
        Builder::new().name("demo-screen".into()).spawn(move || {
            if show(&welcome, &mailbox).is_err() {
                on_deaf();
            }
            // Whoever waits for the end may have lost patience.
            let _ = ending.send(());
        })?;
        Ok(Screen { news, ended, _link: link })
    }

    /// Shows a last line.
    pub fn end(self, line: String) {
        self.news.urgent(News::End(line));
        // Without an answer the line cannot be shown.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

struct Ear {
    topics: AppTopics,
    news: Sender<News>,
}

impl Listener for Ear {
    fn changed(&self, _: LinkChange) {}

    async fn message(&self, message: Message) {
        let is_state = message.topic == self.topics.state();
        let news = if is_state { News::State } else { News::Event };
        self.news.bulk(news(message.payload)).await;
    }
}

/// Writes until the end, or until nobody reads any more.
fn show(welcome: &str, mailbox: &Mailbox<News>) -> io::Result<()> {
    write(welcome)?;
    let mut rest = Rest::default();
    loop {
        let line = match mailbox.next(None) {
            Some(News::Event(json)) => serde_json::from_slice(&json).ok().map(|event| event_line(&event)),
            Some(News::State(json)) => serde_json::from_slice(&json).ok().and_then(|state| rest.line(&state)),
            Some(News::End(line)) => return write(&line),
            None => None,
        };
        if let Some(line) = line {
            write(&line)?;
        }
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// What no event says: that the hub is at rest and ready (again). Why it is not is an event, a fault.
#[derive(Default)]
struct Rest {
    said: bool,
}

impl Rest {
    fn line(&mut self, state: &Value) -> Option<String> {
        let nothing_open = state["incidents"].as_array().is_some_and(Vec::is_empty);
        let is_ready = nothing_open && state["ready"] == true;
        let is_news = is_ready && !self.said;
        self.said = is_ready;
        is_news.then(|| line(&state["at"], "hub", "ready", "Waiting for a button or a message."))
    }
}

fn event_line(event: &Value) -> String {
    let kind = text(&event["type"]);
    let (who, what) = match kind.as_str() {
        "siren_on" => ("siren".into(), "SIREN ON".into()),
        "siren_off" => ("siren".into(), "siren off".into()),
        "countdown" => (text(&event["service"]), format!("countdown {}", event["remaining"])),
        _ => (text(&event["service"]), kind.replace('_', " ")),
    };
    let mut message = text(&event["message"]);
    // Who was called, and what came of it.
    let note = event["note"].as_str().map(|note| note.replace('_', " "));
    let remarks: Vec<String> = event["contact"]["name"].as_str().map(str::to_owned).into_iter().chain(note).collect();
    if !remarks.is_empty() {
        let _ = write!(message, " ({})", remarks.join(": "));
    }
    line(&event["at"], if who.is_empty() { "hub" } else { &who }, &what, &message)
}

fn line(at: &Value, who: &str, what: &str, message: &str) -> String {
    let time = text(at).parse::<Timestamp>().map(|time| time.to_zoned(TimeZone::system()));
    let time = time.map(|time| time.strftime("%H:%M:%S").to_string()).unwrap_or_default();
    // Some of it was said by strangers: it must not move the cursor.
    let message = message.replace(char::is_control, " ");
    let start = format!("{time:<8}  {who:<6}  {what:<22}  ");
    match columns().map(|columns| columns.saturating_sub(start.len())) {
        Some(room) if room >= NARROWEST => {
            let indent = format!("\n{:width$}", "", width = start.len());
            format!("{start}{}\n", wrapped(&message, room).join(&indent))
        }
        _ => format!("{start}{message}\n"),
    }
}

/// The words of a text in lines of at most `room` characters, or one word.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// How wide the terminal is now; `None` for what is none.
fn columns() -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the call fills one winsize, which lives through it.
    let got = unsafe { libc::ioctl(io::stdout().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (got == 0).then_some(usize::from(size.ws_col))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
