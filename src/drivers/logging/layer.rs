//! From `tracing`'s spans and events to whole records.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Write};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::queue::Queue;
use crate::controller::moment::Wall;

/// Longer texts are cut here, in bytes: the queue's memory is bounded, and strangers' text may be quoted in a line.
const TEXT_LIMIT: usize = 1024;

/// Texts by name.
pub type Fields = BTreeMap<&'static str, String>;

/// One line of the log.
#[derive(Clone, Debug)]
pub struct Record {
    pub level: Level,
    /// When it was logged.
    pub wall: Wall,
    /// The module that logged it, or what it named instead.
    pub target: Cow<'static, str>,
    pub message: String,
    /// Its own fields and those of the spans around it; of two with the same name, the inner one's.
    pub fields: Fields,
    pub module_path: Option<Cow<'static, str>>,
    pub file: Option<Cow<'static, str>>,
    pub line: Option<u32>,
}

impl Record {
    /// A line of the log about itself.
    pub(super) fn own(level: Level, topic: &str, message: String) -> Record {
        Record {
            level,
            wall: Wall::default(),
            target: Cow::Borrowed("sos_hub"),
            message,
            fields: BTreeMap::from([("topic", topic.to_owned())]),
            module_path: None,
            file: None,
            line: None,
        }
    }
}

/// Makes a record of every event and puts it into the queue; never blocks.
pub struct Layer {
    queue: Arc<Queue>,
}

impl Layer {
    pub(super) fn new(queue: Arc<Queue>) -> Layer {
        Layer { queue }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Layer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut collected = Collected::default();
        attributes.record(&mut collected);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(collected);
        }
    }

    fn on_record(&self, id: &Id, values: &tracing::span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(collected) = span.extensions_mut().get_mut::<Collected>()
        {
            values.record(collected);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(Collected(of_span)) = span.extensions().get() {
                fields.extend(of_span.iter().map(|(name, value)| (*name, value.clone())));
            }
        }
        let mut own = Collected::default();
        event.record(&mut own);
        let Collected(mut own) = own;
        let metadata = event.metadata();
        let message = own.remove("message").unwrap_or_default();
        // A record of the `log` crate comes with its origin in fields of these names.
        let target = own.remove("log.target").map_or(Cow::Borrowed(metadata.target()), Cow::Owned);
        let module_path = own.remove("log.module_path").map(Cow::Owned);
        let file = own.remove("log.file").map(Cow::Owned);
        let line = own.remove("log.line").and_then(|line| line.parse().ok());
        fields.extend(own);
        self.queue.push(Record {
            level: *metadata.level(),
            wall: Wall::default(),
            target,
            message,
            fields,
            module_path: module_path.or_else(|| metadata.module_path().map(Cow::Borrowed)),
            file: file.or_else(|| metadata.file().map(Cow::Borrowed)),
            line: line.or_else(|| metadata.line()),
        });
    }
}

/// The fields of one span or event, as text.
#[derive(Default)]
struct Collected(Fields);

impl Visit for Collected {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = Bounded(String::new());
        if write!(text, "{value:?}").is_err() {
            text.0.push('…');
        }
        self.0.insert(field.name(), text.0);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// Takes text until [`TEXT_LIMIT`], then refuses.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = text.len().min(TEXT_LIMIT - self.0.len());
        let room = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(&text[..room]);
        if room == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}
